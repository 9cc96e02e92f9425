//! The counters: one array without locks, in which nothing is allocated after the start.

use std::sync::atomic::{AtomicU64, Ordering};

use super::operation::Operation;
use super::scope::{Reason, Scope, Stage};
use super::usage::Usage;
use super::used::Used;

#[derive(Debug, Default)]
struct CounterCell {
    calls: AtomicU64,
    items: AtomicU64,
    bytes: AtomicU64,
    measured: AtomicU64,
    derived: AtomicU64,
}

/// Counts what a process uses from its start on.
#[derive(Debug)]
pub struct Meter(Box<[CounterCell]>);

const CELLS: usize = Stage::ALL.len() * Reason::ALL.len() * Operation::COUNT;

impl Default for Meter {
    fn default() -> Self {
        Self((0..CELLS).map(|_| CounterCell::default()).collect())
    }
}

impl Meter {
    /// Creates a meter with all counters at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts usage under the scope of the running task.
    pub fn count(&self, operation: Operation, used: Used) {
        self.count_for(Scope::current(), operation, used);
    }

    /// Counts usage under a scope.
    pub fn count_for(&self, scope: Scope, operation: Operation, used: Used) {
        let Some(cell) = self.0.get(place(scope, operation)) else { return };
        let add = |counter: &AtomicU64, figure: u64| {
            // Most calls leave some figures at zero, and skipping those is cheaper than adding zero.
            if figure > 0 {
                counter.fetch_add(figure, Ordering::Relaxed);
            }
        };
        add(&cell.calls, used.calls);
        add(&cell.items, used.items);
        add(&cell.bytes, used.bytes);
        add(&cell.measured, used.measured_milliunits);
        add(&cell.derived, used.derived_milliunits);
    }

    /// Returns everything that was counted so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for stage in Stage::ALL {
            for reason in Reason::ALL {
                let scope = Scope::new(stage, reason);
                for operation in Operation::all() {
                    usage.add(scope, operation, &self.used(scope, operation));
                }
            }
        }
        usage
    }

    fn used(&self, scope: Scope, operation: Operation) -> Used {
        let Some(cell) = self.0.get(place(scope, operation)) else { return Used::default() };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Used {
            calls: read(&cell.calls),
            items: read(&cell.items),
            bytes: read(&cell.bytes),
            measured_milliunits: read(&cell.measured),
            derived_milliunits: read(&cell.derived),
        }
    }
}

const fn place(scope: Scope, operation: Operation) -> usize {
    let account = scope.stage as usize * Reason::ALL.len() + scope.reason as usize;
    account * Operation::COUNT + operation.index()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Resource;

    #[tokio::test]
    async fn calls_go_on_the_account_of_who_makes_them() {
        let meter = Meter::new();
        let read = Operation::read(Resource::Products);
        let scope = Scope::new(Stage::PriceCalc, Reason::Scheduled);
        scope.of(async { meter.count(read, Used::derived(1, 2, 3, 500)) }).await;
        meter.count(read, Used::derived(1, 0, 0, 500));
        let usage = meter.usage();
        assert_eq!(usage.of(scope, read), Used::derived(1, 2, 3, 500));
        assert_eq!(usage.of(Scope::default(), read), Used::derived(1, 0, 0, 500));
        assert_eq!(usage.lines().count(), 2);
    }

    /// The last of each kind has the last place, so no two share one.
    #[test]
    fn every_account_has_its_place() {
        let mut places: Vec<_> = Stage::ALL
            .iter()
            .flat_map(|&stage| Reason::ALL.map(|reason| Scope::new(stage, reason)))
            .flat_map(|scope| Operation::all().map(move |operation| place(scope, operation)))
            .collect();
        places.sort_unstable();
        assert_eq!(places, (0..CELLS).collect::<Vec<_>>());
    }
}
