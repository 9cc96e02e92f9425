//! Steps: the prices of a product for one customer at each quantity, and the rule behind each.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

use super::super::Money;
use super::{MinQuantity, PriceRule, QuantityRules, Rate, Scope};
use crate::model::{PriceListId, Quantity, Timestamp};

/// A price that applies from a quantity on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The quantity from which it applies, up to the next step.
    pub from: MinQuantity,
    /// The price of one.
    pub price: Money,
    /// The number of the rule that it comes from, in a [`Rules`].
    pub rule: u32,
}

/// How a rule sets the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// It states a price.
    Price,
    /// It takes a percentage off the list price.
    Percentage(Rate),
    /// It takes an amount off the list price.
    Amount,
}

/// The rule that a price comes from. It does not name the product, so that many products can share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// The list; `None` for the customer's own list.
    pub list: Option<PriceListId>,
    /// The priority of the list.
    pub priority: i32,
    /// The products that the row applies to; `None` for a single product.
    pub scope: Option<Scope>,
    /// How it sets the price.
    pub kind: RuleKind,
    /// The quantity from which the row applies.
    pub min_quantity: MinQuantity,
    /// When the list ends.
    pub until: Option<Timestamp>,
}

/// A rule that borrows its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RuleRef<'a> {
    pub(super) list: Option<&'a PriceListId>,
    pub(super) priority: i32,
    pub(super) scope: Option<&'a Scope>,
    pub(super) kind: RuleKind,
    pub(super) min_quantity: MinQuantity,
    pub(super) until: Option<Timestamp>,
}

/// Different rules, by number.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Numbers by the hash of the rule. It is looked up for millions of rows, and most rules are known, so
    /// lookups do not copy rules.
    numbers: HashMap<u64, Vec<u32>>,
}

/// The next quantity at which a product is cheaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTier {
    /// The smallest such quantity in which the product is sold.
    pub quantity: Quantity,
    /// The price of one unit then.
    pub unit_price: Money,
}

impl From<PriceRule> for RuleKind {
    fn from(rule: PriceRule) -> Self {
        match rule {
            PriceRule::Price(_) => Self::Price,
            PriceRule::Percentage(rate) => Self::Percentage(rate),
            PriceRule::Amount(_) => Self::Amount,
        }
    }
}

impl RuleRef<'_> {
    fn to_rule(self) -> Rule {
        Rule {
            list: self.list.cloned(),
            priority: self.priority,
            scope: self.scope.cloned(),
            kind: self.kind,
            min_quantity: self.min_quantity,
            until: self.until,
        }
    }
}

impl Rule {
    const fn as_ref(&self) -> RuleRef<'_> {
        RuleRef {
            list: self.list.as_ref(),
            priority: self.priority,
            scope: self.scope.as_ref(),
            kind: self.kind,
            min_quantity: self.min_quantity,
            until: self.until,
        }
    }

    /// Compares which row decides: the own list, then the larger priority, then the lower price, then the
    /// smaller list id. The row that decides is the greater one.
    #[must_use]
    pub fn compare(&self, price: Money, other: &Self, other_price: Money) -> Ordering {
        let is_own = |rule: &Self| rule.list.is_none();
        is_own(self)
            .cmp(&is_own(other))
            .then(self.priority.cmp(&other.priority))
            .then(other_price.cmp(&price))
            .then_with(|| other.list.cmp(&self.list))
    }
}

impl Rules {
    /// Returns the number of a rule, and adds the rule if it is new.
    pub fn number(&mut self, rule: &Rule) -> u32 {
        self.number_of(rule.as_ref())
    }

    pub(super) fn number_of(&mut self, rule: RuleRef<'_>) -> u32 {
        let mut hasher = DefaultHasher::new();
        rule.hash(&mut hasher);
        let numbers = self.numbers.entry(hasher.finish()).or_default();
        let known = numbers.iter().find(|number| self.rules[**number as usize].as_ref() == rule);
        if let Some(number) = known {
            return *number;
        }
        // There are at most as many rules as rows of lists, and no store holds that many.
        let number = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        numbers.push(number);
        self.rules.push(rule.to_rule());
        number
    }

    /// Returns the rule with a number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Rule> {
        self.rules.get(number as usize)
    }

    /// All rules, by number.
    #[must_use]
    pub fn as_slice(&self) -> &[Rule] {
        &self.rules
    }
}

/// Returns the step that applies at a quantity; `None` below the first step.
#[must_use]
pub fn step_at(steps: &[Step], quantity: Quantity) -> Option<&Step> {
    let after = steps.partition_point(|step| step.from.holds_at(quantity));
    after.checked_sub(1).map(|place| &steps[place])
}

/// Returns the first later step with a lower price, at a quantity in which the product is sold.
#[must_use]
pub fn next_tier(
    steps: &[Step],
    quantity: Quantity,
    unit_price: Money,
    sold: &QuantityRules,
) -> Option<NextTier> {
    let after = steps.partition_point(|step| step.from.holds_at(quantity));
    let later = steps[after..].iter().filter_map(|step| {
        let quantity = sold.first_from(step.from)?;
        // The next quantity that is sold may already reach a later step.
        let unit_price = step_at(steps, quantity)?.price;
        Some(NextTier { quantity, unit_price })
    });
    later.into_iter().find(|tier| tier.unit_price < unit_price)
}
