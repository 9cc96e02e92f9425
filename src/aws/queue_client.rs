//! The client of the queues, and calls that concern a queue as a whole.

use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use tokio::sync::OnceCell;

use super::backoff::Backoff;
use super::client::AwsClients;
use super::entries::Retry;
use super::errors::Call;
use super::names::{Mailbox, Names};
use crate::model::Timestamp;
use crate::ports::{PortError, Queue, Randomness};

/// The queues of a stack, and their queues of dead letters.
pub(super) struct WorkQueues {
    pub(super) client: Client,
    names: Names,
    randomness: Arc<dyn Randomness>,
    backoff: Backoff,
    timeouts: Timeouts,
    urls: [OnceCell<String>; 2 * Queue::ALL.len()],
}

/// How long a call may take, apart from its wait.
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

/// Returns whole seconds, rounded up, as SQS needs them.
pub(super) fn whole_secs(duration: Duration) -> i32 {
    let secs = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(secs).unwrap_or(i32::MAX)
}

impl WorkQueues {
    pub(super) fn new(
        clients: &AwsClients,
        timeouts: Timeouts,
        randomness: Arc<dyn Randomness>,
        backoff: Backoff,
    ) -> Self {
        let (client, names) = (clients.sqs.clone(), clients.names.clone());
        Self { client, names, randomness, backoff, timeouts, urls: Default::default() }
    }

    /// Returns how messages call a queue.
    pub(super) fn resource(&self, mailbox: Mailbox) -> String {
        format!("queue `{}`", self.names.queue(mailbox))
    }

    /// Returns how errors name a call about a queue.
    pub(super) fn call(&self, action: &'static str, mailbox: Mailbox) -> Call {
        Call { action, resource: self.resource(mailbox) }
    }

    /// Returns 128 random bits as hex, which is valid as every id of SQS.
    pub(super) fn random_id(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.randomness.bits()))
    }

    pub(super) fn retry(&self) -> Retry<'_> {
        Retry { backoff: self.backoff, randomness: &*self.randomness }
    }

    /// Returns the URL of a queue. It is requested once.
    pub(super) async fn url(&self, mailbox: Mailbox) -> Result<&str, PortError> {
        let call = self.call("GetQueueUrl", mailbox);
        let resolve = async || {
            let answer = self.client.get_queue_url().queue_name(self.names.queue(mailbox));
            let answer = answer.send().await.map_err(|error| call.failed(error))?;
            answer.queue_url.ok_or_else(|| call.incomplete("queue url"))
        };
        self.urls[mailbox.index()].get_or_try_init(resolve).await.map(String::as_str)
    }

    /// Receives once. The service may wait as long as it is told to, and its answer may then take as long
    /// as any other answer.
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
            // If an answer is lost, its groups stay locked. With this id the SDK's next attempt counts as
            // the same receive.
            call.receive_request_attempt_id(self.random_id())
        } else {
            call
        };
        let call = call
            .customize()
            .config_override(aws_sdk_sqs::Config::builder().timeout_config(timeouts));
        let sent = call.send().await;
        let answer = sent.map_err(|error| self.call("ReceiveMessage", mailbox).failed(error))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Returns figures of a queue, by name.
    pub(super) async fn counts<const N: usize>(
        &self,
        mailbox: Mailbox,
        names: [QueueAttributeName; N],
    ) -> Result<[u64; N], PortError> {
        let call = self.client.get_queue_attributes().queue_url(self.url(mailbox).await?);
        let context = self.call("GetQueueAttributes", mailbox);
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

pub(super) fn attribute(message: &Message, name: &MessageSystemAttributeName) -> Option<String> {
    message.attributes.as_ref()?.get(name).cloned()
}

pub(super) fn sent_at(message: &Message) -> Option<Timestamp> {
    let millis = attribute(message, &MessageSystemAttributeName::SentTimestamp)?;
    millis.parse().ok().map(Timestamp::from_millis)
}
