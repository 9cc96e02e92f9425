//! Tests of the schedule and of `PUT /subscribe`.

use std::time::Duration;

use aws_lambda_events::encodings::Body;
use serde_json::{Value, json};

use super::http::http_event;
use super::stack::{Delivered, Stack};
use crate::lambda::EventError;
use crate::lambda::following::Following;
use crate::lambda::granted::Authorization;
use crate::lambda::load;
use crate::lambda::schedule::{Allowance, on_schedule};
use crate::lambda::subscribe::on_request;
use crate::model::UserId;
use crate::ports::Queue;
use crate::runtime::gateway::LoadDoor;
use crate::stages::refresh::Tick;

const MINUTE: Duration = Duration::from_secs(60);
const TTL: Duration = Duration::from_secs(300);

async fn tick(stack: &Stack, time: &str) -> Result<Value, EventError> {
    let event = serde_json::from_value(schedule_event(time)).unwrap();
    on_schedule(&stack.ports, MINUTE, Allowance::ENOUGH, event).await.map(|(answer, _)| answer)
}

/// Returns an event of the schedule as EventBridge delivers it.
pub fn schedule_event(time: &str) -> Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012",
        "time": time, "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/organic-cache-refresh"],
        "detail": {},
    })
}

async fn put(stack: &Stack, body: &str, is_base64: bool) -> (i64, Value) {
    let mut event = http_event("PUT /subscribe", None, "", body);
    event["isBase64Encoded"] = json!(is_base64);
    let request = serde_json::from_value(event).unwrap();
    let response = on_request(&stack.ports, TTL, Authorization::None, request).await;
    assert_eq!(response.headers["content-type"], "application/json");
    let Some(Body::Text(text)) = response.body else { panic!("{:?}", response.body) };
    (response.status_code, serde_json::from_str(&text).unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_interval_of_the_schedule_is_that_of_the_stack() {
    let stack = Stack::new().await;
    let (refresh, other) = (Following::new(&stack.ports), Following::new(&stack.ports));
    other.look().await.unwrap();
    refresh.schedule_is("1m").await.unwrap();
    assert_eq!(stack.ports.store.settings().await.unwrap().revision, 0, "nothing to write");
    refresh.schedule_is("2m").await.unwrap();
    assert_eq!(refresh.policy().now().refresh_every, 2 * MINUTE);
    assert_eq!(other.policy().now().refresh_every, MINUTE, "it was read a moment ago");
    tokio::time::advance(Duration::from_secs(4)).await;
    other.look().await.unwrap();
    assert_eq!(other.policy().now().refresh_every, 2 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_calculated_and_then_refreshed_by_the_schedule() {
    let stack = Stack::new().await;
    let (status, body) = put(&stack, r#"{"user_id":"AAA"}"#, false).await;
    assert_eq!((status, &body["user_id"]), (202, &"AAA".into()));
    assert_eq!(stack.deliver(Queue::Quotation).await, Delivered::all(1));

    let due = Tick::at(stack.ports.clock.now(), MINUTE).due.to_string();
    assert_eq!(tick(&stack, &due).await.unwrap(), json!({ "ordered": 1, "failed": 0 }));
    // A schedule may fire twice, and another refresher may have the same interval.
    tick(&stack, &due).await.unwrap();
    assert_eq!(stack.deliver(Queue::Refresh).await, Delivered::all(1));
    assert_eq!(stack.deliver(Queue::Refresh).await, Delivered::NOTHING);
    let heads = stack.ports.store.table_heads(&[UserId::new("AAA").unwrap()]).await.unwrap();
    assert_eq!(heads[0].1.version, 1, "it is right, and that was written down a moment ago");
}

#[tokio::test(start_paused = true)]
async fn a_tick_that_was_overtaken_orders_nothing() {
    let stack = Stack::new().await;
    put(&stack, r#"{"user_id":"AAA"}"#, false).await;
    let late = Tick::at(stack.ports.clock.now().minus(MINUTE * 2), MINUTE).due.to_string();
    assert_eq!(tick(&stack, &late).await.unwrap(), json!({ "ordered": 0, "failed": 0 }));
    assert_eq!(stack.deliver(Queue::Refresh).await, Delivered::NOTHING);
    assert!(
        matches!(tick(&stack, "now").await, Err(EventError::Time { time, .. }) if time == "now")
    );
    let early = tick(&stack, "1969-12-31T23:59:59Z").await.unwrap_err();
    assert_eq!(early.to_string(), "`1969-12-31T23:59:59Z` is before 1970");
}

#[tokio::test(start_paused = true)]
async fn each_part_orders_its_own_users_and_all_parts_everybody() {
    const USERS: usize = 100;
    let stack = Stack::new().await;
    let now = stack.ports.clock.now();
    for number in 0..USERS {
        let user = UserId::new(format!("user {number}")).unwrap();
        stack.ports.store.record_visit(&user, now, now.plus(TTL)).await.unwrap();
    }
    let due = Tick::at(now, MINUTE).due.to_string();
    let mut ordered = 0;
    for part in 0..4 {
        // The same as the target of the rule makes it.
        let event = json!({ "time": due, "part": part, "parts": 4 });
        let event = serde_json::from_value(event).unwrap();
        let (answer, tick) =
            on_schedule(&stack.ports, MINUTE, Allowance::ENOUGH, event).await.unwrap();
        let of_part = answer["ordered"].as_u64().unwrap();
        assert!((1..USERS as u64).contains(&of_part), "{of_part}");
        assert_eq!(tick.unwrap().active_users, 4 * of_part, "a part stands for all");
        ordered += of_part;
    }
    assert_eq!(ordered, USERS as u64);
    assert_eq!(stack.ports.queues.depth(Queue::Refresh).await.unwrap().waiting, USERS as u64);
    let none = serde_json::from_value(json!({ "time": due, "part": 4, "parts": 4 })).unwrap();
    let refused = on_schedule(&stack.ports, MINUTE, Allowance::ENOUGH, none).await.unwrap_err();
    assert_eq!(refused.to_string(), "there is no part 4 of 4 of the customers");
}

#[tokio::test(start_paused = true)]
async fn a_tick_without_time_says_what_it_left_to_the_next() {
    let stack = Stack::new().await;
    put(&stack, r#"{"user_id":"AAA"}"#, false).await;
    let now = stack.ports.clock.now();
    let event = schedule_event(&Tick::at(now, MINUTE).due.to_string());
    let event = serde_json::from_value(event).unwrap();
    let none = Allowance { deadline: now, ..Allowance::ENOUGH };
    let error = on_schedule(&stack.ports, MINUTE, none, event).await.unwrap_err();
    let EventError::Unfinished { unfinished, segments, .. } = error else { panic!("{error}") };
    assert_eq!((unfinished, segments), (32, 32));
}

#[tokio::test]
async fn bodies_are_read_as_the_local_gateway_reads_them() {
    let stack = Stack::new().await;
    // The first body is {"user_id":"BBB"} in base64.
    assert_eq!(put(&stack, "eyJ1c2VyX2lkIjoiQkJCIn0=", true).await.0, 202);
    assert_eq!(put(&stack, "eyJ1c2VyX2lkIjoiQkJCIn0=", false).await.0, 400);
    assert_eq!(put(&stack, "*", true).await.0, 400);
    assert_eq!(put(&stack, r#"{"user_id":""}"#, false).await.0, 400);
    assert_eq!(put(&stack, "", false).await.0, 400);
    assert_eq!(stack.deliver(Queue::Quotation).await, Delivered::all(1));
}

#[tokio::test]
async fn only_who_may_load_loads() {
    let stack = Stack::new().await;
    let door = LoadDoor::of_function();
    let load = async |context: Value, origin: Option<&str>| {
        let mut event = http_event("POST /load", None, "", "id,name,price\nP7,Lamp,9.00\n");
        event["headers"] = json!({ "content-type": "text/csv" });
        if let Some(origin) = origin {
            event["headers"]["origin"] = json!(origin);
        }
        event["requestContext"]["authorizer"] = json!({ "lambda": context });
        let request = serde_json::from_value(event).unwrap();
        let response = load::on_request(&stack.ports, &door, request).await;
        let Some(Body::Text(text)) = response.body else { panic!("{:?}", response.body) };
        (response.status_code, serde_json::from_str::<Value>(&text).unwrap())
    };
    let may = json!({ "clients": "[]", "load": "true" });
    assert_eq!(
        load(json!({ "clients": "\"*\"" }), None).await.0,
        403,
        "every client is not enough"
    );
    assert_eq!(load(may.clone(), Some("https://shop.example.com")).await.0, 403);
    let (status, body) = load(may, None).await;
    assert_eq!((status, &body["products"]["added"]), (200, &json!(1)), "{body}");
}
