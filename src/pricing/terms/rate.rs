//! Rates: percentages off a list price, or on top of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::{Money, Percentage, Rounding};
use crate::model::{Decimal, DecimalError, ShownDecimal, escape};

/// A percentage off the list price, exact to six decimals. A negative one is a surcharge.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "i64", into = "i64")]
pub struct Rate(i64);

/// Why a text is not a percentage.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RateError {
    /// It is not a decimal number, or has more than six decimals.
    #[error("percentage `{}` {why}", escape(text))]
    Malformed {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: DecimalError,
    },
    /// It is above 100, or a surcharge above [`Rate::MAX_SURCHARGE`].
    #[error("percentage `{}` is not between -1000 (a surcharge) and 100 %", escape(text))]
    OutOfRange {
        /// The text.
        text: String,
    },
}

impl Rate {
    const DECIMALS: u32 = 6;
    const WHOLE: i64 = Percentage::WHOLE as i64;
    /// No discount and no surcharge.
    pub const ZERO: Self = Self(0);
    /// The largest surcharge: ten times the list price on top of it.
    pub const MAX_SURCHARGE: Self = Self(-10 * Self::WHOLE);

    /// Creates a rate from millionths of a per cent; `None` out of range.
    #[must_use]
    pub const fn from_millionths(millionths: i64) -> Option<Self> {
        let in_range = millionths <= Self::WHOLE && millionths >= Self::MAX_SURCHARGE.0;
        if in_range { Some(Self(millionths)) } else { None }
    }

    /// The rate in millionths of a per cent.
    #[must_use]
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// The rate as a value that can be displayed, without unnecessary zeros.
    #[must_use]
    pub const fn shown(self) -> ShownDecimal {
        ShownDecimal::trimmed(self.0, Self::DECIMALS)
    }

    /// Returns the rate as a discount; `None` if it is a surcharge.
    #[must_use]
    pub fn as_percentage(self) -> Option<Percentage> {
        u32::try_from(self.0).ok().and_then(Percentage::from_millionths)
    }

    /// Returns the rate as text: `10 % off`, or `2.5 % on top` for a surcharge.
    #[must_use]
    pub fn in_words(self) -> String {
        if self < Self::ZERO {
            let on_top = ShownDecimal::trimmed(-self.0, Self::DECIMALS);
            return format!("{on_top} % on top");
        }
        format!("{self} % off")
    }

    /// Returns the list price less this rate, rounded once. A surcharge may raise it above
    /// [`Money::MAX_PRICE`], up to [`Money::MAX_UNIT_PRICE`].
    #[must_use]
    pub fn of(self, list_price: Money, rounding: Rounding) -> Money {
        let left = Self::WHOLE.saturating_sub(self.0);
        let exact = i128::from(list_price.minor()) * i128::from(left);
        let whole = i128::from(Self::WHOLE);
        let (floor, twice_rest) = (exact / whole, (exact % whole) * 2);
        let is_half = twice_rest == whole;
        let up = twice_rest > whole || is_half && (rounding == Rounding::HalfUp || floor % 2 == 1);
        let price = i64::try_from(floor + i128::from(up)).unwrap_or(i64::MAX);
        // Only a list price or a surcharge that cannot be loaded gives more.
        Money::from_minor(price).min(Money::MAX_UNIT_PRICE)
    }

    /// Returns by how many per cent a price is below the list price, rounded half-even to six decimals. It is
    /// negative if the price is higher, and zero if the list price is zero.
    #[must_use]
    pub fn between(list_price: Money, price: Money) -> Self {
        if list_price <= Money::ZERO {
            return Self::default();
        }
        let list_price = i128::from(list_price.minor());
        let off = (list_price - i128::from(price.minor())) * i128::from(Self::WHOLE);
        let floor = off.div_euclid(list_price);
        let twice_rest = off.rem_euclid(list_price) * 2;
        let up = twice_rest > list_price || (twice_rest == list_price && floor % 2 != 0);
        // A stated price may be many times the list price. The rate is then limited.
        let millionths = i64::try_from(floor + i128::from(up)).unwrap_or(i64::MIN);
        Self(millionths.max(i64::from(i32::MIN) * Self::WHOLE))
    }
}

impl From<Percentage> for Rate {
    fn from(percentage: Percentage) -> Self {
        Self(i64::from(percentage.millionths()))
    }
}

impl TryFrom<i64> for Rate {
    type Error = &'static str;
    fn try_from(millionths: i64) -> Result<Self, &'static str> {
        // A rate that is only shown may be out of the range that can be loaded.
        (millionths <= Self::WHOLE).then_some(Self(millionths)).ok_or("more than 100 %")
    }
}

impl From<Rate> for i64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let out_of_range = || RateError::OutOfRange { text: text.to_owned() };
        let units = Decimal::parse(text)
            .and_then(|decimal| decimal.to_units(Self::DECIMALS))
            .map_err(|why| match why {
                DecimalError::OutOfRange => out_of_range(),
                why => RateError::Malformed { text: text.to_owned(), why },
            })?;
        Self::from_millionths(units).ok_or_else(out_of_range)
    }
}

/// Without unnecessary zeros: `10`, `-2.5`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn a_surcharge_is_on_top() {
        let words = |text: &str| text.parse::<Rate>().unwrap().in_words();
        let rates = ["10", "12.5", "0", "-2.50", "-1000", "-0.000001"];
        let expected = [
            "10 % off",
            "12.5 % off",
            "0 % off",
            "2.5 % on top",
            "1000 % on top",
            "0.000001 % on top",
        ];
        assert_eq!(rates.map(words), expected);
    }

    #[test]
    fn halves_go_where_the_rounding_says() {
        let price = Money::from_minor(1050);
        assert_eq!(rate("15").of(price, Rounding::HalfEven), Money::from_minor(892));
        assert_eq!(rate("15").of(price, Rounding::HalfUp), Money::from_minor(893));
        assert_eq!(rate("-5").of(price, Rounding::HalfEven), Money::from_minor(1102));
    }

    #[test]
    fn a_surcharge_may_raise_a_price_above_what_can_be_loaded() {
        let raised =
            |text: &str, minor| rate(text).of(Money::from_minor(minor), Rounding::HalfEven).minor();
        let most = Money::MAX_PRICE.minor();
        assert_eq!(raised("-5", most), 1_050_000_000_000_000);
        assert_eq!(raised("-0.000001", most), 1_000_000_010_000_000);
        assert_eq!(raised("-100", most / 2 + 1), most + 2);
        assert_eq!(raised("-1000", most), Money::MAX_UNIT_PRICE.minor());
        // What cannot be loaded does not wrap around.
        let beyond = Rate::try_from(i64::MIN).unwrap();
        assert_eq!(beyond.of(Money::MAX_PRICE, Rounding::HalfEven), Money::MAX_UNIT_PRICE);
        assert_eq!(raised("-1000", i64::MAX), Money::MAX_UNIT_PRICE.minor());
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        for text in ["100.000001", "-1000.000001", "1e9", "ten", "1.0000001", ""] {
            let error = text.parse::<Rate>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
        assert_eq!(
            Rate::between(Money::from_minor(300), Money::from_minor(200)).to_string(),
            "33.333333"
        );
        assert_eq!(
            Rate::between(Money::from_minor(200), Money::from_minor(300)).to_string(),
            "-50"
        );
    }

    proptest! {
        #[test]
        fn a_discount_is_what_the_fast_way_gives(
            price in 0..=Money::MAX_PRICE.minor(),
            millionths in 0..=Percentage::WHOLE,
        ) {
            let (price, discount) =
                (Money::from_minor(price), Percentage::from_millionths(millionths).unwrap());
            prop_assert_eq!(Rate::from(discount).of(price, Rounding::HalfEven), price.less(discount));
        }
    }
}
