//! The dead letters.
//!
//! A queue can be looked into only by receiving, so a listing hides what it lists for a moment. In a FIFO
//! queue a group whose first messages are hidden shows no others, so at most ten of each group are listed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sqs::types::{
    ListMessageMoveTasksResultEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use thiserror::Error;

use super::entries::{self, cut};
use super::names::Mailbox;
use super::queue_batches::Sending;
use super::queue_client::{Poll, WorkQueues, attribute, sent_at};
use crate::ports::{DeadLetter, DeadLetters, MAX_BATCH, PortError, Queue, Selection};

/// How long a dead letter is hidden while it is looked at.
const LOOK: Duration = Duration::from_secs(30);
/// How long a poll waits. Any wait at all makes SQS ask all its servers.
const WAIT: Duration = Duration::from_secs(1);
/// How often a redrive by the service is checked.
const TASK_INTERVAL: Duration = Duration::from_millis(500);

/// The codes with which a service says that it does not have an operation.
const UNKNOWN_OPERATION: &[&str] =
    &["InvalidAction", "UnknownOperation", "UnknownOperationException"];

#[derive(Debug, Error)]
#[error("the redrive task ended as {status}: {reason}")]
struct TaskFailed {
    status: String,
    reason: String,
}

/// What is done with the chosen dead letters.
#[derive(Clone, Copy)]
enum Fate {
    Redriven,
    Dropped,
}

/// Received dead letters, by id. A later receipt replaces an earlier one.
#[derive(Default)]
struct Held(BTreeMap<String, Message>);

impl Held {
    /// Adds messages. Returns whether any was new.
    fn add(&mut self, messages: Vec<Message>) -> bool {
        let before = self.0.len();
        self.0.extend(
            messages
                .into_iter()
                .map(|message| (message.message_id.clone().unwrap_or_default(), message)),
        );
        self.0.len() > before
    }
}

fn receipts<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<String> {
    messages.into_iter().filter_map(|message| message.receipt_handle.clone()).collect()
}

impl WorkQueues {
    async fn look(&self, queue: Queue, max: usize) -> Result<Vec<Message>, PortError> {
        let poll = Poll { max: max.clamp(1, MAX_BATCH), wait: WAIT, visibility: LOOK };
        self.poll(Mailbox::Dead(queue), poll).await
    }

    /// Receives dead letters until there are enough, or no new ones.
    async fn fill(&self, queue: Queue, limit: usize, held: &mut Held) -> Result<(), PortError> {
        while held.0.len() < limit {
            let found = self.look(queue, limit - held.0.len()).await?;
            if !held.add(found) {
                break;
            }
        }
        Ok(())
    }

    /// Makes messages that were only looked at visible again, in their order.
    async fn release(&self, queue: Queue, held: &Held) -> Result<(), PortError> {
        self.hide(Mailbox::Dead(queue), &receipts(held.0.values()), Duration::ZERO).await
    }

    /// Receives all dead letters, and redrives or drops the chosen ones.
    async fn sweep(
        &self,
        queue: Queue,
        selection: &Selection,
        fate: Fate,
    ) -> Result<u64, PortError> {
        let mut others = Held::default();
        let swept = self.sweep_into(queue, selection, fate, &mut others).await;
        let released = self.release(queue, &others).await;
        let done = swept?;
        released?;
        Ok(done)
    }

    async fn sweep_into(
        &self,
        queue: Queue,
        selection: &Selection,
        fate: Fate,
        others: &mut Held,
    ) -> Result<u64, PortError> {
        let mut done = 0;
        loop {
            let found = self.look(queue, MAX_BATCH).await?;
            let (chosen, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|message| {
                message.message_id.as_deref().is_some_and(|id| selection.includes(id))
            });
            let is_new = others.add(rest);
            if chosen.is_empty() && !is_new {
                return Ok(done);
            }
            let (settled, failure) = match fate {
                Fate::Redriven => self.send_again(queue, chosen).await?,
                Fate::Dropped => (chosen, None),
            };
            self.delete(Mailbox::Dead(queue), &receipts(&settled)).await?;
            if let Some(error) = failure {
                return Err(error);
            }
            done += settled.len() as u64;
            if matches!(selection, Selection::Ids(ids) if done >= ids.len() as u64) {
                return Ok(done);
            }
        }
    }

    /// Sends dead letters to their queue again. Returns those that were sent, and the error of the others.
    async fn send_again(
        &self,
        queue: Queue,
        letters: Vec<Message>,
    ) -> Result<(Vec<Message>, Option<PortError>), PortError> {
        let url = self.url(Mailbox::Live(queue)).await?;
        let size = |index: usize| letters[index].body.as_deref().map_or(0, str::len);
        let calls = cut(0..letters.len(), size);
        let sending = Sending { queues: self, queue, url, messages: &letters };
        let failed = entries::run(&sending, vec![calls], &self.retry()).await?;
        let unsent: BTreeSet<_> = failed.iter().map(|entry| entry.index).collect();
        let sent = letters.into_iter().enumerate().filter(|(index, _)| !unsent.contains(index));
        let sent = sent.map(|(_, letter)| letter).collect();
        Ok((sent, failed.into_iter().next().map(|entry| entry.error)))
    }

    async fn arn(&self, mailbox: Mailbox) -> Result<String, PortError> {
        let call = self.call("GetQueueAttributes", mailbox);
        let request = self.client.get_queue_attributes().queue_url(self.url(mailbox).await?);
        let answer = request.attribute_names(QueueAttributeName::QueueArn).send().await;
        let attributes = answer.map_err(|error| call.failed(error))?.attributes;
        let arn = attributes.and_then(|mut all| all.remove(&QueueAttributeName::QueueArn));
        arn.ok_or_else(|| call.incomplete("queue arn"))
    }

    /// Lets the service move all dead letters back. Returns `None` if it does not have that operation.
    async fn move_all(&self, queue: Queue) -> Result<Option<u64>, PortError> {
        let source = self.arn(Mailbox::Dead(queue)).await?;
        let target = self.arn(Mailbox::Live(queue)).await?;
        let call = self.client.start_message_move_task();
        match call.source_arn(&source).destination_arn(target).send().await {
            Ok(_) => self.await_move(queue, &source).await.map(Some),
            Err(SdkError::ServiceError(context))
                if context.err().code().is_some_and(|code| UNKNOWN_OPERATION.contains(&code)) =>
            {
                Ok(None)
            }
            Err(error) => {
                Err(self.call("StartMessageMoveTask", Mailbox::Dead(queue)).failed(error))
            }
        }
    }

    async fn await_move(&self, queue: Queue, source: &str) -> Result<u64, PortError> {
        let call = self.call("ListMessageMoveTasks", Mailbox::Dead(queue));
        loop {
            let tasks = self.client.list_message_move_tasks().source_arn(source).max_results(1);
            let tasks = tasks.send().await.map_err(|error| call.failed(error))?.results;
            let task = tasks.unwrap_or_default().into_iter().next();
            let task = task.ok_or_else(|| call.incomplete("task"))?;
            match task.status.as_deref() {
                Some("COMPLETED") => return Ok(moved(&task)),
                Some("RUNNING") => tokio::time::sleep(TASK_INTERVAL).await,
                status => {
                    let status = status.unwrap_or("unknown").to_owned();
                    let reason = task.failure_reason.unwrap_or_default();
                    let failed = TaskFailed { status, reason };
                    return Err(PortError::unavailable(call.resource, failed));
                }
            }
        }
    }
}

fn moved(task: &ListMessageMoveTasksResultEntry) -> u64 {
    u64::try_from(task.approximate_number_of_messages_moved).unwrap_or_default()
}

#[async_trait]
impl DeadLetters for WorkQueues {
    async fn dead_letters(&self, queue: Queue, limit: usize) -> Result<Vec<DeadLetter>, PortError> {
        let mut held = Held::default();
        let looked = self.fill(queue, limit, &mut held).await;
        let released = self.release(queue, &held).await;
        looked?;
        released?;
        let mut letters: Vec<_> = held.0.into_values().filter_map(letter).collect();
        letters.sort_by_key(|letter| letter.sent_at);
        Ok(letters)
    }

    async fn redrive(&self, queue: Queue, selection: &Selection) -> Result<u64, PortError> {
        if matches!(selection, Selection::All)
            && let Some(moved) = self.move_all(queue).await?
        {
            return Ok(moved);
        }
        self.sweep(queue, selection, Fate::Redriven).await
    }

    async fn drop_dead_letters(
        &self,
        queue: Queue,
        selection: &Selection,
    ) -> Result<u64, PortError> {
        self.sweep(queue, selection, Fate::Dropped).await
    }
}

/// Converts a message. How often it was received before is not known, because SQS counts from zero in the
/// queue of dead letters.
fn letter(message: Message) -> Option<DeadLetter> {
    Some(DeadLetter {
        sent_at: sent_at(&message)?,
        group: attribute(&message, &MessageSystemAttributeName::MessageGroupId),
        id: message.message_id?,
        body: message.body?,
        receive_count: None,
    })
}
