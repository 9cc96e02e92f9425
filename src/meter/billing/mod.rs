//! The units that AWS bills, and their list prices. [`super::rules`] says how units are counted.
//!
//! Billing is pure and synchronous. Amounts are integers, and a unit is counted in its smallest billed part,
//! so that nothing is rounded before the end.

mod price_list;
mod usage;
mod usd;

pub use price_list::{PriceListError, UsdPriceList, UsdRate};
pub use usage::{BilledUsage, HOURS_A_MONTH, Line, Service};
pub use usd::Usd;
