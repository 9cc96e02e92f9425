//! The agreements between a seller and customers: price lists with their ladders, customers' own rows,
//! floors, and the quantities in which products are sold.
//!
//! [`compose`] calculates the price of a product at every quantity, for tables. [`explain`] considers every
//! row for one quantity and says why it won or lost. The two share no steps, so that each can check the
//! other.

mod category;
mod compose;
mod customer;
mod explain;
mod ladder;
mod list_rows;
mod packed;
mod price_list;
mod quantity_rules;
mod rate;
mod steps;

pub use category::{Category, CategoryError};
pub use compose::{Goods, ScopedLadder, compose, steps_of_list};
pub use customer::{Customer, OwnLadder, OwnLadders};
pub use explain::{Considered, Explanation, GivenList, RowVerdict, Subject, explain};
pub use ladder::{Ladder, LadderError, MinQuantity, PriceRule, Rung};
pub use list_rows::ListRows;
pub use price_list::{ListPrices, PriceList, Recipients, Scope, WindowError};
pub use quantity_rules::{QuantityRules, QuantityRulesError, Unsold};
pub use rate::{Rate, RateError};
pub use steps::{NextTier, Rule, RuleKind, Rules, Step, next_tier, step_at};
