//! What says the price of a product in a customer's table.

use super::{Base, BaseEntry, Entry, LadderRows, OwnRow, OwnRows, Rule, Step, next_tier, step_at};
use crate::model::{ProductId, Quantity};

/// The row of a product that counts.
#[derive(Clone, Copy, Debug)]
pub enum PriceRow<'a> {
    /// A ladder.
    Ladder {
        /// Its steps.
        steps: &'a [Step],
        /// The rules that the steps name.
        rules: &'a [Rule],
    },
    /// A discount on every quantity.
    Discount(&'a OwnRow),
    /// Nothing but the list price.
    ListPrice,
}

impl<'a> PriceRow<'a> {
    /// The first that there is: a ladder that only the customer has, a discount of the customer, a ladder by the
    /// customer's terms, the list price.
    ///
    /// # Errors
    /// That of the first look-up that fails. Those after the row that counts are not made.
    pub fn first<E>(
        own_ladder: Option<Self>,
        discount: impl FnOnce() -> Result<Option<&'a OwnRow>, E>,
        terms: impl FnOnce() -> Result<Option<Self>, E>,
    ) -> Result<Self, E> {
        if let Some(ladder) = own_ladder {
            return Ok(ladder);
        }
        if let Some(row) = discount()? {
            return Ok(Self::Discount(row));
        }
        Ok(terms()?.unwrap_or(Self::ListPrice))
    }

    /// The ladder that some rows have for the product at an index.
    #[must_use]
    pub fn of(rows: &'a LadderRows, index: u32) -> Option<Self> {
        Some(Self::Ladder { steps: rows.find(index)?, rules: rows.rules() })
    }

    /// The steps of the product; none without a ladder.
    #[must_use]
    pub const fn steps(self) -> &'a [Step] {
        match self {
            Self::Ladder { steps, .. } => steps,
            Self::Discount(_) | Self::ListPrice => &[],
        }
    }

    /// What the product costs at a quantity; `Some(None)` when that has no price. `None` when a rule or the list
    /// price of a discount is missing.
    #[must_use]
    pub fn entry(self, product: &BaseEntry<'_>, quantity: Quantity) -> Option<Option<Entry>> {
        let at_list_price = || product.list_price.map(Entry::at_list_price);
        match self {
            Self::ListPrice => Some(at_list_price()),
            Self::Discount(row) => Entry::discounted(product.list_price?, row).map(Some),
            Self::Ladder { steps, rules } => {
                let entry = match step_at(steps, quantity) {
                    Some(step) => Some(Entry::at_step(product.list_price, step, rules)?),
                    None => at_list_price(),
                };
                Some(entry.map(|entry| Entry {
                    next_tier: next_tier(steps, quantity, entry.unit_price, &product.quantities),
                    ..entry
                }))
            }
        }
    }
}

impl Base {
    /// What a customer with these discounts of their own pays for a product; `None` for one that does not
    /// exist, or has no price.
    #[must_use]
    pub fn entry(&self, product: &ProductId, own: &OwnRows) -> Option<Entry> {
        let number = self.index().part_of(product)?;
        let part = self.part(number)?;
        let place = part.find(product)?;
        let list_price = part.entry(place).list_price?;
        match own.find(self.index().first_of(number)? + place as u32) {
            None => Some(Entry::at_list_price(list_price)),
            Some(row) => Entry::discounted(list_price, row),
        }
    }
}
