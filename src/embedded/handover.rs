//! Hands messages to a waiting receiver, in the same transaction that makes them ready.
//!
//! So the receiver need not look for them, and no further transaction is needed to take them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::marks::Writer;
use super::take::{ReceiveRequest, Taken};
use crate::ports::{Clock, Received};

/// The receivers of one queue that wait in this process, the longest waiting first.
#[derive(Default)]
pub(super) struct Waiters {
    next: AtomicU64,
    queue: Mutex<VecDeque<Waiter>>,
}

/// A receiver that waits.
pub(super) struct Waiter {
    number: u64,
    pub(super) request: ReceiveRequest,
    way_back: Writer,
    clock: Arc<dyn Clock>,
    hand: oneshot::Sender<Taken>,
}

/// A receiver's place in the line, while it waits.
pub(super) struct PlaceInLine<'a> {
    waiters: &'a Waiters,
    number: u64,
    handed: oneshot::Receiver<Taken>,
}

impl Waiters {
    /// Enters the line with a request.
    pub(super) fn enter(
        &self,
        request: &ReceiveRequest,
        writer: &Writer,
        clock: &Arc<dyn Clock>,
    ) -> PlaceInLine<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (request, way_back, clock) = (request.clone(), writer.clone(), Arc::clone(clock));
        let (hand, handed) = oneshot::channel();
        self.lock().push_back(Waiter { number, request, way_back, clock, hand });
        PlaceInLine { waiters: self, number, handed }
    }

    /// Removes and returns the receiver that has waited longest. It can no longer leave the line: it waits
    /// until it is handed messages or dropped, even beyond the end of its wait.
    pub(super) fn first(&self) -> Option<Waiter> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiter>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// Hands over messages that are taken and committed. If the receiver has gone, they become visible
    /// again.
    pub(super) fn give(self, messages: Vec<Received>) {
        let Self { request, way_back, clock, hand, .. } = self;
        let _ = hand.send(Taken::new(messages, &request, way_back, clock));
    }
}

impl PlaceInLine<'_> {
    /// Waits for messages. Returns `None` if there were none, or if they could not be committed.
    pub(super) async fn handed(&mut self) -> Option<Vec<Received>> {
        (&mut self.handed).await.ok().map(Taken::into_messages)
    }

    /// Leaves the line. Returns `false` if something is being handed over right now.
    pub(super) fn leave(&self) -> bool {
        let mut queue = self.waiters.lock();
        let place = queue.iter().position(|waiter| waiter.number == self.number);
        place.and_then(|place| queue.remove(place)).is_some()
    }
}

impl Drop for PlaceInLine<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Waiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiters").field("waiting", &self.lock().len()).finish()
    }
}
