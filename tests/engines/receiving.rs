//! Sends and receives for the tests. A receive may return fewer messages than there are, so messages are
//! collected in loops, which give up only if nothing comes for a long time.

use std::time::Duration;

use ocache::model::{DeduplicationId, GroupId};
use ocache::ports::{
    Outgoing, Ports, Posting, Queue, Randomness as _, Receipt, Received, SystemRandomness,
};
use tokio::time::Instant;

use super::samples::{secs, user};

pub const FIFO_QUEUES: [Queue; 2] = [Queue::Refresh, Queue::Quotation];
/// The longest wait that every engine allows.
pub const LONG_WAIT: Duration = Duration::from_secs(20);
/// Longer than any test runs.
pub const LONG_VISIBILITY: Duration = Duration::from_secs(600);
/// How long to wait for a message that never comes.
const HANG: Duration = Duration::from_secs(90);

/// Returns a new deduplication id.
pub fn fresh_id() -> DeduplicationId {
    DeduplicationId::from_random(SystemRandomness.bits())
}

/// Returns a message of a group, with a new id.
pub fn fifo(group: &str, body: &str) -> Outgoing {
    fifo_with_id(group, body, fresh_id())
}

pub fn fifo_with_id(group: &str, body: &str, deduplication: DeduplicationId) -> Outgoing {
    let posting = Posting::Fifo { group: GroupId::of(&user(group)), deduplication };
    Outgoing { body: body.to_owned(), posting }
}

pub fn delayed(body: &str, delay: Duration) -> Outgoing {
    Outgoing { body: body.to_owned(), posting: Posting::Standard { delay } }
}

pub fn standard(body: &str) -> Outgoing {
    delayed(body, Duration::ZERO)
}

/// Returns a message that fits a queue, in a group of its own if the queue has groups.
pub fn message(queue: Queue, body: &str) -> Outgoing {
    if queue.is_fifo() { fifo(body, body) } else { standard(body) }
}

/// Sends messages that must all be accepted.
pub async fn send(ports: &Ports, queue: Queue, messages: &[Outgoing]) {
    let failed = ports.queues.send(queue, messages).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
}

/// Receives once, with a long wait.
pub async fn receive(
    ports: &Ports,
    queue: Queue,
    max: usize,
    visibility: Duration,
) -> Vec<Received> {
    ports.queues.receive(queue, max, LONG_WAIT, visibility).await.unwrap()
}

/// Receives one message, which stays hidden for `visibility`.
pub async fn take_one(ports: &Ports, queue: Queue, visibility: Duration) -> Received {
    let started = Instant::now();
    while started.elapsed() < HANG {
        if let Some(received) = receive(ports, queue, 1, visibility).await.pop() {
            return received;
        }
    }
    panic!("nothing comes from queue {queue}");
}

/// Receives messages, which stay hidden. In a FIFO queue they must be of different groups.
pub async fn take(ports: &Ports, queue: Queue, count: usize) -> Vec<Received> {
    let mut taken = vec![];
    let mut started = Instant::now();
    while taken.len() < count && started.elapsed() < HANG {
        let max = (count - taken.len()).min(10);
        let received = receive(ports, queue, max, LONG_VISIBILITY).await;
        if !received.is_empty() {
            started = Instant::now();
        }
        taken.extend(received);
    }
    assert_eq!(taken.len(), count, "messages from queue {queue}");
    taken
}

/// Receives and acknowledges messages. Returns their bodies in the order in which they came.
pub async fn drain(ports: &Ports, queue: Queue, count: usize) -> Vec<String> {
    let mut bodies = vec![];
    let mut started = Instant::now();
    while bodies.len() < count && started.elapsed() < HANG {
        let received = receive(ports, queue, 10, LONG_VISIBILITY).await;
        if !received.is_empty() {
            started = Instant::now();
        }
        acknowledge(ports, queue, &received).await;
        bodies.extend(received.into_iter().map(|message| message.body));
    }
    assert_eq!(bodies.len(), count, "messages from queue {queue}: {bodies:?}");
    bodies
}

/// Checks that for a while nothing can be received.
pub async fn nothing_comes(ports: &Ports, queue: Queue) {
    let received = ports.queues.receive(queue, 10, secs(1), LONG_VISIBILITY).await.unwrap();
    assert_eq!(received, [], "queue {queue}");
}

pub fn receipts(received: &[Received]) -> Vec<Receipt> {
    received.iter().map(|message| message.receipt.clone()).collect()
}

pub async fn acknowledge(ports: &Ports, queue: Queue, received: &[Received]) {
    ports.queues.acknowledge(queue, &receipts(received)).await.unwrap();
}

/// Makes received messages visible again.
pub async fn give_back(ports: &Ports, queue: Queue, received: &[Received]) {
    let receipts = receipts(received);
    ports.queues.change_visibility(queue, &receipts, Duration::ZERO).await.unwrap();
}

/// Asks again until the answer is the expected one, because some figures are approximate.
pub async fn eventually<T, F>(expected: T, mut ask: impl FnMut() -> F)
where
    T: PartialEq + std::fmt::Debug,
    F: Future<Output = T>,
{
    let started = Instant::now();
    loop {
        let answer = ask().await;
        if answer == expected {
            return;
        }
        assert!(started.elapsed() < HANG, "still {answer:?}, expected {expected:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
