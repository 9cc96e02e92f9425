//! The cost with another interval or TTL.

use std::time::Duration;

use super::Forecast;
use crate::meter::billing::{Usd, UsdPriceList};

/// Another interval or TTL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WhatIf {
    /// The interval.
    pub every: Duration,
    /// The TTL.
    pub ttl: Duration,
    /// The cost of a month.
    pub usd: Usd,
    /// How much less that is than the current cost.
    pub saves: Usd,
    /// The share of quotes that wait for their table.
    pub cold_share: f64,
}

impl WhatIf {
    /// Compares one pair of settings with the current cost.
    #[must_use]
    pub fn of(
        forecast: &Forecast,
        (every, ttl): (Duration, Duration),
        now: Usd,
        prices: &UsdPriceList,
    ) -> Self {
        let month = forecast.everybody(every, ttl, prices);
        let usd = month.bill.total();
        Self {
            every,
            ttl,
            usd,
            saves: Usd::from_pico(now.pico() - usd.pico()),
            cold_share: month.events.cold / month.events.quotes,
        }
    }

    /// Tries half, double and four times the interval, and half and double the TTL.
    #[must_use]
    pub fn around(
        forecast: &Forecast,
        every: Duration,
        ttl: Duration,
        prices: &UsdPriceList,
    ) -> Vec<Self> {
        let now = forecast.everybody(every, ttl, prices).bill.total();
        let others = [
            (every / 2, ttl),
            (every * 2, ttl),
            (every * 4, ttl),
            (every, ttl / 2),
            (every, ttl * 2),
        ];
        others.map(|settings| Self::of(forecast, settings, now, prices)).into()
    }
}
