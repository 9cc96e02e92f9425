//! How many bytes of messages that have not come to their end wait in memory, for all clients together.
//!
//! A client may send 128 KB of a message and never the rest. Ten thousand that do would take more than a
//! gigabyte. When all together have more than they may, the oldest unfinished message is given up,
//! with its connection: an honest client finishes what it begins, and so is never the oldest for long.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::limits::lock;

/// What all unfinished messages may take together.
const MAX_BYTES_IN_ALL: usize = 64 * 1024 * 1024;
/// What is not counted of each: most messages are shorter, and so cost nothing here.
const FREE: usize = 4096;
/// What the head of a control frame of a client takes.
const CONTROL_HEAD: usize = 6;

/// The unfinished messages of one gateway.
#[derive(Debug)]
pub(super) struct UnfinishedMessages {
    max: usize,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    bytes: usize,
    next: u64,
    /// In the order in which they began to count.
    messages: BTreeMap<u64, Message>,
}

#[derive(Debug)]
struct Message {
    bytes: usize,
    given_up: CancellationToken,
}

/// What one connection has received of a message that is not finished.
#[derive(Debug)]
pub(super) struct Unfinished {
    all: Arc<UnfinishedMessages>,
    own: Mutex<Own>,
    given_up: CancellationToken,
}

#[derive(Debug, Default)]
struct Own {
    bytes: usize,
    /// Its number among those that count.
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

    /// For a connection, of which nothing has been received.
    pub(super) fn of_one(self: &Arc<Self>) -> Unfinished {
        Unfinished { all: self.clone(), own: Mutex::default(), given_up: CancellationToken::new() }
    }
}

impl Counted {
    fn count(&mut self, own: &mut Own, given_up: &CancellationToken) {
        let number = *own.number.get_or_insert_with(|| {
            self.next += 1;
            let message = Message { bytes: 0, given_up: given_up.clone() };
            self.messages.insert(self.next, message);
            self.next
        });
        // One that was given up is not counted any more.
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
    /// Counts bytes of the message. Gives up the oldest messages of all if there are too many.
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

    /// The message is there.
    pub(super) fn finished(&self) {
        let mut own = lock(&self.own);
        own.bytes = 0;
        if let Some(number) = own.number.take() {
            lock(&self.all.counted).remove(number);
        }
    }

    /// A control frame came in the middle of the message, of which it is no part.
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
        // What it sends until it is closed changes nothing.
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
        // Nor does it hide what was received of one.
        one.received(60_000);
        assert!(is_given_up(&one));
    }
}
