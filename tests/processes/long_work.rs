//! Tests of work that takes longer than a message's visibility timeout.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use ocache::model::{DeduplicationId, GroupId, UserId};
use ocache::ports::{Depth, Outgoing, Posting, Queue, Randomness as _, Received, SystemRandomness};
use ocache::runtime::metrics::Metrics;
use ocache::runtime::{Consumer, Handler, SHORT_POLL, Shutdown, UrgentGate};
use ocache::stages::Outcome;
use ocache::supervisor::Supervisor;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::stack::Stack;

/// Longer than a message is hidden when it is received.
const WORK: Duration = Duration::from_secs(25);

/// A stage that takes its time, and counts the messages that it gets.
#[derive(Default)]
struct SlowWork {
    given: AtomicU32,
    done: Notify,
}

#[async_trait]
impl Handler for SlowWork {
    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        self.given.fetch_add(u32::try_from(batch.len()).unwrap(), Ordering::SeqCst);
        sleep(WORK).await;
        self.done.notify_one();
        batch.iter().map(|_| Outcome::Done).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_work_keeps_its_message() {
    keeps_its_message(Stack::embedded()).await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn long_work_keeps_its_message_on_aws() {
    keeps_its_message(Stack::aws().await).await;
}

async fn keeps_its_message(stack: Stack) {
    let queues = [Queue::Quotation, Queue::Provider];
    join_all(queues.map(|queue| is_delivered_once(&stack, queue))).await;
    stack.close().await;
}

/// Checks that of two consumers that wait for one message only one gets it.
async fn is_delivered_once(stack: &Stack, queue: Queue) {
    let queues = stack.ports.queues.clone();
    let posting = if queue.is_fifo() {
        let group = GroupId::of(&UserId::new("AAA").unwrap());
        Posting::Fifo {
            group,
            deduplication: DeduplicationId::from_random(SystemRandomness.bits()),
        }
    } else {
        Posting::Standard { delay: Duration::ZERO }
    };
    let message = Outgoing { body: "{}".to_owned(), posting };
    assert!(queues.send(queue, &[message]).await.unwrap().is_empty());

    let (work, shutdown) = (Arc::new(SlowWork::default()), Shutdown::new());
    let consumers = [(); 2].map(|()| {
        let consumer = Consumer {
            queue,
            queues: queues.clone(),
            handler: work.clone(),
            slots: 1,
            poll_wait: SHORT_POLL,
            gate: UrgentGate::default(),
            randomness: Arc::new(SystemRandomness),
            metrics: Metrics::new(),
            supervisor: Supervisor::new(),
        };
        tokio::spawn(consumer.run(shutdown.clone()))
    });
    work.done.notified().await;
    shutdown.begin();
    for consumer in consumers {
        consumer.await.unwrap();
    }
    let engine = stack.engine;
    assert_eq!(work.given.load(Ordering::SeqCst), 1, "{engine}, queue {queue}");
    assert_eq!(queues.depth(queue).await.unwrap(), Depth::default(), "{engine}, queue {queue}");
}
