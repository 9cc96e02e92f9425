//! The latest events of this process, for viewers.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::model::{Timestamp, UserId};
use crate::supervisor::lock;

/// The number of events that are kept.
const KEPT: usize = 100;

/// An event.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// The number of the event, which grows by one with every event of the process.
    pub number: u64,
    /// The time.
    #[serde(serialize_with = "text")]
    pub at: Timestamp,
    /// The customer.
    pub user: UserId,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// An order to calculate the customer's table was handled.
    Calculated {
        /// The cause of the order.
        reason: &'static str,
        /// The effect on the table.
        effect: &'static str,
        /// How long the calculation took.
        #[serde(rename = "took_us", serialize_with = "micros")]
        took: Duration,
    },
    /// A quotation of the customer was settled.
    Settled {
        /// `answered` or `failed`.
        outcome: &'static str,
        /// `warm` if a usable table was found at once, otherwise `cold`.
        warmth: &'static str,
        /// The time since it was accepted.
        #[serde(rename = "after_ms", serialize_with = "millis")]
        after: Duration,
    },
}

/// Called for every event as it happens, with the feed locked: it must not block.
pub type EventListener = Box<dyn Fn(&Event) + Send + Sync>;

/// The latest events.
#[derive(Default)]
pub(super) struct Feed {
    events: Mutex<RecentEvents>,
    listener: OnceLock<EventListener>,
}

#[derive(Debug, Default)]
struct RecentEvents {
    number: u64,
    last: VecDeque<Event>,
}

impl Feed {
    pub(super) fn add(&self, at: Timestamp, user: &UserId, what: What) {
        let mut events = lock(&self.events);
        events.number += 1;
        let number = events.number;
        if events.last.len() == KEPT {
            events.last.pop_front();
        }
        let event = Event { number, at, user: user.clone(), what };
        if let Some(listener) = self.listener.get() {
            listener(&event);
        }
        events.last.push_back(event);
    }

    /// Sets the listener, which gets every event from now on. A second one is ignored.
    pub(super) fn tell(&self, listener: EventListener) {
        let _ = self.listener.set(listener);
    }

    pub(super) fn last(&self, at_most: usize) -> Vec<Event> {
        let events = lock(&self.events);
        events.last.iter().skip(events.last.len().saturating_sub(at_most)).cloned().collect()
    }
}

fn text<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(time)
}

fn micros<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

fn millis<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_events_are_kept_and_numbered() {
        let feed = Feed::default();
        let user = UserId::new("AAA").unwrap();
        for _ in 0..=KEPT {
            let after = Duration::from_millis(3);
            feed.add(
                Timestamp::from_secs(1),
                &user,
                What::Settled { outcome: "answered", warmth: "warm", after },
            );
        }
        let all = feed.last(usize::MAX);
        assert_eq!((all.len(), all[0].number), (KEPT, 2));
        let last = serde_json::to_value(&feed.last(1)[0]).unwrap();
        let expected = json!({
            "number": KEPT + 1, "at": "1970-01-01T00:00:01.000Z", "user": "AAA", "kind": "settled",
            "outcome": "answered", "warmth": "warm", "after_ms": 3
        });
        assert_eq!(last, expected);
    }
}
