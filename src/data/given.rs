//! Rows whose amounts are still texts: in which currency they are is known only when all files are read,
//! and what the store has is known too.

use crate::model::{PriceListId, ProductId, ShownDecimal, UserId};
use crate::pricing::{Currency, MinQuantity, Money, Rate, Scope};

/// The line of a file that something stands on. Small, for there are millions of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub(super) file: u32,
    pub(super) line: u32,
}

/// In which currency amounts are for which none is named, and how many decimals unit prices have beyond
/// those of their currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// The currency of the catalogue.
    pub currency: Currency,
    /// How many more decimals.
    pub unit_decimals: u8,
}

impl Amounts {
    /// An amount of a unit price as it is written.
    #[must_use]
    pub fn shown(self, amount: Money) -> ShownDecimal {
        amount.shown_as_unit(self.currency, self.unit_decimals)
    }
}

impl From<Currency> for Amounts {
    fn from(currency: Currency) -> Self {
        Self { currency, unit_decimals: 0 }
    }
}

/// What a row says a product costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenRule {
    /// This.
    Price(Box<str>),
    /// The list price less a percentage of it.
    Percentage(Rate),
    /// The list price less an amount.
    Amount(Box<str>),
}

/// One row of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenRung {
    /// From which quantity on.
    pub min_quantity: MinQuantity,
    /// What it costs then.
    pub rule: GivenRule,
    /// Where it stands.
    pub place: Place,
}

/// The rows of one price list for one scope, sorted by quantity, each quantity once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenPrices {
    /// Of which list.
    pub list: PriceListId,
    /// For which products.
    pub scope: Scope,
    /// What they say.
    pub rungs: Vec<GivenRung>,
}

/// A customer's own list with more than a discount on every quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenOwn {
    /// Whose.
    pub user: UserId,
    /// Its rows, sorted by product and quantity, each pair once.
    pub rows: Vec<(ProductId, GivenRung)>,
}

impl GivenOwn {
    /// Where the row of a product stands that counts at a quantity.
    pub(super) fn place(&self, product: &ProductId, at: MinQuantity) -> Option<Place> {
        let counts =
            |(of, rung): &&(ProductId, GivenRung)| of == product && rung.min_quantity <= at;
        self.rows.iter().rfind(counts).map(|(_, rung)| rung.place)
    }
}

impl GivenRule {
    /// Whether it needs a currency.
    #[must_use]
    pub const fn is_absolute(&self) -> bool {
        !matches!(self, Self::Percentage(_))
    }
}
