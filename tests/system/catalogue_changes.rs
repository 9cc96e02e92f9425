//! Tests of loads while everything else runs.

use std::collections::HashSet;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ocache::ports::{Changes, Commit, Committed, LoadId, RowChange, UserDiscounts};
use ocache::pricing::{Currency, Discount, Discounts, Money, Product, UnitRounding};
use ocache::protocol::LineFrame;
use ocache::runtime::Role;

use super::harness::{Engine, System, user};

const ALL: &[Role] = &[Role::Refresh, Role::PriceCalc, Role::QuotationProvider];
/// More than one part, so that a torn table would show.
const PRODUCTS: usize = 3_000;

fn every_price(minor: i64) -> impl Iterator<Item = (String, i64)> {
    (0..PRODUCTS).map(move |n| (format!("P{n:04}"), minor))
}

/// Returns everything of one edition: prices, names, and a discount for AAA, which belong together.
fn edition(number: i64) -> Vec<RowChange> {
    let products = every_price(number * 100).map(|(id, minor)| {
        Product::new(id.parse().unwrap(), format!("edition {number}"), Money::from_minor(minor))
    });
    let discounts = every_price(0).map(|(id, _)| Discount {
        product_id: id.parse().unwrap(),
        percentage: number.to_string().parse().unwrap(),
    });
    let discounts = Discounts::new(discounts.collect()).unwrap();
    let list = UserDiscounts::new(user("AAA"), discounts);
    products.map(RowChange::from).chain([list.into()]).collect()
}

/// Loads an edition with pauses in which anything may happen.
async fn load_slowly(system: &System, number: i64) {
    let store = &system.ports.store;
    let pause = || tokio::time::sleep(Duration::from_millis(30));
    let load = LoadId(format!("edition {number}"));
    let changes = edition(number);
    let (first, second) = changes.split_at(PRODUCTS / 2);
    store.begin_load(&load, system.now()).await.unwrap();
    assert!(store.write_journal(&load, first).await.unwrap());
    pause().await;
    assert!(store.write_journal(&load, second).await.unwrap());
    pause().await;
    let before = store.catalogue_head().await.unwrap().map(|head| head.version);
    let commit = Commit {
        load: load.clone(),
        currency: Currency::USD,
        rounding: UnitRounding::PLAIN,
        changes: Changes::PRODUCTS,
    };
    let committed = store.commit_load(&commit, before).await.unwrap();
    let Committed::Version(version) = committed else { panic!("{committed:?}") };
    let forget_at = system.now().plus(Duration::from_secs(3600));
    for some in [first, second] {
        pause().await;
        store.fold(&load, version, some, forget_at).await.unwrap();
    }
    pause().await;
    store.finish_load(&load).await.unwrap();
    store.drop_journal(&load).await.unwrap();
}

pub async fn no_quote_mixes_two_loads(engine: Engine) {
    let mut system = System::new(engine);
    system.policy.refresh_every = Duration::from_millis(50);
    system.change(edition(1)).await;
    system.run(ALL);
    assert_eq!(system.quote("AAA", "P0000:1").await.status, "answered");
    let newest = AtomicU32::new(1);
    let loads = async {
        for number in 2..=12 {
            load_slowly(&system, number).await;
            // Quotes follow at least every second load, however slow the calculation is.
            while number % 2 == 0 && i64::from(newest.load(Relaxed)) < number - 1 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    let mut seen = HashSet::new();
    let quotes = async {
        loop {
            let quotation = system.quote("AAA", "P0000:1 P1500:1 P2999:1").await;
            let of_line = |line: &LineFrame| {
                let list_price = line.list_price.as_deref().unwrap();
                let edition = list_price.trim_end_matches(".00").to_owned();
                assert_eq!(line.name, format!("edition {edition}"), "{quotation:?}");
                assert_eq!(line.discount_percent, edition, "{quotation:?}");
                edition
            };
            let editions: HashSet<_> = quotation.lines.iter().map(of_line).collect();
            assert_eq!((quotation.lines.len(), editions.len()), (3, 1), "{quotation:?}");
            for edition in editions {
                newest.fetch_max(edition.parse().unwrap(), Relaxed);
                seen.insert(edition);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = loads => {}
        () = quotes => {}
    }
    assert!(seen.len() > 3, "the prices moved while quotes were answered: {seen:?}");
    system.head_when("AAA", |head| head.catalogue_version == 12).await;
    assert_eq!(system.quote("BBB", "P0000:1").await.total.as_deref(), Some("12.00"));
    system.stop().await;
}

pub async fn an_unchanged_refresh_keeps_the_generation(engine: Engine) {
    let mut system = System::new(engine);
    system.policy.refresh_every = Duration::from_millis(200);
    system.load(every_price(100)).await;
    system.run(ALL);
    system.subscribe("AAA").await;
    let first = system.head_when("AAA", |_| true).await;
    let later = system.head_when("AAA", |head| head.version >= 4).await;
    assert_eq!(later.generation, first.generation);
    assert_eq!(later.priced_at, first.priced_at);
    assert!(later.validated_at > first.validated_at);
    system.load(every_price(200)).await;
    let changed = system.head_when("AAA", |head| head.catalogue_version == 2).await;
    assert_ne!(changed.generation, first.generation);
    system.stop().await;
}

pub async fn a_load_that_dies_changes_nothing(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let before = system.ports.store.catalogue_head().await.unwrap();
    system.begin_load_and_die("died", &edition(7)).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = system.quote("AAA", "P1:2").await;
    assert_eq!(quotation.total.as_deref(), Some("900.00"));
    assert_eq!(system.ports.store.catalogue_head().await.unwrap(), before);
    // It does not delay the next load either.
    system.load([("P9".to_owned(), 100)]).await;
    assert_eq!(system.quote("BBB", "P9:1").await.total.as_deref(), Some("1.00"));
    system.stop().await;
}

pub async fn what_a_load_left_is_folded_at_a_tick(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.refresh_every = Duration::from_millis(50);
    let before = system.ports.store.catalogue_head().await.unwrap().map(|head| head.version);
    let load = LoadId("left".to_owned());
    let mut changes = edition(7);
    changes.truncate(10);
    system.begin_load_and_die("left", &changes).await;
    let commit = Commit {
        load,
        currency: Currency::USD,
        rounding: UnitRounding::PLAIN,
        changes: Changes::PRODUCTS,
    };
    system.ports.store.commit_load(&commit, before).await.unwrap();
    system.run(ALL);
    // The load is in force at once, and folded later.
    let quotation = system.quote("BBB", "P0003:1").await;
    assert_eq!(quotation.total.as_deref(), Some("7.00"));
    while system.ports.store.catalogue_head().await.unwrap().unwrap().unfolded.is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(system.quote("CCC", "P0003:1").await.total.as_deref(), Some("7.00"));
    system.stop().await;
}
