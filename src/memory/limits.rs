//! The limits of the services that ocache grows into, so that nothing works here that fails there.

use std::time::Duration;

use serde::Serialize;

use crate::ports::{Outgoing, PortError, Posting, Queue};

const MAX_BODY_BYTES: usize = 256 * 1024;
const MAX_DELAY: Duration = Duration::from_secs(15 * 60);
const MAX_FRAME_BYTES: usize = 128 * 1024;
const MAX_ITEM_BYTES: usize = 400 * 1024;

fn check(what: &str, thing: &str, bytes: usize, max: usize) -> Result<(), PortError> {
    if bytes <= max {
        return Ok(());
    }
    let why = format!("the {thing} has {bytes} bytes, {max} are allowed");
    Err(PortError::rejected(what, why))
}

/// Refuses an item of more than 400 KB. The services count in their own way; its JSON comes near.
pub(super) fn check_item(what: &str, item: &impl Serialize) -> Result<(), PortError> {
    let json = serde_json::to_vec(item)
        .map_err(|error| PortError::rejected(what, format!("it has no JSON: {error}")))?;
    check_item_bytes(what, json.len())
}

/// Refuses an item of more than 400 KB.
pub(super) fn check_item_bytes(what: &str, bytes: usize) -> Result<(), PortError> {
    check(what, "item", bytes, MAX_ITEM_BYTES)
}

/// Refuses a frame of more than 128 KB.
pub(super) fn check_frame(what: &str, frame: &[u8]) -> Result<(), PortError> {
    check(what, "frame", frame.len(), MAX_FRAME_BYTES)
}

/// Refuses a message that its queue would not take.
pub(super) fn check_message(queue: Queue, message: &Outgoing) -> Result<(), PortError> {
    let what = format!("message to queue `{queue}`");
    check(&what, "body", message.body.len(), MAX_BODY_BYTES)?;
    match message.posting {
        Posting::Fifo { .. } if !queue.is_fifo() => {
            Err(PortError::rejected(what, "the queue has no groups"))
        }
        Posting::Standard { .. } if queue.is_fifo() => {
            Err(PortError::rejected(what, "the queue needs a group"))
        }
        Posting::Standard { delay } if delay > MAX_DELAY => {
            let (delay, max) = (delay.as_secs(), MAX_DELAY.as_secs());
            Err(PortError::rejected(what, format!("a delay of {delay} s, {max} s are allowed")))
        }
        Posting::Fifo { .. } | Posting::Standard { .. } => Ok(()),
    }
}
