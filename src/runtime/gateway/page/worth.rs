//! Whether the cache is worth its cost: answers at once, waits, the cost of a month, and what other
//! settings would change.

use std::time::Duration;

use hyper::Uri;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::answers::Figures;
use super::query::value;
use crate::cost::{MeasureError, Measured, Measuring, what_if_json};
use crate::meter::billing::UsdPriceList;
use crate::meter::{Reason, Scope, Stage};
use crate::model::parse_duration;
use crate::ports::{PortError, Ports};
use crate::runtime::metrics::Metrics;
use crate::stages::{Policy, SettingsInForce};

/// A measurement is reused for this long, because it includes a probe of the stages.
const MEASURED_FOR: Duration = Duration::from_secs(15);
/// The time for which the meter keeps its windows.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// A request for a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WorthRequest {
    over: Duration,
    /// The refresh interval and the TTL to try instead of the current ones.
    every: Option<Duration>,
    ttl: Option<Duration>,
}

impl WorthRequest {
    /// Reads `over`, `refresh_every` and `ttl` from the query.
    pub(super) fn of(uri: &Uri) -> Result<Self, String> {
        let time = |name: &str| match value(uri, name).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => match parse_duration(&text) {
                Ok(time) if time >= Duration::from_secs(1) && time <= LONGEST => Ok(Some(time)),
                Ok(_) => Err(format!("`{name}` is not from 1s to 7d")),
                Err(error) => Err(format!("`{name}`: {error}")),
            },
        };
        let over = time("over")?.unwrap_or(Measuring::OVER);
        Ok(Self { over, every: time("refresh_every")?, ttl: time("ttl")? })
    }
}

/// Measures the stack. All viewers share the result.
pub(super) struct Worth {
    ports: Ports,
    settings: SettingsInForce,
    /// Held during a measurement, so that only one runs.
    seen: Mutex<Option<LastMeasurement>>,
}

struct LastMeasurement {
    measured_at: Instant,
    over: Duration,
    measured: Measured,
}

impl Worth {
    pub(super) fn new(ports: Ports, settings: SettingsInForce) -> Self {
        Self { ports, settings, seen: Mutex::default() }
    }

    /// Returns what `ocache cost` prints, and how long the quotes of this process waited.
    pub(super) async fn look(
        &self,
        asked: WorthRequest,
        metrics: &Metrics,
    ) -> Result<Value, PortError> {
        let prices = UsdPriceList::built_in()
            .map_err(|error| PortError::corrupt("the list prices that are built in", error))?;
        let policy = self.settings.now().policy.clone();
        let mut seen = self.seen.lock().await;
        let is_young = |seen: &LastMeasurement| {
            seen.over == asked.over && seen.measured_at.elapsed() < MEASURED_FOR
        };
        let seen = match seen.take() {
            Some(young) if is_young(&young) => seen.insert(young),
            _ => {
                let how = Measuring { over: asked.over, ..Measuring::default() };
                let measured = measure(self.ports.clone(), how, policy.clone(), prices.clone());
                let measured = measured.await?;
                let (measured_at, over) = (Instant::now(), asked.over);
                seen.insert(LastMeasurement { measured_at, over, measured })
            }
        };
        let mut told = seen.measured.as_json(&prices);
        told["ttl_secs"] = json!(policy.ttl.as_secs_f64());
        told["refresh_every_secs"] = json!(policy.refresh_every.as_secs_f64());
        told["span_secs"] = json!(seen.measured.readings.span().as_secs_f64());
        told["answers"] = json!(Figures::of_all(&metrics.answers(self.ports.clock.now())));
        let (every, ttl) =
            (asked.every.unwrap_or(policy.refresh_every), asked.ttl.unwrap_or(policy.ttl));
        let is_other = asked.every.is_some() || asked.ttl.is_some();
        let advice = seen.measured.advice.as_ref().filter(|_| is_other);
        let tried = advice.map(|advice| advice.of(every, ttl, &prices));
        told["asked"] = json!(tried.map(|tried| what_if_json(&[tried])[0].clone()));
        Ok(told)
    }
}

/// Measures on another thread, because the probe calculates tables as large as those of the stack.
async fn measure(
    ports: Ports,
    how: Measuring,
    policy: Policy,
    prices: UsdPriceList,
) -> Result<Measured, PortError> {
    let runtime = Handle::current();
    let measuring = move || {
        let measuring = Measured::read(&ports, how, policy, &prices);
        runtime.block_on(Scope::new(Stage::Command, Reason::Command).of(measuring))
    };
    let measured = spawn_blocking(measuring).await;
    match measured.map_err(|error| PortError::unavailable("the measurement", error))? {
        Ok(measured) => Ok(measured),
        Err(MeasureError::Port(error)) => Err(error),
        Err(MeasureError::Probe(error)) => Err(PortError::unavailable("the stages", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_flags_are() {
        let of = |query: &str| WorthRequest::of(&format!("/worth?{query}").parse().unwrap());
        let (hour, minute) = (Duration::from_secs(3600), Duration::from_secs(60));
        assert_eq!(of(""), Ok(WorthRequest { over: hour, every: None, ttl: None }));
        let asked = of("over=7d&refresh_every=1m&ttl=1h").unwrap();
        assert_eq!((asked.over, asked.every, asked.ttl), (LONGEST, Some(minute), Some(hour)));
        for bad in ["over=8d", "ttl=0s", "refresh_every=often"] {
            let name = bad.split('=').next().unwrap();
            assert!(of(bad).unwrap_err().contains(name), "{bad}");
        }
    }
}
