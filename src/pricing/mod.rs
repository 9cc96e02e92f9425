//! All pricing: money, discounts, the base that customers share, the rows that each has alone, and quotes
//! from both.
//!
//! Pricing is pure and synchronous: it uses no port, no clock and no task. Where it needs the time, that is
//! an argument.
//!
#![doc = include_str!("../../docs/pricing.md")]

mod base;
mod base_detail;
mod base_part;
mod base_runs;
mod bytes;
mod currency;
mod discounts;
mod ids;
mod ladder_rows;
mod money;
mod own;
mod packed_discounts;
mod packed_ladders;
mod packed_own;
mod part_frame;
mod price_row;
mod product;
mod quote;
mod rounding;
mod terms;

pub use base::{Base, BaseError, BaseIndex, PackedBase, PartStart};
pub use base_part::{BaseEntry, BasePart};
pub use base_runs::{MergedRuns, pack_runs};
pub use bytes::PackError;
pub(crate) use bytes::{ByteCount, ByteSink, Reader, damaged, put_varint};
pub use currency::Currency;
pub use discounts::{Discount, DiscountError, Discounts};
pub use ladder_rows::LadderRows;
pub use money::{Money, MoneyError, Percentage, PercentageError};
pub use own::{OwnRow, OwnRows, PRICING_VERSION};
pub use packed_ladders::{LadderPacker, PackedLadders};
pub use packed_own::{PackedOwn, fingerprint};
pub use price_row::PriceRow;
pub use product::{Product, ProductDetail};
pub use quote::{
    Answer, AnswerLine, InvalidItem, ItemPrice, ProductPrice, QuoteError, Quoted, quote,
};
pub use rounding::{Rounding, UnitRounding};
pub use terms::{
    Category, CategoryError, Considered, Customer, Explanation, GivenList, Goods, Ladder,
    LadderError, ListPrices, ListRows, MinQuantity, NextTier, OwnLadder, OwnLadders, PriceList,
    PriceRule, QuantityRules, QuantityRulesError, Rate, RateError, Recipients, RowVerdict, Rule,
    RuleKind, Rules, Rung, Scope, ScopedLadder, Step, Subject, Unsold, WindowError, compose,
    explain, next_tier, step_at, steps_of_list,
};
