//! Operations on the messages of a queue, up to ten at a time: sending, deleting, hiding.

use async_trait::async_trait;
use aws_sdk_sqs::types::builders::SendMessageBatchRequestEntryBuilder as SendEntry;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName,
    SendMessageBatchRequestEntry,
};

use super::entries::{BatchCall, RefusedEntry, refusals};
use super::errors::Call;
use super::names::Mailbox;
use super::queue_client::{WorkQueues, attribute, whole_secs};
use crate::ports::{Outgoing, PortError, Posting, Queue};

/// The codes for an entry whose receipt is no longer valid. Its message is delivered again, or is already
/// deleted.
const EXPIRED_RECEIPT: &[&str] = &[
    "AWS.SimpleQueueService.MessageNotInflight",
    "InvalidParameterValue",
    "MessageNotInflight",
    "ReceiptHandleIsInvalid",
];
/// The longest time for which a message may be hidden, in seconds.
const MAX_HIDDEN_SECS: i32 = 12 * 60 * 60;
/// The greatest length of an id in a FIFO queue. Emulators do not check it.
const MAX_ID_CHARS: usize = 128;

fn refused(entry: BatchResultErrorEntry) -> Option<RefusedEntry> {
    RefusedEntry::new(&entry.id, &entry.code, entry.message.as_deref(), entry.sender_fault)
}

fn is_live(entry: &RefusedEntry) -> bool {
    !EXPIRED_RECEIPT.contains(&entry.code.as_str())
}

/// Builds the entries of a request, with their places as ids.
fn request<T, E>(
    call: &Call,
    entries: &[usize],
    build: impl Fn(String, usize) -> Result<T, E>,
) -> Result<Vec<T>, PortError>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let built = entries.iter().enumerate().map(|(place, &entry)| build(place.to_string(), entry));
    built.collect::<Result<_, _>>().map_err(|error| PortError::corrupt(&call.resource, error))
}

/// Returns an error for a group or deduplication id that SQS would refuse.
pub(super) fn check_fifo_id(what: &str, id: &str) -> Result<(), PortError> {
    let fits = (1..=MAX_ID_CHARS).contains(&id.len());
    if fits && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let why = format!("it is not 1 to {MAX_ID_CHARS} visible ASCII characters");
    Err(PortError::rejected(format!("{what} id `{id}`"), why))
}

/// A message that can be sent: a new one, or a dead letter once more.
pub(super) trait Sendable: Sync {
    /// Fills an entry that has its id only.
    fn fill(&self, entry: SendEntry, queues: &WorkQueues, queue: Queue) -> SendEntry;
}

impl Sendable for Outgoing {
    fn fill(&self, entry: SendEntry, _: &WorkQueues, _: Queue) -> SendEntry {
        let entry = entry.message_body(&self.body);
        match self.posting {
            Posting::Fifo { group, deduplication } => entry
                .message_group_id(group.to_string())
                .message_deduplication_id(deduplication.to_string()),
            Posting::Standard { delay } if delay.is_zero() => entry,
            Posting::Standard { delay } => entry.delay_seconds(whole_secs(delay)),
        }
    }
}

impl Sendable for Message {
    fn fill(&self, entry: SendEntry, queues: &WorkQueues, queue: Queue) -> SendEntry {
        entry
            .message_body(self.body.as_deref().unwrap_or_default())
            .set_message_group_id(attribute(self, &MessageSystemAttributeName::MessageGroupId))
            // SQS may remember the old id, and would then drop the message as a duplicate.
            .set_message_deduplication_id(queue.is_fifo().then(|| queues.random_id()))
    }
}

/// Messages to send.
pub(super) struct Sending<'a, M> {
    pub(super) queues: &'a WorkQueues,
    pub(super) queue: Queue,
    pub(super) url: &'a str,
    pub(super) messages: &'a [M],
}

#[async_trait]
impl<M: Sendable> BatchCall for Sending<'_, M> {
    fn what(&self) -> String {
        self.queues.resource(Mailbox::Live(self.queue))
    }

    async fn call(&self, entries: &[usize]) -> Result<Vec<RefusedEntry>, PortError> {
        let call = Call::of("SendMessageBatch", self.what());
        let request = request(&call, entries, |id, index| {
            let entry = SendMessageBatchRequestEntry::builder().id(id);
            self.messages[index].fill(entry, self.queues, self.queue).build()
        })?;
        let client = self.queues.client.send_message_batch().queue_url(self.url);
        let answer = client.set_entries(Some(request)).send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        let sent = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(refusals(entries.len(), sent, answer.failed.into_iter().map(refused)))
    }
}

/// Received messages to delete or to hide, by their receipts.
pub(super) struct ByReceipt<'a> {
    pub(super) queues: &'a WorkQueues,
    pub(super) mailbox: Mailbox,
    pub(super) url: &'a str,
    pub(super) receipts: &'a [String],
    /// For how many seconds they are hidden; `None` if they are deleted.
    pub(super) hidden_secs: Option<i32>,
}

#[async_trait]
impl BatchCall for ByReceipt<'_> {
    fn what(&self) -> String {
        self.queues.resource(self.mailbox)
    }

    async fn call(&self, entries: &[usize]) -> Result<Vec<RefusedEntry>, PortError> {
        let mut refused = match self.hidden_secs {
            None => self.delete(entries).await?,
            Some(secs) => self.hide(entries, secs.min(MAX_HIDDEN_SECS)).await?,
        };
        refused.retain(is_live);
        Ok(refused)
    }
}

impl ByReceipt<'_> {
    async fn delete(&self, entries: &[usize]) -> Result<Vec<RefusedEntry>, PortError> {
        let call = Call::of("DeleteMessageBatch", self.what());
        let request = request(&call, entries, |id, index| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(id);
            entry.receipt_handle(&self.receipts[index]).build()
        })?;
        let client = self.queues.client.delete_message_batch().queue_url(self.url);
        let answer = client.set_entries(Some(request)).send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        let done = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(refusals(entries.len(), done, answer.failed.into_iter().map(refused)))
    }

    async fn hide(&self, entries: &[usize], secs: i32) -> Result<Vec<RefusedEntry>, PortError> {
        let call = Call::of("ChangeMessageVisibilityBatch", self.what());
        let request = request(&call, entries, |id, index| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id);
            entry.receipt_handle(&self.receipts[index]).visibility_timeout(secs).build()
        })?;
        let client = self.queues.client.change_message_visibility_batch().queue_url(self.url);
        let answer = client.set_entries(Some(request)).send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        let done = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(refusals(entries.len(), done, answer.failed.into_iter().map(refused)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifo_ids_are_of_the_real_alphabet_and_length() {
        assert!(check_fifo_id("group", &"0af".repeat(42)).is_ok());
        for id in ["", "José", "a b", "a\n", &"x".repeat(129)] {
            assert!(check_fifo_id("group", id).is_err(), "{id:?}");
        }
    }
}
