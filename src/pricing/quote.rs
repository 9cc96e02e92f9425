//! A quotation's lines from a price table.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Currency, Money, NextTier, OwnRow, Rate, Rule, RuleKind, Step, UnitRounding, Unsold};
use crate::model::{Generation, Item, ProductId, Quantity, Timestamp};

/// What one of a product costs one customer at a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The list price, if there is one.
    pub list_price: Option<Money>,
    /// How much less than the list price it is; zero where there is none.
    pub discount: Rate,
    /// What the customer pays for one.
    pub unit_price: Money,
    /// Where the price comes from; `None` for the list price, and for a discount of the customer's own on
    /// every quantity.
    pub rule: Option<Box<Rule>>,
    /// From which quantity on it is cheaper.
    pub next_tier: Option<NextTier>,
}

impl Entry {
    /// At the list price.
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

    /// At a discount of the customer's own. `None` when the row does not go with this list price.
    #[must_use]
    pub fn discounted(list_price: Money, row: &OwnRow) -> Option<Self> {
        let unit_price = row.unit_price(list_price)?;
        let discount = row.discount.into();
        Some(Self { discount, unit_price, ..Self::at_list_price(list_price) })
    }

    /// At a step of a ladder. `None` when its rule is not among these.
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
    /// The list price of one, if there is one.
    #[serde(default)]
    pub list_price: Option<Money>,
    /// How much less than the list price it is.
    pub discount: Rate,
    /// The price of one, in units of unit prices.
    pub unit_price: Money,
    /// The price of the line, in minor units of the currency.
    pub total: Money,
    /// Where the price comes from, as in [`Entry::rule`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<Rule>>,
    /// From which quantity on it is cheaper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_tier: Option<NextTier>,
}

/// An item that asks for a quantity that its product is not sold in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidItem {
    /// The product.
    pub product: ProductId,
    /// How much was asked for.
    pub quantity: Quantity,
    /// The next smaller quantity that it is sold in, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Quantity>,
    /// The next larger one, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Quantity>,
}

/// A quotation's answer: everything that is pushed, stored as it was calculated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The lines that have a price.
    pub lines: Vec<AnswerLine>,
    /// The products that have none.
    pub unavailable: Vec<ProductId>,
    /// The items whose quantity their product is not sold in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<InvalidItem>,
    /// The sum of the lines, in minor units of the currency.
    pub total: Money,
    /// The currency of all amounts.
    pub currency: Currency,
    /// How many decimals unit prices and list prices have beyond those of the currency.
    #[serde(default)]
    pub unit_decimals: u8,
    /// When the table was priced.
    pub priced_at: Timestamp,
    /// When it was last recorded that the prices are still right.
    pub validated_at: Timestamp,
    /// When the answer was worked out: the instant that decides which price lists were in force.
    #[serde(default)]
    pub answered_at: Timestamp,
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
    /// The items whose quantity their product is not sold in.
    pub invalid: Vec<InvalidItem>,
    /// The sum of the rounded line totals.
    pub total: Money,
}

/// What a table says of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It costs this.
    Price(Entry),
    /// The product is not sold in this quantity.
    Unsold(Unsold),
    /// There is no such product, or it has no price.
    Unavailable,
}

/// Prices the items of a quote, asking for the price of each once, in their order: each line total rounds
/// once to the currency, the grand total sums them.
///
/// # Errors
/// [`QuoteError::TooLarge`] when a total does not fit 64 bits of minor units.
pub fn quote(
    items: &[Item],
    rounding: UnitRounding,
    mut price_of: impl FnMut(&Item) -> Found,
) -> Result<Quoted, QuoteError> {
    let mut quoted =
        Quoted { lines: vec![], unavailable: vec![], invalid: vec![], total: Money::ZERO };
    for item in items {
        let entry = match price_of(item) {
            Found::Price(entry) => entry,
            Found::Unavailable => {
                quoted.unavailable.push(item.product.clone());
                continue;
            }
            Found::Unsold(Unsold { below, above }) => {
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

    fn at(minor: i64) -> Found {
        Found::Price(Entry::at_list_price(Money::from_minor(minor)))
    }

    #[test]
    fn unknown_products_do_not_fail_the_rest() {
        let items = [item("P1", "2"), item("P9", "1"), item("P3", "1")];
        let quoted = quote(&items, UnitRounding::PLAIN, |item| match item.product.as_str() {
            "P1" => at(45_000),
            "P3" => at(90_552),
            _ => Found::Unavailable,
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
