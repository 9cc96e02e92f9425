//! Ports that count what AWS would have billed for each call.
//!
//! For engines that nobody sends a bill for. The figures follow from what a call asks and answers,
//! so they are the same on every engine. Where an item is not seen that a write replaces, updates
//! or deletes, it counts as one of the smallest size: a delete of a product, of a list or of a
//! table, and a redirected quotation. A failed call counts nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::counters::Meter;
use super::operation::{Operation, Resource};
use super::rules::{self, item_read, item_write, page_read};
use super::sizes;
use super::used::Used;
use crate::ports::Ports;
use crate::ports::prelude::*;

/// As many as the AWS engine reads with one call.
const READS_PER_CALL: usize = 100;
/// As many as the AWS engine writes with one call.
const WRITES_PER_CALL: usize = 25;

/// The layer.
pub(super) struct Metered {
    pub(super) inner: Ports,
    pub(super) meter: Arc<Meter>,
    /// Whether the gateway stays: it watches deadlines, for which a deployed one needs messages, and
    /// sends answers with acknowledgements, which a deployed one pushes.
    pub(super) watched: bool,
    /// Receives of each queue that found nothing.
    pub(super) in_vain: [AtomicUsize; Queue::ALL.len()],
}

/// The ports, with every call counted before its answer is given.
#[must_use]
pub fn metered(ports: Ports, meter: &Arc<Meter>) -> Ports {
    layered(ports, meter, false)
}

/// The same, where the gateway stays. One on AWS does not, so the same work would be billed a delayed
/// message for each quotation that is published there, and a push for each that is answered at once.
#[must_use]
pub fn metered_and_watched(ports: Ports, meter: &Arc<Meter>) -> Ports {
    layered(ports, meter, true)
}

fn layered(ports: Ports, meter: &Arc<Meter>, watched: bool) -> Ports {
    let layer = Arc::new(Metered {
        inner: ports.clone(),
        meter: Arc::clone(meter),
        watched,
        in_vain: Default::default(),
    });
    Ports {
        store: layer.clone(),
        queues: layer.clone(),
        dead_letters: layer.clone(),
        topic: layer.clone(),
        connections: layer.clone(),
        usage: layer.clone(),
        presence: layer,
        ..ports
    }
}

impl Metered {
    pub(super) fn count(&self, operation: Operation, used: Used) {
        self.meter.count(operation, used);
    }

    /// One item was asked for by its key.
    pub(super) fn read_one(&self, table: Resource, found: Option<u64>, consistent: bool) {
        let bytes = found.unwrap_or_default();
        let units = item_read(bytes, consistent);
        self.count(Operation::read(table), Used::derived(1, found.is_some().into(), bytes, units));
    }

    /// So many items were asked for by their keys, and these were found.
    pub(super) fn read_many(
        &self,
        table: Resource,
        asked: usize,
        found: impl Iterator<Item = u64>,
        consistent: bool,
    ) {
        let calls = asked.div_ceil(READS_PER_CALL) as u64;
        let mut used = Used::derived(calls, 0, 0, 0);
        for bytes in found {
            let units = item_read(bytes, consistent);
            used = used.plus(&Used::derived(0, 1, bytes, units));
        }
        let missing = (asked as u64).saturating_sub(used.items);
        used.derived_milliunits += missing * item_read(0, consistent);
        self.count(Operation::read(table), used);
    }

    /// A page was read; `is_first` when the listing began with it. Pages of DynamoDB are larger than
    /// those of other engines, so what is begun is rounded up only once.
    pub(super) fn scanned(
        &self,
        table: Resource,
        is_first: bool,
        found: impl Iterator<Item = u64>,
        consistent: bool,
    ) {
        self.page(Operation::scan(table), is_first, found, consistent);
    }

    /// The same of the items under one partition key, which are read consistently.
    pub(super) fn queried(
        &self,
        table: Resource,
        is_first: bool,
        found: impl Iterator<Item = u64>,
    ) {
        self.page(Operation::read(table), is_first, found, true);
    }

    fn page(
        &self,
        operation: Operation,
        is_first: bool,
        found: impl Iterator<Item = u64>,
        consistent: bool,
    ) {
        let (mut items, mut bytes) = (0, 0);
        for size in found {
            (items, bytes) = (items + 1, bytes + size);
        }
        let units = match is_first {
            true => page_read(bytes, consistent),
            false => bytes * rules::UNIT / 4096 / if consistent { 1 } else { 2 },
        };
        self.count(operation, Used::derived(1, items, bytes, units));
    }

    /// One item was written by a call of its own.
    pub(super) fn wrote_one(&self, table: Resource, bytes: u64) {
        self.count(Operation::write(table), Used::derived(1, 1, bytes, item_write(bytes)));
    }

    /// A write was refused because of the item that is there, or because there is none.
    pub(super) fn refused_one(&self, table: Resource, bytes: u64) {
        self.count(Operation::write(table), Used::derived(1, 0, 0, item_write(bytes)));
    }

    /// Items were written in batches.
    pub(super) fn wrote_many(&self, table: Resource, written: impl Iterator<Item = u64>) {
        let mut used = Used::default();
        for bytes in written {
            used = used.plus(&Used::derived(0, 1, bytes, item_write(bytes)));
        }
        used.calls = used.items.div_ceil(WRITES_PER_CALL as u64);
        self.count(Operation::write(table), used);
    }
}

layer!(
    #[over(inner.usage)]
    impl UsageLog for Metered {
        async fn record_usage(&self, record: _) -> _ {
            self.inner.usage.record_usage(record).await?;
            self.wrote_one(Resource::Meter, sizes::usage(record));
            Ok(())
        }

        async fn usage_records(&self, windows: _) -> _ {
            let records = self.inner.usage.usage_records(windows).await?;
            for window in windows {
                let of_window = records.iter().filter(|record| record.window == *window);
                let bytes = of_window.clone().map(sizes::usage).sum();
                let units = page_read(bytes, false);
                let used = Used::derived(1, of_window.count() as u64, bytes, units);
                self.count(Operation::read(Resource::Meter), used);
            }
            Ok(records)
        }
    }
);
