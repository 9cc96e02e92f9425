//! Batches of the streams of source tables, as Lambda has handed them over.

use std::time::Duration;

use serde_json::{Value, json};

use super::stack::{Delivered, Stack, TIMEOUT};
use crate::lambda::EventError;
use crate::lambda::changes::{on_changes, table_of};
use crate::lambda::source_tables::SourceTables;
use crate::ports::{Queue, discounts_now, first_products};
use crate::pricing::Currency;
use crate::stages::StageError;

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!("../../../tests/lambda/streams/", $name, ".json"))
    };
}

const TABLES: &str = r#"{
    "articles": { "columns": { "sku": "id" }, "ignore": ["updated_at"] },
    "discounts": {},
    "agreements": { "ignore_unknown": true }
}"#;

async fn handle(stack: &Stack, event: &str) -> Result<Value, EventError> {
    let tables: SourceTables = TABLES.parse().unwrap();
    let deadline = stack.ports.clock.now().plus(TIMEOUT);
    on_changes(&stack.ports, &tables, serde_json::from_str(event).unwrap(), deadline).await
}

/// Hands over a batch of which all is loaded.
async fn load(stack: &Stack, event: &str) {
    assert_eq!(handle(stack, event).await.unwrap(), json!({ "batchItemFailures": [] }));
}

/// From which of its records on a batch comes again.
async fn failed_at(stack: &Stack, event: &str) -> usize {
    let response = handle(stack, event).await.unwrap();
    let [failed] = &response["batchItemFailures"].as_array().unwrap()[..] else {
        panic!("{response}");
    };
    let event: Value = serde_json::from_str(event).unwrap();
    let mut records = event["Records"].as_array().unwrap().iter();
    let number = |record: &Value| record["dynamodb"]["SequenceNumber"].clone();
    records.position(|record| number(record) == failed["itemIdentifier"]).unwrap()
}

async fn products(stack: &Stack) -> Vec<String> {
    let rows = first_products(&*stack.ports.store, usize::MAX).await.unwrap().rows;
    let shown = |price: crate::pricing::Money| price.format(Currency::USD);
    let shown = rows.into_iter().map(|product| {
        format!("{} {} {}", product.id, product.name, product.price.map(shown).unwrap_or_default())
    });
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    shown
}

async fn version(stack: &Stack) -> u64 {
    stack.ports.store.catalogue_head().await.unwrap().unwrap().version
}

const BEFORE: [&str; 2] = ["P1 name of P1 500.00", "P2 name of P2 578.00"];

#[tokio::test(start_paused = true)]
async fn what_is_inserted_modified_and_removed_is_so_here_too() {
    let stack = Stack::new().await;
    load(&stack, recorded!("insert")).await;
    let inserted = ["P7 Lamp 9.50", "P8 Fan 30.00"];
    assert_eq!(products(&stack).await, [&BEFORE[..], &inserted].concat());
    assert_eq!(version(&stack).await, 2);
    load(&stack, recorded!("modify")).await;
    assert_eq!(
        products(&stack).await,
        [&BEFORE[..], &["P7 Desk lamp 10.25", inserted[1]]].concat()
    );
    assert_eq!(version(&stack).await, 3, "two changes of a row are one load");
    load(&stack, recorded!("remove")).await;
    assert_eq!(products(&stack).await, [&BEFORE[..], &["P7 Desk lamp 10.25"]].concat());
    // Lambda may hand over a batch twice.
    load(&stack, recorded!("remove")).await;
    assert_eq!(version(&stack).await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_one_load_and_orders_the_tables_that_it_makes_outdated() {
    let stack = Stack::new().await;
    let now = stack.ports.clock.now();
    let user = "AAA".parse().unwrap();
    stack.ports.store.record_visit(&user, now, now.plus(Duration::from_secs(300))).await.unwrap();
    load(&stack, recorded!("mixed")).await;
    assert_eq!(products(&stack).await, ["P1 One 480.00", "P9 Rug 45.00"]);
    assert_eq!(version(&stack).await, 2);
    assert_eq!(stack.deliver(Queue::Refresh).await, Delivered::all(1));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_loaded_comes_again_and_what_is_before_it_does_not() {
    let stack = Stack::new().await;
    assert_eq!(failed_at(&stack, recorded!("bad")).await, 1);
    assert_eq!(products(&stack).await, ["P1 name of P1 500.00", "P11 Chair 80.00", BEFORE[1]]);
    // Lambda comes again with that record in front, and loads what is behind it when it has given it up.
    let mut event: Value = serde_json::from_str(recorded!("bad")).unwrap();
    let mut records = event["Records"].as_array().unwrap().clone();
    records.remove(0);
    event["Records"] = json!(records);
    // Lambda halves what has failed as a whole.
    let error = handle(&stack, &event.to_string()).await.unwrap_err();
    assert!(matches!(&error, EventError::FirstRecord { of, .. } if *of > 1), "{error}");
    event["Records"] = json!(records[..1]);
    assert_eq!(failed_at(&stack, &event.to_string()).await, 0);
    records.remove(0);
    event["Records"] = json!(records);
    load(&stack, &event.to_string()).await;
    assert_eq!(products(&stack).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_only_the_store_shows_to_be_wrong_is_isolated_too() {
    let stack = Stack::new().await;
    // The rows of a list come before the list.
    let mut event: Value = serde_json::from_str(recorded!("price_lists")).unwrap();
    let records = event["Records"].as_array_mut().unwrap();
    records.rotate_left(1);
    records.insert(1, records[3].clone());
    records.truncate(4);
    assert_eq!(failed_at(&stack, &event.to_string()).await, 1);
    let customer = stack.ports.store.catalogue_head().await.unwrap().unwrap().has_customers;
    assert!(customer, "the record before it is loaded");
}

#[tokio::test(start_paused = true)]
async fn whole_lists_become_what_they_are_and_leave_other_rows_alone() {
    let stack = Stack::new().await;
    let user = ["AAA".parse().unwrap()];
    let rows = async || {
        let lists = discounts_now(&*stack.ports.store, &user).await.unwrap();
        let rows = lists.iter().flat_map(|list| list.discounts.as_slice());
        rows.map(|row| format!("{} {}", row.product_id, row.percentage)).collect::<Vec<_>>()
    };
    load(&stack, recorded!("lists")).await;
    assert_eq!(rows().await, ["P1 12"], "a row that is no longer in the list is gone");
    load(&stack, recorded!("list_removed")).await;
    assert_eq!(rows().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn one_table_may_have_rows_of_all_kinds() {
    let stack = Stack::new().await;
    load(&stack, recorded!("price_lists")).await;
    let head = stack.ports.store.catalogue_head().await.unwrap().unwrap();
    let list = "gold".parse().unwrap();
    let prices = stack.ports.store.list_prices(&list, &head, None).await.unwrap();
    let crate::ports::AtHead::Read(page) = prices else { panic!("nothing else is loaded") };
    let rungs = page.items[0].ladder.rungs().iter().map(|rung| rung.min_quantity.to_string());
    assert_eq!(rungs.collect::<Vec<_>>(), ["0", "20"], "the key of a row has changed");
}

#[tokio::test(start_paused = true)]
async fn events_that_are_not_for_the_function_fail_as_a_whole() {
    let stack = Stack::new().await;
    load(&stack, r#"{"Records":[]}"#).await;
    let foreign = recorded!("insert").replace("table/articles/", "table/others/");
    let error = handle(&stack, &foreign).await.unwrap_err();
    assert!(error.to_string().contains("table/others/stream/"), "{error}");
    assert_eq!(failed_at(&stack, recorded!("keys_only")).await, 0, "the stream has no images");
    let tables = TABLES.parse().unwrap();
    let event = serde_json::from_str(recorded!("insert")).unwrap();
    let late = on_changes(&stack.ports, &tables, event, stack.ports.clock.now()).await;
    assert!(matches!(late, Err(EventError::Stage(StageError::OutOfTime))), "{late:?}");
    assert_eq!(products(&stack).await, BEFORE);
}

#[test]
fn a_stream_is_of_a_table() {
    let arn =
        "arn:aws:dynamodb:eu-west-1:123456789012:table/articles/stream/2026-11-29T08:00:00.000";
    assert_eq!(table_of(arn), Some("articles"));
    assert_eq!(table_of("arn:aws:sqs:eu-west-1:123456789012:articles"), None);
}
