//! The message that comes when a quotation's deadline has passed, and tells the client if nobody has.
//!
//! It is sent before the quotation is accepted, and not through the topic: whatever becomes of the
//! quotation's own message, this one comes.

use std::time::Duration;

use super::StageError;
use super::outcome::{only, write_body};
use crate::model::{ProviderMessage, QuotationKey, Timestamp, UserId};
use crate::ports::{MAX_DELAY, Outgoing, Posting, Queue, Queues, Quotation};

/// Whoever acts on a deadline does so this much later, so that it has passed even by a clock that is
/// a little behind.
pub const DEADLINE_GRACE: Duration = Duration::from_millis(50);

/// Whether the message of a quotation's deadline comes no earlier than the deadline: it was delayed for as
/// long as the quotation had, by the clock of whoever accepted it. Whoever receives it may have another time.
pub(super) fn comes_in_time(quotation: &Quotation) -> bool {
    quotation.deadline.since(quotation.accepted_at) + DEADLINE_GRACE <= MAX_DELAY
}

pub(super) async fn send_deadline(
    queues: &dyn Queues,
    user: &UserId,
    key: &QuotationKey,
    deadline: Timestamp,
    now: Timestamp,
) -> Result<(), StageError> {
    let message = ProviderMessage::Deadline { user: user.clone(), key: key.clone() };
    // A deadline can be further off than a message can be delayed. The message then comes too early,
    // and is postponed.
    let delay = (deadline.since(now) + DEADLINE_GRACE).min(MAX_DELAY);
    let message = Outgoing { body: write_body(&message)?, posting: Posting::Standard { delay } };
    only(queues.send(Queue::Provider, &[message]).await?)
}
