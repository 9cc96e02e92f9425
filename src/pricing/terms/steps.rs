//! What a product costs one customer at each quantity, worked out: steps, and the rule behind each.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

use super::super::Money;
use super::{MinQuantity, PriceRule, QuantityRules, Rate, Scope};
use crate::model::{PriceListId, Quantity, Timestamp};

/// From a quantity on, a product costs this much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// From which quantity on, up to the next step.
    pub from: MinQuantity,
    /// The price of one.
    pub price: Money,
    /// Which rule it comes from: a number of a [`Rules`].
    pub rule: u32,
}

/// How a rule says what a product costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// As a price.
    Price,
    /// As a percentage off the list price.
    Percentage(Rate),
    /// As an amount off the list price.
    Amount,
}

/// Where a price comes from. The row of one product is not told from that of another, so that many
/// products share one rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// Of which list; `None` of the customer's own.
    pub list: Option<PriceListId>,
    /// The priority of the list.
    pub priority: i32,
    /// For which products; `None` for a single one.
    pub scope: Option<Scope>,
    /// How.
    pub kind: RuleKind,
    /// From which quantity on the row holds.
    pub min_quantity: MinQuantity,
    /// When the list ends.
    pub until: Option<Timestamp>,
}

/// A rule whose parts are somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RuleRef<'a> {
    pub(super) list: Option<&'a PriceListId>,
    pub(super) priority: i32,
    pub(super) scope: Option<&'a Scope>,
    pub(super) kind: RuleKind,
    pub(super) min_quantity: MinQuantity,
    pub(super) until: Option<Timestamp>,
}

/// Rules by number, each once.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// By the hash of a rule: asked for a rule of millions of rows, which mostly is known, it copies none.
    numbers: HashMap<u64, Vec<u32>>,
}

/// From which quantity on a product gets cheaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTier {
    /// The least such quantity that the product is sold in.
    pub quantity: Quantity,
    /// The price of one then.
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

    /// Whose row counts: the own list first, then the larger priority, then the lower price, then the
    /// smaller list id. The one that counts is the greater.
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
    /// The number of a rule, which is a new one if need be.
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
        // No more than there are rows of lists, of which a store holds fewer.
        let number = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        numbers.push(number);
        self.rules.push(rule.to_rule());
        number
    }

    /// The rule of a number that this gave.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Rule> {
        self.rules.get(number as usize)
    }

    /// All of them, by number.
    #[must_use]
    pub fn as_slice(&self) -> &[Rule] {
        &self.rules
    }
}

/// The step that counts at a quantity; `None` below the first.
#[must_use]
pub fn step_at(steps: &[Step], quantity: Quantity) -> Option<&Step> {
    let after = steps.partition_point(|step| step.from.holds_at(quantity));
    after.checked_sub(1).map(|place| &steps[place])
}

/// The first later step that is cheaper than a price, at a quantity that the product is sold in.
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
        // The next quantity that is sold may be beyond the step after.
        let unit_price = step_at(steps, quantity)?.price;
        Some(NextTier { quantity, unit_price })
    });
    later.into_iter().find(|tier| tier.unit_price < unit_price)
}
