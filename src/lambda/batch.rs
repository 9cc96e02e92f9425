//! Handles the messages of a queue that Lambda delivers.
//!
//! Lambda deletes messages that are not reported as failed. A failed message is delivered again when its
//! visibility timeout ends; the adapter shortens that to the backoff that a worker would use. On a FIFO
//! queue every later message of the same group is reported too, because Lambda would delete it out of
//! order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use tokio::time::timeout;
use tracing::warn;

use super::EventError;
use crate::model::Timestamp;
use crate::ports::{Chain, Clock, MAX_RECEIVES, Queue, Queues, Receipt, Received};
use crate::runtime::{Handler, backoff, handle, postpone};
use crate::stages::{Outcome, StageError};

/// The stage is cancelled this long before Lambda would end the function. The messages that it has not
/// handled are then reported, and come again after a backoff instead of after their whole visibility
/// timeout.
const RESERVE: Duration = Duration::from_secs(1);

/// The stage of one function, and the queues from which it takes messages.
pub(super) struct Batches {
    /// The prefix of the queues' names.
    pub(super) stack: String,
    /// The queues that this function is for.
    pub(super) accepted: &'static [Queue],
    /// The queues, to postpone failed messages.
    pub(super) queues: Arc<dyn Queues>,
    /// What time it is.
    pub(super) clock: Arc<dyn Clock>,
    /// The stage.
    pub(super) stage: Arc<dyn Handler>,
}

/// A message that comes again.
struct FailedMessage<'a> {
    message: &'a Received,
    after: Duration,
}

impl Batches {
    /// Passes a batch to the stage, and returns the messages that come again. Lambda ends the function at
    /// `deadline`.
    ///
    /// # Errors
    /// [`EventError`] if the event is not of a queue of this function. Then the whole batch comes again.
    pub(super) async fn handle(
        &self,
        event: SqsEvent,
        deadline: Timestamp,
    ) -> Result<SqsBatchResponse, EventError> {
        let mut response = SqsBatchResponse::default();
        let Some(first) = event.records.first() else { return Ok(response) };
        let queue = self.queue_of(first)?;
        let (batch, unreadable) = readable(queue, event.records)?;
        let left = deadline.since(self.clock.now()).saturating_sub(RESERVE);
        let failed = match timeout(left, handle(&*self.stage, &batch)).await {
            Ok(outcomes) => failed(queue, &batch, outcomes),
            Err(_) => out_of_time(queue, &batch),
        };
        let mut by_time: BTreeMap<Duration, Vec<Receipt>> = BTreeMap::new();
        for FailedMessage { message, after } in &failed {
            by_time.entry(*after).or_default().push(message.receipt.clone());
        }
        postpone(&*self.queues, queue, &by_time).await;
        let failed = failed.iter().map(|failed| &failed.message.id);
        for id in failed.chain(&unreadable) {
            response.add_failure(id);
        }
        Ok(response)
    }

    /// Returns the queue of a message. A batch never has messages of several queues.
    pub(super) fn queue_of(&self, message: &SqsMessage) -> Result<Queue, EventError> {
        let arn = message.event_source_arn.as_deref();
        let arn = arn.ok_or(EventError::Incomplete { field: "event source" })?;
        let name = arn.rsplit(':').next().unwrap_or_default();
        let short = name.strip_prefix(&self.stack).and_then(|rest| rest.strip_prefix('-'));
        let short = short.map(|short| short.strip_suffix(".fifo").unwrap_or(short));
        let mut accepted = self.accepted.iter().copied();
        accepted
            .find(|queue| Some(queue.name()) == short)
            .ok_or_else(|| EventError::Queue { source_arn: arn.to_owned() })
    }
}

/// Returns the messages of a batch that come again.
fn failed(queue: Queue, batch: &[Received], outcomes: Vec<Outcome>) -> Vec<FailedMessage<'_>> {
    let mut failed = vec![];
    // The groups of which a message failed, and how long that message waits.
    let mut waiting: HashMap<&str, Duration> = HashMap::new();
    for (message, outcome) in batch.iter().zip(outcomes) {
        let behind = message.group.as_deref().and_then(|group| waiting.get(group)).copied();
        let after = match (outcome, behind) {
            (Outcome::Done, None) => continue,
            (Outcome::Done, Some(after)) => after,
            (Outcome::Again { error, after }, behind) => {
                let after = behind.or(after).unwrap_or_else(|| backoff(message.receive_count));
                let last = message.receive_count >= MAX_RECEIVES;
                let (queue, id) = (queue.name(), &message.id);
                warn!(queue, id, last, ?after, error = %Chain(&error), "a message was not handled");
                after
            }
        };
        if let Some(group) = message.group.as_deref() {
            waiting.insert(group, after);
        }
        failed.push(FailedMessage { message, after });
    }
    failed
}

/// Returns the whole batch as failed, because nobody knows how far the stage came.
fn out_of_time(queue: Queue, batch: &[Received]) -> Vec<FailedMessage<'_>> {
    // The backoff is the same for all, so that no message overtakes an earlier one of its group.
    let receives = batch.iter().map(|message| message.receive_count).max().unwrap_or(1);
    let after = Some(backoff(receives));
    let again = |_: &Received| Outcome::Again { error: StageError::OutOfTime, after };
    failed(queue, batch, batch.iter().map(again).collect())
}

/// Returns the messages that have every required attribute, and the ids of the others and of those behind
/// them in their groups. The latter come again, and the rest is handled.
fn readable(
    queue: Queue,
    messages: Vec<SqsMessage>,
) -> Result<(Vec<Received>, Vec<String>), EventError> {
    let (mut batch, mut unreadable) = (vec![], vec![]);
    let mut waiting = HashSet::new();
    for message in messages {
        let id = message.message_id.clone();
        let id = id.ok_or(EventError::Incomplete { field: "message id" })?;
        let group = message.attributes.get("MessageGroupId").cloned();
        if group.as_ref().is_some_and(|group| waiting.contains(group)) {
            unreadable.push(id);
            continue;
        }
        match received(message) {
            Ok(message) => batch.push(message),
            Err(error) => {
                let queue = queue.name();
                warn!(queue, id, error = %Chain(&error), "a message was not handled: it was not read");
                unreadable.push(id);
                waiting.extend(group);
            }
        }
    }
    Ok((batch, unreadable))
}

fn received(message: SqsMessage) -> Result<Received, EventError> {
    let missing = |field| move || EventError::Incomplete { field };
    let attribute = |name: &str| message.attributes.get(name);
    let count = attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    let sent_at = attribute("SentTimestamp").and_then(|millis| millis.parse().ok());
    Ok(Received {
        receive_count: count.ok_or_else(missing("receive count"))?,
        sent_at: sent_at.map(Timestamp::from_millis).ok_or_else(missing("sent timestamp"))?,
        group: attribute("MessageGroupId").cloned(),
        id: message.message_id.ok_or_else(missing("message id"))?,
        receipt: message.receipt_handle.map(Receipt).ok_or_else(missing("receipt handle"))?,
        body: message.body.unwrap_or_default(),
    })
}
