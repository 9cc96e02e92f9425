//! The quantities in which a product is sold.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::MinQuantity;
use crate::model::Quantity;

/// A product is sold in multiples of `step`, from `min` to `max`. Each of them may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct QuantityRules {
    /// The smallest quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Quantity>,
    /// The number of which every quantity is a multiple.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Quantity>,
    /// The largest quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Quantity>,
}

/// Why quantity rules contradict each other.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QuantityRulesError {
    /// No quantity is allowed.
    #[error(
        "min {min} is more than max {max}; give a min of at most {max}, or a max of at least {min}"
    )]
    MinAboveMax {
        /// The smallest quantity.
        min: Quantity,
        /// The largest quantity.
        max: Quantity,
    },
    /// `min` or `max` is not a multiple of `step`, so it can never be bought.
    #[error("{name} {value} is not a multiple of step {step}; {}", multiples(*.below, *.above))]
    NoMultiple {
        /// `min` or `max`.
        name: &'static str,
        /// Its value.
        value: Quantity,
        /// The step.
        step: Quantity,
        /// The next smaller multiple, if there is one.
        below: Option<Quantity>,
        /// The next larger multiple, if there is one.
        above: Option<Quantity>,
    },
}

fn multiples(below: Option<Quantity>, above: Option<Quantity>) -> String {
    match (below, above) {
        (Some(below), Some(above)) => format!("{below} and {above} are"),
        (Some(one), None) | (None, Some(one)) => format!("{one} is"),
        (None, None) => "no quantity is".to_owned(),
    }
}

/// A quantity in which a product is not sold, with the nearest ones in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsold {
    /// The next smaller quantity that is sold, if there is one.
    pub below: Option<Quantity>,
    /// The next larger quantity that is sold, if there is one.
    pub above: Option<Quantity>,
}

impl QuantityRules {
    /// No rules: every quantity is allowed.
    pub const ANY: Self = Self { min: None, step: None, max: None };

    /// Creates rules, and checks that they do not contradict each other.
    ///
    /// # Errors
    /// [`QuantityRulesError`] if they do.
    pub fn new(
        min: Option<Quantity>,
        step: Option<Quantity>,
        max: Option<Quantity>,
    ) -> Result<Self, QuantityRulesError> {
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            return Err(QuantityRulesError::MinAboveMax { min, max });
        }
        let multiples = Self { step, ..Self::ANY };
        for (name, value) in [("min", min), ("max", max)] {
            if let (Some(value), Some(step)) = (value, step)
                && let Err(Unsold { below, above }) = multiples.check(value)
            {
                return Err(QuantityRulesError::NoMultiple { name, value, step, below, above });
            }
        }
        Ok(Self { min, step, max })
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Self::ANY
    }

    /// Checks that a product is sold in a quantity.
    ///
    /// # Errors
    /// [`Unsold`] with the nearest valid quantities.
    pub fn check(&self, quantity: Quantity) -> Result<(), Unsold> {
        let asked = quantity.thousandths();
        let (step, least, most) = self.bounds();
        let is_sold = asked % step == 0 && asked >= least && asked <= most;
        if is_sold {
            return Ok(());
        }
        let below = (asked.min(most) / step) * step;
        let above = (asked.max(least).div_ceil_positive(step)) * step;
        let valid = |thousandths: i64| {
            let in_range = thousandths >= least && thousandths <= most && thousandths > 0;
            in_range.then(|| Quantity::from_thousandths(thousandths)).flatten()
        };
        Err(Unsold { below: valid(below), above: valid(above) })
    }

    /// Returns the smallest quantity that is sold and reaches a rung.
    #[must_use]
    pub fn first_from(&self, min_quantity: MinQuantity) -> Option<Quantity> {
        let (step, least, most) = self.bounds();
        let from = min_quantity.thousandths().cast_signed().max(least).max(1);
        let first = from.div_ceil_positive(step) * step;
        (first <= most).then(|| Quantity::from_thousandths(first)).flatten()
    }

    /// Returns step, minimum and maximum in thousandths.
    fn bounds(&self) -> (i64, i64, i64) {
        let thousandths = |quantity: Option<Quantity>| quantity.map(Quantity::thousandths);
        let most = Quantity::MAX.thousandths();
        (
            thousandths(self.step).unwrap_or(1).max(1),
            thousandths(self.min).unwrap_or(1),
            thousandths(self.max).unwrap_or(most),
        )
    }
}

trait DivCeil {
    fn div_ceil_positive(self, by: Self) -> Self;
}

impl DivCeil for i64 {
    /// Returns the quotient, rounded up. Both numbers must not be negative.
    fn div_ceil_positive(self, by: Self) -> Self {
        self / by + Self::from(self % by != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(min: &str, step: &str, max: &str) -> Result<QuantityRules, QuantityRulesError> {
        let quantity = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        QuantityRules::new(quantity(min), quantity(step), quantity(max))
    }

    fn neighbours(rules: QuantityRules, quantity: &str) -> Option<(String, String)> {
        let shown = |quantity: Option<Quantity>| quantity.map_or("-".into(), |it| it.to_string());
        let unsold = rules.check(quantity.parse().unwrap()).err()?;
        Some((shown(unsold.below), shown(unsold.above)))
    }

    #[test]
    fn a_wrong_quantity_has_its_neighbours_one_of_which_may_be_missing() {
        let dozens = rules("24", "12", "60").unwrap();
        let pair = |below: &str, above: &str| Some((below.to_owned(), above.to_owned()));
        for (quantity, expected) in [
            ("24", None),
            ("60", None),
            ("25", pair("24", "36")),
            ("12", pair("-", "24")),
            ("0.5", pair("-", "24")),
            ("61", pair("60", "-")),
            ("1000000", pair("60", "-")),
        ] {
            assert_eq!(neighbours(dozens, quantity), expected, "{quantity}");
        }
        let tenths = rules("0.1", "0.1", "").unwrap();
        assert_eq!(neighbours(tenths, "0.5"), None);
        assert_eq!(neighbours(tenths, "0.55"), pair("0.5", "0.6"));
        assert_eq!(neighbours(tenths, "0.05"), pair("-", "0.1"));
    }

    #[test]
    fn rules_that_contradict_each_other_are_refused() {
        assert!(rules("5", "", "4").unwrap_err().to_string().contains("min 5"));
        assert!(rules("5", "2", "").unwrap_err().to_string().contains("min 5"));
        assert!(rules("4", "2", "7").unwrap_err().to_string().contains("max 7"));
    }

    #[test]
    fn the_first_quantity_of_a_rung_is_one_that_is_sold() {
        let first = |rules: QuantityRules, min: &str| {
            rules.first_from(min.parse().unwrap()).map(|quantity| quantity.to_string())
        };
        let dozens = rules("24", "12", "60").unwrap();
        assert_eq!(first(dozens, "0").as_deref(), Some("24"));
        assert_eq!(first(dozens, "25").as_deref(), Some("36"));
        assert_eq!(first(dozens, "61"), None);
        assert_eq!(first(QuantityRules::ANY, "10").as_deref(), Some("10"));
    }
}
