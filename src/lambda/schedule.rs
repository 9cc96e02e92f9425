//! The schedule's event.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

use super::EventError;
use crate::model::Timestamp;
use crate::ports::Ports;
use crate::stages::refresh::{Tick, refresh};

/// How many shares of the users are read side by side. The function waits for the network, so it is
/// more than it has processors.
const SEGMENTS: u32 = 8;

/// What EventBridge sends, as far as it matters.
#[derive(Debug, Deserialize)]
pub(super) struct ScheduledEvent {
    /// When the event was due (RFC 3339).
    time: String,
}

/// Orders a calculation for every active user. The tick is that of the time at which the event was
/// due, so that a refresher elsewhere that keeps the same interval makes the same messages.
///
/// # Errors
/// When the event has no time, or the stage fails. Nothing repeats it: the next tick does the same.
pub(super) async fn on_schedule(
    ports: &Ports,
    interval: Duration,
    event: ScheduledEvent,
) -> Result<Value, EventError> {
    let due: jiff::Timestamp = match event.time.parse() {
        Ok(due) => due,
        Err(source) => return Err(EventError::Time { time: event.time, source }),
    };
    let now = ports.clock.now();
    let tick = Tick::at(Timestamp::from_millis(due.as_millisecond()), interval);
    if now.since(tick.next_due()) >= interval {
        // Every message of it would be dropped unread.
        warn!(tick = tick.number, due = %tick.due, "the tick is too old; the next one makes up for it");
        return Ok(json!({ "ordered": 0, "failed": 0 }));
    }
    let done = refresh(&*ports.store, &*ports.queues, tick, SEGMENTS, now).await?;
    Ok(json!({ "ordered": done.ordered, "failed": done.failed }))
}
