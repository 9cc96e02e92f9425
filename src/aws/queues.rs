//! The queues.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use tokio::time::Instant;
use tracing::warn;

use super::entries::{self, BYTES_PER_CALL, cut};
use super::names::Mailbox;
use super::queue_batches::{ByReceipt, Sending, check_fifo_id};
use super::queue_client::{Poll, WorkQueues, attribute, sent_at, whole_secs};
use crate::ports::{
    Chain, Depth, FailedEntry, MAX_BATCH, MAX_DELAY, Outgoing, PortError, Posting, Queue, Queues,
    Receipt, Received,
};

/// The longest wait of a receive in one call.
const MAX_WAIT: Duration = Duration::from_secs(20);
/// How many messages it takes until one more lane sends at the same time.
const MESSAGES_PER_LANE: usize = 100;
const MAX_LANES: usize = 8;

impl WorkQueues {
    /// Deletes messages whose receipts are still valid.
    pub(super) async fn delete(
        &self,
        mailbox: Mailbox,
        receipts: &[String],
    ) -> Result<(), PortError> {
        self.by_receipt(mailbox, receipts, None).await
    }

    /// Hides messages whose receipts are still valid.
    pub(super) async fn hide(
        &self,
        mailbox: Mailbox,
        receipts: &[String],
        visibility: Duration,
    ) -> Result<(), PortError> {
        self.by_receipt(mailbox, receipts, Some(whole_secs(visibility))).await
    }

    async fn by_receipt(
        &self,
        mailbox: Mailbox,
        receipts: &[String],
        hidden_secs: Option<i32>,
    ) -> Result<(), PortError> {
        let url = self.url(mailbox).await?;
        let batch = ByReceipt { queues: self, mailbox, url, receipts, hidden_secs };
        let calls = vec![cut(0..receipts.len(), |_| 0)];
        let failed = entries::run(&batch, calls, &self.retry()).await?;
        failed.into_iter().next().map_or(Ok(()), |entry| Err(entry.error))
    }
}

/// Returns an error if a message cannot be sent to a queue at all.
fn check(queue: Queue, message: &Outgoing) -> Result<(), PortError> {
    let why = match message.posting {
        _ if message.body.len() > BYTES_PER_CALL => {
            format!("its body takes {} bytes, {BYTES_PER_CALL} are allowed", message.body.len())
        }
        Posting::Fifo { .. } if !queue.is_fifo() => "the queue has no groups".to_owned(),
        Posting::Standard { .. } if queue.is_fifo() => "the queue needs a group".to_owned(),
        Posting::Standard { delay } if delay > MAX_DELAY => {
            format!("it is delayed by {} s, {} are allowed", delay.as_secs(), MAX_DELAY.as_secs())
        }
        Posting::Fifo { group, deduplication } => {
            check_fifo_id("group", &group.to_string())?;
            return check_fifo_id("deduplication", &deduplication.to_string());
        }
        Posting::Standard { .. } => return Ok(()),
    };
    Err(PortError::rejected(format!("message to queue `{queue}`"), why))
}

/// Distributes messages over lanes. Each group stays in one lane, so that its order is kept.
fn lanes(messages: &[Outgoing], sendable: &[usize]) -> Vec<Vec<Vec<usize>>> {
    let count = (sendable.len() / MESSAGES_PER_LANE).clamp(1, MAX_LANES);
    let mut lanes = vec![vec![]; count];
    for &index in sendable {
        let lane = match messages[index].posting {
            Posting::Standard { .. } => index % count,
            Posting::Fifo { group, .. } => {
                let mut hasher = DefaultHasher::new();
                group.hash(&mut hasher);
                usize::try_from(hasher.finish() % count as u64).unwrap_or_default()
            }
        };
        lanes[lane].push(index);
    }
    lanes.into_iter().map(|lane| cut(lane, |index| messages[index].body.len())).collect()
}

#[async_trait]
impl Queues for WorkQueues {
    async fn send(
        &self,
        queue: Queue,
        messages: &[Outgoing],
    ) -> Result<Vec<FailedEntry>, PortError> {
        let mut failed = vec![];
        let mut sendable = vec![];
        for (index, message) in messages.iter().enumerate() {
            match check(queue, message) {
                Ok(()) => sendable.push(index),
                Err(error) => failed.push(FailedEntry { index, error }),
            }
        }
        if sendable.is_empty() {
            return Ok(failed);
        }
        let url = self.url(Mailbox::Live(queue)).await?;
        let sending = Sending { queues: self, queue, url, messages };
        let lanes = lanes(messages, &sendable);
        failed.extend(entries::run(&sending, lanes, &self.retry()).await?);
        Ok(failed)
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Received>, PortError> {
        let max = max.clamp(1, MAX_BATCH);
        let started = Instant::now();
        loop {
            let wait = wait.saturating_sub(started.elapsed());
            let poll = Poll { max, wait: wait.min(MAX_WAIT), visibility };
            let messages = self.poll(Mailbox::Live(queue), poll).await?;
            if !messages.is_empty() || wait <= MAX_WAIT {
                return Ok(self.readable(queue, messages));
            }
        }
    }

    fn receivers(&self) -> usize {
        1
    }

    async fn acknowledge(&self, queue: Queue, receipts: &[Receipt]) -> Result<(), PortError> {
        self.delete(Mailbox::Live(queue), &handles(receipts)).await
    }

    async fn change_visibility(
        &self,
        queue: Queue,
        receipts: &[Receipt],
        visibility: Duration,
    ) -> Result<(), PortError> {
        self.hide(Mailbox::Live(queue), &handles(receipts), visibility).await
    }

    async fn depth(&self, queue: Queue) -> Result<Depth, PortError> {
        let visible = QueueAttributeName::ApproximateNumberOfMessages;
        let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        let delayed = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
        let live = [visible.clone(), hidden.clone(), delayed];
        let [waiting, in_flight, delayed] = self.counts(Mailbox::Live(queue), live).await?;
        let dead = self.counts(Mailbox::Dead(queue), [visible, hidden]).await?;
        Ok(Depth { waiting, in_flight, delayed, dead: dead.iter().sum() })
    }
}

impl WorkQueues {
    /// Returns the messages that have every required attribute. Each of the others fails alone: it stays
    /// hidden and is delivered again, and after too many receives it is a dead letter. Messages behind it
    /// in its group wait for it, so that none is handled out of order.
    fn readable(&self, queue: Queue, messages: Vec<Message>) -> Vec<Received> {
        let mut received = Vec::with_capacity(messages.len());
        let mut waiting = HashSet::new();
        for message in messages {
            let id = message.message_id.clone().unwrap_or_default();
            let group = attribute(&message, &MessageSystemAttributeName::MessageGroupId);
            if group.as_ref().is_some_and(|group| waiting.contains(group)) {
                continue;
            }
            match self.received(queue, message) {
                Ok(message) => received.push(message),
                Err(error) => {
                    warn!(%queue, id, error = %Chain(&error), "a message was not taken");
                    waiting.extend(group);
                }
            }
        }
        received
    }

    fn received(&self, queue: Queue, message: Message) -> Result<Received, PortError> {
        let call = self.call("ReceiveMessage", Mailbox::Live(queue));
        let count = attribute(&message, &MessageSystemAttributeName::ApproximateReceiveCount);
        let receive_count = count.and_then(|count| count.parse().ok());
        Ok(Received {
            receive_count: receive_count.ok_or_else(|| call.incomplete("receive count"))?,
            sent_at: sent_at(&message).ok_or_else(|| call.incomplete("sent timestamp"))?,
            group: attribute(&message, &MessageSystemAttributeName::MessageGroupId),
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receipt: message
                .receipt_handle
                .map(Receipt)
                .ok_or_else(|| call.incomplete("receipt handle"))?,
        })
    }
}

fn handles(receipts: &[Receipt]) -> Vec<String> {
    receipts.iter().map(|receipt| receipt.0.clone()).collect()
}
