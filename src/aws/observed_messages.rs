//! What calls to SQS, SNS and API Gateway ask for and cost. The services do not report this, so it is
//! derived.

use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionInput;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_sns::operation::publish_batch::PublishBatchInput;
use aws_sdk_sqs::operation::change_message_visibility_batch::ChangeMessageVisibilityBatchInput;
use aws_sdk_sqs::operation::delete_message_batch::DeleteMessageBatchInput;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesInput;
use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlInput;
use aws_sdk_sqs::operation::receive_message::{ReceiveMessageInput, ReceiveMessageOutput};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchInput;

use super::billable::Billable;
use super::names::Names;
use crate::meter::rules::{gateway_messages, publish_requests, queue_requests};
use crate::meter::{Action, Operation, Used};

/// Returns what a call asks for, if it is billed.
pub(super) fn asked(
    context: &mut BeforeSerializationInterceptorContextMut<'_>,
    names: &Names,
) -> Option<Billable> {
    let of = |url: Option<&String>, action, items: usize, bytes: usize| {
        let name = url?.rsplit('/').next()?;
        let operation = Operation::queue(names.queue_of(name)?, action);
        Some(asked_of(operation, items, bytes, queue_requests(bytes as u64)))
    };
    let input = context.input();
    if let Some(receive) = input.downcast_ref::<ReceiveMessageInput>() {
        return of(receive.queue_url.as_ref(), Action::Receive, 0, 0);
    }
    if let Some(send) = input.downcast_ref::<SendMessageBatchInput>() {
        let entries = send.entries.as_deref().unwrap_or_default();
        let bytes = entries.iter().map(|entry| entry.message_body.len()).sum();
        return of(send.queue_url.as_ref(), Action::Send, entries.len(), bytes);
    }
    if let Some(delete) = input.downcast_ref::<DeleteMessageBatchInput>() {
        let count = delete.entries.as_ref().map_or(0, Vec::len);
        return of(delete.queue_url.as_ref(), Action::Delete, count, 0);
    }
    if let Some(hide) = input.downcast_ref::<ChangeMessageVisibilityBatchInput>() {
        let count = hide.entries.as_ref().map_or(0, Vec::len);
        return of(hide.queue_url.as_ref(), Action::Hide, count, 0);
    }
    if let Some(inspect) = input.downcast_ref::<GetQueueAttributesInput>() {
        return of(inspect.queue_url.as_ref(), Action::Inspect, 0, 0);
    }
    if let Some(find) = input.downcast_ref::<GetQueueUrlInput>() {
        return of(find.queue_name.as_ref(), Action::Inspect, 0, 0);
    }
    if let Some(publish) = input.downcast_ref::<PublishBatchInput>() {
        let entries = publish.publish_batch_request_entries.as_deref().unwrap_or_default();
        let bytes = entries.iter().map(|entry| entry.message.len());
        let bytes: usize = bytes.sum();
        let units = publish_requests(bytes as u64);
        return Some(asked_of(Operation::PUBLISH, entries.len(), bytes, units));
    }
    let push = input.downcast_ref::<PostToConnectionInput>()?;
    let bytes = push.data.as_ref().map_or(0, |data| data.as_ref().len());
    Some(asked_of(Operation::FRAME_OUT, 1, bytes, gateway_messages(bytes as u64)))
}

const fn asked_of(operation: Operation, items: usize, bytes: usize, milliunits: u64) -> Billable {
    Billable { operation, items: items as u64, bytes: bytes as u64, milliunits, consistent: false }
}

/// Returns what an attempt is billed as, if it was answered.
pub(super) fn used(context: &FinalizerInterceptorContextRef<'_>, asked: &Billable) -> Option<Used> {
    let output = match context.output_or_error()? {
        Ok(output) => output,
        // For example, a push to a connection that is gone: no message was delivered.
        Err(_) => return None,
    };
    if let Some(received) = output.downcast_ref::<ReceiveMessageOutput>() {
        let messages = received.messages.as_deref().unwrap_or_default();
        let bytes = messages.iter().filter_map(|message| message.body.as_ref()).map(String::len);
        let bytes = bytes.sum::<usize>() as u64;
        return Some(Used::derived(1, messages.len() as u64, bytes, queue_requests(bytes)));
    }
    // Any other answer means that everything was accepted, or at least billed.
    Some(Used::derived(1, asked.items, asked.bytes, asked.milliunits))
}
