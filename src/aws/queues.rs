//! The queues.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tracing::warn;

use super::backoff::Backoff;
use super::client::Clients;
use super::entries::{self, BYTES_PER_CALL, Batch, Retry, cut};
use super::errors::Call;
use super::names::{Mailbox, Names};
use super::queue_batches::{Deletion, Hiding, Sending, check_fifo_id};
use crate::model::Timestamp;
use crate::ports::{
    Chain, Depth, FailedEntry, MAX_BATCH, MAX_DELAY, Outgoing, PortError, Posting, Queue, Queues,
    Randomness, Receipt, Received,
};

/// The longest a receive may wait in one call.
const MAX_WAIT: Duration = Duration::from_secs(20);
/// From this many messages on, another lane sends at the same time.
const MESSAGES_PER_LANE: usize = 100;
const MAX_LANES: usize = 8;

/// The queues of a stack, and the queues of their dead letters.
pub(super) struct WorkQueues {
    client: Client,
    names: Names,
    randomness: Arc<dyn Randomness>,
    backoff: Backoff,
    timeouts: Timeouts,
    urls: [OnceCell<String>; 2 * Queue::ALL.len()],
}

/// How long a call may take, apart from what it is told to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    pub(super) attempt: Duration,
    pub(super) operation: Duration,
}

/// One long poll.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poll {
    pub(super) max: usize,
    pub(super) wait: Duration,
    pub(super) visibility: Duration,
}

/// Whole seconds, rounded up: what SQS counts in.
pub(super) fn whole_secs(duration: Duration) -> i32 {
    let secs = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(secs).unwrap_or(i32::MAX)
}

impl WorkQueues {
    pub(super) fn new(
        clients: &Clients,
        timeouts: Timeouts,
        randomness: Arc<dyn Randomness>,
        backoff: Backoff,
    ) -> Self {
        let (client, names) = (clients.sqs.clone(), clients.names.clone());
        Self { client, names, randomness, backoff, timeouts, urls: Default::default() }
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// What messages call a queue.
    pub(super) fn resource(&self, mailbox: Mailbox) -> String {
        format!("queue `{}`", self.names.queue(mailbox))
    }

    /// 128 bits as hex, which fits every id of SQS.
    pub(super) fn random_id(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.randomness.bits()))
    }

    pub(super) fn retry(&self) -> Retry<'_> {
        Retry { backoff: self.backoff, randomness: &*self.randomness }
    }

    /// The URL of a queue, asked for once.
    pub(super) async fn url(&self, mailbox: Mailbox) -> Result<&str, PortError> {
        let resource = self.resource(mailbox);
        let call = Call { action: "GetQueueUrl", resource: &resource };
        let resolve = async || {
            let answer = self.client.get_queue_url().queue_name(self.names.queue(mailbox));
            let answer = answer.send().await.map_err(|error| call.failed(error))?;
            answer.queue_url.ok_or_else(|| call.incomplete("queue url"))
        };
        self.urls[mailbox.index()].get_or_try_init(resolve).await.map(String::as_str)
    }

    /// Receives once. The service may wait as long as it is told to, and its answer may then take
    /// as long as any other.
    pub(super) async fn poll(
        &self,
        mailbox: Mailbox,
        poll: Poll,
    ) -> Result<Vec<Message>, PortError> {
        let url = self.url(mailbox).await?;
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(poll.wait + self.timeouts.attempt)
            .operation_timeout(poll.wait + self.timeouts.operation)
            .build();
        let call = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(i32::try_from(poll.max).unwrap_or(i32::MAX))
            .wait_time_seconds(whole_secs(poll.wait))
            .visibility_timeout(whole_secs(poll.visibility))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let call = if mailbox.queue().is_fifo() {
            // An answer that is lost leaves its groups locked, unless the SDK's next attempt can
            // say that it is the same receive.
            call.receive_request_attempt_id(self.random_id())
        } else {
            call
        };
        let call = call
            .customize()
            .config_override(aws_sdk_sqs::Config::builder().timeout_config(timeouts));
        let answer = call.send().await.map_err(|error| {
            Call { action: "ReceiveMessage", resource: &self.resource(mailbox) }.failed(error)
        })?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Deletes messages whose receipts are still good.
    pub(super) async fn delete(
        &self,
        mailbox: Mailbox,
        receipts: &[String],
    ) -> Result<(), PortError> {
        let url = self.url(mailbox).await?;
        self.all_or_error(&Deletion { queues: self, mailbox, url, receipts }, receipts.len()).await
    }

    /// Hides messages whose receipts are still good.
    pub(super) async fn hide(
        &self,
        mailbox: Mailbox,
        receipts: &[String],
        visibility: Duration,
    ) -> Result<(), PortError> {
        let url = self.url(mailbox).await?;
        let hiding = Hiding { queues: self, mailbox, url, receipts, secs: whole_secs(visibility) };
        self.all_or_error(&hiding, receipts.len()).await
    }

    async fn all_or_error(&self, batch: &dyn Batch, count: usize) -> Result<(), PortError> {
        let failed = entries::run(batch, vec![cut(0..count, |_| 0)], &self.retry()).await?;
        match failed.into_iter().next() {
            None => Ok(()),
            Some(entry) => Err(entry.error),
        }
    }

    /// Figures of a queue, by name.
    pub(super) async fn counts<const N: usize>(
        &self,
        mailbox: Mailbox,
        names: [QueueAttributeName; N],
    ) -> Result<[u64; N], PortError> {
        let call = self.client.get_queue_attributes().queue_url(self.url(mailbox).await?);
        let resource = self.resource(mailbox);
        let context = Call { action: "GetQueueAttributes", resource: &resource };
        let answer = call.set_attribute_names(Some(names.to_vec())).send().await;
        let figures = answer.map_err(|error| context.failed(error))?.attributes.unwrap_or_default();
        let mut counts = [0; N];
        for (count, name) in counts.iter_mut().zip(&names) {
            let figure = figures.get(name).and_then(|figure| figure.parse().ok());
            *count = figure.ok_or_else(|| context.incomplete("message counts"))?;
        }
        Ok(counts)
    }
}

/// Why a message cannot be sent to a queue at all.
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

/// Deals messages to lanes, each group to one lane, so that it stays in order.
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
    /// The messages that came with all that is needed. Each of the others fails alone: it stays hidden
    /// and comes again, and once it has come too often it is a dead letter. Those behind it in its
    /// group wait for it, so that none is handled out of order.
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
        let resource = self.resource(Mailbox::Live(queue));
        let call = Call { action: "ReceiveMessage", resource: &resource };
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

pub(super) fn attribute(message: &Message, name: &MessageSystemAttributeName) -> Option<String> {
    message.attributes.as_ref()?.get(name).cloned()
}

pub(super) fn sent_at(message: &Message) -> Option<Timestamp> {
    let millis = attribute(message, &MessageSystemAttributeName::SentTimestamp)?;
    millis.parse().ok().map(Timestamp::from_millis)
}

fn handles(receipts: &[Receipt]) -> Vec<String> {
    receipts.iter().map(|receipt| receipt.0.clone()).collect()
}
