//! Rows whose amounts are still text. The currency of an amount is known only when all files are read and
//! the store is known too.

use std::num::NonZeroU32;

use crate::model::{PriceListId, ProductId, UserId};
use crate::pricing::{Currency, Discount, MinQuantity, Money, Rate, Scope};

/// The position of a row in a file. It is small, because there are millions of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: u32,
    /// Present only if the row shares its line.
    pub(super) column: Option<NonZeroU32>,
}

/// A file and a position in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePlace {
    pub(super) file: u32,
    pub(super) at: Position,
}

impl From<u32> for Position {
    fn from(line: u32) -> Self {
        Self { line, column: None }
    }
}

/// How amounts are read and written: their currency, and how many decimals unit prices have beyond those of
/// the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// The currency of amounts that name none.
    pub currency: Currency,
    /// How many more decimals unit prices have.
    pub unit_decimals: u8,
}

impl Amounts {
    /// Returns an amount of a unit price as it is written.
    #[must_use]
    pub fn shown(self, amount: Money) -> String {
        amount.shown_as_unit(self.currency, self.unit_decimals).to_string()
    }
}

impl From<Currency> for Amounts {
    fn from(currency: Currency) -> Self {
        Self { currency, unit_decimals: 0 }
    }
}

/// What a row says that a product costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenRule {
    /// This price.
    Price(Box<str>),
    /// The list price less a percentage of it.
    Percentage(Rate),
    /// The list price less an amount.
    Amount(Box<str>),
}

/// One row of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenRung {
    /// The quantity from which on the row counts.
    pub min_quantity: MinQuantity,
    /// What the product costs from then on.
    pub rule: GivenRule,
    /// The place of the row.
    pub place: FilePlace,
}

/// The rows of one price list for one scope, sorted by quantity, each quantity once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenPrices {
    /// The price list.
    pub list: PriceListId,
    /// The products that the rows are for.
    pub scope: Scope,
    /// The rows.
    pub rungs: Vec<GivenRung>,
}

/// A customer's own list that has more than discounts on every quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenOwn {
    /// The customer.
    pub user: UserId,
    /// The rows, sorted by product and quantity. Each pair is there once.
    pub rows: Vec<(ProductId, GivenRung)>,
}

impl GivenOwn {
    /// Returns the place of the row that counts for a product at a quantity.
    pub(super) fn place(&self, product: &ProductId, at: MinQuantity) -> Option<FilePlace> {
        let counts =
            |(of, rung): &&(ProductId, GivenRung)| of == product && rung.min_quantity <= at;
        self.rows.iter().rfind(counts).map(|(_, rung)| rung.place)
    }
}

impl GivenRule {
    /// Whether the rule needs a currency.
    #[must_use]
    pub const fn is_absolute(&self) -> bool {
        !matches!(self, Self::Percentage(_))
    }

    /// Returns the rule from a quantity on as a discount on every quantity, if it is one.
    pub(super) fn as_discount(&self, product: &ProductId, from: MinQuantity) -> Option<Discount> {
        let Self::Percentage(rate) = self else { return None };
        let percentage = rate.as_percentage().filter(|_| from == MinQuantity::ZERO)?;
        Some(Discount { product_id: product.clone(), percentage })
    }
}
