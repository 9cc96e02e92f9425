//! What the jobs of a transaction say of the queues, and the writer with it.

use std::cell::Cell;

use super::writer;
use crate::ports::Queue;

/// Hands jobs to the writing thread.
pub(super) type Writer = writer::Writer<Marks>;

/// The transaction a job runs in.
pub(super) type Tx<'a> = writer::Transaction<'a, Marks>;

/// Some of the queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QueueSet(u8);

impl QueueSet {
    pub(super) const ALL: Self = Self(u8::MAX);

    const fn and(self, queue: Queue) -> Self {
        Self(self.0 | 1 << queue as u8)
    }

    /// Whether a queue is among them.
    pub(super) const fn has(self, queue: Queue) -> bool {
        self.0 & (1 << queue as u8) != 0
    }
}

/// Collects queues that jobs did something to.
#[derive(Debug, Default)]
pub(super) struct Wakes(Cell<QueueSet>);

impl Wakes {
    /// The queue has something to receive.
    pub(super) fn add(&self, queue: Queue) {
        self.0.set(self.0.get().and(queue));
    }

    /// So have these.
    pub(super) fn add_all(&self, queues: QueueSet) {
        self.0.set(QueueSet(self.0.get().0 | queues.0));
    }

    /// All that were added.
    pub(super) fn get(&self) -> QueueSet {
        self.0.get()
    }
}

/// What jobs say of the queues.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// In which queues something may be ready, for the receivers that wait in this process.
    pub(super) wakes: Wakes,
    /// In which queues something is ready at another time than receivers know of.
    pub(super) later: Wakes,
}
