//! A layer over ports that counts what AWS would bill for each call.
//!
//! It is for engines that nobody is billed for. The figures are derived from the arguments and the result of
//! each call, so they are the same on every engine. If a write replaces, updates or deletes an item that is
//! not seen, that item counts with the smallest size: when a product, a list or a table is deleted, or a
//! quotation is redirected. A failed call is not counted.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::counters::Meter;
use super::operation::{Operation, Resource};
use super::rules::{self, item_read, item_write, page_read};
use super::sizes;
use super::used::Used;
use crate::ports::Ports;
use crate::ports::prelude::*;

/// How many items the AWS engine reads with one call.
const READS_PER_CALL: usize = 100;
/// How many items the AWS engine writes with one call.
const WRITES_PER_CALL: usize = 25;

/// The metering layer.
pub(super) struct Metered {
    pub(super) inner: Ports,
    pub(super) meter: Arc<Meter>,
    /// Whether the gateway lives as long as its sockets. Then it watches deadlines itself, and sends answers
    /// with acknowledgements. A deployed gateway needs a deadline message and a push instead.
    pub(super) watched: bool,
    /// The number of empty receives of each queue.
    pub(super) in_vain: [AtomicUsize; Queue::ALL.len()],
}

/// Wraps ports so that every call is counted before its result is returned.
#[must_use]
pub fn metered(ports: Ports, meter: &Arc<Meter>) -> Ports {
    layered(ports, meter, false)
}

/// Like [`metered`], for a gateway that lives as long as its sockets. On AWS there is none, so the same work
/// would be billed one delayed message for each published quotation, and one push for each quotation that is
/// answered at once.
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

    /// Counts the read of one item by its key.
    pub(super) fn read_one(&self, table: Resource, found: Option<u64>, consistent: bool) {
        let bytes = found.unwrap_or_default();
        let units = item_read(bytes, consistent);
        self.count(Operation::read(table), Used::derived(1, found.is_some().into(), bytes, units));
    }

    /// Counts the consistent read of `asked` items by their keys, of which these sizes were found.
    pub(super) fn read_many(
        &self,
        table: Resource,
        asked: usize,
        found: impl Iterator<Item = u64>,
    ) {
        let calls = asked.div_ceil(READS_PER_CALL) as u64;
        let mut used = Used::derived(calls, 0, 0, 0);
        for bytes in found {
            let units = item_read(bytes, true);
            used = used.plus(&Used::derived(0, 1, bytes, units));
        }
        let missing = (asked as u64).saturating_sub(used.items);
        used.derived_milliunits += missing * item_read(0, true);
        self.count(Operation::read(table), used);
    }

    /// Counts a page of a scan. `is_first` is true for the first page of a listing. DynamoDB's pages are
    /// larger than those of other engines, so only the first page is rounded up.
    pub(super) fn scanned(
        &self,
        table: Resource,
        is_first: bool,
        found: impl Iterator<Item = u64>,
        consistent: bool,
    ) {
        self.page(Operation::scan(table), is_first, found, consistent);
    }

    /// Counts a page of a query: the items under one partition key, read consistently.
    pub(super) fn queried(
        &self,
        table: Resource,
        is_first: bool,
        found: impl Iterator<Item = u64>,
    ) {
        self.page(Operation::read(table), is_first, found, true);
    }

    /// Counts a page of several items that are read at once.
    pub(super) fn page(
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

    /// Counts the write of one item by its own call.
    pub(super) fn wrote_one(&self, table: Resource, bytes: u64) {
        self.count(Operation::write(table), Used::derived(1, 1, bytes, item_write(bytes)));
    }

    /// Counts a write that was refused, because of the stored item or because there is none.
    pub(super) fn refused_one(&self, table: Resource, bytes: u64) {
        self.count(Operation::write(table), Used::derived(1, 0, 0, item_write(bytes)));
    }

    /// Counts a write with a condition, which was done or refused.
    pub(super) fn wrote_if(&self, is_done: bool, table: Resource, bytes: u64) {
        match is_done {
            true => self.wrote_one(table, bytes),
            false => self.refused_one(table, bytes),
        }
    }

    /// Counts items that are written in batches.
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
                self.page(
                    Operation::read(Resource::Meter),
                    true,
                    of_window.map(sizes::usage),
                    false,
                );
            }
            Ok(records)
        }
    }
);
