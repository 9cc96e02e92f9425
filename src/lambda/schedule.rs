//! The schedule's event.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

use super::EventError;
use crate::model::Timestamp;
use crate::ports::{Chain, Ports, TickDone};
use crate::stages::folding::fold_left;
use crate::stages::refresh::{Tick, refresh};

/// So much of the function's memory goes with a share of the users that is read beside the others.
/// Lambda gives processors by memory, and a share mostly waits for the network.
const MB_PER_SEGMENT: u32 = 64;
/// Each share has up to eight calls under way, and a function may have 1,024 connections and files.
const MAX_SEGMENTS: u32 = 64;

/// How many shares of the users a function with so much memory reads side by side.
pub(super) fn segments(memory_mb: u32) -> u32 {
    (memory_mb / MB_PER_SEGMENT).clamp(1, MAX_SEGMENTS)
}

/// What EventBridge sends, as far as it matters.
#[derive(Debug, Deserialize)]
pub(super) struct ScheduledEvent {
    /// When the event was due (RFC 3339).
    time: String,
}

/// Orders a calculation for every active user, and ends what loads that died have left. Returns what to
/// answer, and the tick unless it was too old. It is that of the time at which the event was due, so that a refresher elsewhere that keeps the same interval makes the same messages.
///
/// # Errors
/// When the event has no time, or the stage fails. Nothing repeats it: the next tick does the same.
pub(super) async fn on_schedule(
    ports: &Ports,
    interval: Duration,
    segments: u32,
    event: ScheduledEvent,
) -> Result<(Value, Option<TickDone>), EventError> {
    let due: jiff::Timestamp = match event.time.parse() {
        Ok(due) => due,
        Err(source) => return Err(EventError::Time { time: event.time, source }),
    };
    if due < jiff::Timestamp::UNIX_EPOCH {
        return Err(EventError::BeforeEpoch { time: event.time });
    }
    let now = ports.clock.now();
    let tick = Tick::at(Timestamp::from_millis(due.as_millisecond()), interval);
    if now.since(tick.next_due()) >= interval {
        // Every message of it would be dropped unread.
        warn!(tick = tick.number, due = %tick.due, "the tick is too old; the next one makes up for it");
        return Ok((json!({ "ordered": 0, "failed": 0 }), None));
    }
    let done = refresh(&*ports.store, &*ports.queues, tick, segments, now).await?;
    // After the orders, which are what the tick is for; folding a large load can take minutes.
    if let Err(error) = fold_left(&*ports.store, &*ports.clock).await {
        warn!(error = %Chain(&error), "what a load left is not folded; the next tick tries again");
    }
    let answer = json!({ "ordered": done.ordered, "failed": done.failed });
    Ok((answer, Some(done.done_at(now))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_memory_reads_more_side_by_side() {
        assert_eq!([128, 512, 1769, 10_240].map(segments), [2, 8, 27, 64]);
        assert_eq!(segments(0), 1);
    }
}
