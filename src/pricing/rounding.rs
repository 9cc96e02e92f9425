//! The precision of unit prices, and the rounding of halves.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::named;

named! {
    /// How a price exactly between two is rounded.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Rounding {
        /// To the even one.
        #[default]
        HalfEven => "half-even",
        /// To the larger one.
        HalfUp => "half-up",
    }
}

/// The rounding of unit prices. Every price depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnitRounding {
    /// The number of decimals of a unit price beyond those of its currency: 0 to 4.
    pub unit_decimals: u8,
    /// How halves are rounded.
    pub rounding: Rounding,
}

impl UnitRounding {
    /// The most decimals beyond those of the currency.
    pub const MAX_UNIT_DECIMALS: u8 = 4;
    /// Unit prices are in whole minor units of the currency, and halves go to the even one.
    pub const PLAIN: Self = Self { unit_decimals: 0, rounding: Rounding::HalfEven };

    /// Returns how many units of a unit price make one minor unit of the currency.
    #[must_use]
    pub const fn scale(self) -> i64 {
        10_i64.pow(self.unit_decimals as u32)
    }
}

impl FromStr for Rounding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|rounding| rounding.name() == text);
        found.ok_or_else(|| format!("`{text}` is not a rounding; it is half-even or half-up"))
    }
}
