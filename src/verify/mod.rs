//! Verifies what is stored: recalculates tables and answers from the loaded data, in the simplest
//! possible way, and compares them.
//!
//! The verification uses no code that made the tables: no joins, no composed ladders, no rounding of the
//! pricing module, only integers of 128 bits ([`arithmetic`]). To find the row that counts, it looks at
//! every row, for one quantity at a time (`expected`); tables are composed of whole ladders instead. It
//! reads packed tables with decoders of its own (`packed`). It uses a fingerprint only if a table and its
//! inputs differ, to tell a table made from older inputs from a wrong one.

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
pub use audience::{Audience, VerifyStep};
pub use error::VerifyError;
pub use expected::percent_off;
pub use explain::{Explained, ExplainedLine, explain};
pub use finding::{Finding, FindingKind, FindingSubject};
pub use reasons::{Reasons, WhyPrice, reasons};
pub use report::{FindingCounts, VerifyReport};
pub use run::{VerifyOptions, verify};
pub use told::{price_json, reasons_json, why};
