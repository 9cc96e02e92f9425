//! How often each thing happens, and its usage.

use std::collections::BTreeMap;

use super::{Purpose, looks};
use crate::meter::rules::{item_read, item_write, page_read, queue_requests};
use crate::meter::{Action, Operation, Reason, Resource, Scope, Stage, Usage, Used};
use crate::ports::Queue;
use crate::replay::Probe;
use crate::stages::Answering;

/// The estimated size of a process's usage record, in bytes.
const REPORT_BYTES: u64 = 1500;
/// The estimated size of a process's presence record, in bytes.
const SIGN_BYTES: u64 = 400;

/// What Lambda bills for the time in which a refresh orders a batch of ten calculations, in thousandths of a
/// GB-millisecond: 0.8 ms of a processor (`docs/deploying.md`), and 1,769 MB have one. With less memory the
/// same work takes longer, and costs as much.
const ORDERING: u64 = 800 * 1769 / 1024;

/// The stages that read which version of the products is in force.
const QUOTE_STAGES: [Stage; 2] = [Stage::QuotationHandler, Stage::QuotationProvider];

/// How often each thing happens in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EventCounts {
    /// Ticks of the schedule.
    pub ticks: f64,
    /// Reads of the head to find an unfolded journal: one for each tick, however many segments it scans.
    pub head_looks: f64,
    /// Rows that one tick reads: active customers, and expired ones that are not deleted yet.
    pub rows: f64,
    /// Calls that send scheduled calculations, with at most ten in each.
    pub sends: f64,
    /// Scheduled calculations.
    pub refreshes: f64,
    /// Scheduled calculations that find changed prices.
    pub changed: f64,
    /// Scheduled calculations that find nothing changed, and write that the table is still right.
    pub confirmed: f64,
    /// Quotes.
    pub quotes: f64,
    /// Quotes that are answered where they arrive. The others go through the topic.
    pub direct: f64,
    /// Quotes that have a deadline message: all that go through the topic, unless a gateway watches the
    /// deadlines.
    pub deadlines: f64,
    /// Quotes that find no usable table.
    pub cold: f64,
    /// Quotes that find a usable table and whose visit is written.
    pub touches: f64,
    /// First visits other than quotes.
    pub visits: f64,
    /// Reads by a gateway that does not know whether a customer is active.
    pub looks: f64,
    /// The most reads of the catalogue's head by batches of scheduled calculations, because a process may
    /// keep it for a moment. `None` if every batch reads it.
    pub batch_looks: Option<f64>,
    /// The most reads of the catalogue's head by quotes, for handler and provider. `None` if every batch
    /// reads it.
    pub version_looks: Option<[f64; 2]>,
    /// Bases made: the whole catalogue is read, and the base is stored.
    pub bases: f64,
    /// Bases of terms made: price lists are read, and the base of the terms is stored.
    pub terms: f64,
    /// Bases of terms that a process reads from the store, because another process made them.
    pub terms_reads: f64,
    /// Bases that a worker reads from the store, because another process made them.
    pub base_reads: f64,
    /// Empty receives of each queue.
    pub polls: [f64; Queue::ALL.len()],
    /// Reports of meters.
    pub reports: f64,
    /// Presence records that processes write.
    pub signs: f64,
}

impl EventCounts {
    /// Returns the usage by purpose. Scheduled calculations come in batches of the probe's size.
    #[must_use]
    pub fn used(&self, probe: &Probe, batch: usize) -> BTreeMap<Purpose, Usage> {
        let per_batch = 1.0 / batch.max(1) as f64;
        let quotes = sum([
            probe.warm.times(self.quotes - self.direct),
            probe.direct.times(self.direct),
            probe.deadline.times(self.deadlines),
            probe.touch.times(self.touches),
        ]);
        let cold = probe.cold.since(&probe.warm).times(self.cold);
        let batches = sum([
            probe.unchanged.times(self.unchanged() * per_batch),
            probe.confirmed.times(self.confirmed * per_batch),
            probe.calculated.times(self.changed * per_batch),
        ]);
        let looking = looks::share([&batches], Stage::PriceCalc, self.batch_looks);
        let seen = self.version_looks.map_or([None; 2], |looks| looks.map(Some));
        let shares = [0, 1].map(|which| {
            let stage = QUOTE_STAGES[which];
            (stage, looks::share([&quotes, &cold], stage, seen[which]))
        });
        BTreeMap::from([
            (
                Purpose::KeepWarm,
                sum([
                    probe.orders.times(self.sends),
                    self.ordering(),
                    looks::with_shares(&batches, &[(Stage::PriceCalc, looking)]),
                    probe.base.times(self.bases),
                    probe.base_read.times(self.base_reads),
                    probe.terms.times(self.terms),
                    probe.terms_read.times(self.terms_reads),
                    self.scans(probe),
                ]),
            ),
            (Purpose::Quotes, looks::with_shares(&quotes, &shares)),
            (
                Purpose::Cold,
                sum([
                    looks::with_shares(&cold, &shares),
                    probe.visit.times(self.visits),
                    self.looks(probe),
                ]),
            ),
            (
                Purpose::Idle,
                sum([
                    probe.tick.times(self.ticks),
                    probe.head_look.times(self.head_looks),
                    self.idle(),
                ]),
            ),
        ])
    }

    /// Returns the number of scheduled calculations that write nothing.
    fn unchanged(&self) -> f64 {
        (self.refreshes - self.changed - self.confirmed).max(0.0)
    }

    /// Returns where quotes are answered, judged by these events.
    #[must_use]
    pub fn answering(&self) -> Answering {
        if self.direct > 0.0 { Answering::Direct } else { Answering::Topic }
    }

    /// Multiplies all frequencies by a count. The number of rows that one tick reads does not change.
    #[must_use]
    pub fn times(&self, count: f64) -> Self {
        Self {
            ticks: self.ticks * count,
            head_looks: self.head_looks * count,
            rows: self.rows,
            sends: self.sends * count,
            refreshes: self.refreshes * count,
            changed: self.changed * count,
            confirmed: self.confirmed * count,
            quotes: self.quotes * count,
            direct: self.direct * count,
            deadlines: self.deadlines * count,
            cold: self.cold * count,
            touches: self.touches * count,
            visits: self.visits * count,
            looks: self.looks * count,
            batch_looks: self.batch_looks.map(|looks| looks * count),
            version_looks: self.version_looks.map(|looks| looks.map(|looks| looks * count)),
            bases: self.bases * count,
            terms: self.terms * count,
            terms_reads: self.terms_reads * count,
            base_reads: self.base_reads * count,
            polls: self.polls.map(|polls| polls * count),
            reports: self.reports * count,
            signs: self.signs * count,
        }
    }

    fn scans(&self, probe: &Probe) -> Usage {
        let bytes = (self.rows * probe.sizes.row as f64).round() as u64;
        let scan = Used::derived(1, self.rows.round() as u64, bytes, page_read(bytes, false));
        let scope = Scope::new(Stage::Refresh, Reason::Scheduled);
        used(scope, Operation::scan(Resource::ActiveUsers), scan.times(self.ticks))
    }

    /// Returns the time that ticks take in addition to that of an empty one.
    fn ordering(&self) -> Usage {
        let scope = Scope::new(Stage::Refresh, Reason::Scheduled);
        used(scope, Operation::RUN, Used::derived(0, 0, 0, ORDERING).times(self.sends))
    }

    fn looks(&self, probe: &Probe) -> Usage {
        let look = Used::derived(1, 0, 0, item_read(probe.sizes.row, false));
        let scope = Scope::new(Stage::Subscribe, Reason::Visit);
        used(scope, Operation::read(Resource::ActiveUsers), look.times(self.looks))
    }

    fn idle(&self) -> Usage {
        let scope = Scope::new(Stage::Meter, Reason::Scheduled);
        let report = Used::derived(1, 1, REPORT_BYTES, item_write(REPORT_BYTES));
        let report = report.times(self.reports);
        let mut idle = used(scope, Operation::write(Resource::Meter), report);
        let sign = Used::derived(1, 1, SIGN_BYTES, item_write(SIGN_BYTES)).times(self.signs);
        let scope = Scope::new(Stage::Presence, Reason::Scheduled);
        idle.add(scope, Operation::write(Resource::Meter), &sign);
        let poll = Used::derived(1, 0, 0, queue_requests(0));
        for (queue, polls) in Queue::ALL.into_iter().zip(self.polls) {
            let polls = poll.times(polls);
            idle.add(Scope::receiving(queue), Operation::queue(queue, Action::Poll), &polls);
        }
        idle
    }
}

fn used(scope: Scope, operation: Operation, used: Used) -> Usage {
    let mut usage = Usage::default();
    usage.add(scope, operation, &used);
    usage
}

fn sum<const N: usize>(parts: [Usage; N]) -> Usage {
    let mut all = Usage::default();
    for part in &parts {
        all.merge(part);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::replay::{ProbedStack, TermsSpec, probe};

    #[tokio::test]
    async fn a_tick_runs_for_as_long_as_its_orders_take() {
        let sample = ProbedStack {
            products: 10,
            discounts: 1,
            terms: TermsSpec::NONE,
            lines: 1,
            calculation: Duration::from_millis(100),
            answering: Answering::Direct,
        };
        let probe = probe(&sample, 10).await.unwrap();
        // How often the function runs for one tick, and for how many thousandths of a GB-millisecond.
        let ran = |sends| {
            let events = EventCounts { ticks: 1.0, sends, ..EventCounts::default() };
            let scope = Scope::new(Stage::Refresh, Reason::Scheduled);
            let used = events.used(&probe, 10);
            let ran = used.values().map(|used| used.of(scope, Operation::RUN));
            let all = ran.fold(Used::default(), |sum, used| sum.plus(&used));
            (all.calls, all.milliunits())
        };
        // 20 ms with 512 MB.
        assert_eq!(ran(0.0), (1, 10_000));
        // Ten million customers take 800 s of a processor, by hand: 1,382 GB-seconds.
        assert_eq!(ran(1_000_000.0), (1, 10_000 + 1_382_000_000));
    }
}
