//! Receives messages from a queue, gives them to a stage, and acknowledges or postpones them as the stage
//! decides.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::metrics::Metrics;
use super::{Breaker, Handler, Pass, Shutdown, UrgentGate, handle};
use crate::meter::Scope;
use crate::ports::{Chain, MAX_BATCH, MAX_RECEIVES, Queue, Queues, Randomness, Receipt, Received};
use crate::stages::{Outcome, StageError};
use crate::supervisor::Supervisor;

/// The visibility of messages in hand is extended this many times within one visibility timeout, so that
/// one failed call does not lose them.
const EXTENSIONS: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// The consumer of one queue.
pub struct Consumer {
    /// The queue to receive from.
    pub queue: Queue,
    /// The queues of the engine.
    pub queues: Arc<dyn Queues>,
    /// The stage that handles the messages.
    pub handler: Arc<dyn Handler>,
    /// How many messages may be in hand at once.
    pub slots: usize,
    /// How long one receive waits. On AWS a shutdown waits for the receive that is under way.
    pub poll_wait: Duration,
    /// The gate between urgent and scheduled work: the urgent consumer holds it, the scheduled one yields
    /// to it.
    pub gate: UrgentGate,
    /// The randomness of the breaker's pauses.
    pub randomness: Arc<dyn Randomness>,
    /// Shows the breaker's state and the stage's panics.
    pub metrics: Metrics,
    /// Learns of a panic in the consumer itself. A panic of the stage fails only its message.
    pub supervisor: Supervisor,
}

/// One breaker for receiving, one for handling. What they use fails independently: a receive that finds
/// an empty queue says nothing about the store that handling needs.
#[derive(Clone)]
struct Breakers {
    receiving: Breaker,
    handling: Breaker,
}

impl Breakers {
    fn new(randomness: &Arc<dyn Randomness>) -> Self {
        let breaker = || Breaker::new(randomness.clone());
        Self { receiving: breaker(), handling: breaker() }
    }

    fn are_open(&self) -> bool {
        self.receiving.is_open() || self.handling.is_open()
    }
}

/// Messages, the slots that they occupy, and the permission to handle them.
struct ReceivedBatch {
    messages: Vec<Received>,
    permits: OwnedSemaphorePermit,
    pass: Pass,
}

impl Consumer {
    /// Returns the name under which a queue's consumer is reported when it dies.
    pub(super) const fn part(queue: Queue) -> &'static str {
        match queue {
            Queue::Refresh => "the consumer of the Refresh Queue",
            Queue::Quotation => "the consumer of the Quotation Queue",
            Queue::Provider => "the consumer of the provider's queue",
        }
    }

    /// Consumes until the shutdown begins, then finishes the messages in hand.
    pub async fn run(self, shutdown: Shutdown) {
        let consumer = Arc::new(self);
        let slots = Arc::new(Semaphore::new(consumer.slots.max(1)));
        let breakers = Breakers::new(&consumer.randomness);
        consumer.show(&breakers);
        // Only one receiver at a time waits for slots, so that slots that become free together make one
        // batch.
        let turn = Mutex::new(());
        let receivers = 0..consumer.queues.receivers().max(1);
        join_all(receivers.map(|_| consumer.receive(&slots, &turn, &breakers, &shutdown))).await;
        debug!(queue = %consumer.queue, "drained");
    }

    /// Receives one batch after the other. Batches are handled concurrently.
    async fn receive(
        self: &Arc<Self>,
        slots: &Arc<Semaphore>,
        turn: &Mutex<()>,
        breakers: &Breakers,
        shutdown: &Shutdown,
    ) {
        let mut batches = JoinSet::new();
        let scope = Scope::receiving(self.queue);
        while let Some(next) =
            shutdown.unless_begun(scope.of(self.next_batch(slots, turn, breakers))).await
        {
            let (consumer, breakers) = (self.clone(), breakers.clone());
            let part = Self::part(self.queue);
            batches.spawn(self.supervisor.watch(
                part,
                scope.of(async move {
                    consumer.work(next.messages, next.pass).await;
                    consumer.show(&breakers);
                    drop(next.permits);
                }),
            ));
            while batches.try_join_next().is_some() {}
        }
        while batches.join_next().await.is_some() {}
    }

    /// Waits for free slots, then for messages to fill them.
    async fn next_batch(
        &self,
        slots: &Arc<Semaphore>,
        turn: &Mutex<()>,
        breakers: &Breakers,
    ) -> ReceivedBatch {
        loop {
            let turn = turn.lock().await;
            let mut permits = free_slots(slots).await;
            drop(turn);
            let pass = breakers.handling.pass().await;
            let receiving = breakers.receiving.pass().await;
            if self.queue == Queue::Refresh {
                self.gate.yield_to_urgent().await;
            }
            let max = permits.num_permits();
            match self
                .queues
                .receive(self.queue, max, self.poll_wait, self.queue.visibility())
                .await
            {
                Ok(messages) => {
                    receiving.succeeded();
                    self.show(breakers);
                    if messages.is_empty() {
                        continue;
                    }
                    let unused = max.saturating_sub(messages.len());
                    drop(permits.split(unused));
                    return ReceivedBatch { messages, permits, pass };
                }
                Err(error) => {
                    warn!(queue = %self.queue, error = %Chain(&error), "receiving failed");
                    receiving.failed();
                    self.show(breakers);
                    // A failing receive must not spin while the breaker is still closed.
                    tokio::time::sleep(FIRST_BACKOFF / 4).await;
                }
            }
        }
    }

    async fn work(&self, batch: Vec<Received>, pass: Pass) {
        let _urgent = match self.queue {
            Queue::Quotation => Some(self.gate.enter()),
            Queue::Refresh => {
                self.gate.yield_to_urgent().await;
                None
            }
            Queue::Provider => None,
        };
        let receipts: Vec<Receipt> = batch.iter().map(|message| message.receipt.clone()).collect();
        let outcomes = tokio::select! {
            // Prefer the outcomes: finished work needs no more time. A simulation needs a fixed order to
            // be repeatable.
            biased;
            outcomes = handle(&*self.handler, &batch) => outcomes,
            () = self.keep_hidden(&receipts) => return,
        };
        self.conclude(&batch, outcomes, pass).await;
    }

    /// Extends the visibility of messages before it ends, for as long as the future is polled.
    async fn keep_hidden(&self, receipts: &[Receipt]) {
        let visibility = self.queue.visibility();
        loop {
            tokio::time::sleep(visibility / EXTENSIONS).await;
            if let Err(error) =
                self.queues.change_visibility(self.queue, receipts, visibility).await
            {
                warn!(queue = %self.queue, error = %Chain(&error), "visibility was not extended");
            }
        }
    }

    /// Acknowledges messages that are done and postpones the others.
    async fn conclude(&self, batch: &[Received], outcomes: Vec<Outcome>, pass: Pass) {
        let mut done = Vec::with_capacity(batch.len());
        // Keyed by delay, because one call postpones all of its messages by the same time.
        let mut again: BTreeMap<Duration, Vec<Receipt>> = BTreeMap::new();
        let mut downstream_failed = false;
        for (message, outcome) in batch.iter().zip(outcomes) {
            match outcome {
                Outcome::Done => done.push(message.receipt.clone()),
                Outcome::Again { error, after } => {
                    downstream_failed |= error.is_downstream();
                    if matches!(error, StageError::Panicked(_)) {
                        self.metrics.stage_panicked(self.queue);
                    }
                    let after = after.unwrap_or_else(|| backoff(message.receive_count));
                    let last = message.receive_count >= MAX_RECEIVES;
                    let (queue, id) = (self.queue.name(), &message.id);
                    warn!(queue, id, last, ?after, error = %Chain(&error), "a message was not handled");
                    again.entry(after).or_default().push(message.receipt.clone());
                }
            }
        }
        postpone(&*self.queues, self.queue, &again).await;
        if !done.is_empty()
            && let Err(error) = self.queues.acknowledge(self.queue, &done).await
        {
            warn!(queue = %self.queue, error = %Chain(&error), "messages will come again: not acknowledged");
            downstream_failed = true;
        }
        if downstream_failed { pass.failed() } else { pass.succeeded() }
    }

    /// Shows in the metrics whether a breaker is open, so that this queue's messages are not received.
    fn show(&self, breakers: &Breakers) {
        self.metrics.breaker(self.queue, breakers.are_open());
    }
}

/// Postpones messages, each by its time.
pub(crate) async fn postpone(
    queues: &dyn Queues,
    queue: Queue,
    again: &BTreeMap<Duration, Vec<Receipt>>,
) {
    for (after, receipts) in again {
        if let Err(error) = queues.change_visibility(queue, receipts, *after).await {
            // The messages come again anyway when their visibility ends.
            debug!(%queue, error = %Chain(&error), "messages were not postponed");
        }
    }
}

/// Waits for one free slot, then takes up to a batch of free slots.
async fn free_slots(slots: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    loop {
        if let Ok(permits) = slots.clone().acquire_owned().await {
            let mut permits = permits;
            while permits.num_permits() < MAX_BATCH {
                match slots.clone().try_acquire_owned() {
                    Ok(one) => permits.merge(one),
                    Err(_) => break,
                }
            }
            return permits;
        }
        // The semaphore is never closed.
        std::future::pending::<()>().await;
    }
}

/// Returns how long a failed message waits before it comes again: one second at first, then twice as long
/// each time, up to a minute.
#[must_use]
pub fn backoff(receive_count: u32) -> Duration {
    let doublings = receive_count.saturating_sub(1).min(16);
    (FIRST_BACKOFF * 2_u32.pow(doublings)).min(LONGEST_BACKOFF)
}
