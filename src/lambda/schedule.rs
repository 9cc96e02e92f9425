//! The schedule's event.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::EventError;
use crate::model::Timestamp;
use crate::ports::{Chain, Ports, Segment, TickDone};
use crate::stages::folding::fold_left;
use crate::stages::refresh::{Shares, Tick, refresh_shares};

/// So much of the function's memory goes with a segment of the users that is read beside the others.
/// Lambda gives processors by memory, and a segment mostly waits for the network.
const MB_PER_SEGMENT: u32 = 64;
/// Each segment has up to eight calls under way, and a function may have 1,024 connections and files.
const MAX_AT_ONCE: u32 = 64;
/// For each segment that is read at a time there are so many to read: a tick that is cut off has read
/// some to the end, and another tick begins with others.
const ROUNDS: u32 = 4;
/// DynamoDB cuts a table into no more segments than this.
const MAX_SEGMENTS: u32 = 1_000_000;
/// So long before Lambda would end the function, the tick is cut off: what is not done is told.
const RESERVE: Duration = Duration::from_secs(2);

/// What EventBridge sends, as far as it matters.
#[derive(Debug, Deserialize)]
pub(super) struct ScheduledEvent {
    /// When the event was due (RFC 3339).
    time: String,
    /// Which part of the users this invocation is for, counted from 0, where the schedule invokes the
    /// function several times at each tick.
    #[serde(default)]
    part: u32,
    /// How many parts there are.
    #[serde(default = "one")]
    parts: u32,
}

const fn one() -> u32 {
    1
}

/// What an invocation is given to work with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// The memory of the function, in MB.
    pub(super) memory_mb: u32,
    /// When Lambda ends the invocation.
    pub(super) deadline: Timestamp,
}

#[cfg(test)]
impl Allowance {
    /// More than any test takes.
    pub(super) const ENOUGH: Self =
        Self { memory_mb: 512, deadline: Timestamp::from_millis(i64::MAX) };
}

impl ScheduledEvent {
    /// The users that the invocation is for, and how a function with so much memory reads them.
    fn shares(&self, memory_mb: u32) -> Result<Shares, EventError> {
        let at_once = (memory_mb / MB_PER_SEGMENT).clamp(1, MAX_AT_ONCE);
        let segments = at_once * ROUNDS;
        let (index, count) = (self.part, self.parts);
        if index >= count || count > MAX_SEGMENTS / segments {
            return Err(EventError::Part { part: index, parts: count });
        }
        Ok(Shares { part: Segment { index, count }, segments, at_once })
    }

    fn due(&self) -> Result<Timestamp, EventError> {
        let due: jiff::Timestamp = match self.time.parse() {
            Ok(due) => due,
            Err(source) => return Err(EventError::Time { time: self.time.clone(), source }),
        };
        if due < jiff::Timestamp::UNIX_EPOCH {
            return Err(EventError::BeforeEpoch { time: self.time.clone() });
        }
        Ok(Timestamp::from_millis(due.as_millisecond()))
    }
}

/// Orders a calculation for every active user of the event's part; the first part also ends what loads
/// that died have left. Returns what to answer, and the tick unless it was too old. It is that of the time
/// at which the event was due, so that a refresher elsewhere that keeps the same interval makes the same
/// messages.
///
/// # Errors
/// When the event makes no sense, or some of the users were not reached, so that Lambda counts an error.
/// Nothing repeats it: the next tick does the same.
pub(super) async fn on_schedule(
    ports: &Ports,
    interval: Duration,
    allowance: Allowance,
    event: ScheduledEvent,
) -> Result<(Value, Option<TickDone>), EventError> {
    let shares = event.shares(allowance.memory_mb)?;
    let now = ports.clock.now();
    let tick = Tick::at(event.due()?, interval);
    if now.since(tick.next_due()) >= interval {
        // Every message of it would be dropped unread.
        warn!(tick = tick.number, due = %tick.due, "the tick is too old; the next one makes up for it");
        return Ok((json!({ "ordered": 0, "failed": 0 }), None));
    }
    let time_is_up = sleep(allowance.deadline.since(now).saturating_sub(RESERVE));
    let done = refresh_shares(&*ports.store, &*ports.queues, tick, shares, now, time_is_up).await?;
    // After the orders, which are what the tick is for; folding a large load can take minutes.
    if event.part == 0 {
        let left = allowance.deadline.since(ports.clock.now()).saturating_sub(RESERVE / 2);
        match timeout(left, fold_left(&*ports.store, &*ports.clock)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                warn!(error = %Chain(&error), "what a load left is not folded; the next tick tries again");
            }
            Err(_) => info!("what a load left is not all folded; the next tick goes on"),
        }
    }
    match done.done_at(now, shares) {
        Some(tick) => Ok((json!({ "ordered": done.ordered, "failed": done.failed }), Some(tick))),
        None => Err(EventError::Unfinished {
            unfinished: done.unfinished,
            segments: shares.segments,
            ordered: done.ordered,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(part: u32, parts: u32) -> ScheduledEvent {
        ScheduledEvent { time: "2026-11-29T03:00:00Z".to_owned(), part, parts }
    }

    #[test]
    fn more_memory_reads_more_side_by_side() {
        let at_once = |memory_mb| event(0, 1).shares(memory_mb).unwrap().at_once;
        assert_eq!([128, 512, 1769, 10_240].map(at_once), [2, 8, 27, 64]);
        assert_eq!(at_once(0), 1);
    }

    #[test]
    fn parts_are_those_that_the_schedule_can_have() {
        let plain = serde_json::from_str::<ScheduledEvent>(r#"{"time":"2026-11-29T03:00:00Z"}"#);
        assert_eq!(plain.unwrap().shares(512).unwrap().part, Segment::ALL);
        let last = event(31, 32).shares(1769).unwrap();
        assert_eq!((last.part, last.segments), (Segment { index: 31, count: 32 }, 108));
        for (part, parts) in [(1, 1), (0, 0), (5, 4), (0, 1_000_000)] {
            let wrong = event(part, parts).shares(512);
            assert!(matches!(wrong, Err(EventError::Part { .. })), "{part} of {parts}");
        }
    }
}
