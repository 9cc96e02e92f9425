//! Whether precomputing pays, and for which customers.

use std::time::Duration;

use super::{Forecast, Purpose};
use crate::meter::billing::{HOURS_A_MONTH, Usd, UsdPriceList};
use crate::model::named;

/// The smallest saving, in per cent, for which it is worth treating customers differently.
const WORTH_IT_PERCENT: i128 = 5;

named! {
    /// The recommended choice, by its name for programs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Choice {
        /// Keep every customer who comes warm.
        Precompute => "precompute",
        /// Keep only customers warm who ask more often than the break-even.
        PrecomputeAbove => "precompute_above_break_even",
        /// Keep nobody warm; calculate on read.
        OnRead => "calculate_on_read",
    }
}

/// The monthly costs of three choices, and the recommended one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostVerdict {
    /// The recommended choice.
    pub choice: Choice,
    /// The quotes in an hour at which a customer costs the same, kept warm or not.
    pub break_even: f64,
    /// The cost of keeping one customer warm for an hour.
    pub warm_hour: Usd,
    /// The extra cost of a cold quote over a warm one.
    pub cold_quote: Usd,
    /// The monthly cost if everybody is kept warm.
    pub precompute: Usd,
    /// The monthly cost if only customers above the break-even are kept warm.
    pub above: Usd,
    /// The monthly cost if nobody is kept warm.
    pub on_read: Usd,
}

impl CostVerdict {
    /// Judges a forecast by cost alone. That a cold quote waits for its calculation does not count.
    #[must_use]
    pub fn of(forecast: &Forecast, every: Duration, ttl: Duration, prices: &UsdPriceList) -> Self {
        let everybody = forecast.everybody(every, ttl, prices);
        let on_read = forecast.on_read(ttl, prices);
        let user_hours = everybody.kept.active * HOURS_A_MONTH;
        let warm_hour = each(everybody.spent(Purpose::KeepWarm), user_hours);
        let cold_quote = each(on_read.spent(Purpose::Cold), on_read.events.cold);
        let break_even = warm_hour.pico() as f64 / (cold_quote.pico() as f64).max(1.0);
        let above = forecast.above(break_even, every, ttl, prices);
        let (precompute, above, on_read) =
            (everybody.bill.total(), above.bill.total(), on_read.bill.total());
        let choice = choose(precompute, above, on_read);
        Self { choice, break_even, warm_hour, cold_quote, precompute, above, on_read }
    }
}

fn choose(precompute: Usd, above: Usd, on_read: Usd) -> Choice {
    let (simple, choice) = match on_read < precompute {
        true => (on_read, Choice::OnRead),
        false => (precompute, Choice::Precompute),
    };
    let saved = simple.pico() - above.pico();
    if saved * 100 > simple.pico() * WORTH_IT_PERCENT { Choice::PrecomputeAbove } else { choice }
}

fn each(usd: Usd, count: f64) -> Usd {
    Usd::from_pico(if count > 0.0 { (usd.pico() as f64 / count) as i128 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telling_users_apart_must_be_worth_it() {
        let usd = |dollars: i128| Usd::from_pico(dollars * 1_000_000_000_000);
        let choose = |all, above, none| choose(usd(all), usd(above), usd(none));
        assert_eq!(choose(100, 96, 200), Choice::Precompute);
        assert_eq!(choose(100, 94, 200), Choice::PrecomputeAbove);
        assert_eq!(choose(100, 78, 80), Choice::OnRead);
        assert_eq!(choose(100, 60, 80), Choice::PrecomputeAbove);
    }
}
