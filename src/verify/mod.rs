//! Whether what is stored is right: tables and answers are worked out anew from what is loaded, in the
//! plainest way, and compared.
//!
//! Nothing of what made them is used: no join, no composed ladder, no rounding of the pricing module, only
//! integers of 128 bits ([`arithmetic`]). Which row counts is found by looking at every row, for one
//! quantity at a time ([`expected`]); tables are composed of whole ladders instead. Packed tables are read
//! by decoders of their own (`packed`). A fingerprint is looked at only where a table and its inputs
//! differ, to tell a table by older inputs from a wrong one.

mod ages;
mod answers;
pub mod arithmetic;
mod audience;
mod comparison;
mod customer;
mod details;
mod error;
mod expected;
mod explain;
mod finding;
mod fingerprints;
mod inputs;
mod list_prices;
mod packed;
mod price_lists;
mod reasons;
mod recent;
mod report;
mod run;
mod sample;
mod stored_ladders;
mod stored_table;
mod tables;
mod told;

pub use ages::Ages;
pub use audience::{Audience, Step};
pub use error::VerifyError;
pub use expected::{Expected, expected, ladder_of, percent_off};
pub use explain::{Explained, ExplainedLine, explain};
pub use finding::{Finding, Kind, Subject};
pub use reasons::{Reasons, WhyPrice, reasons};
pub use report::{Counts, Report};
pub use run::{VerifyOptions, verify};
pub use told::{Amounts, price_json, reasons_json, why};
