//! Tests of batches: what fails comes again, in order and after its backoff; what succeeds does not.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::time::Instant;

use super::stack::{Delivered, Stack, TIMEOUT, VISIBILITY, batches, event};
use crate::lambda::EventError;
use crate::model::{Calculation, Cause, DeduplicationId, GroupId, Timestamp, UserId};
use crate::ports::{Outgoing, Ports, Posting, Queue, Received};
use crate::runtime::Handler;
use crate::stages::{Outcome, StageError};

fn order(user: &str, body: Option<&str>) -> Outgoing {
    let expires_at = Timestamp::from_secs(1);
    let user = UserId::new(user).unwrap();
    let order = Calculation { user: user.clone(), cause: Cause::Subscribe { expires_at } };
    Outgoing {
        body: body.map_or_else(|| serde_json::to_string(&order).unwrap(), str::to_owned),
        posting: Posting::Fifo {
            group: GroupId::of(&user),
            deduplication: DeduplicationId::from_random(rand::random()),
        },
    }
}

async fn receive(ports: &Ports, queue: Queue) -> Vec<Received> {
    ports.queues.receive(queue, 10, VISIBILITY * 2, VISIBILITY).await.unwrap()
}

/// A stage that fails the messages whose body is `bad`.
struct Picky;

#[async_trait]
impl Handler for Picky {
    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        let outcome = |message: &Received| match message.body.as_str() {
            "bad" => StageError::NotDue.into(),
            _ => Outcome::Done,
        };
        batch.iter().map(outcome).collect()
    }
}

/// A stage that panics over messages whose body is `bad`.
struct Fragile;

#[async_trait]
impl Handler for Fragile {
    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        assert!(batch.iter().all(|message| message.body != "bad"), "a bad message");
        batch.iter().map(|_| Outcome::Done).collect()
    }
}

/// A stage that never ends.
struct Stuck;

#[async_trait]
impl Handler for Stuck {
    async fn handle(&self, _: &[Received]) -> Vec<Outcome> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_read_fails_alone_and_comes_again_after_its_backoff() {
    let stack = Stack::new().await;
    let orders = [order("a", None), order("b", Some("{")), order("c", None)];
    stack.ports.queues.send(Queue::Quotation, &orders).await.unwrap();
    let delivered = stack.deliver(Queue::Quotation).await;
    assert_eq!((delivered.messages, delivered.failed.len()), (3, 1));
    for (user, calculated) in [("a", true), ("b", false), ("c", true)] {
        let heads = stack.ports.store.table_heads(&[UserId::new(user).unwrap()]).await.unwrap();
        assert_eq!(heads.len(), usize::from(calculated), "{user}");
    }
    let failed_at = Instant::now();
    let again = receive(&stack.ports, Queue::Quotation).await;
    assert_eq!((again.len(), &again[0].id, again[0].receive_count), (1, &delivered.failed[0], 2));
    assert_eq!(failed_at.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn later_messages_of_a_group_come_again_behind_the_one_that_failed_or_panicked() {
    for stage in [Arc::new(Picky) as Arc<dyn Handler>, Arc::new(Fragile)] {
        let stack = Stack::new().await;
        let function = batches(&stack.ports, &[Queue::Quotation], stage);
        let orders = [("a", "1"), ("b", "bad"), ("a", "2"), ("b", "3"), ("c", "4"), ("b", "bad")];
        let orders = orders.map(|(user, body)| order(user, Some(body)));
        stack.ports.queues.send(Queue::Quotation, &orders).await.unwrap();
        let delivered = stack.deliver_to(&function, Queue::Quotation).await;
        assert_eq!((delivered.messages, delivered.failed.len()), (6, 3));
        let again = receive(&stack.ports, Queue::Quotation).await;
        let bodies: Vec<_> = again.iter().map(|message| message.body.as_str()).collect();
        assert_eq!(bodies, ["bad", "3", "bad"]);
        assert!(again.iter().all(|message| delivered.failed.contains(&message.id)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_takes_too_long_is_ended_before_the_function_is() {
    let stack = Stack::new().await;
    let function = batches(&stack.ports, &[Queue::Quotation], Arc::new(Stuck));
    stack.ports.queues.send(Queue::Quotation, &[order("a", None)]).await.unwrap();
    let began = Instant::now();
    let delivered = stack.deliver_to(&function, Queue::Quotation).await;
    assert_eq!((delivered.messages, delivered.failed.len()), (1, 1));
    assert_eq!(began.elapsed(), TIMEOUT - Duration::from_secs(1));
    // The message is visible again, so another process can receive it.
    assert_eq!(receive(&stack.ports, Queue::Quotation).await[0].id, delivered.failed[0]);
}

#[tokio::test]
async fn an_empty_queue_is_no_fault() {
    let stack = Stack::new().await;
    assert_eq!(stack.deliver(Queue::Refresh).await, Delivered::NOTHING);
}

#[tokio::test]
async fn messages_of_other_queues_are_refused_whole() {
    let stack = Stack::new().await;
    let function = batches(&stack.ports, &[Queue::Quotation], Arc::new(Picky));
    stack.ports.queues.send(Queue::Refresh, &[order("a", None)]).await.unwrap();
    let batch = receive(&stack.ports, Queue::Refresh).await;
    let deadline = stack.ports.clock.now().plus(TIMEOUT);
    let foreign = function.handle(event(Queue::Refresh, &batch), deadline).await;
    assert!(
        matches!(foreign, Err(EventError::Queue { source_arn }) if source_arn.ends_with("organic-cache-refresh.fifo"))
    );

    let mut nameless = json!(event(Queue::Quotation, &batch));
    nameless["Records"][0]["messageId"] = json!(null);
    let nameless = function.handle(serde_json::from_value(nameless).unwrap(), deadline).await;
    assert!(matches!(nameless, Err(EventError::Incomplete { field: "message id" })));
}

#[tokio::test]
async fn a_message_without_an_attribute_fails_alone() {
    let stack = Stack::new().await;
    let function = batches(&stack.ports, &[Queue::Quotation], Arc::new(Picky));
    let orders = ["a", "b", "a"].map(|user| order(user, None));
    stack.ports.queues.send(Queue::Quotation, &orders).await.unwrap();
    let batch = receive(&stack.ports, Queue::Quotation).await;
    let deadline = stack.ports.clock.now().plus(TIMEOUT);
    let of_a = batch.iter().filter(|message| message.group == batch[0].group);
    let of_a: Vec<&str> = of_a.map(|message| &*message.id).collect();
    for attribute in ["ApproximateReceiveCount", "SentTimestamp"] {
        let mut event = json!(event(Queue::Quotation, &batch));
        event["Records"][0]["attributes"].as_object_mut().unwrap().remove(attribute).unwrap();
        let response = function.handle(serde_json::from_value(event).unwrap(), deadline).await;
        let failures = response.unwrap().batch_item_failures;
        let failed: Vec<_> = failures.iter().map(|one| &*one.item_identifier).collect();
        assert_eq!(failed, of_a, "{attribute}: it, and the one behind it in its group");
        assert!(failed.len() < batch.len());
    }
}
