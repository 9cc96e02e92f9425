//! Tests of loading data sets through the ports.

mod loading {
    mod oracle;
    mod own_lists;
    mod previews;
    mod price_lists;
    mod refusals;
    mod shop;
    mod table_changes;
}

use std::collections::HashSet;
use std::sync::Arc;

use ocache::data::{
    Dataset, LoadError, LoadOptions, LoadProgress, LoadReport, RowCounts, fixtures, load,
};
use ocache::embedded::Embedded;
use ocache::memory::{ManualClock, Memory};
use ocache::model::Timestamp;
use ocache::ports::{JOURNAL_KEPT_FOR, Ports, SystemRandomness, first_products};
use ocache::pricing::{Currency, Money, Product};
use ocache::supervisor::Supervisor;
use tempfile::TempDir;
use tokio::sync::Notify;

const USD: LoadOptions = LoadOptions { currency: Currency::USD, prune: false, merge: false };

fn engine() -> (Arc<ManualClock>, Ports) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
    let memory = Memory::new(clock.clone(), Arc::new(SystemRandomness));
    (clock, memory.ports())
}

/// Returns an engine whose calls wait for the disk, so that a load can die between two of them.
fn stored() -> (Arc<ManualClock>, Ports, TempDir) {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
    let store =
        Embedded::open(dir.path(), clock.clone(), Arc::new(SystemRandomness), &Supervisor::new());
    let store = store.unwrap();
    let nobody = Memory::new(clock.clone(), Arc::new(SystemRandomness)).connections();
    (clock, store.ports(nobody), dir)
}

async fn load_into(
    ports: &Ports,
    data: &Dataset,
    options: LoadOptions,
) -> Result<LoadReport, LoadError> {
    load(&*ports.store, &*ports.clock, &*ports.randomness, data, options, &|_| {}).await
}

async fn products(ports: &Ports) -> Vec<String> {
    let first = first_products(&*ports.store, usize::MAX).await.unwrap();
    first.rows.into_iter().map(|product| product.id.to_string()).collect()
}

#[tokio::test]
async fn the_same_data_twice_changes_nothing() {
    let (_, ports) = engine();
    let data = fixtures::dataset().unwrap();
    let first = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(first.counts.products, RowCounts { added: 5, ..RowCounts::default() });
    assert_eq!((first.counts.users.added, first.version), (2, 1));
    let second = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(second.counts.products, RowCounts { unchanged: 5, ..RowCounts::default() });
    assert_eq!((second.counts.users.unchanged, second.version), (2, 1), "the version stays");
    assert!(!second.counts.wrote());
}

#[tokio::test]
async fn what_changed_is_counted_and_pruned_only_when_asked() {
    let (_, ports) = engine();
    let mut data = fixtures::dataset().unwrap();
    load_into(&ports, &data, USD).await.unwrap();
    data.products.pop();
    data.products[0].price = Some(Money::from_minor(1));
    data.discounts.pop();
    let kept = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(
        kept.counts.products,
        RowCounts { changed: 1, unchanged: 3, ..RowCounts::default() }
    );
    assert_eq!((kept.version, products(&ports).await.len()), (2, 5));

    let pruned = load_into(&ports, &data, LoadOptions { prune: true, ..USD }).await.unwrap();
    assert_eq!(
        pruned.counts.products,
        RowCounts { unchanged: 4, removed: 1, ..RowCounts::default() }
    );
    assert_eq!((pruned.counts.users.removed, pruned.version), (1, 3));
    assert_eq!(products(&ports).await.len(), 4);
    // Data that names no products at all does not remove them.
    data.products.clear();
    let again = load_into(&ports, &data, LoadOptions { prune: true, ..USD }).await.unwrap();
    assert_eq!((again.counts.products.removed, products(&ports).await.len()), (0, 4));
}

#[tokio::test]
async fn discounts_alone_do_not_move_the_base() {
    let (_, ports) = engine();
    let mut data = fixtures::dataset().unwrap();
    load_into(&ports, &data, USD).await.unwrap();
    data.products.clear();
    data.discounts[0].discounts = ocache::pricing::Discounts::default();
    let report = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!((report.counts.users.changed, report.version), (1, 2));
    assert!(!report.change.catalogue);
    let head = ports.store.catalogue_head().await.unwrap().unwrap();
    assert_eq!((head.version, head.base_version), (2, 1));
}

#[tokio::test]
async fn discounts_of_unknown_products_are_mentioned() {
    let (_, ports) = engine();
    let mut data = fixtures::dataset().unwrap();
    data.products.retain(|product| product.id.as_str() != "P2");
    let report = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(report.mentions.unknown_products, ["P2".parse().unwrap()]);
}

#[tokio::test]
async fn a_currency_is_not_changed_under_other_products() {
    let (_, ports) = engine();
    let data = fixtures::dataset().unwrap();
    load_into(&ports, &data, USD).await.unwrap();
    let yen = LoadOptions { currency: "JPY".parse().unwrap(), prune: false, merge: false };
    let error = load_into(&ports, &data, yen).await.unwrap_err();
    assert!(matches!(error, LoadError::Currency { .. }), "{error}");
    load_into(&ports, &data, LoadOptions { prune: true, ..yen }).await.unwrap();
    let head = ports.store.catalogue_head().await.unwrap().unwrap();
    assert_eq!((head.currency, head.version), (yen.currency, 2));
}

/// Returns so many products that a journal is written in several pieces.
fn many_products() -> Dataset {
    let mut data = fixtures::dataset().unwrap();
    data.products = (0..6_000)
        .map(|number| {
            Product::new(
                format!("N{number:04}").parse().unwrap(),
                format!("Product {number}"),
                Money::from_minor(number),
            )
        })
        .collect();
    data
}

fn is_half_written(progress: LoadProgress<'_>) -> bool {
    matches!(progress, LoadProgress::Written(done, all) if done < all)
}

/// Runs a load that dies at one moment.
async fn load_until(
    ports: &Ports,
    data: &Dataset,
    options: LoadOptions,
    moment: fn(LoadProgress<'_>) -> bool,
) {
    let reached = Notify::new();
    let progress = |progress: LoadProgress<'_>| {
        if moment(progress) {
            reached.notify_one();
        }
    };
    let (store, clock, randomness) = (&*ports.store, &*ports.clock, &*ports.randomness);
    tokio::select! {
        biased;
        () = reached.notified() => {}
        done = load(store, clock, randomness, data, options, &progress) => panic!("{done:?}"),
    }
}

#[tokio::test]
async fn a_load_that_dies_before_its_commit_changes_nothing_and_blocks_nobody() {
    let (clock, ports, _dir) = stored();
    let data = fixtures::dataset().unwrap();
    load_into(&ports, &data, USD).await.unwrap();
    let before = ports.store.catalogue_head().await.unwrap();
    let yen = LoadOptions { currency: "JPY".parse().unwrap(), prune: true, merge: false };
    load_until(&ports, &many_products(), yen, is_half_written).await;
    assert_eq!(ports.store.catalogue_head().await.unwrap(), before);
    assert_eq!(ports.store.journals().await.unwrap().len(), 1);

    let mut other = fixtures::dataset().unwrap();
    other.products[0].price = Some(Money::from_minor(1));
    assert_eq!(load_into(&ports, &other, USD).await.unwrap().version, 2);
    assert_eq!(ports.store.journals().await.unwrap().len(), 1, "it may still go on");
    clock.advance(JOURNAL_KEPT_FOR);
    load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(ports.store.journals().await.unwrap(), []);
}

#[tokio::test]
async fn a_load_that_dies_after_its_commit_is_folded_by_the_next() {
    let (_, ports, _dir) = stored();
    let data = fixtures::dataset().unwrap();
    load_until(&ports, &data, USD, |at| matches!(at, LoadProgress::InForce(1))).await;
    let head = ports.store.catalogue_head().await.unwrap().unwrap();
    assert_eq!((head.version, head.unfolded.is_some()), (1, true));
    assert_eq!(products(&ports).await.len(), 5, "it is in force");
    let again = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!((again.version, again.counts.products.unchanged), (1, 5));
    let head = ports.store.catalogue_head().await.unwrap().unwrap();
    assert_eq!(head.unfolded, None);
    assert_eq!(ports.store.journals().await.unwrap(), []);
}

#[tokio::test]
async fn a_load_begins_again_when_another_comes_between() {
    let (_, ports, _dir) = stored();
    let data = fixtures::dataset().unwrap();
    let mut other = fixtures::dataset().unwrap();
    other.products[0].price = Some(Money::from_minor(1));
    let (one, two) = tokio::join!(load_into(&ports, &data, USD), load_into(&ports, &other, USD));
    let (one, two) = (one.unwrap(), two.unwrap());
    let versions = HashSet::from([one.version, two.version]);
    assert_eq!(versions, HashSet::from([1, 2]), "one after the other");
    // The later one was compared with the rows of the earlier one.
    let later = if one.version == 2 { one } else { two };
    assert_eq!(
        later.counts.products,
        RowCounts { changed: 1, unchanged: 4, ..RowCounts::default() }
    );
}

#[tokio::test]
async fn a_load_whose_journal_was_dropped_says_so_and_changes_nothing() {
    let (_, ports, _dir) = stored();
    let (data, half) = (many_products(), Notify::new());
    let progress = |progress: LoadProgress<'_>| {
        if is_half_written(progress) {
            half.notify_one();
        }
    };
    let (store, clock, randomness) = (&*ports.store, &*ports.clock, &*ports.randomness);
    let loading = load(store, clock, randomness, &data, USD, &progress);
    let dropping = async {
        half.notified().await;
        let journals = store.journals().await.unwrap();
        store.drop_journal(&journals[0].load).await.unwrap();
    };
    let (loaded, ()) = tokio::join!(loading, dropping);
    let error = loaded.unwrap_err();
    assert!(matches!(error, LoadError::Dropped), "{error}");
    assert_eq!(ports.store.catalogue_head().await.unwrap(), None);
}
