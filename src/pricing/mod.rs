//! The one pricing module: money, discounts, what customers have in common, what each has of their
//! own, and quotes from both.
//!
//! Pure and synchronous: no port, no clock, no task. Time is an argument where it is needed.
//!
#![doc = include_str!("../../docs/pricing.md")]

mod base;
mod base_part;
mod bytes;
mod currency;
mod discounts;
mod ids;
mod money;
mod own;
mod packed_discounts;
mod packed_own;
mod quote;

pub use base::{Base, BaseError, BaseIndex, PackedBase, PartStart, Product};
pub use base_part::{BaseEntry, BasePart};
pub use bytes::PackError;
pub(crate) use bytes::{Reader, damaged, put_varint};
pub use currency::Currency;
pub use discounts::{Discount, DiscountError, Discounts};
pub use money::{Money, MoneyError, Percentage, PercentageError};
pub use own::{OwnRow, OwnRows, PRICING_VERSION, fingerprint};
pub use packed_own::PackedOwn;
pub use quote::{Answer, AnswerLine, Entry, QuoteError, Quoted, quote};
