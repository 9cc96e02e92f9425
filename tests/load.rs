//! Loading data sets through the ports of the reference engine.

use std::sync::Arc;
use std::time::Duration;

use ocache::data::{Counts, Dataset, LoadError, LoadOptions, LoadReport, fixtures, load};
use ocache::memory::{ManualClock, Memory, TokioClock};
use ocache::meter::{Action, Meter, Resource, UsageLine, metered};
use ocache::model::Timestamp;
use ocache::ports::{BeginLoad, Clock, LoadId, LoadMark, Ports, SystemRandomness, UserDiscounts};
use ocache::pricing::{Currency, Money};
use ocache::stages::{CatalogueCache, SnapshotError};

const USD: LoadOptions = LoadOptions { currency: Currency::USD, prune: false };

fn engine() -> (Arc<ManualClock>, Ports) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
    let memory = Memory::new(clock.clone(), Arc::new(SystemRandomness));
    (clock, memory.ports())
}

async fn load_into(
    ports: &Ports,
    data: &Dataset,
    options: LoadOptions,
) -> Result<LoadReport, LoadError> {
    load(&*ports.store, &*ports.clock, &*ports.randomness, data, options, &|_| {}).await
}

async fn products(ports: &Ports) -> Vec<String> {
    let page = ports.store.list_products(None).await.unwrap();
    page.items.into_iter().map(|product| product.id.to_string()).collect()
}

#[tokio::test]
async fn the_same_data_twice_changes_nothing() {
    let (_, ports) = engine();
    let data = fixtures::dataset().unwrap();
    let first = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(first.products, Counts { added: 5, ..Counts::default() });
    assert_eq!((first.users.added, first.version), (2, 1));
    let second = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(second.products, Counts { unchanged: 5, ..Counts::default() });
    assert_eq!((second.users.unchanged, second.version), (2, 1), "the version stays");
    assert!(!second.products.wrote() && !second.users.wrote());
}

#[tokio::test]
async fn what_changed_is_counted_and_pruned_only_when_asked() {
    let (_, ports) = engine();
    let mut data = fixtures::dataset().unwrap();
    load_into(&ports, &data, USD).await.unwrap();
    data.products.pop();
    data.products[0].price = Money::from_minor(1);
    data.discounts.pop();
    let kept = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(kept.products, Counts { changed: 1, unchanged: 3, ..Counts::default() });
    assert_eq!((kept.version, products(&ports).await.len()), (2, 5));

    let pruned = load_into(&ports, &data, LoadOptions { prune: true, ..USD }).await.unwrap();
    assert_eq!(pruned.products, Counts { unchanged: 4, removed: 1, ..Counts::default() });
    assert_eq!((pruned.users.removed, pruned.version), (1, 3));
    assert_eq!(products(&ports).await.len(), 4);
    // Data that names no products at all is no reason to remove them.
    data.products.clear();
    let again = load_into(&ports, &data, LoadOptions { prune: true, ..USD }).await.unwrap();
    assert_eq!((again.products.removed, products(&ports).await.len()), (0, 4));
}

#[tokio::test]
async fn discounts_alone_do_not_move_the_catalogue() {
    let (_, ports) = engine();
    let mut data = fixtures::dataset().unwrap();
    load_into(&ports, &data, USD).await.unwrap();
    data.products.clear();
    data.discounts[0].discounts = ocache::pricing::Discounts::default();
    let report = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!((report.users.changed, report.version), (1, 1));
}

#[tokio::test]
async fn discounts_of_unknown_products_are_mentioned() {
    let (_, ports) = engine();
    let mut data = fixtures::dataset().unwrap();
    data.products.retain(|product| product.id.as_str() != "P2");
    let report = load_into(&ports, &data, USD).await.unwrap();
    assert_eq!(report.unknown_products, ["P2".parse().unwrap()]);
}

#[tokio::test]
async fn a_currency_is_not_changed_under_other_products() {
    let (_, ports) = engine();
    let data = fixtures::dataset().unwrap();
    load_into(&ports, &data, USD).await.unwrap();
    let yen = LoadOptions { currency: "JPY".parse().unwrap(), prune: false };
    let error = load_into(&ports, &data, yen).await.unwrap_err();
    assert!(matches!(error, LoadError::Currency { .. }), "{error}");
    load_into(&ports, &data, LoadOptions { prune: true, ..yen }).await.unwrap();
    let head = ports.store.catalogue_head().await.unwrap().unwrap();
    assert_eq!((head.currency, head.version), (yen.currency, 2));
}

/// A load that dies before it has written anything; `Conflict` when another goes on.
async fn begin_and_die(ports: &Ports, currency: Currency) -> BeginLoad {
    let head = ports.store.catalogue_head().await.unwrap();
    let now = ports.clock.now();
    let mark =
        LoadMark { id: LoadId("dies".into()), deadline: now.plus(LoadMark::LEASE), currency };
    ports.store.begin_load(&mark, head.map(|head| head.version), now).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn after_a_load_died_that_changed_the_currency_nothing_is_priced_until_all_is_loaded() {
    let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
    let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
    let cache = || CatalogueCache::new(ports.store.clone(), ports.clock.clone());
    let data = fixtures::dataset().unwrap();
    load_into(&ports, &data, USD).await.unwrap();
    let warm = cache();
    warm.current().await.unwrap();

    let yen = LoadOptions { currency: "JPY".parse().unwrap(), prune: true };
    assert_eq!(begin_and_die(&ports, yen.currency).await, BeginLoad::Begun);
    let error = cache().current().await.unwrap_err();
    assert!(matches!(error, SnapshotError::HalfLoaded { .. }), "{error}");
    assert_eq!(warm.current().await.unwrap().currency(), Currency::USD, "it is from before");
    // Some prices may be in yen already.
    let error = load_into(&ports, &data, USD).await.unwrap_err();
    assert!(matches!(error, LoadError::HalfLoaded { .. }), "{error}");
    load_into(&ports, &data, LoadOptions { prune: true, ..USD }).await.unwrap();
    assert_eq!(cache().current().await.unwrap().currency(), Currency::USD);

    assert_eq!(begin_and_die(&ports, yen.currency).await, BeginLoad::Begun);
    tokio::time::advance(LoadMark::LEASE).await;
    load_into(&ports, &data, yen).await.unwrap();
    assert_eq!(cache().current().await.unwrap().currency(), yen.currency);
}

/// A loader for which every look at the clock takes long.
struct SlowClock(Arc<ManualClock>);

impl Clock for SlowClock {
    fn now(&self) -> Timestamp {
        self.0.advance(LoadMark::LEASE * 2 / 3);
        self.0.now()
    }
}

#[tokio::test]
async fn a_load_stays_marked_while_it_writes_discounts() {
    let (clock, ports) = engine();
    let meter = Arc::new(Meter::new());
    let ports = metered(ports, &meter);
    let mut data = fixtures::dataset().unwrap();
    let list = data.discounts[0].clone();
    let user = |number| format!("user-{number}").parse().unwrap();
    data.discounts =
        (0..20_000).map(|number| UserDiscounts { user: user(number), ..list.clone() }).collect();
    let slow = SlowClock(clock);
    load(&*ports.store, &slow, &*ports.randomness, &data, USD, &|_| {}).await.unwrap();
    let heads = |line: &UsageLine| {
        (line.resource, line.action) == (Resource::Products, Action::Write) && line.used.items > 0
    };
    // Its beginning and end, twice around the products, and once for each 5,000 of the lists.
    let products = data.products.len() as u64;
    assert_eq!(meter.usage().total(heads).items - products, 2 + 2 + 4);
}

#[tokio::test]
async fn a_live_load_keeps_others_out_and_a_dead_one_does_not() {
    let (clock, ports) = engine();
    let data = fixtures::dataset().unwrap();
    let deadline = ports.clock.now().plus(Duration::from_secs(30));
    let mark = LoadMark { id: LoadId("other".into()), deadline, currency: Currency::USD };
    let begun = ports.store.begin_load(&mark, None, ports.clock.now()).await;
    assert_eq!(begun.unwrap(), BeginLoad::Begun);
    let error = load_into(&ports, &data, USD).await.unwrap_err();
    assert!(matches!(error, LoadError::Busy { until } if until == deadline), "{error}");
    assert!(products(&ports).await.is_empty());

    clock.advance(Duration::from_secs(31));
    assert_eq!(load_into(&ports, &data, USD).await.unwrap().version, 1);
}
