//! Finds how often each thing happened, from a reading of the meter.

use crate::meter::{Action, Operation, Reason, Resource, Stage, Usage};
use crate::ports::{MAX_BATCH, Queue};
use crate::stages::Policy;

use super::EventCounts;
use super::forecast::intervals_to_confirm;

/// Facts from the store that the meter does not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreFacts {
    /// The number of products.
    pub products: u64,
    /// The number of parts of their base, without its index.
    pub base_parts: u64,
    /// The number of parts of a table's own rows, without its head.
    pub table_parts: u64,
    /// The average number of discounts of a customer, rounded.
    pub discounts: u64,
    /// The average number of products in a quote, rounded.
    pub lines: u32,
}

/// The events that a reading of the meter shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeteredEvents {
    /// How often each thing happened.
    pub events: EventCounts,
    /// The average number of active customers at a tick.
    pub active: f64,
    /// The average number of scheduled calculations in one batch.
    pub batch: f64,
    /// The facts that it was read with.
    pub known: StoreFacts,
}

impl MeteredEvents {
    /// Splits the events by the two whole batch sizes on both sides of the average.
    #[must_use]
    pub fn by_batch(&self) -> Vec<(usize, EventCounts)> {
        let (small, large) = (self.batch.floor(), self.batch.ceil());
        let many = self.batch.fract();
        // This is the share of the calculations, not of the batches.
        let in_large = many * large / self.batch;
        let of = |share: f64, rest: EventCounts| EventCounts {
            refreshes: self.events.refreshes * share,
            changed: self.events.changed * share,
            confirmed: self.events.confirmed * share,
            ..rest
        };
        let batches_of = |share: f64| self.events.batch_looks.map(|looks| looks * share);
        let in_small = EventCounts { batch_looks: batches_of(1.0 - many), ..self.events };
        let mut all = vec![(small as usize, of(1.0 - in_large, in_small))];
        if many > 0.0 {
            let rest = EventCounts { batch_looks: batches_of(many), ..EventCounts::default() };
            all.push((large as usize, of(in_large, rest)));
        }
        all
    }

    /// Interprets the usage of a stack with this policy.
    #[must_use]
    pub fn of(usage: &Usage, known: StoreFacts, policy: &Policy) -> Self {
        let used = |stage, reason: Option<Reason>, resource, action| {
            usage.total(|line| {
                line.stage == stage
                    && reason.is_none_or(|reason| line.reason == reason)
                    && (line.resource, line.action) == (resource, action)
            })
        };
        let scheduled = Some(Reason::Scheduled);
        let of_queue = |action| used(Stage::PriceCalc, scheduled, Resource::RefreshQueue, action);
        let scans = used(Stage::Refresh, scheduled, Resource::ActiveUsers, Action::Scan);
        let version_looks = [Stage::QuotationHandler, Stage::QuotationProvider]
            .map(|stage| used(stage, None, Resource::Products, Action::Read).calls as f64);
        let batch_looks = used(Stage::PriceCalc, scheduled, Resource::Products, Action::Read);
        let head_looks = used(Stage::Refresh, None, Resource::Products, Action::Read);
        let ordered = used(Stage::Refresh, scheduled, Resource::RefreshQueue, Action::Send);
        let (received, refreshed) = (of_queue(Action::Receive), of_queue(Action::Delete));
        let quotes =
            used(Stage::QuotationHandler, None, Resource::Quotations, Action::Write).items as f64;
        let publish = Operation::PUBLISH;
        let published =
            used(Stage::QuotationHandler, None, publish.resource(), publish.action()).items as f64;
        let deadlines = used(Stage::QuotationHandler, None, Resource::ProviderQueue, Action::Send);
        let urgent = |stage, reason| {
            used(stage, Some(reason), Resource::QuotationQueue, Action::Send).items as f64
        };
        let cold = urgent(Stage::QuotationProvider, Reason::Quote);
        // The visit of a quote orders no calculation, because the quote does.
        let visits = urgent(Stage::Subscribe, Reason::FirstVisit);
        let visit =
            |reason, action| used(Stage::Subscribe, Some(reason), Resource::ActiveUsers, action);
        let looked = visit(Reason::Visit, Action::Read);
        // A process that does not remember a visit reads it again, and writes it only if it is due.
        let read_again = visit(Reason::Quote, Action::Read)
            .calls
            .saturating_sub(visit(Reason::Quote, Action::Write).items);
        let touched =
            visit(Reason::Quote, Action::Write).plus(&visit(Reason::Visit, Action::Write));
        let refreshes = refreshed.items as f64;
        // The catalogue's head is read together with the products.
        let bases = |reason| {
            let scanned = used(Stage::PriceCalc, reason, Resource::Products, Action::Scan);
            per(scanned.items, known.products + 1)
        };
        let written = used(Stage::PriceCalc, scheduled, Resource::PricesByUser, Action::Write);
        // Besides its parts, a base has an index, and a claim that is taken and released.
        let of_bases = bases(scheduled) * (known.base_parts + 3) as f64;
        let of_tables = (written.items as f64 - of_bases).max(0.0);
        let (changed, confirmed) = written_tables(of_tables, refreshes, known.table_parts, policy);
        let polls = Queue::ALL.map(|queue| {
            let poll = Operation::queue(queue, Action::Poll);
            let this = (poll.resource(), poll.action());
            usage.total(|line| (line.resource, line.action) == this).calls as f64
        });
        let reports = usage.total(|line| line.stage == Stage::Meter);
        let signs = usage.total(|line| line.stage == Stage::Presence);
        let active = per(ordered.items, scans.calls);
        Self {
            events: EventCounts {
                ticks: scans.calls as f64,
                head_looks: head_looks.calls as f64,
                rows: per(scans.items, scans.calls),
                sends: ordered.calls as f64,
                refreshes,
                changed,
                confirmed,
                quotes,
                direct: (quotes - published).max(0.0),
                deadlines: deadlines.items as f64,
                cold,
                touches: (touched.items as f64 - cold - visits).max(0.0),
                visits,
                looks: (looked.calls + read_again) as f64,
                batch_looks: Some(batch_looks.calls as f64),
                version_looks: Some(version_looks),
                bases: bases(None),
                // These cannot be told apart from reads and writes of heads.
                terms: 0.0,
                terms_reads: 0.0,
                base_reads: 0.0,
                polls,
                reports: reports.calls as f64,
                signs: signs.calls as f64,
            },
            active,
            batch: per(received.items, received.calls).clamp(1.0, MAX_BATCH as f64),
            known,
        }
    }
}

fn per(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

/// Estimates how many refreshes changed their tables and how many wrote that nothing had changed, from the
/// number of heads and parts written. The policy gives the expected number of the latter; what is written
/// beyond that was changed.
fn written_tables(items: f64, refreshes: f64, table_parts: u64, policy: &Policy) -> (f64, f64) {
    let per_change = (table_parts + 1) as f64;
    let expected = refreshes / intervals_to_confirm(policy);
    let changed = ((items - expected) / per_change).clamp(0.0, refreshes);
    let confirmed = (items - changed * per_change).clamp(0.0, refreshes - changed);
    (changed, confirmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_two_sizes_make_up_all_that_was_refreshed() {
        for batch in [1.0, 2.0, 2.46, 9.99, 10.0] {
            let events = EventCounts {
                refreshes: 123.0,
                changed: 12.0,
                confirmed: 20.0,
                quotes: 25.0,
                batch_looks: Some(30.0),
                ..EventCounts::default()
            };
            let reading =
                MeteredEvents { events, active: 3.0, batch, known: StoreFacts::default() };
            let parts = reading.by_batch();
            let sum =
                |of: fn(&EventCounts) -> f64| parts.iter().map(|(_, part)| of(part)).sum::<f64>();
            assert!((sum(|part| part.refreshes) - 123.0).abs() < 1e-9, "{parts:?}");
            assert!((sum(|part| part.changed) - 12.0).abs() < 1e-9, "{parts:?}");
            assert!((sum(|part| part.confirmed) - 20.0).abs() < 1e-9, "{parts:?}");
            assert!((sum(|part| part.quotes) - 25.0).abs() < 1e-9, "once: {parts:?}");
            let looks = |part: &EventCounts| part.batch_looks.unwrap_or_default();
            assert!((sum(looks) - 30.0).abs() < 1e-9, "{parts:?}");
            let batches: f64 = parts.iter().map(|(size, part)| part.refreshes / *size as f64).sum();
            assert!((batches - 123.0 / batch).abs() < 1e-9, "{batch}: {parts:?}");
        }
    }
    #[test]
    fn what_is_written_beyond_confirming_was_changed() {
        // Every fifth refresh confirms.
        let policy = Policy::default();
        let inline = |items| written_tables(items, 100.0, 0, &policy);
        assert_eq!(inline(0.0), (0.0, 0.0));
        assert_eq!(inline(18.0), (0.0, 18.0), "fewer than expected confirm");
        assert_eq!(inline(20.0), (0.0, 20.0));
        assert_eq!(inline(50.0), (30.0, 20.0));
        assert_eq!(inline(900.0), (100.0, 0.0), "no more change than there are");
        assert_eq!(written_tables(50.0, 100.0, 2, &policy), (10.0, 20.0), "two parts and a head");
        assert_eq!(written_tables(5.0, 0.0, 0, &policy), (0.0, 0.0));
    }
}
