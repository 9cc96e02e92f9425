//! The catalogue: its head, the marks of loads, its products.

use futures_util::future::try_join_all;
use ocache::model::ProductId;
use ocache::ports::{BeginLoad, CatalogueHead, LoadId, LoadMark, Ports};
use ocache::pricing::{Currency, Money, Product};

use super::listing::{all_pages, sorted_by};
use super::samples::{ODD_IDS, now, product, product_id, secs};

/// The mark of a load that dies so many seconds from now.
fn mark(id: &str, secs_from_now: u64) -> LoadMark {
    LoadMark {
        id: LoadId(id.to_owned()),
        deadline: now().plus(secs(secs_from_now)),
        currency: Currency::USD,
    }
}

fn load(id: &str) -> LoadId {
    LoadId(id.to_owned())
}

/// Tries to begin a load of dollars now.
async fn begin(ports: &Ports, mark: &LoadMark, expected: Option<u64>) -> BeginLoad {
    ports.store.begin_load(mark, expected, now()).await.unwrap()
}

async fn head(ports: &Ports) -> CatalogueHead {
    ports.store.catalogue_head().await.unwrap().unwrap()
}

/// All products, sorted.
async fn listed(ports: &Ports) -> Vec<Product> {
    let products = all_pages(|from| ports.store.list_products(from)).await;
    sorted_by(products, |product| product.id.clone())
}

pub async fn the_first_load_makes_version_one(ports: Ports) {
    assert_eq!(ports.store.catalogue_head().await.unwrap(), None);
    let mark = mark("first", 60);
    assert_eq!(begin(&ports, &mark, None).await, BeginLoad::Begun);
    let loading = Some(mark);
    let during = CatalogueHead { version: 0, currency: Currency::USD, loading };
    assert_eq!(head(&ports).await, during);
    assert_eq!(listed(&ports).await, [], "the head is no product");

    assert_eq!(ports.store.finish_load(&load("first")).await.unwrap(), Some(1));
    let after = CatalogueHead { version: 1, currency: Currency::USD, loading: None };
    assert_eq!(head(&ports).await, after);
    assert_eq!(ports.store.finish_load(&load("first")).await.unwrap(), None, "once");
    assert_eq!(head(&ports).await, after);
}

pub async fn a_load_needs_the_version_that_was_read(ports: Ports) {
    assert_eq!(begin(&ports, &mark("a", 60), Some(1)).await, BeginLoad::Conflict);
    assert_eq!(ports.store.catalogue_head().await.unwrap(), None);
    assert_eq!(begin(&ports, &mark("a", 60), None).await, BeginLoad::Begun);
    ports.store.finish_load(&load("a")).await.unwrap();

    for expected in [None, Some(0), Some(2)] {
        let begun = begin(&ports, &mark("b", 60), expected).await;
        assert_eq!(begun, BeginLoad::Conflict, "{expected:?}");
    }
    assert_eq!(head(&ports).await.loading, None);
    assert_eq!(begin(&ports, &mark("b", 60), Some(1)).await, BeginLoad::Begun);
    assert_eq!(ports.store.finish_load(&load("b")).await.unwrap(), Some(2));
}

pub async fn a_live_mark_keeps_others_out(ports: Ports) {
    let alive = mark("alive", 60);
    assert_eq!(begin(&ports, &alive, None).await, BeginLoad::Begun);
    for expected in [None, Some(0)] {
        let begun = begin(&ports, &mark("other", 120), expected).await;
        assert_eq!(begun, BeginLoad::Conflict, "{expected:?}");
    }
    assert!(!ports.store.extend_load(&mark("other", 120)).await.unwrap());
    assert_eq!(ports.store.finish_load(&load("other")).await.unwrap(), None);
    assert_eq!(head(&ports).await.loading, Some(alive));
}

pub async fn a_dead_mark_is_taken_over(ports: Ports) {
    let dead = mark("dead", 60);
    assert_eq!(begin(&ports, &dead, None).await, BeginLoad::Begun);
    let heir = mark("heir", 120);
    let begun = ports.store.begin_load(&heir, Some(0), dead.deadline).await.unwrap();
    assert_eq!(begun, BeginLoad::Begun, "a mark is dead from its deadline on");

    assert!(!ports.store.extend_load(&mark("dead", 300)).await.unwrap());
    assert_eq!(ports.store.finish_load(&load("dead")).await.unwrap(), None);
    assert_eq!(head(&ports).await.loading, Some(heir));
    assert_eq!(ports.store.finish_load(&load("heir")).await.unwrap(), Some(1));
}

pub async fn an_extended_mark_lives_longer(ports: Ports) {
    let short = mark("a", 60);
    assert!(!ports.store.extend_load(&short).await.unwrap(), "there is no head");
    begin(&ports, &short, None).await;
    let long = mark("a", 300);
    assert!(ports.store.extend_load(&long).await.unwrap());
    assert_eq!(head(&ports).await.loading, Some(long.clone()));

    let other = mark("b", 600);
    for (now, begun) in [(short.deadline, BeginLoad::Conflict), (long.deadline, BeginLoad::Begun)] {
        let begin = ports.store.begin_load(&other, Some(0), now).await;
        assert_eq!(begin.unwrap(), begun);
    }
}

pub async fn only_one_of_many_loaders_begins(ports: Ports) {
    let marks: Vec<_> = (0..8).map(|n| mark(&format!("load {n}"), 60)).collect();
    for expected in [None, Some(1)] {
        let begin = |mark| ports.store.begin_load(mark, expected, now());
        let outcomes = try_join_all(marks.iter().map(begin)).await.unwrap();
        let begun = |outcome: &&BeginLoad| **outcome == BeginLoad::Begun;
        assert_eq!(outcomes.iter().filter(begun).count(), 1, "{outcomes:?}");
        let winner = head(&ports).await.loading.unwrap().id;
        assert!(ports.store.finish_load(&winner).await.unwrap().is_some());
    }
}

pub async fn a_currency_changes_only_when_a_load_ends(ports: Ports) {
    let yen: Currency = "JPY".parse().unwrap();
    begin(&ports, &mark("a", 60), None).await;
    ports.store.finish_load(&load("a")).await.unwrap();
    assert_eq!(head(&ports).await.currency, Currency::USD);

    let in_yen = LoadMark { currency: yen, ..mark("b", 60) };
    ports.store.begin_load(&in_yen, Some(1), now()).await.unwrap();
    assert_eq!(head(&ports).await.loading, Some(in_yen));
    assert_eq!(head(&ports).await.currency, Currency::USD, "prices are still in dollars");
    assert_eq!(ports.store.finish_load(&load("b")).await.unwrap(), Some(2));
    assert_eq!(head(&ports).await.currency, yen);
}

pub async fn products_are_upserted_and_deleted(ports: Ports) {
    let longest = "é".repeat(ProductId::MAX_BYTES / 2);
    let ids: Vec<_> = ODD_IDS.into_iter().chain([longest.as_str()]).collect();
    let mut products: Vec<_> = ids.iter().zip(1..).map(|(id, n)| product(id, n * 100)).collect();
    products[0].price = Money::ZERO;
    products[1].price = Money::MAX_PRICE;
    products[2].name = String::new();
    let products = sorted_by(products, |product| product.id.clone());
    ports.store.put_products(&products).await.unwrap();
    assert_eq!(listed(&ports).await, products);

    let changed = Product { name: "Renamed".to_owned(), ..product(ODD_IDS[0], 1) };
    ports.store.put_products(std::slice::from_ref(&changed)).await.unwrap();
    let read = ports.store.products(&[changed.id.clone(), product_id("unknown")]).await.unwrap();
    assert_eq!(read, [changed]);

    let (gone, kept) = products.split_at(5);
    let mut gone: Vec<_> = gone.iter().map(|product| product.id.clone()).collect();
    gone.push(product_id("unknown"));
    ports.store.delete_products(&gone).await.unwrap();
    let left: Vec<_> = listed(&ports).await.into_iter().map(|product| product.id).collect();
    assert_eq!(left, kept.iter().map(|product| product.id.clone()).collect::<Vec<_>>());
}

pub async fn a_large_catalogue_is_listed_whole(ports: Ports) {
    // More than 1 MB, which is the most that one page of a scan has.
    let name = "Ñ".repeat(600);
    let products: Vec<_> = (0..1200)
        .map(|n| Product { name: name.clone(), ..product(&format!("P{n:04}"), n) })
        .collect();
    ports.store.put_products(&products).await.unwrap();
    assert_eq!(listed(&ports).await, products);

    let ids: Vec<_> = products.iter().map(|product| product.id.clone()).collect();
    ports.store.delete_products(&ids[..600]).await.unwrap();
    assert_eq!(listed(&ports).await, products[600..]);
}

pub async fn many_products_are_read_at_once(ports: Ports) {
    let products: Vec<_> = (0..130).map(|n| product(&format!("P{n:03}"), n)).collect();
    ports.store.put_products(&products).await.unwrap();
    let ids: Vec<_> = (0..260).map(|n| product_id(&format!("P{n:03}"))).collect();
    let read = ports.store.products(&ids).await.unwrap();
    assert_eq!(sorted_by(read, |product| product.id.clone()), products);
}

pub async fn nothing_asked_is_nothing_done(ports: Ports) {
    ports.store.put_products(&[]).await.unwrap();
    ports.store.delete_products(&[]).await.unwrap();
    assert_eq!(ports.store.products(&[]).await.unwrap(), []);
    assert_eq!(listed(&ports).await, []);
}
