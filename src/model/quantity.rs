//! The quantity of a product in a line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::decimal::{Decimal, DecimalError, ShownDecimal};
use super::hidden::escape;

/// A positive quantity with up to three decimals, counted in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(i64);

/// Why a quantity is not valid. The text is part of a message.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QuantityError {
    /// It is not a decimal number, is out of range, or has more than three decimals.
    #[error("quantity `{}` {why}", escape(text))]
    Malformed {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: DecimalError,
    },
    /// It is zero or less.
    #[error("quantity `{}` is not positive", escape(text))]
    NotPositive {
        /// The text.
        text: String,
    },
    /// It is more than [`Quantity::MAX`].
    #[error("quantity `{}` is more than {}", escape(text), Quantity::MAX)]
    TooLarge {
        /// The text.
        text: String,
    },
}

impl Quantity {
    const DECIMALS: u32 = 3;
    /// A thousand million.
    pub const MAX: Self = Self(1_000_000_000_000);
    /// One unit.
    pub const ONE: Self = Self(1000);

    /// Creates a quantity from thousandths; `None` if it is not a valid quantity.
    #[must_use]
    pub const fn from_thousandths(thousandths: i64) -> Option<Self> {
        if thousandths > 0 && thousandths <= Self::MAX.0 { Some(Self(thousandths)) } else { None }
    }

    /// The quantity in thousandths.
    #[must_use]
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// The quantity as a value that can be displayed, without unnecessary zeros.
    #[must_use]
    pub const fn shown(self) -> ShownDecimal {
        ShownDecimal::trimmed(self.0, Self::DECIMALS)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let malformed = |why| QuantityError::Malformed { text: text.to_owned(), why };
        let decimal = Decimal::parse(text).map_err(malformed)?;
        match decimal.to_units(Self::DECIMALS) {
            Ok(units) if units <= 0 => Err(QuantityError::NotPositive { text: text.to_owned() }),
            Ok(units) if units > Self::MAX.0 => {
                Err(QuantityError::TooLarge { text: text.to_owned() })
            }
            Ok(units) => Ok(Self(units)),
            Err(why) => Err(malformed(why)),
        }
    }
}

/// Without unnecessary zeros: `2`, `2.5`, `0.125`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_three_decimals_and_drops_zeros() {
        for (text, shown) in [("2", "2"), ("2.500", "2.5"), ("0.125", "0.125"), ("10", "10")] {
            assert_eq!(text.parse::<Quantity>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn refuses_bad_quantities_by_name() {
        for text in ["0", "-1", "0.0000", "NaN", "1e308", "1.0001", "", "1000000001"] {
            let error = text.parse::<Quantity>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }
}
