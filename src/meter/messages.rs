//! Counts the calls for queues, topic and connections. A call to SQS or SNS takes ten messages and 256 KB.

use std::sync::atomic::Ordering;

use super::counters::Meter;
use super::layer::Metered;
use super::operation::{Action, Operation};
use super::rules::{UNIT, gateway_messages, publish_requests, queue_requests};
use super::used::Used;
use crate::ports::prelude::*;
use crate::ports::{MAX_BATCH, MAX_BODY_BYTES};

/// The most bytes of all messages in one call.
const BYTES_PER_CALL: u64 = MAX_BODY_BYTES as u64;

/// Returns the usage of calls with messages of these sizes, which are filled one after the other.
fn batches(sizes: impl Iterator<Item = u64>, requests: fn(u64) -> u64) -> Used {
    let mut all = Used::default();
    let (mut count, mut filled) = (0, 0);
    for bytes in sizes {
        if count == MAX_BATCH || (count > 0 && filled + bytes > BYTES_PER_CALL) {
            all = all.plus(&Used::derived(1, 0, 0, requests(filled)));
            (count, filled) = (0, 0);
        }
        (count, filled) = (count + 1, filled + bytes);
        all = all.plus(&Used::derived(0, 1, bytes, 0));
    }
    if count > 0 {
        all = all.plus(&Used::derived(1, 0, 0, requests(filled)));
    }
    all
}

/// Returns the operation and usage of a receive with these messages. An empty receive is billed as a request
/// too.
fn received_sizes(queue: Queue, sizes: impl Iterator<Item = u64>) -> (Operation, Used) {
    let used = batches(sizes, queue_requests);
    match used.calls {
        0 => (Operation::queue(queue, Action::Poll), Used::derived(1, 0, 0, queue_requests(0))),
        _ => (Operation::queue(queue, Action::Receive), used),
    }
}

/// Counts a receive.
pub(crate) fn count_received(meter: &Meter, queue: Queue, messages: &[Received]) {
    let sizes = messages.iter().map(|message| message.body.len() as u64);
    let (operation, used) = received_sizes(queue, sizes);
    meter.count(operation, used);
}

impl Metered {
    /// Counts calls that name `count` messages by their receipts.
    fn named(&self, queue: Queue, action: Action, count: usize) {
        let calls = count.div_ceil(MAX_BATCH) as u64;
        let used = Used::derived(calls, count as u64, 0, calls * UNIT);
        self.count(Operation::queue(queue, action), used);
    }

    pub(super) fn published(&self, sizes: impl Iterator<Item = u64>) {
        self.count(Operation::PUBLISH, batches(sizes, publish_requests));
    }

    fn received(&self, queue: Queue, sizes: impl Iterator<Item = u64>) {
        let (operation, used) = received_sizes(queue, sizes);
        self.count(operation, used);
    }
}

layer!(
    #[over(inner.queues)]
    impl Queues for Metered {
        async fn send(&self, queue: _, messages: _) -> _ {
            let failed = self.inner.queues.send(queue, messages).await?;
            let sizes = messages.iter().map(|message| message.body.len() as u64);
            self.count(Operation::queue(queue, Action::Send), batches(sizes, queue_requests));
            Ok(failed)
        }

        async fn receive(&self, queue: _, max: _, wait: _, visibility: _) -> _ {
            let messages = self.inner.queues.receive(queue, max, wait, visibility).await?;
            if messages.is_empty() {
                // On engines where waiting costs nothing, several receivers wait at once. On AWS there would
                // be only one of them.
                let before = self.in_vain[queue as usize].fetch_add(1, Ordering::Relaxed);
                if !before.is_multiple_of(self.inner.queues.receivers().max(1)) {
                    return Ok(messages);
                }
            }
            self.received(queue, messages.iter().map(|message| message.body.len() as u64));
            Ok(messages)
        }

        async fn acknowledge(&self, queue: _, receipts: _) -> _ {
            self.inner.queues.acknowledge(queue, receipts).await?;
            self.named(queue, Action::Delete, receipts.len());
            Ok(())
        }

        async fn change_visibility(&self, queue: _, receipts: _, visibility: _) -> _ {
            self.inner.queues.change_visibility(queue, receipts, visibility).await?;
            self.named(queue, Action::Hide, receipts.len());
            Ok(())
        }

        async fn depth(&self, queue: _) -> _ {
            let depth = self.inner.queues.depth(queue).await?;
            // The queue and its dead-letter queue are inspected.
            self.count(Operation::queue(queue, Action::Inspect), Used::derived(2, 0, 0, 2 * UNIT));
            Ok(depth)
        }
    }
);

layer!(
    #[over(inner.dead_letters)]
    impl DeadLetters for Metered {
        async fn dead_letters(&self, queue: _, limit: _) -> _ {
            let letters = self.inner.dead_letters.dead_letters(queue, limit).await?;
            // Dead letters are received, and then made visible again.
            self.received(queue, letters.iter().map(|letter| letter.body.len() as u64));
            self.named(queue, Action::Hide, letters.len());
            Ok(letters)
        }

        async fn redrive(&self, queue: _, selection: _) -> _ {
            let count = self.inner.dead_letters.redrive(queue, selection).await?;
            let letters = usize::try_from(count).unwrap_or(usize::MAX);
            for action in [Action::Receive, Action::Send, Action::Delete] {
                self.named(queue, action, letters);
            }
            Ok(count)
        }

        async fn drop_dead_letters(&self, queue: _, selection: _) -> _ {
            let count = self.inner.dead_letters.drop_dead_letters(queue, selection).await?;
            let letters = usize::try_from(count).unwrap_or(usize::MAX);
            for action in [Action::Receive, Action::Delete] {
                self.named(queue, action, letters);
            }
            Ok(count)
        }
    }
);

layer!(
    #[over(inner.topic)]
    impl Topic for Metered {
        async fn publish(&self, bodies: _) -> _ {
            let failed = self.inner.topic.publish(bodies).await?;
            self.published(bodies.iter().map(|body| body.len() as u64));
            Ok(failed)
        }
    }
);

layer!(
    #[over(inner.connections)]
    impl Connections for Metered {
        async fn push(&self, to: _, frame: _) -> _ {
            let bytes = frame.len() as u64;
            let delivery = self.inner.connections.push(to, frame).await?;
            let units = match delivery {
                Delivery::Delivered => gateway_messages(bytes),
                Delivery::Gone => 0,
            };
            self.count(Operation::FRAME_OUT, Used::derived(1, 1, bytes, units));
            Ok(delivery)
        }
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_filled_by_count_and_by_size() {
        let used = batches([1; 25].into_iter(), queue_requests);
        assert_eq!(used, Used::derived(3, 25, 25, 3 * UNIT));
        let large = batches([200 * 1024, 100 * 1024].into_iter(), queue_requests);
        assert_eq!(large, Used::derived(2, 2, 300 * 1024, (4 + 2) * UNIT));
        assert_eq!(batches(std::iter::empty(), queue_requests), Used::default());
    }
}
