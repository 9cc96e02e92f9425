//! Messages of a queue, as Lambda hands them over.
//!
//! Lambda deletes what is not reported as failed. What failed comes again when its visibility ends;
//! the adapter shortens that to the backoff that a foreground worker keeps to. On a FIFO queue every
//! later message of the same group is reported too, or Lambda would delete it out of order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::EventError;
use crate::model::Timestamp;
use crate::ports::{Chain, Clock, MAX_RECEIVES, Queue, Queues, Receipt, Received};
use crate::runtime::{Handler, backoff, handle};
use crate::stages::{Outcome, StageError};

/// So long before Lambda would end the function, the stage is ended: what it has not done is
/// reported, and comes again after a backoff instead of after its whole visibility.
const RESERVE: Duration = Duration::from_secs(1);

/// One function's stage, and the queues it takes messages of.
pub(super) struct Batches {
    /// The prefix of the queues' names.
    pub(super) stack: String,
    /// The queues that this function is for.
    pub(super) accepted: &'static [Queue],
    /// To postpone what failed.
    pub(super) queues: Arc<dyn Queues>,
    /// What time it is.
    pub(super) clock: Arc<dyn Clock>,
    /// The stage.
    pub(super) stage: Arc<dyn Handler>,
}

/// A message that comes again.
struct Failed<'a> {
    message: &'a Received,
    after: Duration,
}

impl Batches {
    /// Hands a batch to the stage and names the messages that shall come again. Lambda ends the
    /// function at `deadline`.
    ///
    /// # Errors
    /// When the event is not of a queue of this function. Then the whole batch comes again.
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
        self.postpone(queue, &failed).await;
        let failed = failed.iter().map(|failed| &failed.message.id);
        for id in failed.chain(&unreadable) {
            response.add_failure(id);
        }
        Ok(response)
    }

    /// Which queue a message is of: a batch never has messages of several.
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

    async fn postpone(&self, queue: Queue, failed: &[Failed<'_>]) {
        let mut by_time: BTreeMap<Duration, Vec<Receipt>> = BTreeMap::new();
        for Failed { message, after } in failed {
            by_time.entry(*after).or_default().push(message.receipt.clone());
        }
        for (after, receipts) in by_time {
            if let Err(error) = self.queues.change_visibility(queue, &receipts, after).await {
                // They come again anyway, when their present visibility ends.
                debug!(%queue, error = %Chain(&error), "messages were not postponed");
            }
        }
    }
}

/// What of a batch comes again.
fn failed(queue: Queue, batch: &[Received], outcomes: Vec<Outcome>) -> Vec<Failed<'_>> {
    let mut failed = vec![];
    // Groups of which a message failed, and for how long that one waits.
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
        failed.push(Failed { message, after });
    }
    failed
}

/// The whole batch, because nobody knows how far the stage came.
fn out_of_time(queue: Queue, batch: &[Received]) -> Vec<Failed<'_>> {
    // The same for all, so that no message overtakes an earlier one of its group.
    let receives = batch.iter().map(|message| message.receive_count).max().unwrap_or(1);
    let after = Some(backoff(receives));
    let again = |_: &Received| Outcome::Again { error: StageError::OutOfTime, after };
    failed(queue, batch, batch.iter().map(again).collect())
}

/// The messages that came with all that is needed, and the ids of the others and of those behind them
/// in their groups: these come again, and the rest is handled.
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
                warn!(queue = queue.name(), id, error = %Chain(&error), "a message was not read");
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
