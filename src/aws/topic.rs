//! The topic.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sns::types::{BatchResultErrorEntry, PublishBatchRequestEntry};
use tokio::sync::OnceCell;

use super::backoff::Backoff;
use super::client::AwsClients;
use super::entries::{self, BYTES_PER_CALL, BatchCall, RefusedEntry, Retry, cut, refusals};
use super::errors::Call;
use crate::ports::{FailedEntry, PortError, Randomness, Topic};

/// The Quotations Topic of a stack.
pub(super) struct QuotationsTopic {
    clients: AwsClients,
    randomness: Arc<dyn Randomness>,
    backoff: Backoff,
    /// Built from the topic's name and the caller's account. To ask AWS for it would mean to list all
    /// topics, or to create it. Whether the topic exists shows at the first publish.
    arn: OnceCell<String>,
}

impl QuotationsTopic {
    pub(super) fn new(
        clients: AwsClients,
        randomness: Arc<dyn Randomness>,
        backoff: Backoff,
    ) -> Self {
        Self { clients, randomness, backoff, arn: OnceCell::new() }
    }

    async fn arn(&self) -> Result<&str, PortError> {
        let resolve = async || {
            let identity = self.clients.identity().await?;
            Ok(identity.arn_of("sns", &self.clients.names.topic()))
        };
        self.arn.get_or_try_init(resolve).await.map(String::as_str)
    }
}

struct Publishing<'a> {
    clients: &'a AwsClients,
    arn: &'a str,
    bodies: &'a [String],
}

fn refused(entry: BatchResultErrorEntry) -> Option<RefusedEntry> {
    RefusedEntry::new(&entry.id, &entry.code, entry.message.as_deref(), entry.sender_fault)
}

#[async_trait]
impl BatchCall for Publishing<'_> {
    fn what(&self) -> String {
        format!("topic `{}`", self.clients.names.topic())
    }

    async fn call(&self, entries: &[usize]) -> Result<Vec<RefusedEntry>, PortError> {
        let call = Call::of("PublishBatch", self.what());
        let request = entries.iter().enumerate().map(|(place, &index)| {
            let entry = PublishBatchRequestEntry::builder().id(place.to_string());
            entry.message(&self.bodies[index]).build()
        });
        let request = request.collect::<Result<_, _>>();
        let request = request.map_err(|error| PortError::corrupt(&call.resource, error))?;
        let publish = self.clients.sns.publish_batch().topic_arn(self.arn);
        let answer = publish.set_publish_batch_request_entries(Some(request)).send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        let published = answer.successful().iter().filter_map(|entry| entry.id());
        let failed = answer.failed().iter().cloned().map(refused);
        Ok(refusals(entries.len(), published, failed))
    }
}

#[async_trait]
impl Topic for QuotationsTopic {
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        let (sendable, too_large): (Vec<_>, Vec<_>) =
            (0..bodies.len()).partition(|&index| bodies[index].len() <= BYTES_PER_CALL);
        let mut failed: Vec<_> = too_large
            .into_iter()
            .map(|index| {
                let bytes = bodies[index].len();
                let why = format!("its body takes {bytes} bytes, {BYTES_PER_CALL} are allowed");
                FailedEntry { index, error: PortError::rejected("message to the topic", why) }
            })
            .collect();
        if sendable.is_empty() {
            return Ok(failed);
        }
        let publishing = Publishing { clients: &self.clients, arn: self.arn().await?, bodies };
        let calls = cut(sendable, |index| bodies[index].len());
        let retry = Retry { backoff: self.backoff, randomness: &*self.randomness };
        failed.extend(entries::run(&publishing, vec![calls], &retry).await?);
        Ok(failed)
    }
}
