//! The lines of an answer, from the prices of a table.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Currency, Money, NextTier, OwnRow, Rate, Rule, RuleKind, Step, UnitRounding, Unsold};
use crate::model::{Generation, Item, ProductId, Quantity, Timestamp};

/// The price of one unit of a product for one customer at a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductPrice {
    /// The list price, if there is one.
    pub list_price: Option<Money>,
    /// The percentage below the list price; zero if there is no list price.
    pub discount: Rate,
    /// The price of one unit.
    pub unit_price: Money,
    /// The rule that the price comes from. `None` for the list price, and for the customer's own discount at
    /// every quantity.
    pub rule: Option<Box<Rule>>,
    /// The next quantity at which it is cheaper.
    pub next_tier: Option<NextTier>,
}

impl ProductPrice {
    /// Creates an entry at the list price.
    #[must_use]
    pub const fn at_list_price(list_price: Money) -> Self {
        Self {
            list_price: Some(list_price),
            discount: Rate::ZERO,
            unit_price: list_price,
            rule: None,
            next_tier: None,
        }
    }

    /// Creates an entry at the customer's own discount; `None` if the row does not match this list price.
    #[must_use]
    pub fn discounted(list_price: Money, row: &OwnRow) -> Option<Self> {
        let unit_price = row.unit_price(list_price)?;
        let discount = row.discount.into();
        Some(Self { discount, unit_price, ..Self::at_list_price(list_price) })
    }

    /// Creates an entry at a step of a ladder; `None` if its rule is not in `rules`.
    #[must_use]
    pub fn at_step(list_price: Option<Money>, step: &Step, rules: &[Rule]) -> Option<Self> {
        let rule = rules.get(step.rule as usize)?;
        let discount = match (rule.kind, list_price) {
            (RuleKind::Percentage(rate), _) => rate,
            (_, Some(list_price)) => Rate::between(list_price, step.price),
            (_, None) => Rate::ZERO,
        };
        let rule = Some(Box::new(rule.clone()));
        Some(Self { list_price, discount, unit_price: step.price, rule, next_tier: None })
    }
}

/// Why lines have no total.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QuoteError {
    /// The total is too large.
    #[error("the total of product `{product}` and the lines before it is too large")]
    TooLarge {
        /// The product of the line at which it became too large.
        product: ProductId,
    },
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLine {
    /// The product.
    pub product: ProductId,
    /// The name of the product.
    pub name: String,
    /// The quantity of the line.
    pub quantity: Quantity,
    /// The list price of one unit, if there is one.
    #[serde(default)]
    pub list_price: Option<Money>,
    /// The percentage below the list price.
    pub discount: Rate,
    /// The price of one unit, in the units of unit prices.
    pub unit_price: Money,
    /// The price of the line, in minor units of the currency.
    pub total: Money,
    /// The rule that the price comes from, as in [`ProductPrice::rule`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<Rule>>,
    /// The next quantity at which it is cheaper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_tier: Option<NextTier>,
}

/// An item whose product is not sold in the quantity asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidItem {
    /// The product.
    pub product: ProductId,
    /// The quantity asked for.
    pub quantity: Quantity,
    /// The next smaller quantity in which it is sold, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Quantity>,
    /// The next larger quantity in which it is sold, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Quantity>,
}

/// The answer of a quotation, as it is calculated, stored and pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The lines that have a price.
    pub lines: Vec<AnswerLine>,
    /// The products without a price.
    pub unavailable: Vec<ProductId>,
    /// The items whose product is not sold in the quantity asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<InvalidItem>,
    /// The sum of the lines, in minor units of the currency.
    pub total: Money,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The number of decimals of unit prices and list prices beyond those of the currency.
    #[serde(default)]
    pub unit_decimals: u8,
    /// When the table was priced.
    pub priced_at: Timestamp,
    /// When the prices were last checked, as far as the store knows.
    pub validated_at: Timestamp,
    /// When the answer was calculated. The prices in force at this time were used.
    #[serde(default)]
    pub answered_at: Timestamp,
    /// Whether the table was stale.
    pub stale: bool,
    /// The generation of the table.
    pub generation: Generation,
    /// The version of the catalogue at which the table was calculated or last validated.
    pub catalogue_version: u64,
    /// The version of the pricing rules.
    pub pricing_version: u32,
}

/// The lines of a quote with their total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// The lines that have a price, in the order of the items, without names.
    pub lines: Vec<(Item, ProductPrice, Money)>,
    /// The products without a price.
    pub unavailable: Vec<ProductId>,
    /// The items whose product is not sold in the quantity asked for.
    pub invalid: Vec<InvalidItem>,
    /// The sum of the rounded lines.
    pub total: Money,
}

/// The result of looking up an item in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemPrice {
    /// The item has this price.
    Price(ProductPrice),
    /// The product is not sold in this quantity.
    Unsold(Unsold),
    /// There is no such product, or it has no price at this quantity.
    Unavailable,
}

/// Prices the items of a quote. Calls `price_of` once for each item, in order. Each line is rounded once to
/// the currency, and the total is the sum of the lines.
///
/// # Errors
/// [`QuoteError::TooLarge`] if a total does not fit 64 bits of minor units.
pub fn quote(
    items: &[Item],
    rounding: UnitRounding,
    mut price_of: impl FnMut(&Item) -> ItemPrice,
) -> Result<Quoted, QuoteError> {
    let mut quoted =
        Quoted { lines: vec![], unavailable: vec![], invalid: vec![], total: Money::ZERO };
    for item in items {
        let entry = match price_of(item) {
            ItemPrice::Price(entry) => entry,
            ItemPrice::Unavailable => {
                quoted.unavailable.push(item.product.clone());
                continue;
            }
            ItemPrice::Unsold(Unsold { below, above }) => {
                let (product, quantity) = (item.product.clone(), item.quantity);
                quoted.invalid.push(InvalidItem { product, quantity, below, above });
                continue;
            }
        };
        let total = entry.unit_price.line_total(item.quantity, rounding);
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

    fn at(minor: i64) -> ItemPrice {
        ItemPrice::Price(ProductPrice::at_list_price(Money::from_minor(minor)))
    }

    #[test]
    fn unknown_products_do_not_fail_the_rest() {
        let items = [item("P1", "2"), item("P9", "1"), item("P3", "1")];
        let quoted = quote(&items, UnitRounding::PLAIN, |item| match item.product.as_str() {
            "P1" => at(45_000),
            "P3" => at(90_552),
            _ => ItemPrice::Unavailable,
        })
        .unwrap();
        assert_eq!(quoted.total, Money::from_minor(180_552));
        assert_eq!(quoted.unavailable, [ProductId::new("P9").unwrap()]);
        assert_eq!(quoted.lines.len(), 2);
    }

    #[test]
    fn a_total_that_does_not_fit_is_an_error() {
        let items = [item("P1", "1000000000")];
        let error =
            quote(&items, UnitRounding::PLAIN, |_| at(Money::MAX_PRICE.minor())).unwrap_err();
        assert!(error.to_string().contains("`P1`"), "{error}");
    }
}
