//! What a load would do to the prices of active customers.

use crate::model::{ProductId, UserId};
use crate::pricing::{Currency, MinQuantity, Money, Rate};

/// What would become of prices. A price is that of one product for one customer, from one quantity on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// How many customers are active.
    pub customers: u64,
    /// Of how many any price would change.
    pub affected: u64,
    /// Prices that would go up.
    pub up: Moves,
    /// Prices that would go down.
    pub down: Moves,
    /// How many prices there would be that are not there now.
    pub new: u64,
    /// How many prices there would be no more.
    pub gone: u64,
    /// Prices that would be under their floor, of those that change.
    pub under_floor: Moves,
}

/// Prices that move in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// How many.
    pub count: u64,
    /// The one that moves most, in parts of what it was.
    pub most: Option<MovedPrice>,
}

/// A price that a load would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedPrice {
    /// Whose.
    pub customer: UserId,
    /// Of which product.
    pub product: ProductId,
    /// From which quantity on.
    pub min_quantity: MinQuantity,
    /// The price now; `None` when there is none.
    pub before: Option<Money>,
    /// The price after the load; `None` when there would be none.
    pub after: Option<Money>,
    /// The floor after the load.
    pub floor: Option<Money>,
    /// In which currency all of them are.
    pub currency: Currency,
}

/// Hears of every price that a load would change.
pub trait MovedPrices {
    /// What was heard so far does not count: another load came between.
    ///
    /// # Errors
    /// Those of writing.
    fn restart(&mut self) -> std::io::Result<()>;

    /// A price.
    ///
    /// # Errors
    /// Those of writing.
    fn moved(&mut self, price: &MovedPrice) -> std::io::Result<()>;
}

/// Nobody wants to hear of single prices.
impl MovedPrices for () {
    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn moved(&mut self, _: &MovedPrice) -> std::io::Result<()> {
        Ok(())
    }
}

impl MovedPrice {
    /// How much less it would be, in per cent of what it is; negative when it is more. `None` when there
    /// is nothing to compare.
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
    /// How far it is under its floor, in per cent of that.
    fn under(&self) -> Option<Rate> {
        Some(Rate::between(self.floor?, self.after?))
    }
}
