//! What AWS bills: units, the rules by which they are counted, and list prices.
//!
//! Pure and synchronous. Amounts are integers; a unit is counted in the smallest share of it that
//! is billed, so that nothing is rounded before the end.

mod price_list;
mod rules;
mod usage;
mod usd;

pub use price_list::{PriceList, PriceListError, Rate};
pub use rules::{messages, read_halves, requests, write_units};
pub use usage::{Line, Usage};
pub use usd::Usd;
