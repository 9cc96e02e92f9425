//! Queues, their dead letters, and the topic, which feeds the Provider Queue.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::engine::Memory;
use super::limits::check_message;
use super::queue::QueueState;
use crate::model::Timestamp;
use crate::ports::{
    DeadLetter, DeadLetters, Depth, FailedEntry, MAX_BATCH, Outgoing, PortError, Queue, Queues,
    Receipt, Received, Selection, Topic,
};

impl Memory {
    /// Reads or changes a queue at the current time.
    fn with_queue<T>(&self, queue: Queue, act: impl FnOnce(&mut QueueState, Timestamp) -> T) -> T {
        let mut state = self.state();
        // The clock is read under the lock, so that the times of a queue never go back.
        let now = self.clock().now();
        act(state.queues.get_mut(queue), now)
    }

    /// Like [`Self::with_queue`], and wakes receivers, because a message may be receivable afterwards.
    fn change_queue<T>(
        &self,
        queue: Queue,
        act: impl FnOnce(&mut QueueState, Timestamp) -> T,
    ) -> T {
        let outcome = self.with_queue(queue, act);
        self.arrivals(queue).notify_waiters();
        outcome
    }
}

#[async_trait]
impl Queues for Memory {
    async fn send(
        &self,
        queue: Queue,
        messages: &[Outgoing],
    ) -> Result<Vec<FailedEntry>, PortError> {
        Ok(self.change_queue(queue, |state, now| {
            let mut failed = vec![];
            for (index, message) in messages.iter().enumerate() {
                match check_message(queue, message) {
                    Ok(()) => state.send(message, now),
                    Err(error) => failed.push(FailedEntry { index, error }),
                }
            }
            failed
        }))
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Received>, PortError> {
        let max = max.min(MAX_BATCH);
        let started = Instant::now();
        loop {
            // Registers before looking, so that an arrival in between is not missed.
            let mut arrival = pin!(self.arrivals(queue).notified());
            arrival.as_mut().enable();
            let (received, due_in) = self.with_queue(queue, |state, now| {
                let received = state.receive(max, visibility, now);
                (received, state.next_due().map(|at| at.since(now)))
            });
            let rest = wait.saturating_sub(started.elapsed());
            if !received.is_empty() || max == 0 || rest.is_zero() {
                return Ok(received);
            }
            let until_next_look = due_in.map_or(rest, |due_in| due_in.min(rest));
            tokio::select! {
                biased;
                () = arrival => {}
                () = tokio::time::sleep(until_next_look) => {}
            }
        }
    }

    fn receivers(&self) -> usize {
        1
    }

    async fn acknowledge(&self, queue: Queue, receipts: &[Receipt]) -> Result<(), PortError> {
        // In a FIFO queue, the next message of the group can be received now.
        self.change_queue(queue, |state, now| state.acknowledge(receipts, now));
        Ok(())
    }

    async fn change_visibility(
        &self,
        queue: Queue,
        receipts: &[Receipt],
        visibility: Duration,
    ) -> Result<(), PortError> {
        self.change_queue(queue, |state, now| state.change_visibility(receipts, visibility, now));
        Ok(())
    }

    async fn depth(&self, queue: Queue) -> Result<Depth, PortError> {
        Ok(self.with_queue(queue, QueueState::depth))
    }
}

#[async_trait]
impl DeadLetters for Memory {
    async fn dead_letters(&self, queue: Queue, limit: usize) -> Result<Vec<DeadLetter>, PortError> {
        Ok(self.with_queue(queue, |state, _| state.dead_letters(limit)))
    }

    async fn redrive(&self, queue: Queue, selection: &Selection) -> Result<u64, PortError> {
        Ok(self.change_queue(queue, |state, now| state.redrive(selection, now)))
    }

    async fn drop_dead_letters(
        &self,
        queue: Queue,
        selection: &Selection,
    ) -> Result<u64, PortError> {
        Ok(self.with_queue(queue, |state, _| state.drop_dead_letters(selection)))
    }
}

#[async_trait]
impl Topic for Memory {
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        let messages: Vec<_> = bodies.iter().map(Outgoing::standard).collect();
        self.send(Queue::Provider, &messages).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::TokioClock;
    use crate::ports::{Posting, SystemRandomness, testing};

    const LONG: Duration = Duration::from_secs(3600);

    fn memory() -> Memory {
        let clock = TokioClock::new(Timestamp::from_secs(1_000_000));
        Memory::new(Arc::new(clock), Arc::new(SystemRandomness))
    }

    fn standard(delay: Duration) -> Outgoing {
        Outgoing { body: "body".to_owned(), posting: Posting::Standard { delay } }
    }

    fn fifo(id: u8) -> Outgoing {
        testing::fifo("ann", &id.to_string(), [id; 16])
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_sleeps_exactly_until_something_is_due() {
        let memory = memory();
        let started = Instant::now();
        let delay = Duration::from_secs(7);
        memory.send(Queue::Provider, &[standard(delay)]).await.unwrap();
        let hidden = Duration::from_secs(5);
        let first = memory.receive(Queue::Provider, 1, LONG, hidden).await.unwrap();
        assert_eq!((first.len(), started.elapsed()), (1, delay));
        let second = memory.receive(Queue::Provider, 1, LONG, hidden).await.unwrap();
        assert_eq!((second.len(), started.elapsed()), (1, delay + hidden));
        let short = Duration::from_secs(1);
        let third = memory.receive(Queue::Provider, 1, short, hidden).await.unwrap();
        assert_eq!((third.len(), started.elapsed()), (0, delay + hidden + short));
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_makes_something_receivable_wakes_a_receiver() {
        let memory = memory();
        let queue = Queue::Quotation;
        memory.send(queue, &[fifo(1), fifo(2)]).await.unwrap();
        let first = memory.receive(queue, 1, LONG, LONG).await.unwrap().remove(0).receipt;
        let started = Instant::now();

        let receive = memory.receive(queue, 1, LONG, LONG);
        let give_back =
            memory.change_visibility(queue, std::slice::from_ref(&first), Duration::ZERO);
        let (again, _) = tokio::join!(receive, give_back);
        let again = again.unwrap().remove(0);
        assert_eq!((again.body.as_str(), started.elapsed()), ("1", Duration::ZERO));

        let receive = memory.receive(queue, 1, LONG, LONG);
        let receipts = [again.receipt];
        let (second, _) = tokio::join!(receive, memory.acknowledge(queue, &receipts));
        assert_eq!((second.unwrap()[0].body.as_str(), started.elapsed()), ("2", Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_is_too_long_to_be_told_in_time() {
        let memory = memory();
        let receive = memory.receive(Queue::Provider, 1, Duration::MAX, Duration::MAX);
        let bodies = ["body".to_owned()];
        let publish = memory.publish(&bodies);
        let (received, failed) = tokio::join!(receive, publish);
        assert_eq!(received.unwrap().len(), 1);
        assert!(failed.unwrap().is_empty());
        assert!(memory.receive(Queue::Provider, 0, Duration::MAX, LONG).await.unwrap().is_empty());
    }
}
