//! Handles the event of the schedule.

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

/// How much memory a function has for each segment of the users that it reads in parallel. Lambda gives
/// processors by memory, and a segment mostly waits for the network.
const MB_PER_SEGMENT: u32 = 64;
/// The greatest number of segments in parallel. Each has up to eight calls under way, and a function may
/// have 1,024 connections and files.
const MAX_AT_ONCE: u32 = 64;
/// How many segments there are for each one that is read at a time. With several, a tick that is cut off
/// has read some to the end, and the next tick begins with others.
const ROUNDS: u32 = 4;
/// The greatest number of segments into which DynamoDB divides a table.
const MAX_SEGMENTS: u32 = 1_000_000;
/// The tick is cut off this long before Lambda would end the function, so that it can report what is not
/// done.
const RESERVE: Duration = Duration::from_secs(2);

/// The event of EventBridge, with the fields that are needed.
#[derive(Debug, Deserialize)]
pub(super) struct ScheduledEvent {
    /// When the event was due (RFC 3339).
    time: String,
    /// The part of the users for this invocation, counted from 0. A schedule may invoke the function
    /// several times at each tick.
    #[serde(default)]
    part: u32,
    /// How many parts there are.
    #[serde(default = "one")]
    parts: u32,
}

const fn one() -> u32 {
    1
}

/// What an invocation may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// The memory of the function, in MB.
    pub(super) memory_mb: u32,
    /// When Lambda ends the invocation.
    pub(super) deadline: Timestamp,
}

#[cfg(test)]
impl Allowance {
    /// More than any test needs.
    pub(super) const ENOUGH: Self =
        Self { memory_mb: 512, deadline: Timestamp::from_millis(i64::MAX) };
}

impl ScheduledEvent {
    /// Returns the users of this invocation, and how a function with this much memory reads them.
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

/// Orders a calculation for every active user of the event's part. The first part also folds or drops what
/// loads that died have left. Returns the answer, and the tick unless it was too old. The tick is that of
/// the time at which the event was due, so that another refresher with the same interval makes the same
/// messages.
///
/// # Errors
/// [`EventError`] if the event is invalid, or some of the users were not reached, so that Lambda counts an
/// error. The call is not repeated, because the next tick does the same.
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
        // Every message of this tick would be dropped unread.
        warn!(tick = tick.number, due = %tick.due, "the tick is too old; the next one makes up for it");
        return Ok((json!({ "ordered": 0, "failed": 0 }), None));
    }
    let time_is_up = sleep(allowance.deadline.since(now).saturating_sub(RESERVE));
    let done = refresh_shares(&*ports.store, &*ports.queues, tick, shares, now, time_is_up).await?;
    // This comes after the orders, which are the purpose of the tick, because folding a large load can take
    // minutes.
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
