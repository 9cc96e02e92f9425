//! Takes messages from a queue, hands them to a stage, and does what the stage says.

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

/// So often the visibility of messages in hand is extended before it would end: one failed call does
/// not lose them.
const EXTENSIONS: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// One queue's consumer.
pub struct Consumer {
    /// Which queue.
    pub queue: Queue,
    /// On which engine.
    pub queues: Arc<dyn Queues>,
    /// The stage.
    pub handler: Arc<dyn Handler>,
    /// How many messages may be in hand at once.
    pub slots: usize,
    /// How long one receive waits. On AWS, ending takes as long as the one that is under way.
    pub poll_wait: Duration,
    /// The urgent consumer holds this gate, the scheduled one yields to it.
    pub gate: UrgentGate,
    /// By which the pauses of its breaker vary.
    pub randomness: Arc<dyn Randomness>,
    /// Where the breaker's state and the stage's panics are shown.
    pub metrics: Metrics,
    /// Hears when what the consumer itself does panics. A panic of the stage fails only its message.
    pub supervisor: Supervisor,
}

/// What receiving a batch uses and what handling it uses fail apart: that a queue is empty says
/// nothing about the store that its messages need.
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

/// Messages, the slots that they take, and the leave to handle them.
struct Batch {
    messages: Vec<Received>,
    permits: OwnedSemaphorePermit,
    pass: Pass,
}

impl Consumer {
    /// What a queue's consumer is called when it dies.
    pub(super) const fn part(queue: Queue) -> &'static str {
        match queue {
            Queue::Refresh => "the consumer of the Refresh Queue",
            Queue::Quotation => "the consumer of the Quotation Queue",
            Queue::Provider => "the consumer of the provider's queue",
        }
    }

    /// Consumes until the shutdown begins, then finishes what is in hand.
    pub async fn run(self, shutdown: Shutdown) {
        let consumer = Arc::new(self);
        let slots = Arc::new(Semaphore::new(consumer.slots.max(1)));
        let breakers = Breakers::new(&consumer.randomness);
        consumer.show(&breakers);
        // One at a time waits for slots, so that what becomes free together makes one batch.
        let turn = Mutex::new(());
        let receivers = 0..consumer.queues.receivers().max(1);
        join_all(receivers.map(|_| consumer.receive(&slots, &turn, &breakers, &shutdown))).await;
        debug!(queue = %consumer.queue, "drained");
    }

    /// Receives one batch after the other, and has them handled side by side.
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

    /// Waits for free slots and for messages to fill them.
    async fn next_batch(
        &self,
        slots: &Arc<Semaphore>,
        turn: &Mutex<()>,
        breakers: &Breakers,
    ) -> Batch {
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
                    return Batch { messages, permits, pass };
                }
                Err(error) => {
                    warn!(queue = %self.queue, error = %Chain(&error), "receiving failed");
                    receiving.failed();
                    self.show(breakers);
                    // Below the breaker's threshold too, a failing receive must not spin.
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
            // What is done needs no more time. Without an order a simulation would not replay.
            biased;
            outcomes = handle(&*self.handler, &batch) => outcomes,
            () = self.keep_hidden(&receipts) => return,
        };
        self.conclude(&batch, outcomes, pass).await;
    }

    /// Extends the visibility of messages before it ends, for as long as it is polled.
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

    /// Acknowledges what is done and postpones the rest.
    async fn conclude(&self, batch: &[Received], outcomes: Vec<Outcome>, pass: Pass) {
        let mut done = Vec::with_capacity(batch.len());
        // By time, because one call gives all of its messages the same.
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
        self.postpone(&again).await;
        if !done.is_empty()
            && let Err(error) = self.queues.acknowledge(self.queue, &done).await
        {
            warn!(queue = %self.queue, error = %Chain(&error), "messages will come again: not acknowledged");
            downstream_failed = true;
        }
        if downstream_failed { pass.failed() } else { pass.succeeded() }
    }

    /// Shows whether a breaker keeps this queue's messages where they are.
    fn show(&self, breakers: &Breakers) {
        self.metrics.breaker(self.queue, breakers.are_open());
    }

    async fn postpone(&self, again: &BTreeMap<Duration, Vec<Receipt>>) {
        for (after, receipts) in again {
            if let Err(error) = self.queues.change_visibility(self.queue, receipts, *after).await {
                // They come again anyway, when their present visibility ends.
                debug!(queue = %self.queue, error = %Chain(&error), "messages were not postponed");
            }
        }
    }
}

/// Waits for one free slot and takes as many as a batch has.
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

/// How long a message that failed waits before it comes again: from one second, doubling.
#[must_use]
pub fn backoff(receive_count: u32) -> Duration {
    let doublings = receive_count.saturating_sub(1).min(16);
    (FIRST_BACKOFF * 2_u32.pow(doublings)).min(LONGEST_BACKOFF)
}
