//! Tests that any event is handled or refused: events of all functions, with some of their values replaced
//! or removed. `PROPTEST_CASES=1000000 cargo test --lib any_event` runs longer.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::sqs::SqsEvent;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::http::http_event;
use super::others::schedule_event;
use super::stack::{Stack, TIMEOUT, batches, event, frame_event, texts};
use crate::lambda::granted::Authorization;
use crate::lambda::schedule::{Allowance, on_schedule};
use crate::lambda::subscribe::on_request;
use crate::lambda::websocket::on_connection;
use crate::model::Timestamp;
use crate::ports::{Queue, Receipt, Received};
use crate::stages::price_calc::PriceCalc;
use crate::stages::{BaseMaker, Lookup, Policy};

const MINUTE: Duration = Duration::from_secs(60);

/// Values that replace others: numbers at the ends of their types, times, names of other queues, and bodies
/// that are almost right.
const TEXTS: &[&str] = &[
    "",
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "{",
    "null",
    "\0",
    "arn:aws:sqs:eu-west-1:1:organic-cache-refresh.fifo",
    "2026-11-22T20:14:00Z",
    "-009999-01-02T01:59:59Z",
    "9999-12-30T22:00:00Z",
    r#"{"user_id":"A"}"#,
    r#"{"user":"A","cause":{"kind":"stale","version":18446744073709551615}}"#,
    r#"{"user":"A","cause":{"kind":"subscribe","expires_at":9223372036854775807}}"#,
    r#"{"user":"A","cause":{"kind":"scheduled","tick":18446744073709551615,
        "due":-9223372036854775808,"interval_ms":18446744073709551615,
        "expires_at":-9223372036854775808}}"#,
    r#"{"action":"quote","client":"A","items":[{"product":"P1","quantity":1}]}"#,
    r#"{"action":"quote","client":"A","items":[{"product":"P1","quantity":1e-9223372036854775808}]}"#,
    r#"{"action":"get","client":"A","request_id":"1"}"#,
];

/// A value of an event that is replaced, or removed.
type EventChange = (Index, Option<Value>);

fn changes() -> impl Strategy<Value = Vec<EventChange>> {
    let by = prop_oneof![
        4 => prop::sample::select(TEXTS).prop_map(|text| Some(json!(text))),
        1 => any::<String>().prop_map(|text| Some(json!(text))),
        1 => any::<i64>().prop_map(|number| Some(json!(number))),
        1 => any::<bool>().prop_map(|yes| Some(json!(yes))),
        1 => prop::sample::select(vec![json!([]), json!({}), Value::Null]).prop_map(Some),
        1 => Just(None),
    ];
    vec((any::<Index>(), by), 0..4)
}

fn change(event: &mut Value, changes: Vec<EventChange>) {
    for (index, by) in changes {
        let mut places = vec![];
        find_places(event, String::new(), &mut places);
        if places.is_empty() {
            return;
        }
        let place = index.get(&places);
        let (parent, name) = place.rsplit_once('/').unwrap();
        match (by, event.pointer_mut(parent).unwrap()) {
            (Some(by), _) => *event.pointer_mut(place).unwrap() = by,
            (None, Value::Object(fields)) => drop(fields.remove(name)),
            (None, Value::Array(values)) => drop(values.remove(name.parse().unwrap())),
            (None, other) => panic!("{other} has nothing in it"),
        }
    }
}

/// Collects the JSON pointers of everything inside a value.
fn find_places(value: &Value, at: String, places: &mut Vec<String>) {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, v)| (name.clone(), v)).collect(),
        Value::Array(values) => {
            values.iter().enumerate().map(|(index, v)| (index.to_string(), v)).collect()
        }
        _ => vec![],
    };
    for (name, value) in inside {
        // JSON pointers escape these characters. No name here has them.
        if !name.contains(['/', '~']) {
            let place = format!("{at}/{name}");
            find_places(value, place.clone(), places);
            places.push(place);
        }
    }
}

fn message(number: u8) -> Received {
    let user = format!("user {number}");
    Received {
        id: format!("message {number}"),
        receipt: Receipt(format!("receipt {number}")),
        body: json!({ "user": user, "cause": { "kind": "subscribe", "expires_at": 1 } })
            .to_string(),
        group: Some(format!("group {}", number % 2)),
        receive_count: 1,
        sent_at: Timestamp::from_secs(1_800_000_000),
    }
}

/// Runs a closure on a stack of its own, in paused time.
fn on_stack<T>(run: impl AsyncFnOnce(Stack) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { run(Stack::new().await).await })
}

proptest! {
    #[test]
    fn any_event_of_a_queue(changes in changes()) {
        let batch: Vec<_> = (0..3).map(message).collect();
        let mut event = json!(event(Queue::Quotation, &batch));
        change(&mut event, changes);
        // The Lambda runtime refuses what is not an event of a queue at all.
        let Ok(event) = serde_json::from_value::<SqsEvent>(event) else { return Ok(()) };
        let ids: Vec<_> = event.records.iter().map(|record| record.message_id.clone()).collect();
        on_stack(async |stack| {
            let ports = &stack.ports;
            let bases = BaseMaker::new(ports, Lookup::new(ports).bases().clone());
            let stage = PriceCalc::new(ports, Arc::new(bases), Policy::default());
            let function = batches(ports, &[Queue::Quotation], Arc::new(stage));
            let deadline = ports.clock.now().plus(TIMEOUT);
            if let Ok(response) = function.handle(event, deadline).await {
                for failure in response.batch_item_failures {
                    prop_assert!(ids.contains(&Some(failure.item_identifier)));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_event_of_a_websocket(changes in changes(), quote in any::<bool>()) {
        let body = if quote { TEXTS[16] } else { TEXTS[18] };
        let mut event = json!(frame_event("connection", body, "abc123"));
        change(&mut event, changes);
        let Ok(event) = serde_json::from_value(event) else { return Ok(()) };
        prop_assert_eq!(on_connection(&event).status_code, 200);
        on_stack(async |stack| {
            let answer = stack.frames.handle(event).await;
            if answer.is_ok() {
                for text in texts(answer) {
                    prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_event_of_http(changes in changes()) {
        let mut event = http_event("PUT /subscribe", None, "", r#"{"user_id":"A"}"#);
        change(&mut event, changes);
        let Ok(event) = serde_json::from_value(event) else { return Ok(()) };
        on_stack(async |stack| {
            let response = on_request(&stack.ports, MINUTE, Authorization::None, event).await;
            prop_assert!([202, 400].contains(&response.status_code));
            let Some(Body::Text(text)) = response.body else { panic!("{:?}", response.body) };
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
            Ok(())
        })?;
    }

    #[test]
    fn any_event_of_the_schedule(changes in changes()) {
        let mut event = schedule_event("2027-01-15T08:00:00Z");
        change(&mut event, changes);
        let Ok(event) = serde_json::from_value(event) else { return Ok(()) };
        on_stack(async |stack| {
            if let Ok((done, _)) = on_schedule(&stack.ports, MINUTE, Allowance::ENOUGH, event).await {
                prop_assert_eq!(&done["failed"], &json!(0));
            }
            Ok(())
        })?;
    }
}
