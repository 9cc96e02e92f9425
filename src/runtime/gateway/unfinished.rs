//! Limits the bytes of unfinished messages in memory, for all clients together.
//!
//! A client may send 128 KB of a message and never the rest. Ten thousand such clients would take more
//! than a gigabyte. When the total exceeds its limit, the oldest unfinished message is given up together
//! with its connection. An honest client finishes what it begins, so its message is never the oldest for
//! long.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use crate::supervisor::lock;

/// The most bytes of all unfinished messages together.
const MAX_BYTES_IN_ALL: usize = 64 * 1024 * 1024;
/// The bytes of each message that are not counted. Most messages are shorter, and so cost nothing here.
const FREE: usize = 4096;
/// The size of the head of a client's control frame.
const CONTROL_HEAD: usize = 6;

/// The unfinished messages of one gateway.
#[derive(Debug)]
pub(super) struct UnfinishedMessages {
    max: usize,
    counted: Mutex<UnfinishedTotal>,
}

#[derive(Debug, Default)]
struct UnfinishedTotal {
    bytes: usize,
    next: u64,
    /// The messages in the order in which they began to count.
    messages: BTreeMap<u64, CountedMessage>,
}

#[derive(Debug)]
struct CountedMessage {
    bytes: usize,
    given_up: CancellationToken,
}

/// The bytes that one connection has received of an unfinished message.
#[derive(Debug)]
pub(super) struct Unfinished {
    all: Arc<UnfinishedMessages>,
    own: Mutex<OwnMessage>,
    given_up: CancellationToken,
}

#[derive(Debug, Default)]
struct OwnMessage {
    bytes: usize,
    /// The number of its message in [`UnfinishedTotal::messages`], if it counts.
    number: Option<u64>,
}

impl Default for UnfinishedMessages {
    fn default() -> Self {
        Self::new(MAX_BYTES_IN_ALL)
    }
}

impl UnfinishedMessages {
    fn new(max: usize) -> Self {
        Self { max, counted: Mutex::default() }
    }

    /// Creates the counter of a connection from which nothing has been received.
    pub(super) fn of_one(self: &Arc<Self>) -> Unfinished {
        Unfinished { all: self.clone(), own: Mutex::default(), given_up: CancellationToken::new() }
    }
}

impl UnfinishedTotal {
    fn count(&mut self, own: &mut OwnMessage, given_up: &CancellationToken) {
        let number = *own.number.get_or_insert_with(|| {
            self.next += 1;
            let message = CountedMessage { bytes: 0, given_up: given_up.clone() };
            self.messages.insert(self.next, message);
            self.next
        });
        // A message that was given up is not counted any more.
        if let Some(message) = self.messages.get_mut(&number) {
            self.bytes = self.bytes - message.bytes + own.bytes;
            message.bytes = own.bytes;
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(message) = self.messages.remove(&number) {
            self.bytes -= message.bytes;
        }
    }

    fn give_up_oldest(&mut self) -> bool {
        let oldest = self.messages.pop_first();
        if let Some((_, message)) = &oldest {
            self.bytes -= message.bytes;
            message.given_up.cancel();
        }
        oldest.is_some()
    }
}

impl Unfinished {
    /// Counts received bytes of the message. Gives up the oldest messages if the total is too large.
    pub(super) fn received(&self, bytes: usize) {
        let mut own = lock(&self.own);
        own.bytes += bytes;
        if own.bytes <= FREE {
            return;
        }
        let mut counted = lock(&self.all.counted);
        counted.count(&mut own, &self.given_up);
        while counted.bytes > self.all.max && counted.give_up_oldest() {}
    }

    /// Notes that the message is complete.
    pub(super) fn finished(&self) {
        let mut own = lock(&self.own);
        own.bytes = 0;
        if let Some(number) = own.number.take() {
            lock(&self.all.counted).remove(number);
        }
    }

    /// Subtracts a control frame that came in the middle of the message and is no part of it.
    pub(super) fn passed(&self, control_bytes: usize) {
        let mut own = lock(&self.own);
        own.bytes = own.bytes.saturating_sub(control_bytes + CONTROL_HEAD);
        if own.number.is_some() {
            lock(&self.all.counted).count(&mut own, &self.given_up);
        }
    }

    /// Waits until the message is given up.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.finished();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_given_up(one: &Unfinished) -> bool {
        one.given_up.is_cancelled()
    }

    #[test]
    fn the_oldest_is_given_up_when_there_is_too_much() {
        let all = Arc::new(UnfinishedMessages::new(100_000));
        let many: Vec<Unfinished> = (0..4).map(|_| all.of_one()).collect();
        for one in &many {
            one.received(30_000);
        }
        assert!(is_given_up(&many[0]));
        assert!(many[1..].iter().all(|one| !is_given_up(one)));
        // Bytes that arrive until its connection is closed change nothing.
        many[0].received(30_000);
        assert_eq!(lock(&all.counted).bytes, 90_000);
        drop(many);
        assert_eq!(lock(&all.counted).bytes, 0);
    }

    #[test]
    fn who_finishes_or_sends_little_is_never_given_up() {
        let all = Arc::new(UnfinishedMessages::new(100_000));
        let honest = all.of_one();
        for _ in 0..100 {
            honest.received(30_000);
            honest.finished();
        }
        let small: Vec<Unfinished> = (0..1000).map(|_| all.of_one()).collect();
        for one in &small {
            one.received(FREE);
        }
        assert_eq!(lock(&all.counted).bytes, 0);
        assert!(!is_given_up(&honest) && !small.iter().any(is_given_up));
    }

    #[test]
    fn a_control_frame_is_no_part_of_a_message() {
        let all = Arc::new(UnfinishedMessages::new(100_000));
        let one = all.of_one();
        one.received(50_000);
        for _ in 0..10_000 {
            one.received(125 + CONTROL_HEAD);
            one.passed(125);
        }
        assert_eq!(lock(&all.counted).bytes, 50_000);
        // Control frames do not hide the bytes of a message either.
        one.received(60_000);
        assert!(is_given_up(&one));
    }
}
