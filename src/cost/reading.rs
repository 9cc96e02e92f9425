//! How often each thing happened, from what the meter saw.

use crate::meter::{Action, Operation, Reason, Resource, Stage, Usage, UsageLine, Used};
use crate::ports::MAX_BATCH;

use super::Events;

/// About what a discount takes in a list, in bytes, and what the list takes beside.
const DISCOUNT_BYTES: f64 = 40.0;
const LIST_BYTES: f64 = 30.0;

/// What can be told from a reading of the meter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// How often what happened.
    pub events: Events,
    /// Active users at a tick, on average.
    pub active: f64,
    /// Scheduled calculations in one batch, on average.
    pub batch: f64,
    /// Products of a quote, on average and rounded.
    pub lines: u32,
    /// Discounts of a user, about.
    pub discounts: u64,
}

impl Reading {
    /// The events, apart for the two whole sizes of batches that the average lies between.
    #[must_use]
    pub fn by_batch(&self) -> Vec<(usize, Events)> {
        let (small, large) = (self.batch.floor(), self.batch.ceil());
        let many = self.batch.fract();
        // Of the calculations, not of the batches.
        let in_large = many * large / self.batch;
        let of = |share: f64, rest: Events| Events {
            refreshes: self.events.refreshes * share,
            changed: self.events.changed * share,
            ..rest
        };
        let mut all = vec![(small as usize, of(1.0 - in_large, self.events))];
        if many > 0.0 {
            all.push((large as usize, of(in_large, Events::default())));
        }
        all
    }

    /// Reads a reading. Of the tables it must be told how many products there are, and in how many
    /// parts a table is stored.
    #[must_use]
    pub fn of(usage: &Usage, products: u64, part_count: u64) -> Self {
        let used = |stage, reason, resource, action| {
            usage.total(|line| {
                line.stage == stage
                    && reason_is(line, reason)
                    && (line.resource, line.action) == (resource, action)
            })
        };
        let scheduled = Some(Reason::Scheduled);
        let of_queue = |action| used(Stage::PriceCalc, scheduled, Resource::RefreshQueue, action);
        let scans = used(Stage::Refresh, scheduled, Resource::ActiveUsers, Action::Scan);
        let head_looks = used(Stage::Refresh, None, Resource::Products, Action::Read);
        let ordered = used(Stage::Refresh, scheduled, Resource::RefreshQueue, Action::Send);
        let (received, refreshed) = (of_queue(Action::Receive), of_queue(Action::Delete));
        let written = used(Stage::PriceCalc, scheduled, Resource::PricesByUser, Action::Write);
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
        // The visit of a quote orders nothing; the quote does.
        let visits = urgent(Stage::Subscribe, Reason::FirstVisit);
        let visit =
            |reason, action| used(Stage::Subscribe, Some(reason), Resource::ActiveUsers, action);
        let looked = visit(Reason::Visit, Action::Read);
        let touched =
            visit(Reason::Quote, Action::Write).plus(&visit(Reason::Visit, Action::Write));
        let refreshes = refreshed.items as f64;
        let parts_written = written.items as f64 - refreshes;
        let catalogue = used(Stage::PriceCalc, None, Resource::Products, Action::Scan);
        let looks_at_head = |stage| used(stage, None, Resource::Products, Action::Read);
        let asked =
            looks_at_head(Stage::QuotationHandler).plus(&looks_at_head(Stage::QuotationProvider));
        let lists = used(Stage::PriceCalc, None, Resource::Discounts, Action::Read);
        let polls = usage.total(|line| line.action == Action::Poll);
        let reports = usage.total(|line| line.stage == Stage::Meter);
        let active = per(ordered.items, scans.calls);
        Self {
            events: Events {
                ticks: scans.calls as f64,
                head_looks: head_looks.calls as f64,
                rows: per(scans.items, scans.calls),
                sends: ordered.calls as f64,
                refreshes,
                changed: (parts_written / part_count.max(1) as f64).clamp(0.0, refreshes),
                quotes,
                direct: (quotes - published).max(0.0),
                deadlines: deadlines.items as f64,
                cold,
                touches: (touched.items as f64 - cold - visits).max(0.0),
                visits,
                looks: looked.calls as f64,
                // The head is read with them.
                catalogue_reads: per(catalogue.items, products + 1),
                polls: polls.calls as f64,
                reports: reports.calls as f64,
            },
            active,
            batch: per(received.items, received.calls).clamp(1.0, MAX_BATCH as f64),
            // With each, the head of the catalogue is read.
            lines: (asked.items as f64 / (quotes + cold).max(1.0) - 1.0).round().max(1.0) as u32,
            discounts: discounts(&lists),
        }
    }
}

fn reason_is(line: &UsageLine, reason: Option<Reason>) -> bool {
    reason.is_none_or(|reason| line.reason == reason)
}

fn per(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

fn discounts(lists: &Used) -> u64 {
    let bytes = per(lists.bytes, lists.items);
    ((bytes - LIST_BYTES) / DISCOUNT_BYTES).round().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_two_sizes_make_up_all_that_was_refreshed() {
        for batch in [1.0, 2.0, 2.46, 9.99, 10.0] {
            let events =
                Events { refreshes: 123.0, changed: 12.0, quotes: 25.0, ..Events::default() };
            let (active, lines, discounts) = (3.0, 2, 1);
            let parts = Reading { events, active, batch, lines, discounts }.by_batch();
            let sum = |of: fn(&Events) -> f64| parts.iter().map(|(_, part)| of(part)).sum::<f64>();
            assert!((sum(|part| part.refreshes) - 123.0).abs() < 1e-9, "{parts:?}");
            assert!((sum(|part| part.changed) - 12.0).abs() < 1e-9, "{parts:?}");
            assert!((sum(|part| part.quotes) - 25.0).abs() < 1e-9, "once: {parts:?}");
            let batches: f64 = parts.iter().map(|(size, part)| part.refreshes / *size as f64).sum();
            assert!((batches - 123.0 / batch).abs() < 1e-9, "{batch}: {parts:?}");
        }
    }
}
