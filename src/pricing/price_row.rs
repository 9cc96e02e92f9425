//! The row that decides the price of a product in a customer's table.

use super::{
    Base, BaseEntry, LadderRows, OwnRow, OwnRows, ProductPrice, Rule, Step, next_tier, step_at,
};
use crate::model::{ProductId, Quantity};

/// The row that decides a product's price.
#[derive(Clone, Copy, Debug)]
pub enum PriceRow<'a> {
    /// A ladder decides.
    Ladder {
        /// Its steps.
        steps: &'a [Step],
        /// The rules that the steps refer to.
        rules: &'a [Rule],
    },
    /// A discount at every quantity decides.
    Discount(&'a OwnRow),
    /// The list price applies.
    ListPrice,
}

impl<'a> PriceRow<'a> {
    /// Returns the first of these that exists: the customer's own ladder, the customer's own discount, the
    /// ladder of the terms, the list price.
    ///
    /// # Errors
    /// The error of a lookup that fails. Lookups after the row that decides are not made.
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

    /// Returns the ladder of the product with this index, if `rows` have one.
    #[must_use]
    pub fn of(rows: &'a LadderRows, index: u32) -> Option<Self> {
        Some(Self::Ladder { steps: rows.find(index)?, rules: rows.rules() })
    }

    /// The steps of the product's ladder; empty without a ladder.
    #[must_use]
    pub const fn steps(self) -> &'a [Step] {
        match self {
            Self::Ladder { steps, .. } => steps,
            Self::Discount(_) | Self::ListPrice => &[],
        }
    }

    /// Returns the price of the product at a quantity; `Some(None)` if it has none. Returns `None` if a rule
    /// is missing, or if the list price of a discount is missing or too low.
    #[must_use]
    pub fn entry(
        self,
        product: &BaseEntry<'_>,
        quantity: Quantity,
    ) -> Option<Option<ProductPrice>> {
        let at_list_price = || product.list_price.map(ProductPrice::at_list_price);
        match self {
            Self::ListPrice => Some(at_list_price()),
            Self::Discount(row) => ProductPrice::discounted(product.list_price?, row).map(Some),
            Self::Ladder { steps, rules } => {
                let entry = match step_at(steps, quantity) {
                    Some(step) => Some(ProductPrice::at_step(product.list_price, step, rules)?),
                    None => at_list_price(),
                };
                Some(entry.map(|entry| ProductPrice {
                    next_tier: next_tier(steps, quantity, entry.unit_price, &product.quantities),
                    ..entry
                }))
            }
        }
    }
}

impl Base {
    /// Returns the price of a product for a customer with these own rows; `None` if the product does not
    /// exist or has no price.
    #[must_use]
    pub fn entry(&self, product: &ProductId, own: &OwnRows) -> Option<ProductPrice> {
        let number = self.index().part_of(product)?;
        let part = self.part(number)?;
        let place = part.find(product)?;
        let list_price = part.entry(place).list_price?;
        match own.find(self.index().first_of(number)? + place as u32) {
            None => Some(ProductPrice::at_list_price(list_price)),
            Some(row) => ProductPrice::discounted(list_price, row),
        }
    }
}
