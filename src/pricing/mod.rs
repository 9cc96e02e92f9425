//! The one pricing module: money, discounts, whole price tables and quotes from them.
//!
//! Pure and synchronous: no port, no clock, no task. Time is an argument where it is needed.
//!
#![doc = include_str!("../../docs/pricing.md")]

mod bytes;
mod catalogue;
mod currency;
mod discounts;
mod ids;
mod money;
mod names;
mod numbering;
mod pack;
mod packed_discounts;
mod quote;
mod table;
mod unpack;

pub use catalogue::{Catalogue, CatalogueDigest, CatalogueError, MAX_PRODUCTS_PER_PART, Product};
pub use currency::Currency;
pub use discounts::{Discount, DiscountError, Discounts};
pub use money::{Money, MoneyError, Percentage, PercentageError};
pub use names::{NamePart, PackedNames};
pub use pack::PackError;
pub use quote::{Answer, AnswerLine, QuoteError, Quoted, quote};
pub use table::{Entry, PRICING_VERSION, PriceTable, fingerprint, fingerprint_of};
pub use unpack::PackedPart;
