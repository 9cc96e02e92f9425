//! Ladders: the rules of a row at rising quantities.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::{Money, Rounding};
use super::Rate;
use crate::model::{Decimal, Quantity, QuantityError, ShownDecimal};

/// The quantity from which a rung applies: zero or more, with up to three decimals.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MinQuantity(u64);

/// How a rung sets the price of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceRule {
    /// This price.
    Price(Money),
    /// The list price less a percentage of it.
    Percentage(Rate),
    /// The list price less an amount, but at least zero.
    Amount(Money),
}

/// One rung of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rung {
    /// The quantity from which it applies.
    pub min_quantity: MinQuantity,
    /// The rule that applies then.
    pub rule: PriceRule,
}

/// The rungs of one list for one scope, sorted by quantity, each quantity once. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Rung>", into = "Vec<Rung>")]
pub struct Ladder(Vec<Rung>);

/// Why rungs are not a ladder.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum LadderError {
    /// There is no rung.
    #[error("a ladder has no tier")]
    Empty,
    /// Two rungs have the same quantity.
    #[error("two rows have the min_quantity {0}")]
    Repeated(MinQuantity),
    /// A rung has a higher price than an earlier one of the same kind.
    #[error("the price rises at min_quantity {at}, from {from} to {to}: more would cost more each")]
    Rises {
        /// The quantity of that rung.
        at: MinQuantity,
        /// The rule of the earlier rung.
        from: ShownRule,
        /// The rule of that rung.
        to: ShownRule,
    },
    /// There are more than [`Ladder::MOST_RUNGS`] rungs.
    #[error("a ladder has at most {} tiers", Ladder::MOST_RUNGS)]
    TooLong {
        /// The quantity of the first rung too many.
        at: MinQuantity,
    },
}

/// A rule as text for messages, with amounts in the units that are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownRule(pub PriceRule);

impl fmt::Display for ShownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.in_words(|amount| amount.minor().to_string()))
    }
}

impl MinQuantity {
    /// From the smallest quantity on.
    pub const ZERO: Self = Self(0);

    /// Creates a quantity from thousandths; `None` above the largest quantity.
    #[must_use]
    pub fn from_thousandths(thousandths: u64) -> Option<Self> {
        (thousandths <= Quantity::MAX.thousandths().cast_unsigned()).then_some(Self(thousandths))
    }

    /// The quantity in thousandths.
    #[must_use]
    pub const fn thousandths(self) -> u64 {
        self.0
    }

    /// Whether a rung with this quantity applies at a quantity.
    #[must_use]
    pub const fn holds_at(self, quantity: Quantity) -> bool {
        self.0 <= quantity.thousandths().cast_unsigned()
    }

    /// The quantity as a value that can be displayed, without unnecessary zeros.
    #[must_use]
    pub const fn shown(self) -> ShownDecimal {
        ShownDecimal::trimmed(self.0.cast_signed(), 3)
    }
}

impl FromStr for MinQuantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        // A line cannot have quantity zero, but a rung may apply from zero on.
        match Decimal::parse(text).and_then(|decimal| decimal.to_units(3)) {
            Ok(0) => Ok(Self::ZERO),
            _ => text.parse::<Quantity>().map(Self::from),
        }
    }
}

impl From<Quantity> for MinQuantity {
    fn from(quantity: Quantity) -> Self {
        Self(quantity.thousandths().cast_unsigned())
    }
}

/// Without unnecessary zeros.
impl fmt::Display for MinQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

impl PriceRule {
    /// Returns the finished price. A calculated price is rounded once, and raised to the floor or the list
    /// price, whichever is lower. A stated price is returned as it is. Returns `None` if a calculated price
    /// has no list price.
    #[must_use]
    pub fn finish(
        self,
        list_price: Option<Money>,
        floor: Option<Money>,
        rounding: Rounding,
    ) -> Option<Money> {
        let calculated = match self {
            Self::Price(price) => return Some(price),
            Self::Percentage(rate) => rate.of(list_price?, rounding),
            Self::Amount(amount) => {
                Money::from_minor((list_price?.minor() - amount.minor()).max(0))
            }
        };
        let least = floor.map_or(Money::ZERO, |floor| floor.min(list_price.unwrap_or(floor)));
        Some(calculated.max(least))
    }

    /// Returns the rule as text, such as `99.00`, `10 % off` or `5.00 off`. `shown` formats an amount.
    #[must_use]
    pub fn in_words(self, shown: impl FnOnce(Money) -> String) -> String {
        match self {
            Self::Price(price) => shown(price),
            Self::Percentage(rate) => rate.in_words(),
            Self::Amount(amount) => format!("{} off", shown(amount)),
        }
    }

    /// Whether it has the same meaning in every currency.
    #[must_use]
    pub const fn is_relative(self) -> bool {
        matches!(self, Self::Percentage(_))
    }

    /// Whether this rule gives a lower price than another of the same kind. Rules of two kinds cannot be
    /// compared.
    fn is_below(self, other: Self) -> bool {
        match (self, other) {
            (Self::Price(price), Self::Price(other)) => price < other,
            (Self::Percentage(rate), Self::Percentage(other)) => rate > other,
            (Self::Amount(amount), Self::Amount(other)) => amount > other,
            _ => false,
        }
    }
}

impl Ladder {
    /// The number of rungs that a list may have for one scope. A product's steps are packed as one row, which must
    /// fit a part of a table also when many lists are merged.
    pub const MOST_RUNGS: usize = 1_000;

    /// Sorts rungs.
    ///
    /// # Errors
    /// [`LadderError::Empty`] or [`LadderError::Repeated`].
    pub fn new(mut rungs: Vec<Rung>) -> Result<Self, LadderError> {
        if rungs.is_empty() {
            return Err(LadderError::Empty);
        }
        rungs.sort_by_key(|rung| rung.min_quantity);
        let pair = rungs.windows(2).find(|pair| pair[0].min_quantity == pair[1].min_quantity);
        match pair {
            Some(pair) => Err(LadderError::Repeated(pair[0].min_quantity)),
            None => Ok(Self(rungs)),
        }
    }

    /// The rungs, sorted by quantity.
    #[must_use]
    pub fn rungs(&self) -> &[Rung] {
        &self.0
    }

    /// Checks the number of rungs, and that prices do not rise: among rungs of one kind, a later one is never
    /// dearer than the previous one.
    ///
    /// # Errors
    /// [`LadderError::TooLong`], or [`LadderError::Rises`] if a rung is dearer.
    pub fn check(&self) -> Result<(), LadderError> {
        if let Some(rung) = self.0.get(Self::MOST_RUNGS) {
            return Err(LadderError::TooLong { at: rung.min_quantity });
        }
        for (place, rung) in self.0.iter().enumerate() {
            let kind = std::mem::discriminant(&rung.rule);
            let before = self.0[..place].iter().rev();
            let same =
                before.map(|rung| rung.rule).find(|rule| std::mem::discriminant(rule) == kind);
            if let Some(before) = same.filter(|before| before.is_below(rung.rule)) {
                let at = rung.min_quantity;
                return Err(LadderError::Rises {
                    at,
                    from: ShownRule(before),
                    to: ShownRule(rung.rule),
                });
            }
        }
        Ok(())
    }
}

impl TryFrom<Vec<Rung>> for Ladder {
    type Error = LadderError;
    fn try_from(rungs: Vec<Rung>) -> Result<Self, LadderError> {
        Self::new(rungs)
    }
}

impl From<Ladder> for Vec<Rung> {
    fn from(ladder: Ladder) -> Self {
        ladder.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(min: &str, rule: PriceRule) -> Rung {
        Rung { min_quantity: min.parse().unwrap(), rule }
    }

    const fn price(minor: i64) -> PriceRule {
        PriceRule::Price(Money::from_minor(minor))
    }

    #[test]
    fn a_ladder_that_rises_within_one_kind_is_found() {
        let off = |rate: &str| PriceRule::Percentage(rate.parse().unwrap());
        let ladder = |rungs: &[Rung]| Ladder::new(rungs.to_vec()).unwrap();
        let falls = [rung("0", price(10)), rung("5", off("1")), rung("10", price(10))];
        assert_eq!(ladder(&falls).check(), Ok(()));
        // A rung is not compared with rungs of another kind between.
        let rises = [rung("10", price(11)), rung("5", off("1")), rung("0", price(10))];
        assert!(ladder(&rises).check().unwrap_err().to_string().contains("min_quantity 10"));
        let less_off = [rung("0", off("10")), rung("5", off("9.5"))];
        assert!(ladder(&less_off).check().is_err());
        let of_many = |count: u64| {
            let rung = |at| Rung {
                min_quantity: MinQuantity::from_thousandths(at).unwrap(),
                rule: falls[0].rule,
            };
            ladder(&(0..count).map(rung).collect::<Vec<_>>()).check()
        };
        assert_eq!(of_many(1_000), Ok(()));
        assert_eq!(of_many(1_001), Err(LadderError::TooLong { at: "1".parse().unwrap() }));
        assert_eq!(Ladder::new(vec![]), Err(LadderError::Empty));
        let twice = vec![rung("1", price(1)), rung("1.000", price(1))];
        assert_eq!(Ladder::new(twice), Err(LadderError::Repeated("1".parse().unwrap())));
    }

    #[test]
    fn an_amount_above_the_price_leaves_nothing_and_a_floor_only_binds_what_is_calculated() {
        let money = |minor| Some(Money::from_minor(minor));
        let finish = |rule: PriceRule, floor| rule.finish(money(100), floor, Rounding::HalfEven);
        let amount = PriceRule::Amount(Money::from_minor(150));
        assert_eq!(finish(amount, None), money(0));
        assert_eq!(finish(amount, money(60)), money(60));
        // A floor above the list price does not raise the price above the list price.
        assert_eq!(finish(amount, money(160)), money(100));
        assert_eq!(finish(price(55), money(60)), money(55));
        assert_eq!(amount.finish(None, None, Rounding::HalfEven), None);
    }

    #[test]
    fn a_surcharge_on_the_highest_list_price_gives_a_price() {
        let surcharge = PriceRule::Percentage("-5".parse().unwrap());
        let most = Some(Money::MAX_PRICE);
        for floor in [None, most] {
            let price = surcharge.finish(most, floor, Rounding::HalfEven);
            assert_eq!(price, Some(Money::from_minor(1_050_000_000_000_000)));
        }
        assert_eq!(surcharge.finish(None, None, Rounding::HalfEven), None);
    }
}
