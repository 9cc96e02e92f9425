//! The parts of frames that price lists need: the rule of a price, the next tier, and items whose quantity is
//! not sold. They are absent if there are no such rules.

use serde::{Deserialize, Serialize};

use super::text::Text;
use crate::model::{Quantity, ShownDecimal, Timestamp};
use crate::pricing::{Answer, Currency, InvalidItem, NextTier, Rule, RuleKind, Scope};

/// The most bytes of a text in a frame: a control character is written as six bytes.
pub(super) const fn most_bytes_of_text(text: &str) -> usize {
    6 * text.len()
}

/// The most bytes of a [`TierFrame`].
pub(super) const MOST_BYTES_OF_TIER: usize = 100;
/// The most bytes of an [`InvalidFrame`] besides its product.
pub(super) const MOST_BYTES_OF_INVALID: usize = 120;

/// The most bytes of a [`RuleFrame`].
pub(super) fn most_bytes_of_rule(rule: &Rule) -> usize {
    const FIGURES: usize = 200;
    let list = rule.list.as_ref().map_or(0, |list| most_bytes_of_text(list.as_str()));
    let category = match &rule.scope {
        Some(Scope::Category(category)) => most_bytes_of_text(category.as_str()),
        _ => 0,
    };
    FIGURES + list + category
}

/// The rule that a price comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFrame {
    /// The price list; absent for the customer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Whether it is the customer's own list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// The products that the row applies to.
    pub scope: ScopeFrame,
    /// `price`, `percentage` or `amount`.
    pub kind: String,
    /// The quantity from which the row applies.
    pub min_quantity: String,
    /// When the list ends (RFC 3339), if it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// The products that a row applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeFrame {
    /// Only this product.
    Product,
    /// All products in a category.
    Category(String),
    /// All products.
    All,
}

/// The next quantity at which a product is cheaper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierFrame {
    /// The smallest such quantity in which it is sold.
    pub quantity: String,
    /// The price of one unit then.
    pub unit_price: String,
}

/// An item whose product is not sold in the quantity asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidFrame {
    /// The product.
    pub product: String,
    /// The quantity asked for.
    pub quantity: String,
    /// The next smaller quantity in which it is sold, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// The next larger quantity in which it is sold, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
}

impl RuleFrame {
    pub(crate) fn new(rule: &Rule) -> Self {
        Self {
            list: rule.list.as_ref().map(ToString::to_string),
            own: rule.list.is_none(),
            scope: match &rule.scope {
                Some(Scope::All) => ScopeFrame::All,
                Some(Scope::Category(category)) => ScopeFrame::Category(category.to_string()),
                Some(Scope::Product(_)) | None => ScopeFrame::Product,
            },
            kind: kind_name(rule.kind).to_owned(),
            min_quantity: rule.min_quantity.to_string(),
            until: rule.until.map(|until| until.to_string()),
        }
    }
}

impl InvalidFrame {
    pub(crate) fn new(item: &InvalidItem) -> Self {
        Self {
            product: item.product.to_string(),
            quantity: item.quantity.to_string(),
            below: item.below.map(|quantity| quantity.to_string()),
            above: item.above.map(|quantity| quantity.to_string()),
        }
    }
}

const fn kind_name(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Price => "price",
        RuleKind::Percentage(_) => "percentage",
        RuleKind::Amount => "amount",
    }
}

/// A rule in the form that is written.
#[derive(Serialize)]
pub(super) struct WrittenRule<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    own: bool,
    scope: WrittenScope<'a>,
    kind: &'static str,
    min_quantity: ShownDecimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Text<Timestamp>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum WrittenScope<'a> {
    Product,
    Category(&'a str),
    All,
}

/// A next tier in the form that is written.
#[derive(Serialize)]
pub(super) struct WrittenTier {
    quantity: ShownDecimal,
    unit_price: ShownDecimal,
}

/// An invalid item in the form that is written.
#[derive(Serialize)]
pub(super) struct WrittenInvalid<'a> {
    product: &'a str,
    quantity: ShownDecimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<ShownDecimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    above: Option<ShownDecimal>,
}

impl<'a> WrittenRule<'a> {
    pub(super) fn new(rule: &'a Rule) -> Self {
        Self {
            list: rule.list.as_ref().map(|list| list.as_str()),
            own: rule.list.is_none(),
            scope: match &rule.scope {
                Some(Scope::All) => WrittenScope::All,
                Some(Scope::Category(category)) => WrittenScope::Category(category.as_str()),
                Some(Scope::Product(_)) | None => WrittenScope::Product,
            },
            kind: kind_name(rule.kind),
            min_quantity: rule.min_quantity.shown(),
            until: rule.until.map(Text),
        }
    }
}

impl WrittenTier {
    pub(super) fn new(answer: &Answer, tier: NextTier) -> Self {
        Self::of(tier, (answer.currency, answer.unit_decimals))
    }

    /// Creates a tier with prices in a currency and this number of further decimals.
    pub(super) fn of(tier: NextTier, (currency, unit_decimals): (Currency, u8)) -> Self {
        let unit_price = tier.unit_price.shown_as_unit(currency, unit_decimals);
        Self { quantity: tier.quantity.shown(), unit_price }
    }
}

impl<'a> WrittenInvalid<'a> {
    pub(super) fn new(item: &'a InvalidItem) -> Self {
        Self {
            product: item.product.as_str(),
            quantity: item.quantity.shown(),
            below: item.below.map(Quantity::shown),
            above: item.above.map(Quantity::shown),
        }
    }
}
