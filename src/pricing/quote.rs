//! A quotation's lines from a price table.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Currency, Money, Percentage};
use crate::model::{Generation, Item, ProductId, Quantity, Timestamp};

/// The prices of one product for one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The price before the discount.
    pub list_price: Money,
    /// The discount; zero for a product at list price.
    pub discount: Percentage,
    /// What the user pays for one.
    pub unit_price: Money,
}

/// Why lines cannot be totalled.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QuoteError {
    /// More money than fits.
    #[error("the total of product `{product}` and the lines before it is too large")]
    TooLarge {
        /// The line at which it happened.
        product: ProductId,
    },
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLine {
    /// The product.
    pub product: ProductId,
    /// What people call it.
    pub name: String,
    /// How much of it.
    pub quantity: Quantity,
    /// The price of one before the discount.
    pub list_price: Money,
    /// The discount.
    pub discount: Percentage,
    /// The price of one.
    pub unit_price: Money,
    /// The price of the line.
    pub total: Money,
}

/// A quotation's answer: everything that is pushed, stored as it was calculated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The lines that have a price.
    pub lines: Vec<AnswerLine>,
    /// The products that have none.
    pub unavailable: Vec<ProductId>,
    /// The sum of the lines.
    pub total: Money,
    /// The currency of all amounts.
    pub currency: Currency,
    /// When the table was priced.
    pub priced_at: Timestamp,
    /// When the prices were last found to be still right.
    pub validated_at: Timestamp,
    /// Whether the table was past its freshness.
    pub stale: bool,
    /// Which table it was.
    pub generation: Generation,
    /// The catalogue the table was priced from.
    pub catalogue_version: u64,
    /// The version of the pricing rules.
    pub pricing_version: u32,
}

/// The lines of a quote, totalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// The lines that have a price, without names, in the order asked for.
    pub lines: Vec<(Item, Entry, Money)>,
    /// The products that have none.
    pub unavailable: Vec<ProductId>,
    /// The sum of the rounded line totals.
    pub total: Money,
}

/// Prices the items of a quote, asking for the prices of each once, in their order: each line total rounds half-even, the grand total sums them.
///
/// # Errors
/// [`QuoteError::TooLarge`] when a total does not fit 64 bits of minor units.
pub fn quote(
    items: &[Item],
    mut price_of: impl FnMut(&ProductId) -> Option<Entry>,
) -> Result<Quoted, QuoteError> {
    let mut quoted = Quoted { lines: vec![], unavailable: vec![], total: Money::ZERO };
    for item in items {
        let Some(entry) = price_of(&item.product) else {
            quoted.unavailable.push(item.product.clone());
            continue;
        };
        let total = entry.unit_price.times(item.quantity);
        let sum = total.and_then(|total| quoted.total.checked_add(total));
        let (Some(total), Some(sum)) = (total, sum) else {
            return Err(QuoteError::TooLarge { product: item.product.clone() });
        };
        quoted.total = sum;
        quoted.lines.push((item.clone(), entry, total));
    }
    Ok(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(product: &str, quantity: &str) -> Item {
        Item { product: ProductId::new(product).unwrap(), quantity: quantity.parse().unwrap() }
    }

    fn at(minor: i64) -> Entry {
        Entry {
            list_price: Money::from_minor(minor),
            discount: Percentage::default(),
            unit_price: Money::from_minor(minor),
        }
    }

    #[test]
    fn unknown_products_do_not_fail_the_rest() {
        let items = [item("P1", "2"), item("P9", "1"), item("P3", "1")];
        let quoted = quote(&items, |product| match product.as_str() {
            "P1" => Some(at(45_000)),
            "P3" => Some(at(90_552)),
            _ => None,
        })
        .unwrap();
        assert_eq!(quoted.total, Money::from_minor(180_552));
        assert_eq!(quoted.unavailable, [ProductId::new("P9").unwrap()]);
        assert_eq!(quoted.lines.len(), 2);
    }

    #[test]
    fn a_total_that_does_not_fit_is_an_error() {
        let items = [item("P1", "1000000000")];
        let error = quote(&items, |_| Some(at(Money::MAX_PRICE.minor()))).unwrap_err();
        assert!(error.to_string().contains("`P1`"), "{error}");
    }
}
