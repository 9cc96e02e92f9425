//! Loads in the middle of everything.

use std::collections::HashSet;
use std::time::Duration;

use ocache::runtime::Role;

use super::harness::{Engine, System};

const ALL: &[Role] = &[Role::Refresh, Role::PriceCalc, Role::QuotationProvider];
/// More than one part, so that a table can be torn.
const PRODUCTS: usize = 3_000;

fn every_price(minor: i64) -> impl Iterator<Item = (String, i64)> {
    (0..PRODUCTS).map(move |n| (format!("P{n:04}"), minor))
}

pub async fn no_quote_mixes_two_catalogues(engine: Engine) {
    let mut system = System::new(engine);
    system.policy.refresh_every = Duration::from_millis(50);
    system.load(every_price(100)).await;
    system.run(ALL);
    assert_eq!(system.quote("AAA", "P0000:1").await.status, "answered");
    let loads = async {
        for price in 2..=12 {
            // Half, a pause in which anything may happen, the other half.
            let mark = system.begin_load(&format!("load {price}"), Duration::from_secs(30)).await;
            let products: Vec<_> = every_price(price * 100)
                .map(|(id, minor)| ocache::pricing::Product {
                    id: id.parse().unwrap(),
                    name: id,
                    price: ocache::pricing::Money::from_minor(minor),
                })
                .collect();
            let (first, second) = products.split_at(PRODUCTS / 2);
            system.ports.store.put_products(first).await.unwrap();
            tokio::time::sleep(Duration::from_millis(60)).await;
            system.ports.store.put_products(second).await.unwrap();
            system.ports.store.finish_load(&mark.id).await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    };
    let mut seen = HashSet::new();
    let quotes = async {
        loop {
            let quotation = system.quote("AAA", "P0000:1 P1500:1 P2999:1").await;
            let prices: HashSet<_> = quotation.lines.iter().map(|line| &line.unit_price).collect();
            assert_eq!((quotation.lines.len(), prices.len()), (3, 1), "{quotation:?}");
            seen.insert(quotation.lines[0].unit_price.clone());
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

pub async fn a_dead_loader_does_not_stop_the_system(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let long_ago = system.now().minus(Duration::from_secs(2 * 24 * 3600));
    system.begin_load_until("died", long_ago).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = system.quote("AAA", "P1:2").await;
    assert_eq!(quotation.total.as_deref(), Some("900.00"));
    let head = system.ports.store.catalogue_head().await.unwrap().unwrap();
    assert_eq!((head.loading, head.version), (None, 2));
    system.stop().await;
}
