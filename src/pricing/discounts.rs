//! The discounts of one customer.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Percentage;
use super::ids::Ids;
use crate::model::ProductId;

/// A percentage off one product's list price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// The product. It need not exist yet.
    pub product_id: ProductId,
    /// The percentage off the list price.
    pub percentage: Percentage,
}

/// All discounts of one customer, sorted by product, each product once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Discount>", into = "Vec<Discount>")]
pub struct Discounts {
    /// Columns, because they are stored, hashed and matched with a base in this form.
    ids: Ids,
    percentages: Vec<Percentage>,
    /// The same discounts as a list, which is built when it is first requested.
    list: OnceLock<Vec<Discount>>,
}

/// Why a list of discounts is not valid.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DiscountError {
    /// A product has two percentages.
    #[error("product `{product}` has two discounts")]
    Duplicate {
        /// The product.
        product: ProductId,
    },
}

impl Discounts {
    /// Sorts a list of discounts.
    ///
    /// # Errors
    /// [`DiscountError::Duplicate`] if a product is named twice.
    pub fn new(mut list: Vec<Discount>) -> Result<Self, DiscountError> {
        list.sort_unstable_by(|a, b| a.product_id.cmp(&b.product_id));
        if let Some(pair) = list.windows(2).find(|pair| pair[0].product_id == pair[1].product_id) {
            return Err(DiscountError::Duplicate { product: pair[0].product_id.clone() });
        }
        let mut ids = Ids::with_capacity(list.len());
        list.iter().for_each(|discount| ids.push(discount.product_id.as_str()));
        let percentages = list.iter().map(|discount| discount.percentage).collect();
        Ok(Self { ids, percentages, list: OnceLock::from(list) })
    }

    /// Creates discounts from columns of equal length, with valid product ids.
    pub(super) const fn of_columns(ids: Ids, percentages: Vec<Percentage>) -> Self {
        Self { ids, percentages, list: OnceLock::new() }
    }

    /// The number of discounts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no discounts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a discount for a product.
    #[must_use]
    pub fn contains(&self, product: &ProductId) -> bool {
        let place = self.ids.first_from(0, self.len().max(1), product.as_str());
        place < self.len() && self.ids.get(place) == product.as_str()
    }

    /// The discounts, sorted by product.
    #[must_use]
    pub fn as_slice(&self) -> &[Discount] {
        self.list.get_or_init(|| {
            let discount = |(index, percentage): (usize, &Percentage)| Discount {
                product_id: ProductId::checked(self.ids.get(index)),
                percentage: *percentage,
            };
            self.percentages.iter().enumerate().map(discount).collect()
        })
    }

    pub(super) const fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The percentages, in the order of the ids.
    pub(super) fn percentages(&self) -> &[Percentage] {
        &self.percentages
    }
}

impl PartialEq for Discounts {
    fn eq(&self, other: &Self) -> bool {
        self.ids == other.ids && self.percentages == other.percentages
    }
}

impl Eq for Discounts {}

impl TryFrom<Vec<Discount>> for Discounts {
    type Error = DiscountError;
    fn try_from(list: Vec<Discount>) -> Result<Self, DiscountError> {
        Self::new(list)
    }
}

impl From<Discounts> for Vec<Discount> {
    fn from(discounts: Discounts) -> Self {
        discounts.as_slice().to_vec()
    }
}
