//! Tests of the settings of the stack: those that came with the head, and those that Terraform wrote first.

use serde_json::{Value, json};

use super::script::{Script, got, ok, refused};
use crate::ports::SettingsRecord;

fn record(revision: u64, ttl: &str) -> SettingsRecord {
    SettingsRecord { revision, values: [("ttl".to_owned(), ttl.to_owned())].into() }
}

fn settings(ttl: &str) -> Value {
    json!({ "M": { "ttl": { "S": ttl } } })
}

/// Returns the head's item before the first load, after this many changes of the settings.
fn head(revision: u64, ttl: &str) -> Value {
    json!({
        "product_id": { "S": "\u{1}catalogue" },
        "settings": settings(ttl), "settings_revision": { "N": revision.to_string() },
    })
}

fn first(ttl: &str) -> Value {
    json!({ "product_id": { "S": "\u{1}settings" }, "settings": settings(ttl) })
}

#[tokio::test]
async fn what_terraform_wrote_counts_until_something_is_set() {
    let answers = [ok("{}"), got(&first("1m")), ok("{}"), ok("{}"), got(&head(1, "2m"))];
    let script = Script::new(1, answers).await;
    let store = script.aws.store();
    assert_eq!(store.settings().await.unwrap(), record(0, "1m"));
    // The item of Terraform is never changed, so it is not read again.
    assert_eq!(store.settings().await.unwrap(), record(0, "1m"));
    assert!(store.put_settings(&record(1, "2m")).await.unwrap());
    assert_eq!(store.settings().await.unwrap(), record(1, "2m"));
    let asked = script.asked();
    let keys: Vec<_> =
        asked.iter().map(|asked| asked.json()["Key"]["product_id"]["S"].clone()).collect();
    assert_eq!(
        keys,
        ["\u{1}catalogue", "\u{1}settings", "\u{1}catalogue", "\u{1}catalogue", "\u{1}catalogue"]
    );
    assert!(asked[3].json()["ConditionExpression"].as_str().unwrap().contains("not_exists"));
}

#[tokio::test]
async fn what_came_with_the_head_is_not_asked_for_again() {
    let mut item = head(3, "4s");
    item["version"] = json!({ "N": "8" });
    item["base_version"] = json!({ "N": "8" });
    item["currency"] = json!({ "S": "USD" });
    let script = Script::new(1, [got(&item)]).await;
    let store = script.aws.store();
    assert_eq!(store.catalogue_head().await.unwrap().unwrap().version, 8);
    assert_eq!(store.settings().await.unwrap(), record(3, "4s"));
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn a_record_that_was_written_twice_is_written() {
    // The first answer was lost, and the condition failed on what the call itself had written.
    let script = Script::new(1, [refused(&head(2, "2m")), refused(&head(2, "3m"))]).await;
    let store = script.aws.store();
    assert!(store.put_settings(&record(2, "2m")).await.unwrap());
    assert!(!store.put_settings(&record(2, "2m")).await.unwrap(), "somebody else's");
}
