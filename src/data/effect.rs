//! What a load would do to the prices of active customers.

use crate::model::{ProductId, UserId};
use crate::pricing::{Currency, MinQuantity, Money, Rate};

/// How a load would change prices. A price is that of one product for one customer, from one quantity on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// How many customers are active.
    pub customers: u64,
    /// How many of them would have a changed price.
    pub affected: u64,
    /// Prices that would go up.
    pub up: Moves,
    /// Prices that would go down.
    pub down: Moves,
    /// How many prices would be new.
    pub new: u64,
    /// How many prices would disappear.
    pub gone: u64,
    /// Changed prices that would be below their floor.
    pub under_floor: Moves,
}

/// Prices that move in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// How many prices move.
    pub count: u64,
    /// The price that moves most, in proportion to what it was.
    pub most: Option<MovedPrice>,
}

/// A price that a load would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedPrice {
    /// The customer who has the price.
    pub customer: UserId,
    /// The product.
    pub product: ProductId,
    /// The quantity from which on the price counts.
    pub min_quantity: MinQuantity,
    /// The price now, or `None` if there is none.
    pub before: Option<Money>,
    /// The price after the load, or `None` if there would be none.
    pub after: Option<Money>,
    /// The floor after the load.
    pub floor: Option<Money>,
    /// The currency of all three amounts.
    pub currency: Currency,
}

/// Receives every price that a load would change.
pub trait MovedPrices {
    /// Discards the prices received so far, because the comparison starts again after another load.
    ///
    /// # Errors
    /// Those of writing.
    fn restart(&mut self) -> std::io::Result<()>;

    /// Receives a changed price.
    ///
    /// # Errors
    /// Those of writing.
    fn moved(&mut self, price: &MovedPrice) -> std::io::Result<()>;
}

/// Ignores single prices.
impl MovedPrices for () {
    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn moved(&mut self, _: &MovedPrice) -> std::io::Result<()> {
        Ok(())
    }
}

impl MovedPrice {
    /// Returns by how much the price falls, in percent of what it is now. The result is negative if the
    /// price rises, and `None` if there is nothing to compare.
    #[must_use]
    pub fn fall(&self) -> Option<Rate> {
        let (before, after) = (self.before?, self.after?);
        (before > Money::ZERO).then(|| Rate::between(before, after))
    }
}

impl Moves {
    fn add(&mut self, price: &MovedPrice, more: impl Fn(&MovedPrice, &MovedPrice) -> bool) {
        self.count += 1;
        if self.most.as_ref().is_none_or(|most| more(price, most)) {
            self.most = Some(price.clone());
        }
    }
}

impl Effect {
    pub(super) fn add(&mut self, price: &MovedPrice) {
        match (price.before, price.after) {
            (Some(before), Some(after)) if after > before => {
                self.up.add(price, |price, most| price.fall() < most.fall());
            }
            (Some(_), Some(_)) => {
                self.down.add(price, |price, most| price.fall() > most.fall());
            }
            (None, _) => self.new += 1,
            (_, None) => self.gone += 1,
        }
        if let (Some(after), Some(floor)) = (price.after, price.floor)
            && after < floor
        {
            self.under_floor.add(price, |price, most| price.under() > most.under());
        }
    }
}

impl MovedPrice {
    /// Returns how far the price is below its floor, in percent of the floor.
    fn under(&self) -> Option<Rate> {
        Some(Rate::between(self.floor?, self.after?))
    }
}
