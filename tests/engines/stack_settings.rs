//! Tests of the settings of the stack, which are stored beside the catalogue's head.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use ocache::model::Timestamp;
use ocache::ports::{Changes, Commit, Committed, LoadId, Ports, SettingsRecord};
use ocache::pricing::{Currency, UnitRounding};
use ocache::stages::folding::fold_left;

use super::listing::{all_products, put_products};
use super::samples::product;

fn record(revision: u64, values: &[(&str, &str)]) -> SettingsRecord {
    let text = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    SettingsRecord { revision, values: values.iter().map(text).collect() }
}

async fn put(ports: &Ports, record: &SettingsRecord) -> bool {
    ports.store.put_settings(record).await.unwrap()
}

async fn stored(ports: &Ports) -> SettingsRecord {
    ports.store.settings().await.unwrap()
}

pub async fn nothing_is_set_at_first(ports: Ports) {
    assert_eq!(stored(&ports).await, SettingsRecord::default());
}

pub async fn a_record_comes_back_as_it_was_written(ports: Ports) {
    let first = record(1, &[("ttl", "4s"), ("name of a later release", "株式会社 \"x\"")]);
    assert!(put(&ports, &first).await);
    assert_eq!(stored(&ports).await, first);
    // The record is replaced as a whole.
    let second = record(2, &[("answer", "topic")]);
    assert!(put(&ports, &second).await);
    assert_eq!(stored(&ports).await, second);
    let empty = SettingsRecord { revision: 3, values: BTreeMap::new() };
    assert!(put(&ports, &empty).await);
    assert_eq!(stored(&ports).await, empty);
}

pub async fn only_the_next_revision_is_written(ports: Ports) {
    assert!(!put(&ports, &record(2, &[("ttl", "1m")])).await, "there is none before it");
    let first = record(1, &[("ttl", "2m")]);
    assert!(put(&ports, &first).await);
    for revision in [1, 3] {
        assert!(!put(&ports, &record(revision, &[("ttl", "3m")])).await, "{revision}");
    }
    assert_eq!(stored(&ports).await, first);
}

pub async fn only_one_of_many_changes_is_written(ports: Ports) {
    assert!(put(&ports, &record(1, &[])).await);
    let changes: Vec<_> = (0..8).map(|n| record(2, &[("ttl", &format!("{n}m"))])).collect();
    let puts = changes.iter().map(|change| ports.store.put_settings(change));
    let written = try_join_all(puts).await.unwrap();
    let winners: Vec<_> = changes.iter().zip(&written).filter(|(_, written)| **written).collect();
    assert_eq!(winners.len(), 1, "{written:?}");
    assert_eq!(stored(&ports).await, *winners[0].0);
}

pub async fn settings_and_loads_do_not_meet(ports: Ports) {
    put_products(&ports, &[product("P1", 100)]).await;
    let store = &ports.store;
    let before = store.catalogue_head().await.unwrap().unwrap();
    let load = LoadId("load".to_owned());
    store.begin_load(&load, Timestamp::from_secs(1_800_000_000)).await.unwrap();
    store.write_journal(&load, &[product("P2", 200).into()]).await.unwrap();
    let settings = record(1, &[("ttl", "4s")]);
    assert!(put(&ports, &settings).await);
    assert_eq!(store.catalogue_head().await.unwrap(), Some(before.clone()), "no other version");
    // The load continues from the version that it read before the settings changed.
    let (currency, rounding) = (Currency::USD, UnitRounding::PLAIN);
    let commit = Commit { load: load.clone(), currency, rounding, changes: Changes::PRODUCTS };
    let committed = store.commit_load(&commit, Some(before.version)).await.unwrap();
    assert_eq!(committed, Committed::Version(before.version + 1));
    assert_eq!(stored(&ports).await, settings, "while the load is unfolded");
    let next = record(2, &[("ttl", "5s")]);
    assert!(put(&ports, &next).await, "also while the load is unfolded");
    let head = store.catalogue_head().await.unwrap().unwrap();
    assert_eq!(head.unfolded, Some(load), "setting does not end a load");
    fold_left(&**store, &*ports.clock).await.unwrap();
    assert_eq!(stored(&ports).await, next, "when it is folded");
    put_products(&ports, &[product("P3", 300)]).await;
    assert_eq!(stored(&ports).await, next);
    let ids: Vec<_> = all_products(&ports).await.into_iter().map(|product| product.id).collect();
    assert_eq!(ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["P1", "P2", "P3"]);
}

pub async fn settings_may_come_before_the_first_load(ports: Ports) {
    let settings = record(1, &[("require-token", "true")]);
    assert!(put(&ports, &settings).await);
    assert_eq!(ports.store.catalogue_head().await.unwrap(), None, "nothing was loaded");
    assert_eq!(all_products(&ports).await, []);
    put_products(&ports, &[product("P1", 100)]).await;
    assert_eq!(ports.store.catalogue_head().await.unwrap().unwrap().version, 1);
    assert_eq!(stored(&ports).await, settings);
}
