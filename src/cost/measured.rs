//! Measures a running stack over a span of time, from the readings of the meter.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use thiserror::Error;

use super::told::{lines_json, verdict_json, what_if_json};
use super::{
    Bill, BillLine, CostVerdict, EventCounts, Forecast, MeteredEvents, Numbers, Purpose,
    StoreFacts, WhatIf, stored,
};
use crate::meter::billing::{HOURS_A_MONTH, Line, Usd, UsdPriceList};
use crate::meter::{Readings, Reason, Stage, Usage, UsageLine};
use crate::ports::{PortError, Ports};
use crate::replay::{ProbedStack, ReplayError, TermsSpec, probe};
use crate::stages::Policy;

/// Why a stack could not be measured.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// The store cannot be read.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The probe of the stages failed.
    #[error(transparent)]
    Probe(#[from] ReplayError),
}

/// The options of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Measuring {
    /// The span of time before now that is measured.
    pub over: Duration,
    /// How long a function takes for a batch of calculations.
    pub calculation: Duration,
}

impl Measuring {
    /// The default span.
    pub const OVER: Duration = Duration::from_secs(3600);
    /// The default time of a calculation.
    pub const CALCULATION: Duration = Duration::from_millis(100);
}

impl Default for Measuring {
    fn default() -> Self {
        Self { over: Self::OVER, calculation: Self::CALCULATION }
    }
}

/// A measurement, and what follows from it.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The readings of the processes.
    pub readings: Readings,
    /// Their cost.
    pub bill: Bill,
    /// How often each thing happened.
    pub reading: MeteredEvents,
    /// The stack's own settings, by which it is judged.
    pub policy: Policy,
    /// The same events as a forecast sees them, if there are tables that tell the number of products.
    forecast: Option<Bill>,
    /// The effect of other settings, if there was enough traffic.
    pub advice: Option<Advice>,
}

/// The effect of other settings.
#[derive(Clone, Debug)]
pub struct Advice {
    /// A forecast at the measured rates.
    pub forecast: Forecast,
    /// The current interval.
    pub every: Duration,
    /// The current TTL.
    pub ttl: Duration,
    /// Other intervals and TTLs around the current ones.
    pub tried: Vec<WhatIf>,
    /// Whether precomputing pays.
    pub verdict: CostVerdict,
}

impl Advice {
    /// Returns the effect of another interval and TTL.
    #[must_use]
    pub fn of(&self, every: Duration, ttl: Duration, prices: &UsdPriceList) -> WhatIf {
        let now = self.forecast.everybody(self.every, self.ttl, prices).bill.total();
        WhatIf::of(&self.forecast, (every, ttl), now, prices)
    }
}

impl Measured {
    /// Measures a stack with a policy.
    ///
    /// # Errors
    /// [`MeasureError`] if the store cannot be read or the probe fails.
    pub async fn read(
        ports: &Ports,
        how: Measuring,
        policy: Policy,
        prices: &UsdPriceList,
    ) -> Result<Self, MeasureError> {
        let readings = Readings::read(ports, how.over).await?;
        let mut bill = Bill::default();
        bill.add_metered(None, &readings.usage, prices);
        let known = stored::known(ports).await?;
        let reading = MeteredEvents::of(&readings.usage, known, &policy);
        let mut read = Self { readings, bill, reading, policy, forecast: None, advice: None };
        if known.products > 0 {
            read.forecast = Some(read.foreseen(how, prices).await?);
            read.advice = read.advise(how, prices).await?;
        }
        Ok(read)
    }

    /// Returns the forecast of the measured events. Each of its lines is a sum of what the stages use in a
    /// probe, not of what was measured here.
    async fn foreseen(&self, how: Measuring, prices: &UsdPriceList) -> Result<Bill, MeasureError> {
        let stack = self.stack(how);
        let mut used = BTreeMap::<Purpose, Usage>::new();
        for (batch, events) in self.reading.by_batch() {
            let probe = probe(&stack, batch).await?;
            for (purpose, more) in events.used(&probe, batch) {
                used.entry(purpose).or_default().merge(&more);
            }
        }
        // A bill has whole units, so the fractions of the batches are added up first.
        let mut bill = Bill::default();
        for (purpose, used) in &used {
            bill.add_metered(Some(*purpose), used, prices);
        }
        Ok(bill)
    }

    /// Returns the stack as far as its store and its meter show it.
    fn stack(&self, how: Measuring) -> ProbedStack {
        let StoreFacts { products, discounts, lines, .. } = self.reading.known;
        ProbedStack {
            products,
            discounts,
            terms: TermsSpec::NONE,
            lines,
            calculation: how.calculation,
            answering: self.reading.events.answering(),
        }
    }

    async fn advise(
        &self,
        how: Measuring,
        prices: &UsdPriceList,
    ) -> Result<Option<Advice>, MeasureError> {
        let (span, events) = (self.readings.span(), &self.reading.events);
        if events.ticks < 1.0 || events.quotes < 1.0 {
            return Ok(None);
        }
        let minutes = span.as_secs_f64() / 60.0;
        let (every, ttl) = (self.policy.refresh_every, self.policy.ttl);
        let changes = events.changed / events.refreshes.max(1.0) / every.as_secs_f64();
        let numbers = Numbers {
            active_users: self.reading.active,
            quotes_a_minute: events.quotes / minutes,
            changes_a_day: changes * 24.0 * 3600.0,
            stack: self.stack(how),
            workers: 1,
            processes: u32::try_from(self.readings.processes).unwrap_or(u32::MAX),
            polls_a_minute: polls(events) / minutes,
            websockets: self.reading.active,
        };
        let forecast = Forecast::of(numbers, self.policy.clone()).await?;
        Ok(forecast.map(|forecast| Advice {
            every,
            ttl,
            tried: WhatIf::around(&forecast, every, ttl, prices),
            verdict: CostVerdict::of(&forecast, every, ttl, prices),
            forecast,
        }))
    }

    /// Scales a cost to a month at the same rates.
    #[must_use]
    pub fn monthly(&self, usd: Usd) -> Usd {
        let months = self.readings.span().as_secs_f64() / (HOURS_A_MONTH * 3600.0);
        Usd::from_pico((usd.pico() as f64 / months.max(f64::MIN_POSITIVE)) as i128)
    }

    /// Returns the bill without loads, and the cost of the loads. A load is not repeated at the rate of a short
    /// time, so its cost is not scaled to a month. The verdict has no loads either.
    #[must_use]
    pub fn without_loads(&self) -> (Bill, Usd) {
        let is_load = |line: &BillLine| line.stage == Some(Stage::Load);
        let rest = self.bill.lines.iter().copied().filter(|line| !is_load(line));
        (Bill { lines: rest.collect() }, self.bill.sum(is_load))
    }

    fn spent(&self, is_meant: impl Fn(&UsageLine) -> bool, prices: &UsdPriceList) -> Usd {
        let mut bill = Bill::default();
        bill.add_metered(None, &self.readings.usage.only(is_meant), prices);
        bill.total()
    }

    /// Returns the cost of a million refreshes, and of a million quotes.
    #[must_use]
    pub fn per_million(&self, prices: &UsdPriceList) -> [Usd; 2] {
        let is_refresh = |line: &UsageLine| {
            line.reason == Reason::Scheduled
                && matches!(line.stage, Stage::Refresh | Stage::PriceCalc)
        };
        let is_quote = |line: &UsageLine| {
            !is_refresh(line)
                && !matches!(
                    line.stage,
                    Stage::Load
                        | Stage::Meter
                        | Stage::Settings
                        | Stage::Presence
                        | Stage::Command
                        | Stage::Unknown
                )
        };
        let events = &self.reading.events;
        [
            per_million(self.spent(is_refresh, prices), events.refreshes),
            per_million(self.spent(is_quote, prices), events.quotes),
        ]
    }

    /// Returns each measured line of the stages that a forecast covers, beside the forecast.
    #[must_use]
    pub fn compared(&self) -> Vec<ComparedLine> {
        let Some(forecast) = &self.forecast else { return vec![] };
        let stages = [
            Stage::Subscribe,
            Stage::Refresh,
            Stage::PriceCalc,
            Stage::QuotationHandler,
            Stage::QuotationProvider,
            Stage::Meter,
        ];
        let used = |bill: &Bill, stage, line: Line| {
            line.units(bill.parts(|one| one.stage == Some(stage) && one.line == line))
        };
        let all = stages.into_iter().flat_map(|stage| Line::ALL.map(|line| (stage, line)));
        let compared = all.map(|(stage, line)| ComparedLine {
            stage,
            line,
            measured: used(&self.bill, stage, line),
            forecast: used(forecast, stage, line),
        });
        // Functions have run only if there are functions.
        compared.filter(|one| one.measured > 0.0).collect()
    }

    /// Renders everything as JSON.
    #[must_use]
    pub fn as_json(&self, prices: &UsdPriceList) -> Value {
        let [refreshes, quotes] = self.per_million(prices);
        let events = &self.reading.events;
        json!({
            "price_list": { "region": prices.region, "dated": prices.dated },
            "from": self.readings.from.to_string(),
            "to": self.readings.to.to_string(),
            "processes": self.readings.processes,
            "settings": {
                "refresh_every_secs": self.policy.refresh_every.as_secs_f64(),
                "ttl_secs": self.policy.ttl.as_secs_f64(),
                "fresh_for_secs": self.policy.fresh_for().as_secs_f64(),
            },
            "usd": self.bill.total(),
            "usd_a_month": self.monthly(self.without_loads().0.total()),
            "usd_per_million_refreshes": refreshes,
            "usd_per_million_quotes": quotes,
            "lines": lines_json(&self.bill, |usd| self.monthly(usd)),
            "events": {
                "ticks": events.ticks,
                "active_users": self.reading.active,
                "refreshes": events.refreshes,
                "changed": events.changed,
                "confirmed": events.confirmed,
                "quotes": events.quotes,
                "cold_quotes": events.cold,
                "first_visits": events.visits,
                "polls_in_vain": polls(events),
            },
            "compared": self.compared().iter().map(ComparedLine::as_json).collect::<Vec<_>>(),
            "what_if": self.advice.as_ref().map(|advice| what_if_json(&advice.tried)),
            "verdict": self.advice.as_ref().map(|advice| verdict_json(&advice.verdict)),
        })
    }
}

/// Returns the empty receives of all queues.
fn polls(events: &EventCounts) -> f64 {
    events.polls.iter().sum()
}

/// A line, measured and forecast.
#[derive(Clone, Copy, Debug)]
pub struct ComparedLine {
    /// The stage.
    pub stage: Stage,
    /// The billed line.
    pub line: Line,
    /// The measured units.
    pub measured: f64,
    /// The units in the forecast.
    pub forecast: f64,
}

impl ComparedLine {
    fn as_json(&self) -> Value {
        json!({
            "stage": self.stage.name(),
            "line": self.line.name(),
            "measured_units": self.measured,
            "forecast_units": self.forecast,
            "forecast_by_measured": self.forecast / self.measured,
        })
    }
}

/// Returns the cost of a million of something.
#[must_use]
pub fn per_million(usd: Usd, count: f64) -> Usd {
    let each = if count > 0.0 { usd.pico() as f64 / count } else { 0.0 };
    Usd::from_pico((each * 1e6) as i128)
}
