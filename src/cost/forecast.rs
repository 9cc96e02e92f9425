//! The forecast of a month from a few numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Bill, EventCounts, Purpose, Share, Traffic, logs, looks};
use crate::meter::billing::{self, HOURS_A_MONTH, Line, Usd, UsdPriceList};
use crate::ports::{MAX_BATCH, Queue};
use crate::replay::{Probe, ProbedStack, ReplayError, Scenario, TermsSpec, probe};
use crate::stages::{Answering, Policy};

const HOUR: f64 = 3600.0;
const HOURS_A_DAY: f64 = 24.0;
/// How often a worker reads the base: when it starts, and after another process has made one. This is an
/// assumption.
const BASE_READS_AN_HOUR: f64 = 1.0;
/// How often a process writes its usage: once a minute.
const REPORTS_AN_HOUR: f64 = 60.0;
/// How often a process writes its presence record: once a minute.
const SIGNS_AN_HOUR: f64 = 60.0;
/// The default limit of concurrent refreshes in `infra/`: `max_concurrency.refresh`.
const REFRESHING: f64 = 20.0;
/// The default limit of concurrent quotes in `infra/`: `gateway_concurrency`, `max_concurrency.provider`.
const QUOTING: f64 = 50.0;

/// The numbers that a forecast is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// How many customers are active at a time.
    pub active_users: f64,
    /// The quotes of all customers in a minute.
    pub quotes_a_minute: f64,
    /// How often the prices of a table change in a day.
    pub changes_a_day: f64,
    /// What is sold, quoted and calculated.
    pub stack: ProbedStack,
    /// The number of processes that calculate. Each reads the base once an hour.
    pub workers: u32,
    /// The number of all processes or instances of functions. Each writes its usage.
    pub processes: u32,
    /// Empty receives of all queues in a minute.
    pub polls_a_minute: f64,
    /// How many websockets are open at a time.
    pub websockets: f64,
}

/// A forecast: the traffic, and the usage of each event.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The numbers that it is made from.
    pub numbers: Numbers,
    /// The rest of the policy. Other intervals are tried with it.
    policy: Policy,
    /// The traffic.
    pub traffic: Traffic,
    /// The usage of each event.
    pub probe: Probe,
    /// The number of scheduled calculations in one batch.
    pub batch: usize,
}

/// The forecast of a month with one policy.
#[derive(Clone, Debug)]
pub struct Month {
    /// How often each thing happens in the month.
    pub events: EventCounts,
    /// The share of customers who are kept warm, with their quotes in an hour.
    pub kept: Share,
    /// The cost of the month.
    pub bill: Bill,
}

impl Month {
    /// Returns the cost of a purpose.
    #[must_use]
    pub fn spent(&self, purpose: Purpose) -> Usd {
        self.bill.sum(|line| line.purpose == Some(purpose))
    }
}

impl Forecast {
    /// Probes the usage of each event. `policy` is the one under which the number of active customers was
    /// found. Returns `None` if so few quotes cannot keep so many customers active.
    ///
    /// # Errors
    /// [`ReplayError`] if a stage fails. No stage is expected to fail in a probe.
    pub async fn of(numbers: Numbers, policy: Policy) -> Result<Option<Self>, ReplayError> {
        let quotes_an_hour = numbers.quotes_a_minute * 60.0;
        let Some(traffic) = Traffic::of(numbers.active_users, quotes_an_hour, policy.ttl) else {
            return Ok(None);
        };
        let batch = (numbers.active_users.round() as usize).clamp(1, MAX_BATCH);
        let probe = probe(&numbers.stack, batch).await?;
        Ok(Some(Self { numbers, policy, traffic, probe, batch }))
    }

    /// Forecasts a month in which every customer who comes is kept warm for the TTL.
    #[must_use]
    pub fn everybody(&self, every: Duration, ttl: Duration, prices: &UsdPriceList) -> Month {
        self.month(self.traffic.all(ttl), Some(every), ttl, prices)
    }

    /// Forecasts a month in which only customers with more than `an_hour` quotes an hour are kept warm.
    #[must_use]
    pub fn above(
        &self,
        an_hour: f64,
        every: Duration,
        ttl: Duration,
        prices: &UsdPriceList,
    ) -> Month {
        self.month(self.traffic.above(an_hour, ttl), Some(every), ttl, prices)
    }

    /// Forecasts a month in which nobody is kept warm: every quote has its table calculated, and no schedule
    /// runs.
    #[must_use]
    pub fn on_read(&self, ttl: Duration, prices: &UsdPriceList) -> Month {
        self.month(Share::NOBODY, None, ttl, prices)
    }

    fn month(
        &self,
        kept: Share,
        every: Option<Duration>,
        ttl: Duration,
        prices: &UsdPriceList,
    ) -> Month {
        let an_hour = self.events_an_hour(kept, every, ttl);
        let events = an_hour.times(HOURS_A_MONTH);
        let mut bill = Bill::default();
        for (purpose, used) in events.used(&self.probe, self.batch) {
            bill.add_metered(Some(purpose), &used, prices);
        }
        for (purpose, stage, lines) in logs::lines(&events, self.batch) {
            bill.add(Some(purpose), Some(stage), &logs::billed(lines), prices);
        }
        for (purpose, used) in self.beside(&an_hour, kept) {
            bill.add(Some(purpose), None, &used, prices);
        }
        Month { events, kept, bill }
    }

    fn events_an_hour(&self, kept: Share, every: Option<Duration>, ttl: Duration) -> EventCounts {
        let numbers = &self.numbers;
        let quotes = numbers.quotes_a_minute * 60.0;
        let cold = quotes - kept.quotes + kept.cold;
        let ticks = every.map_or(0.0, |every| HOUR / every.as_secs_f64());
        let refreshes = ticks * kept.active;
        let written = every.map_or(WrittenShares::default(), |every| {
            self.written(every, cold_share(kept.cold, refreshes))
        });
        let calculations = refreshes + cold;
        let used_terms = self.terms_in_use(kept, cold);
        let direct = match numbers.stack.answering {
            Answering::Direct => quotes - cold,
            Answering::Topic => 0.0,
        };
        EventCounts {
            ticks,
            head_looks: ticks,
            batch_looks: Some(looks::most_an_hour(
                refreshes / self.batch as f64,
                numbers.stack.calculation,
                REFRESHING.max(numbers.workers.into()),
            )),
            version_looks: Some(
                // A cold quote is looked up again once its table is there.
                [quotes, quotes - direct + cold]
                    .map(|quotes| looks::most_an_hour(quotes, Scenario::CALL, QUOTING)),
            ),
            rows: kept.active + (cold * HOURS_A_DAY).min(self.traffic.users - kept.active),
            sends: ticks * (kept.active / MAX_BATCH as f64).max(kept.active.min(1.0)),
            refreshes,
            changed: refreshes * written.changed,
            confirmed: refreshes * written.confirmed,
            quotes,
            direct,
            deadlines: quotes - direct,
            cold,
            touches: (quotes - cold) * touched_share(quotes - cold, kept.active, ttl),
            visits: 0.0,
            looks: 0.0,
            bases: (self.bases_an_hour(every) * self.numbers.stack.terms.currencies() as f64)
                .min(calculations),
            terms: (self.bases_an_hour(every) * used_terms).min(calculations),
            terms_reads: (f64::from(numbers.processes) * BASE_READS_AN_HOUR * used_terms)
                .min(calculations + quotes),
            base_reads: (f64::from(numbers.workers) * BASE_READS_AN_HOUR).min(calculations),
            polls: [numbers.polls_a_minute * 60.0 / Queue::ALL.len() as f64; Queue::ALL.len()],
            reports: f64::from(numbers.processes) * REPORTS_AN_HOUR,
            signs: f64::from(numbers.processes) * SIGNS_AN_HOUR,
        }
    }

    /// Returns the shares of refreshes that write a table. `begun_anew` is the share of refreshes whose table
    /// a cold quote has just written.
    fn written(&self, every: Duration, begun_anew: f64) -> WrittenShares {
        let policy = self.policy_of(every);
        let changes = self.numbers.changes_a_day / (HOURS_A_DAY * HOUR) * every.as_secs_f64();
        let mut changed = 1.0 - (-changes).exp();
        if self.probe.sizes.parts > 0 {
            // Parts are written again before they expire.
            let fading = policy.keep_tables().as_secs_f64() / 2.0 / every.as_secs_f64();
            changed += (1.0 - changed).powf(fading) / fading;
        }
        let unwritten = (1.0 - changed) * (1.0 - begun_anew);
        WrittenShares { changed, confirmed: last_of_run(intervals_to_confirm(&policy), unwritten) }
    }

    /// Returns how many bases are made in an hour: one for each change of prices, and one before each expiry.
    fn bases_an_hour(&self, every: Option<Duration>) -> f64 {
        let policy = self.policy_of(every.unwrap_or(self.policy.refresh_every));
        self.numbers.changes_a_day / HOURS_A_DAY + HOUR / policy.keep_tables().as_secs_f64()
    }

    /// Returns how many different terms are in use by the customers who are kept warm or whose table is still
    /// stored; zero without price lists.
    fn terms_in_use(&self, kept: Share, cold_an_hour: f64) -> f64 {
        let TermsSpec { ref lists, terms, .. } = self.numbers.stack.terms;
        if lists.lists == 0 {
            return 0.0;
        }
        let keeping = self.policy.keep_tables().as_secs_f64() / HOUR;
        let users = (kept.active + cold_an_hour * keeping).min(self.traffic.users);
        let terms = terms.max(1) as f64;
        terms * (1.0 - (1.0 - 1.0 / terms).powf(users))
    }

    fn policy_of(&self, every: Duration) -> Policy {
        Policy { refresh_every: every, ..self.policy.clone() }
    }

    /// Returns how many bases are stored. An old base stays stored for as long as a table may need it.
    fn bases_stored(&self) -> f64 {
        let kept = 2.0 * self.policy.keep_tables().as_secs_f64() / HOUR / HOURS_A_DAY;
        1.0 + self.numbers.changes_a_day * kept
    }

    /// Returns the stored data and the connection minutes of websockets in a month.
    fn beside(
        &self,
        an_hour: &EventCounts,
        kept: Share,
    ) -> BTreeMap<Purpose, billing::BilledUsage> {
        let (sizes, a_day) = (&self.probe.sizes, |an_hour: f64| an_hour * HOURS_A_DAY);
        let tables = (kept.active + a_day(an_hour.cold)).min(self.traffic.users);
        let generations = kept.active + a_day(an_hour.changed + an_hour.cold);
        let quotations = an_hour.quotes * self.policy.keep_quotations().as_secs_f64() / HOUR;
        let bytes = tables * sizes.head as f64
            + generations * sizes.parts as f64
            + quotations * sizes.quotation as f64
            + an_hour.rows * sizes.row as f64
            + self.traffic.users * sizes.discounts as f64
            + self.bases_stored()
                * sizes.base as f64
                * self.numbers.stack.terms.currencies() as f64
            + self.bases_stored() * sizes.terms as f64 * self.terms_in_use(kept, an_hour.cold)
            + sizes.lists as f64
            + sizes.products as f64;
        let mut stored = billing::BilledUsage::default();
        stored.add(Line::Storage, (bytes * HOURS_A_MONTH) as u128);
        let mut open = billing::BilledUsage::default();
        open.add(Line::WebsocketMinutes, (self.numbers.websockets * 60.0 * HOURS_A_MONTH) as u128);
        BTreeMap::from([(Purpose::Storage, stored), (Purpose::Idle, open)])
    }
}

/// Shares of refreshes that write.
#[derive(Clone, Copy, Default)]
struct WrittenShares {
    /// The share that finds changed prices.
    changed: f64,
    /// The share that finds nothing changed, and writes that.
    confirmed: f64,
}

/// Returns the share of refreshes whose table a cold quote has just written.
fn cold_share(cold: f64, refreshes: f64) -> f64 {
    if refreshes > 0.0 { (cold / refreshes).min(1.0) } else { 0.0 }
}

/// Returns the share of tries that complete a run of `length`. A try continues the run with this probability;
/// otherwise the run ends, and the next try starts a new one.
fn last_of_run(length: f64, probability: f64) -> f64 {
    let whole = probability.powf(length);
    if whole < 1.0 { whole * (1.0 - probability) / (1.0 - whole) } else { 1.0 / length }
}

/// Returns the share of warm quotes whose visit is written. After a written visit, none is written for a part
/// of the TTL; the next one after that is.
fn touched_share(warm_an_hour: f64, active: f64, ttl: Duration) -> f64 {
    if active <= 0.0 {
        return 0.0;
    }
    let policy = Policy { ttl, ..Policy::default() };
    let rest = policy.touched_after().as_secs_f64() / HOUR;
    1.0 / (1.0 + warm_an_hour / active * rest)
}

/// Returns after how many intervals a refresh confirms a table that it finds unchanged.
pub(super) fn intervals_to_confirm(policy: &Policy) -> f64 {
    let intervals = policy.confirmed_after().as_secs_f64() / policy.refresh_every.as_secs_f64();
    intervals.ceil().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_confirmed_by_the_interval_that_reaches_half_of_its_freshness() {
        let intervals = |every, fresh_for| {
            let (every, fresh_for) = (Duration::from_secs(every), Duration::from_secs(fresh_for));
            intervals_to_confirm(&Policy { refresh_every: every, fresh_for, ..Policy::default() })
        };
        assert_eq!([intervals(60, 600), intervals(70, 600), intervals(7, 600)], [5.0, 5.0, 43.0]);
        // A table is fresh for at least two intervals.
        assert_eq!([intervals(300, 600), intervals(3600, 600)], [1.0, 1.0]);
        // If two intervals are hardly less than its freshness, it might be stale at the second refresh.
        assert_eq!([intervals(240, 600), intervals(280, 600)], [2.0, 1.0]);
    }

    #[test]
    fn runs_end_as_often_as_by_counting() {
        assert!((last_of_run(5.0, 1.0) - 0.2).abs() < 1e-12);
        assert!(last_of_run(5.0, 0.0).abs() < 1e-12);
        let mut draws = crate::data::Draws::new(1, 2, 3);
        let (mut length, mut whole) = (0, 0);
        for _ in 0..400_000 {
            length = if draws.below(10) == 0 { 0 } else { length + 1 };
            if length == 5 {
                (length, whole) = (0, whole + 1);
            }
        }
        let share = f64::from(whole) / 400_000.0;
        assert!((last_of_run(5.0, 0.9) / share - 1.0).abs() < 0.02, "{share}");
    }
}
