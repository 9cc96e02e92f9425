//! The message that comes after a quotation's deadline, and fails the quotation if it is not settled.
//!
//! It is sent before the quotation is accepted, and not through the topic. So it comes even if the
//! quotation's own message is lost.

use std::time::Duration;

use super::StageError;
use super::outcome::{only, write_body};
use crate::model::{ProviderMessage, QuotationKey, Timestamp, UserId};
use crate::ports::{MAX_DELAY, Outgoing, Posting, Queue, Queues, Quotation};

/// How long after a deadline it is acted on, so that the deadline has also passed by a clock that is slightly
/// behind.
pub const DEADLINE_GRACE: Duration = Duration::from_millis(50);

/// Whether a quotation's deadline message comes no earlier than the deadline. It is delayed by the time that
/// the quotation had when it was accepted, up to the longest delay of a message. The receiver's clock does
/// not matter.
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
    // A deadline can be further away than the longest delay of a message. The message then comes too early,
    // and is postponed.
    let delay = (deadline.since(now) + DEADLINE_GRACE).min(MAX_DELAY);
    let message = Outgoing { body: write_body(&message)?, posting: Posting::Standard { delay } };
    only(queues.send(Queue::Provider, &[message]).await?)
}
