//! The hook of the queues in a transaction: messages that its jobs made ready are taken for waiting
//! receivers, and handed over once they are committed.

use std::sync::Arc;

use super::failure::Failure;
use super::handover::Waiter;
use super::marks::{Marks, Tx};
use super::take::{Take, next_ready, take};
use super::wake::Wake;
use super::writer::CommitHook;
use crate::ports::{Clock, Queue, Received};

/// Serves the receivers that wait in this process.
pub(super) struct Serving {
    wake: Arc<Wake>,
    clock: Arc<dyn Clock>,
    /// The messages to hand over after the commit. A receiver that is dropped from here looks again.
    served: Vec<(Waiter, Vec<Received>)>,
}

impl Serving {
    pub(super) fn new(wake: Arc<Wake>, clock: Arc<dyn Clock>) -> Self {
        Self { wake, clock, served: Vec::new() }
    }
}

impl CommitHook for Serving {
    type Marks = Marks;

    /// Takes messages that the transaction has made ready, for the receivers that wait for them. Stops at
    /// the receiver after which nothing is left, because the next one would be woken in vain.
    fn before_commit(&mut self, tx: &Tx<'_>) -> Result<(), Failure> {
        for queue in Queue::ALL {
            let waiters = &self.wake.bell(queue).waiters;
            let mut is_ready = tx.marks.wakes.get().has(queue);
            while is_ready && let Some(waiter) = waiters.first() {
                let now = self.clock.now();
                let Take { messages, left_some } = take(tx, &waiter.request, now)?;
                is_ready = left_some
                    && !messages.is_empty()
                    && next_ready(tx, queue)?.is_some_and(|at| at <= now);
                self.served.push((waiter, messages));
            }
        }
        Ok(())
    }

    /// Lets the waiting receivers look for themselves, so that they report what is wrong.
    fn left_out(&mut self, tx: &Tx<'_>) {
        tx.marks.later.add_all(tx.marks.wakes.get());
    }

    fn committed(&mut self, marks: Marks) {
        for (waiter, messages) in self.served.drain(..) {
            // A receiver that got nothing is dropped here and looks again.
            if !messages.is_empty() {
                waiter.give(messages);
            }
        }
        self.wake.ring(marks.later.get());
    }

    fn undone(&mut self) {
        self.served.clear();
    }
}
