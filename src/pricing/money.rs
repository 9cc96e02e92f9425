//! Amounts and percentages as integers. Prices are never floating-point numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Currency, Rounding, UnitRounding};
use crate::model::{Decimal, DecimalError, Quantity, ShownDecimal, escape};

/// An amount in minor units of its currency: cents for USD.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

/// Why a text is not a price.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// It is not a decimal number, or has more decimals than the currency.
    #[error("price `{}` {why} (currency {currency})", escape(text))]
    Malformed {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: DecimalError,
        /// The currency of the price.
        currency: Currency,
    },
    /// It is below zero.
    #[error("price `{}` is negative", escape(text))]
    Negative {
        /// The text.
        text: String,
    },
    /// It is above [`Money::MAX_PRICE`].
    #[error("price `{}` is more than ocache can hold", escape(text))]
    TooLarge {
        /// The text.
        text: String,
    },
}

impl Money {
    /// The amount zero.
    pub const ZERO: Self = Self(0);
    /// The highest list price: 10^15 minor units. With it, a price times a percentage never overflows.
    pub const MAX_PRICE: Self = Self(1_000_000_000_000_000);
    /// The highest price of one unit: the highest list price with the largest surcharge.
    pub const MAX_UNIT_PRICE: Self = Self(11 * Self::MAX_PRICE.0);
    /// The highest price that fits 64 bits when multiplied by a percentage.
    pub(super) const MAX_NARROW: Self = Self((u64::MAX / WHOLE).cast_signed());

    /// Creates an amount from minor units.
    #[must_use]
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Parses a list price: zero or more, with at most the decimals of the currency.
    ///
    /// # Errors
    /// [`MoneyError`], which names the text.
    pub fn parse_price(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::parse_amount(text, currency, 0)
    }

    /// Parses an amount of a unit price: zero or more, with at most `unit_decimals` decimals beyond those of
    /// the currency.
    ///
    /// # Errors
    /// [`MoneyError`], which names the text.
    pub fn parse_amount(
        text: &str,
        currency: Currency,
        unit_decimals: u8,
    ) -> Result<Self, MoneyError> {
        let malformed = |why| MoneyError::Malformed { text: text.to_owned(), why, currency };
        let units = Decimal::parse(text)
            .and_then(|decimal| decimal.to_units(currency.decimals() + u32::from(unit_decimals)))
            .map_err(malformed)?;
        if units < 0 {
            return Err(MoneyError::Negative { text: text.to_owned() });
        }
        if units > Self::MAX_PRICE.0 {
            return Err(MoneyError::TooLarge { text: text.to_owned() });
        }
        Ok(Self(units))
    }

    /// Formats the amount with the decimals of its currency: `900.00`.
    #[must_use]
    pub fn format(self, currency: Currency) -> String {
        self.shown(currency).to_string()
    }

    /// The same, as a value that can be displayed.
    #[must_use]
    pub fn shown(self, currency: Currency) -> ShownDecimal {
        ShownDecimal::new(self.0, currency.decimals())
    }

    /// A unit price that can be displayed. It has at least the decimals of its currency, and no trailing
    /// zeros beyond them.
    #[must_use]
    pub fn shown_as_unit(self, currency: Currency, unit_decimals: u8) -> ShownDecimal {
        let (mut units, mut beyond) = (self.0, unit_decimals);
        while beyond > 0 && units % 10 == 0 {
            units /= 10;
            beyond -= 1;
        }
        ShownDecimal::new(units, currency.decimals() + u32::from(beyond))
    }

    /// This price less a discount, rounded half-even to a minor unit.
    #[must_use]
    pub const fn less(self, discount: Percentage) -> Self {
        Self(self.0 - self.saving(discount).0)
    }

    /// Returns the amount that a discount takes off this price. It is chosen so that the remaining price is
    /// rounded half-even to a minor unit.
    pub(super) const fn saving(self, discount: Percentage) -> Self {
        let price = self.0.cast_unsigned();
        if price <= Self::MAX_NARROW.0.cast_unsigned() {
            return self.saving_narrow(discount);
        }
        // Computed in two steps, so that no product exceeds 64 bits.
        let (whole, part) = (price / WHOLE, price % WHOLE);
        let discount = discount.0 as u64;
        let floor = whole * discount + part * discount / WHOLE;
        Self::rounded_saving(price, floor, part * discount % WHOLE)
    }

    /// The same for prices up to [`Self::MAX_NARROW`], with half the instructions.
    #[inline]
    pub(super) const fn saving_narrow(self, discount: Percentage) -> Self {
        let price = self.0.cast_unsigned();
        let exact = price.wrapping_mul(discount.0 as u64);
        Self::rounded_saving(price, exact / WHOLE, exact % WHOLE)
    }

    /// Rounds a saving of `floor + rest ÷ WHOLE` so that the remaining price is the nearest one, and the even
    /// one of two. There is no branch, because the processor could not predict it.
    #[inline]
    const fn rounded_saving(price: u64, floor: u64, rest: u64) -> Self {
        let left_is_odd = (price ^ floor) & 1;
        let more = 2 * rest + left_is_odd > WHOLE;
        Self((floor + more as u64).cast_signed())
    }

    /// The total of a line: this unit price times a quantity, rounded half-even. `None` if it does not fit 64
    /// bits of minor units.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        self.line_total(quantity, UnitRounding::PLAIN)
    }

    /// The total of a line in minor units of the currency: this unit price times a quantity, rounded once.
    /// `None` if it does not fit 64 bits of minor units.
    #[must_use]
    pub fn line_total(self, quantity: Quantity, rounding: UnitRounding) -> Option<Self> {
        let exact = i128::from(self.0) * i128::from(quantity.thousandths());
        let total = rounded(exact, 1000 * i128::from(rounding.scale()), rounding.rounding);
        i64::try_from(total).ok().map(Self)
    }

    /// The sum; `None` if it does not fit 64 bits of minor units.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

/// A hundred per cent, as the factor of an amount.
const WHOLE: u64 = Percentage::WHOLE as u64;

/// Returns the rounded quotient of two numbers that are not negative.
fn rounded(numerator: i128, denominator: i128, rounding: Rounding) -> i128 {
    let floor = numerator / denominator;
    let twice_rest = (numerator % denominator) * 2;
    let is_half_up = rounding == Rounding::HalfUp || floor % 2 == 1;
    let up = twice_rest > denominator || (twice_rest == denominator && is_half_up);
    floor + i128::from(up)
}

/// A discount from 0 to 100 %, exact to six decimals.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u32", into = "u32")]
pub struct Percentage(u32);

/// Why a text is not a discount.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PercentageError {
    /// It is not a decimal number, or has more than six decimals.
    #[error("discount `{}` {why}", escape(text))]
    Malformed {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: DecimalError,
    },
    /// It is below 0 or above 100.
    #[error("discount `{}` is not between 0 and 100 %", escape(text))]
    OutOfRange {
        /// The text.
        text: String,
    },
}

impl Percentage {
    const DECIMALS: u32 = 6;
    /// A hundred per cent.
    pub(super) const WHOLE: u32 = 100_000_000;

    /// The percentage in millionths of a per cent.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Creates a percentage from millionths of a per cent; `None` above 100 %.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths <= Self::WHOLE { Some(Self(millionths)) } else { None }
    }
}

impl TryFrom<u32> for Percentage {
    type Error = &'static str;
    fn try_from(millionths: u32) -> Result<Self, &'static str> {
        Self::from_millionths(millionths).ok_or("more than 100 %")
    }
}

impl From<Percentage> for u32 {
    fn from(percentage: Percentage) -> Self {
        percentage.0
    }
}

impl FromStr for Percentage {
    type Err = PercentageError;

    fn from_str(text: &str) -> Result<Self, PercentageError> {
        let out_of_range = || PercentageError::OutOfRange { text: text.to_owned() };
        let units = Decimal::parse(text)
            .and_then(|decimal| decimal.to_units(Self::DECIMALS))
            .map_err(|why| match why {
                DecimalError::OutOfRange => out_of_range(),
                why => PercentageError::Malformed { text: text.to_owned(), why },
            })?;
        u32::try_from(units).ok().and_then(Self::from_millionths).ok_or_else(out_of_range)
    }
}

/// Without unnecessary zeros: `10`, `12.5`.
impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ShownDecimal::trimmed(i64::from(self.0), Self::DECIMALS).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn less(minor: i64, percent: &str) -> i64 {
        Money::from_minor(minor).less(percent.parse().unwrap()).minor()
    }

    #[test]
    fn the_fixtures_by_hand() {
        assert_eq!(less(50_000, "10"), 45_000);
        assert_eq!(less(102_900, "12"), 90_552);
        assert_eq!(less(1_084_300, "0"), 1_084_300);
        assert_eq!(less(1_084_300, "100"), 0);
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        assert_eq!(less(1, "50"), 0);
        assert_eq!(less(3, "50"), 2);
        assert_eq!(less(5, "50"), 2);
        let half: Quantity = "0.5".parse().unwrap();
        assert_eq!(Money::from_minor(5).times(half), Some(Money::from_minor(2)));
        assert_eq!(Money::from_minor(7).times(half), Some(Money::from_minor(4)));
    }

    #[test]
    fn the_largest_amounts() {
        assert_eq!(Money::MAX_PRICE.less("0.000001".parse().unwrap()).minor(), 999_999_990_000_000);
        assert_eq!(Money::MAX_PRICE.times(Quantity::MAX), None);
    }

    #[test]
    fn what_is_stored_as_a_discount_is_one() {
        let read = serde_json::from_str::<Percentage>;
        assert_eq!(read("100000000").unwrap().to_string(), "100");
        assert!(read("100000001").is_err());
    }

    #[test]
    fn bad_prices_and_discounts_are_named() {
        for text in ["", "abc", "-1", "1.001", "NaN", "1e308", "10000000000000000"] {
            let error = Money::parse_price(text, Currency::USD).unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
        for text in ["-0.1", "100.000001", "1e9", "ten", "1.0000001"] {
            let error = text.parse::<Percentage>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
        assert_eq!("12.50".parse::<Percentage>().unwrap().to_string(), "12.5");
    }
}
