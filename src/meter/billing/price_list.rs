//! List prices: a dated file that is built in and can be replaced by another one.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::{BilledUsage, Line, Usd};
use crate::model::{Decimal, DecimalError};

const BUILT_IN: &str = include_str!("us-east-1.json");

/// The price of a number of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsdRate {
    /// The amount.
    pub amount: Usd,
    /// The number of units.
    pub per: u64,
}

/// The prices in a region on a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsdPriceList {
    /// The region.
    pub region: String,
    /// The date of the prices.
    pub dated: String,
    rates: BTreeMap<Line, UsdRate>,
}

/// Why a price list is not valid.
#[derive(Debug, Error)]
pub enum PriceListError {
    /// It is not JSON, or has other fields than a price list.
    #[error("it is not a price list")]
    Format(#[from] serde_json::Error),
    /// A price is missing.
    #[error("it has no price for `{line}`")]
    Missing {
        /// The line that it is missing for.
        line: &'static str,
    },
    /// A price is for something that ocache does not use.
    #[error("`{name}` is not a line that ocache bills")]
    Unknown {
        /// The name in the list.
        name: String,
    },
    /// A price is not a decimal number.
    #[error("the price `{usd}` of `{line}` {why}")]
    Amount {
        /// The line that it is for.
        line: &'static str,
        /// The text of the price.
        usd: String,
        /// What is wrong with it.
        why: DecimalError,
    },
    /// A price is below zero, or for no units.
    #[error("the price of `{line}` is below zero or for no units")]
    Senseless {
        /// The line that it is for.
        line: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    region: String,
    dated: String,
    prices: BTreeMap<String, Price>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    usd: String,
    per: u64,
}

impl UsdPriceList {
    /// Returns the built-in list.
    ///
    /// # Errors
    /// The same as [`Self::parse`]. A test proves that the built-in list is valid.
    pub fn built_in() -> Result<Self, PriceListError> {
        Self::parse(BUILT_IN)
    }

    /// Parses a list in the form of the built-in one. Every line must be present.
    ///
    /// # Errors
    /// [`PriceListError`] if the list is not valid.
    pub fn parse(json: &str) -> Result<Self, PriceListError> {
        let File { region, dated, mut prices } = serde_json::from_str(json)?;
        let mut rates = BTreeMap::new();
        for line in Line::ALL {
            let name = line.name();
            let price = prices.remove(name).ok_or(PriceListError::Missing { line: name })?;
            rates.insert(line, price.rate(name)?);
        }
        match prices.into_keys().next() {
            Some(name) => Err(PriceListError::Unknown { name }),
            None => Ok(Self { region, dated, rates }),
        }
    }

    /// Returns the cost of one line.
    #[must_use]
    pub fn cost_of(&self, line: Line, usage: &BilledUsage) -> Usd {
        let Some(rate) = self.rates.get(&line) else { return Usd::default() };
        let parts = i128::try_from(usage.of(line)).unwrap_or(i128::MAX);
        let whole = i128::from(rate.per) * i128::try_from(line.parts()).unwrap_or(1);
        Usd::from_pico(parts.saturating_mul(rate.amount.pico()) / whole)
    }

    /// Returns the cost of all lines.
    #[must_use]
    pub fn cost(&self, usage: &BilledUsage) -> Usd {
        Line::ALL.into_iter().map(|line| self.cost_of(line, usage)).sum()
    }
}

impl Price {
    fn rate(self, line: &'static str) -> Result<UsdRate, PriceListError> {
        let pico = Decimal::parse(&self.usd).and_then(|decimal| decimal.to_units(Usd::DECIMALS));
        let pico =
            pico.map_err(|why| PriceListError::Amount { line, usd: self.usd.clone(), why })?;
        if pico < 0 || self.per == 0 {
            return Err(PriceListError::Senseless { line });
        }
        Ok(UsdRate { amount: Usd::from_pico(pico.into()), per: self.per })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(line: Line, parts: u128) -> String {
        let mut usage = BilledUsage::default();
        usage.add(line, parts);
        let prices = UsdPriceList::built_in().unwrap();
        assert_eq!(prices.cost(&usage), prices.cost_of(line, &usage));
        prices.cost(&usage).to_string()
    }

    #[test]
    fn a_bill_is_what_the_published_prices_say() {
        assert_eq!(cost(Line::WriteUnits, 1_000_000), "0.6250");
        assert_eq!(cost(Line::ReadUnits, 2_000_000), "0.1250");
        assert_eq!(cost(Line::Storage, (4 << 30) * 730), "1.0000");
        assert_eq!(cost(Line::Arm64, 1024 * 1000 * 1_000_000), "13.3334");
        assert_eq!(cost(Line::WebsocketMessages, 3_000_000), "3.0000");
        assert_eq!(cost(Line::Logs, 3 << 30), "1.5000");
    }

    #[test]
    fn a_list_is_refused_by_name() {
        let with = |from: &str, to: &str| UsdPriceList::parse(&BUILT_IN.replace(from, to));
        let said = |list: Result<UsdPriceList, PriceListError>| list.unwrap_err().to_string();
        assert!(said(with("write_units", "wrote_units")).contains("`write_units`"));
        assert!(said(with("0.625", "cheap")).contains("`cheap` of `write_units`"));
        assert!(said(with("0.625", "-1")).contains("`write_units`"));
        assert!(said(with("region", "place")).contains("not a price list"));
        let more = "\"prices\": { \"tea\": { \"usd\": \"1\", \"per\": 1 },";
        assert!(said(with("\"prices\": {", more)).contains("`tea`"));
    }
}
