//! The quotations whose outcome a socket's client was promised and has not been sent.
//!
//! A quotation's message can be lost, and the process that should answer it can die. The gateway survives
//! both, and its sockets live no longer than the gateway. So the gateway watches the deadlines in memory,
//! which costs nothing while all goes well.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{RequestId, Timestamp, UserId};
use crate::protocol::Told;
use crate::stages::DEADLINE_GRACE;

/// When the store could not be asked about a quotation, it is asked again after this time.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A promise to tell a client the outcome of a quotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The customer.
    pub user: UserId,
    /// The id by which the client knows the quotation.
    pub request_id: RequestId,
    /// The time by which the client is told.
    pub deadline: Timestamp,
}

/// The promises to one socket's client.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    /// The promises by the time at which they are due, which is mostly the order in which they were made.
    promises: VecDeque<(Instant, Promise)>,
}

impl Awaited {
    /// Adds a promise. `now` and `clock` are the same moment.
    pub(super) fn promised(&mut self, promise: Promise, now: Instant, clock: Timestamp) {
        let left = promise.deadline.since(clock) + DEADLINE_GRACE;
        self.add(now + left, promise);
    }

    /// Puts back a promise whose outcome could not be read, to try again later.
    pub(super) fn unknown(&mut self, promise: Promise, now: Instant) {
        self.add(now + ASK_AGAIN_AFTER, promise);
    }

    fn add(&mut self, due: Instant, promise: Promise) {
        let place = self.promises.partition_point(|(other, _)| *other <= due);
        self.promises.insert(place, (due, promise));
    }

    /// Removes a promise, because a reply tells the client its outcome.
    pub(super) fn kept(&mut self, kept: &Promise) {
        let is_same =
            |one: &Promise| (&one.user, &one.request_id) == (&kept.user, &kept.request_id);
        self.promises.retain(|(_, promise)| !is_same(promise));
    }

    /// Removes the promises that these pushed frames keep.
    pub(super) fn told<'a>(&mut self, frames: impl IntoIterator<Item = &'a [u8]>) {
        for frame in frames {
            if self.promises.is_empty() {
                return;
            }
            if let Some(told) = Told::of(frame) {
                let is_told = |promise: &Promise| told.is_about(&promise.user, &promise.request_id);
                self.promises.retain(|(_, promise)| !is_told(promise));
            }
        }
    }

    /// Returns when the next promise is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.promises.front().map(|(due, _)| *due)
    }

    /// Takes a promise that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Promise> {
        self.promises.pop_front_if(|(due, _)| *due <= now).map(|(_, promise)| promise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn promise(user: &str, id: &str, secs: u64) -> Promise {
        Promise {
            user: UserId::new(user).unwrap(),
            request_id: RequestId::new(id).unwrap(),
            deadline: NOW.plus(Duration::from_secs(secs)),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn promises_are_due_after_their_deadlines_earliest_first() {
        let (mut awaited, now) = (Awaited::default(), Instant::now());
        for (id, secs) in [("late", 30), ("early", 10), ("past", 0)] {
            awaited.promised(promise("AAA", id, secs), now, NOW);
        }
        let at = |secs| now + Duration::from_secs(secs) + DEADLINE_GRACE;
        assert_eq!(awaited.take_due(now), None, "a clock may be a little behind");
        let mut due = vec![];
        while let Some(next) = awaited.due() {
            due.push((next, awaited.take_due(next).unwrap()));
        }
        let expected = [("past", 0), ("early", 10), ("late", 30)];
        assert_eq!(due, expected.map(|(id, secs)| (at(secs), promise("AAA", id, secs))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_promise_is_kept_by_its_own_frame_alone() {
        let (mut awaited, now) = (Awaited::default(), Instant::now());
        for user in ["AAA", "BBB"] {
            awaited.promised(promise(user, "1", 30), now, NOW);
        }
        let of = |client: &str| {
            format!(
                r#"{{"type":"quotation","request_id":"1","client":"{client}","status":"failed"}}"#
            )
        };
        awaited.told([b"{\"type\":\"pong\"}".as_slice(), of("CCC").as_bytes()]);
        assert_eq!(awaited.promises.len(), 2);
        awaited.told([of("AAA").as_bytes()]);
        let left: Vec<_> = awaited.promises.iter().map(|(_, promise)| promise.clone()).collect();
        assert_eq!(left, [promise("BBB", "1", 30)]);
        awaited.kept(&promise("CCC", "1", 30));
        assert!(awaited.due().is_some());
        awaited.told([br#"{"id":"1","products":[],"unavailable":[]}"#.as_slice()]);
        assert_eq!(awaited.due(), None);
        awaited.promised(promise("AAA", "1", 30), now, NOW);
        // The deadline does not matter.
        awaited.kept(&promise("AAA", "1", 60));
        assert_eq!(awaited.due(), None);
    }
}
