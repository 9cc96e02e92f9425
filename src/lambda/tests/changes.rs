//! Tests of batches of the streams of source tables, as Lambda has delivered them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::stack::{Delivered, Stack};
use crate::lambda::EventError;
use crate::lambda::changes::{on_changes, table_of};
use crate::lambda::source_tables::SourceTables;
use crate::model::Timestamp;
use crate::ports::prelude::*;
use crate::ports::{AtHead, Ports, Queue, discounts_now, first_products};
use crate::pricing::Currency;
use crate::stages::StageError;

/// When a stack's clock and the function start.
const STARTED: Timestamp = Timestamp::from_secs(1_800_000_000);
/// The same as in `infra/`.
const TIMEOUT: Duration = Duration::from_secs(120);
const HOUR: Duration = Duration::from_secs(3600);

/// A store that counts the pages of products that are read.
struct CountingStore {
    inner: Ports,
    pages: AtomicUsize,
}

layer!(
    #[over(inner.store)]
    impl CatalogueStore for CountingStore {
        async fn list_products(&self, head: _, segment: _, from: _) -> _ {
            self.pages.fetch_add(1, Ordering::Relaxed);
            self.inner.store.list_products(head, segment, from).await
        }
    }
);

layer!(
    #[over(inner.store)]
    impl ActiveUsers, Bases, CustomerStore, DiscountStore, Loads, PriceListStore, PriceTables, Quotations,
        SettingsStore for CountingStore {}
);

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
    let event = serde_json::from_str(event).unwrap();
    on_changes(&stack.ports, &tables, event, STARTED, deadline).await
}

/// Handles a batch of which everything is loaded.
async fn load(stack: &Stack, event: &str) {
    assert_eq!(handle(stack, event).await.unwrap(), json!({ "batchItemFailures": [] }));
}

/// Handles a batch. Returns the record from which on it comes again.
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

/// Returns some records of a table that has rows of all kinds, by their numbers.
fn of_agreements(numbers: &[usize], written: Timestamp) -> String {
    let mut event: Value = serde_json::from_str(recorded!("price_lists")).unwrap();
    let records = numbers.iter().map(|number| {
        let mut record = event["Records"][*number].clone();
        record["dynamodb"]["ApproximateCreationDateTime"] = json!(written.millis() / 1000);
        record
    });
    event["Records"] = records.collect();
    event.to_string()
}

const LIST: usize = 0;
const CUSTOMER: usize = 1;
const PRICE: usize = 2;

/// Returns the minimum quantities of the rows of a stored list.
async fn rungs(stack: &Stack, list: &str) -> Vec<String> {
    let head = stack.ports.store.catalogue_head().await.unwrap().unwrap();
    let list = list.parse().unwrap();
    let prices = stack.ports.store.list_prices(&list, &head, None).await.unwrap();
    let AtHead::Read(page) = prices else { panic!("nothing else is loaded") };
    let rungs = page.items.iter().flat_map(|prices| prices.ladder.rungs());
    rungs.map(|rung| rung.min_quantity.to_string()).collect()
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
    // Lambda may deliver a batch twice.
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
    // Lambda delivers again from that record on, and when it has given it up, what is behind it is loaded.
    let mut event: Value = serde_json::from_str(recorded!("bad")).unwrap();
    let mut records = event["Records"].as_array().unwrap().clone();
    records.remove(0);
    event["Records"] = json!(records);
    // Lambda halves a batch that has failed as a whole.
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
    assert_eq!(rungs(&stack, "gold").await, ["0", "20"], "the key of a row has changed");
}

#[tokio::test(start_paused = true)]
async fn a_row_waits_for_its_list_that_comes_from_another_shard() {
    let stack = Stack::new().await;
    let (prices, lists) =
        (of_agreements(&[PRICE, CUSTOMER], STARTED), of_agreements(&[LIST], STARTED));
    let list = async {
        sleep(Duration::from_secs(60)).await;
        load(&stack, &lists).await;
    };
    join(load(&stack, &prices), list).await;
    assert_eq!(rungs(&stack, "gold").await, ["0"]);
}

#[tokio::test(start_paused = true)]
async fn a_row_whose_list_does_not_come_is_given_up_after_a_while() {
    let stack = Stack::new().await;
    let clock = &stack.ports.clock;
    let took = async |event: String| {
        let begun = clock.now();
        let is_refused = match handle(&stack, &event).await {
            Ok(response) => response["batchItemFailures"] != json!([]),
            Err(error) => matches!(error, EventError::FirstRecord { .. }),
        };
        assert!(is_refused);
        clock.now().since(begun)
    };
    // The record is older than the function, and waits until Lambda would end the function.
    let old = || of_agreements(&[PRICE, CUSTOMER], STARTED.minus(HOUR));
    assert!(took(old()).await > TIMEOUT - Duration::from_secs(10));
    sleep(Duration::from_secs(6 * 60)).await;
    assert_eq!(took(old()).await, Duration::ZERO);
    assert_eq!(took(of_agreements(&[PRICE], STARTED)).await, Duration::ZERO);
    // A record that is written later also waits, but several invocations together do not delay it longer.
    let written = clock.now();
    let mut waited = Duration::ZERO;
    loop {
        match took(of_agreements(&[PRICE], written)).await {
            Duration::ZERO => break,
            time => waited += time,
        }
    }
    assert!((Duration::from_secs(360)..Duration::from_secs(370)).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_for_mentions_that_nobody_reads() {
    let mut stack = Stack::new().await;
    let inner = stack.ports.clone();
    let listed = Arc::new(CountingStore { inner: inner.clone(), pages: AtomicUsize::new(0) });
    stack.ports = Ports { store: listed.clone(), ..inner };
    // For a discount of a product that does not exist, the nearest product would be looked for.
    let event = recorded!("lists").replace("\"P1\"", "\"P11\"").replace("\"P2\"", "\"P22\"");
    load(&stack, &event).await;
    assert_eq!(listed.pages.load(Ordering::Relaxed), 0);
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
    let late = on_changes(&stack.ports, &tables, event, STARTED, stack.ports.clock.now()).await;
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
