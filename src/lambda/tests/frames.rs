//! Tests of the frames of the websocket.

use std::sync::Arc;

use super::stack::{Delivered, Stack, frame_event, frames, texts, to};
use super::tokens::Log;
use crate::lambda::EventError;
use crate::lambda::granted::Authorization;
use crate::lambda::websocket::Frames;
use crate::ports::Ports;
use crate::ports::prelude::*;

const QUOTE: &str = r#"{"action":"quote","client":"AAA","request_id":"7",
    "items":[{"product":"P1","quantity":2},{"product":"P9","quantity":1}]}"#;

/// Sends a cold quote and delivers its messages: provider, no table, calculation, provider again.
async fn quote_cold(stack: &Stack, connection: &str) {
    let accepted = stack.send(connection, QUOTE).await;
    assert_eq!(
        (&accepted[0]["type"], &accepted[0]["request_id"]),
        (&"accepted".into(), &"7".into())
    );
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::all(1));
    // This order comes from the quotation. The visit sends none.
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

/// Connections and queues that can be made to fail.
struct Failing {
    inner: Ports,
    pushes: bool,
    sends: bool,
}

fn failing(what: &str) -> PortError {
    PortError::Throttled { what: what.to_owned() }
}

layer!(
    #[over(inner.connections)]
    impl Connections for Failing {
        async fn push(&self, to: _, frame: _) -> _ {
            match self.pushes {
                true => Err(failing("the push")),
                false => self.inner.connections.push(to, frame).await,
            }
        }
    }
);

layer!(
    #[over(inner.queues)]
    impl Queues for Failing {
        async fn send(&self, queue: _, messages: _) -> _ {
            match self.sends {
                true => Err(failing("the queue")),
                false => self.inner.queues.send(queue, messages).await,
            }
        }
    }
);

/// Returns the function behind the frames of a stack in which pushes fail, and sends too if `sends` is
/// true.
fn frames_with_failing_pushes(stack: &Stack, sends: bool) -> Frames {
    let failing = Arc::new(Failing { inner: stack.ports.clone(), pushes: true, sends });
    let ports =
        Ports { connections: failing.clone(), queues: failing.clone(), ..stack.ports.clone() };
    frames(&ports, Authorization::None)
}

/// Returns [`QUOTE`] with another id.
fn another_quote() -> String {
    QUOTE.replace("\"7\"", "\"8\"")
}

#[tokio::test(start_paused = true)]
async fn a_warm_quote_is_pushed_before_it_is_acknowledged_and_sends_no_message() {
    let stack = Stack::new().await;
    quote_cold(&stack, "c1").await;
    let first = stack.pushed("c1").unwrap();
    while stack.deliver(Queue::Provider).await != Delivered::NOTHING {}
    let log = Log::default();
    let logging = log.start();
    let accepted = stack.send("c2", &another_quote()).await;
    drop(logging);
    assert_eq!(accepted[0]["type"], "accepted");
    // One line, as it is billed, and it names the customer and the request.
    let log = log.text();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(" INFO ")).collect();
    assert!(lines.len() == 1 && lines[0].contains("user=AAA request=8"), "{log}");
    let answer = stack.pushed("c2").unwrap();
    assert_eq!((&answer["request_id"], &answer["total"]), (&"8".into(), &first["total"]));
    assert_eq!(stack.pushed("c2"), None);
    let waiting = stack.ports.queues.depth(Queue::Provider).await.unwrap();
    assert_eq!((waiting.waiting, waiting.delayed), (0, 1), "only the deadline of the cold quote");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_pushed_is_pushed_by_the_provider() {
    let stack = Stack::new().await;
    quote_cold(&stack, "c1").await;
    let event = frame_event("c2", &another_quote(), "abc123");
    let replies = texts(frames_with_failing_pushes(&stack, false).handle(event).await);
    assert!(replies[0].contains("accepted"), "{replies:?}");
    assert_eq!(stack.pushed("c2"), None);
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::all(1));
    assert_eq!(stack.pushed("c2").unwrap()["request_id"], "8");
}

#[tokio::test(start_paused = true)]
async fn a_quote_that_nobody_can_tell_of_is_not_accepted() {
    let stack = Stack::new().await;
    quote_cold(&stack, "c1").await;
    let event = frame_event("c2", &another_quote(), "abc123");
    let replies = texts(frames_with_failing_pushes(&stack, true).handle(event).await);
    assert!(replies.len() == 1 && replies[0].contains(r#""code":"unavailable""#), "{replies:?}");
    // The client tries again, and gets the stored answer.
    assert_eq!(stack.send("c2", &another_quote()).await[0]["type"], "accepted");
    assert_eq!(stack.pushed("c2").unwrap()["request_id"], "8");
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
