//! What AWS bills: units, and list prices. The rules by which units are counted are the meter's.
//!
//! Pure and synchronous. Amounts are integers; a unit is counted in the smallest share of it that
//! is billed, so that nothing is rounded before the end.

mod price_list;
mod usage;
mod usd;

pub use price_list::{PriceList, PriceListError, Rate};
pub use usage::{HOURS_A_MONTH, Line, Service, Usage};
pub use usd::Usd;
