//! Frames of the websocket, and what becomes of them.

use super::stack::{Delivered, Stack, frame_event, texts, to};
use crate::lambda::EventError;
use crate::ports::Queue;

const QUOTE: &str = r#"{"action":"quote","client":"AAA","request_id":"7",
    "items":[{"product":"P1","quantity":2},{"product":"P9","quantity":1}]}"#;

/// From the frame to the answer: provider, no table, calculation, provider again.
async fn quote_cold(stack: &Stack, connection: &str) {
    let accepted = stack.send(connection, QUOTE).await;
    assert_eq!(
        (&accepted[0]["type"], &accepted[0]["request_id"]),
        (&"accepted".into(), &"7".into())
    );
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::all(1));
    // The quotation's order; its visit sends none.
    assert_eq!(stack.deliver(Queue::Quotation).await, Delivered::all(1));
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::all(1));
}

#[tokio::test(start_paused = true)]
async fn a_quote_is_acknowledged_and_its_answer_is_pushed() {
    let stack = Stack::new().await;
    quote_cold(&stack, "c1").await;
    let answer = stack.pushed("c1").unwrap();
    assert_eq!(answer["status"], "answered", "{answer}");
    assert_eq!((&answer["total"], &answer["unavailable"][0]), (&"1000.00".into(), &"P9".into()));
    assert_eq!(stack.pushed("c1"), None);
}

#[tokio::test(start_paused = true)]
async fn a_quote_that_was_answered_before_is_answered_at_once() {
    let stack = Stack::new().await;
    quote_cold(&stack, "c1").await;
    let first = stack.pushed("c1").unwrap();
    let replies = stack.send("c2", QUOTE).await;
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0]["type"], "accepted");
    assert_eq!(stack.pushed("c2").unwrap(), first);
    let get = r#"{"action":"get","client":"AAA","request_id":"7"}"#;
    assert_eq!(stack.send("c3", get).await, [first]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_left_costs_no_retry() {
    let stack = Stack::new().await;
    stack.connections.close(&to("c1"));
    quote_cold(&stack, "c1").await;
    assert_eq!(stack.pushed("c1"), None);
    assert_eq!(stack.ports.queues.depth(Queue::Provider).await.unwrap().waiting, 0);
    let get = r#"{"action":"get","client":"AAA","request_id":"7"}"#;
    assert_eq!(stack.send("c2", get).await[0]["status"], "answered");
}

#[tokio::test]
async fn clients_of_the_original_protocol_are_understood() {
    let stack = Stack::new().await;
    let quote = r#"{"action":"MESSAGE","payload":{"message":{"user_id":"AAA",
        "products":[{"id":"P1","qtd":2}]}}}"#;
    assert_eq!(stack.send("c1", quote).await[0]["message"], "quotation under analisys");
    assert_eq!(stack.send("c1", r#"{"action":"PING"}"#).await[0]["message"], "pong !");
}

#[tokio::test]
async fn what_is_no_request_gets_an_error_and_costs_nothing() {
    let stack = Stack::new().await;
    assert_eq!(stack.send("c1", r#"{"action":"ping"}"#).await[0]["type"], "pong");
    assert_eq!(stack.send("c1", "hello").await[0]["code"], "not_json");
    assert_eq!(stack.send("c1", r#"{"action":"buy"}"#).await[0]["code"], "unknown_action");
    let mut binary = frame_event("c1", "AAA=", "abc123");
    binary.is_base64_encoded = true;
    let reply = texts(stack.frames.handle(binary).await);
    assert!(reply[0].contains("not_text"), "{reply:?}");
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::NOTHING);
}

#[tokio::test]
async fn a_frame_of_another_api_is_not_accepted() {
    let stack = Stack::new().await;
    let foreign = stack.frames.handle(frame_event("c1", QUOTE, "xyz789")).await;
    assert!(matches!(foreign, Err(EventError::Api { api, .. }) if api == "xyz789"));
    let mut nameless = frame_event("c1", QUOTE, "abc123");
    nameless.request_context.connection_id = None;
    let nameless = stack.frames.handle(nameless).await;
    assert!(matches!(nameless, Err(EventError::Incomplete { field: "connection" })));
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::NOTHING);
}
