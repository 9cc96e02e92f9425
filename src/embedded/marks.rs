//! What the jobs of a transaction report about the queues, and the writer for such jobs.

use std::cell::Cell;

use super::{transaction, writer};
use crate::ports::Queue;

/// Hands jobs to the writing thread.
pub(super) type Writer = writer::JobWriter<Marks>;

/// The transaction in which a job runs.
pub(super) type Tx<'a> = transaction::Transaction<'a, Marks>;

/// A set of queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QueueSet(u8);

impl QueueSet {
    pub(super) const ALL: Self = Self(u8::MAX);

    const fn and(self, queue: Queue) -> Self {
        Self(self.0 | 1 << queue as u8)
    }

    /// Whether a queue is in the set.
    pub(super) const fn has(self, queue: Queue) -> bool {
        self.0 & (1 << queue as u8) != 0
    }
}

/// Collects the queues that jobs have changed.
#[derive(Debug, Default)]
pub(super) struct Wakes(Cell<QueueSet>);

impl Wakes {
    /// Notes that a queue has something to receive.
    pub(super) fn add(&self, queue: Queue) {
        self.0.set(self.0.get().and(queue));
    }

    /// Notes the same for several queues.
    pub(super) fn add_all(&self, queues: QueueSet) {
        self.0.set(QueueSet(self.0.get().0 | queues.0));
    }

    /// Returns all queues that were added.
    pub(super) fn get(&self) -> QueueSet {
        self.0.get()
    }
}

/// What jobs report about the queues.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Queues in which something may be ready for the receivers that wait in this process.
    pub(super) wakes: Wakes,
    /// Queues in which something is ready at another time than receivers know.
    pub(super) later: Wakes,
}
