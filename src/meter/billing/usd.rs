//! US dollars, with far smaller parts than cents.

use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;

use serde::{Serialize, Serializer};

/// An amount in picodollars (10⁻¹² US dollars). One request costs about half a millionth of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(i128);

impl Usd {
    /// The number of decimals of a dollar.
    pub(super) const DECIMALS: u32 = 12;

    /// Creates an amount from picodollars.
    #[must_use]
    pub const fn from_pico(pico: i128) -> Self {
        Self(pico)
    }

    /// The amount in picodollars.
    #[must_use]
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// Divides the amount by a count, rounded down; zero if the count is zero.
    #[must_use]
    pub fn per(self, count: u64) -> Self {
        Self(self.0.checked_div(i128::from(count)).unwrap_or(0))
    }

    /// Multiplies the amount by a count.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(i128::from(count)))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |mut sum, amount| {
            sum += amount;
            sum
        })
    }
}

/// Formats with the precision of the format string, or four decimals, rounded half away from zero.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(4).min(Self::DECIMALS as usize);
        let unit = 10_u128.pow(Self::DECIMALS - decimals as u32);
        let rounded = (self.0.unsigned_abs() + unit / 2) / unit;
        let sign = if self.0 < 0 && rounded > 0 { "-" } else { "" };
        let one = 10_u128.pow(decimals as u32);
        write!(f, "{sign}{}", rounded / one)?;
        if decimals > 0 {
            write!(f, ".{:0decimals$}", rounded % one)?;
        }
        Ok(())
    }
}

/// Serializes to a decimal string with all digits.
impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:.12}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_rounded_or_whole() {
        let amount = Usd::from_pico(1_234_567_890_123);
        assert_eq!(amount.to_string(), "1.2346");
        assert_eq!(format!("{amount:.2}"), "1.23");
        assert_eq!(format!("{amount:.0}"), "1");
        assert_eq!(format!("{:.2}", Usd::from_pico(-5_000_000_000)), "-0.01");
        assert_eq!(format!("{:.2}", Usd::from_pico(-4_999_999_999)), "0.00");
        assert_eq!(serde_json::to_string(&amount).unwrap(), "\"1.234567890123\"");
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        assert_eq!(Usd::from_pico(10).per(0), Usd::default());
        assert_eq!(Usd::from_pico(10).per(3).times(3), Usd::from_pico(9));
    }
}
