//! Tests of loads: their changes come into force together, once, and are folded into the rows.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use ocache::ports::{
    AtHead, CatalogueHead, Changes, Commit, Committed, JOURNAL_KEPT_FOR, Ports, Record, RecordKey,
    RowChange, Segment, UserDiscounts,
};
use ocache::pricing::{Currency, Discount, Discounts, Money, Product, Rounding, UnitRounding};

use super::listing::{all_pages, sorted_by};
use super::loading::{
    bring, commit, finish, fold, forget_at, head, journal, journal_of, load, load_all, now,
};
use super::samples::{percentage, product, product_id, user};

fn put(id: &str, minor: i64) -> RowChange {
    RowChange::Put(Record::Product(product(id, minor)))
}

fn delete(id: &str) -> RowChange {
    RowChange::Delete(RecordKey::Product(product_id(id)))
}

fn list(of: &str, percent: &str) -> UserDiscounts {
    let discount = Discount { product_id: product_id("P1"), percentage: percentage(percent) };
    UserDiscounts::new(user(of), Discounts::new(vec![discount]).unwrap())
}

fn put_list(of: &str, percent: &str) -> RowChange {
    RowChange::Put(Record::Discounts(list(of, percent)))
}

/// Returns products at a head, read in every way, or `None` if a later load is in force.
async fn products_at(ports: &Ports, at: &CatalogueHead, ids: &[&str]) -> Option<Vec<Product>> {
    let mut listed = vec![];
    let mut from = None;
    loop {
        let AtHead::Read(page) = ports.store.list_products(at, Segment::ALL, from).await.unwrap()
        else {
            return None;
        };
        listed.extend(page.items);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let listed = sorted_by(listed, |product| product.id.clone());
    let ids: Vec<_> = ids.iter().map(|id| product_id(id)).collect();
    let AtHead::Read(read) = ports.store.products(&ids, at).await.unwrap() else { return None };
    assert_eq!(sorted_by(read, |product| product.id.clone()), listed);
    Some(listed)
}

async fn lists_at(ports: &Ports, at: &CatalogueHead, users: &[&str]) -> Option<Vec<UserDiscounts>> {
    let mut listed = vec![];
    let mut from = None;
    loop {
        let page = ports.store.list_discounted_users(at, from).await.unwrap();
        let AtHead::Read(page) = page else { return None };
        listed.extend(page.items);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let users: Vec<_> = users.iter().map(|id| user(id)).collect();
    let AtHead::Read(read) = ports.store.discounts(&users, at).await.unwrap() else {
        return None;
    };
    let read = sorted_by(read, |list| list.user.clone());
    let named: Vec<_> = read.iter().map(|list| list.user.clone()).collect();
    assert_eq!(sorted_by(listed, Clone::clone), named);
    Some(read)
}

pub async fn the_first_load_makes_version_one(ports: Ports) {
    assert_eq!(ports.store.catalogue_head().await.unwrap(), None);
    journal(&ports, "first", &[put("P1", 100), put_list("ann", "10")]).await;
    assert_eq!(ports.store.catalogue_head().await.unwrap(), None, "nothing is in force yet");
    let empty = CatalogueHead::EMPTY;
    assert_eq!(products_at(&ports, &empty, &["P1"]).await, Some(vec![]));
    assert_eq!(lists_at(&ports, &empty, &["ann"]).await, Some(vec![]));

    let committed = ports.store.commit_load(&commit("first"), None).await.unwrap();
    assert_eq!(committed, Committed::Version(1));
    let unfolded = Some(load("first"));
    let (version, base_version, shared_version) = (1, 1, 1);
    let at = CatalogueHead { version, base_version, shared_version, unfolded, ..empty };
    assert_eq!(head(&ports).await, at);
    assert_eq!(products_at(&ports, &at, &["P1"]).await, Some(vec![product("P1", 100)]));

    fold(&ports, "first", 1).await;
    ports.store.finish_load(&load("first")).await.unwrap();
    let folded = CatalogueHead { unfolded: None, ..at };
    assert_eq!(head(&ports).await, folded);
    assert_eq!(products_at(&ports, &folded, &["P1"]).await, Some(vec![product("P1", 100)]));
    assert_eq!(lists_at(&ports, &folded, &["ann"]).await, Some(vec![list("ann", "10")]));
}

pub async fn a_journal_is_laid_over_the_rows_until_it_is_folded(ports: Ports) {
    let ids = ["P1", "P2", "P3", "P4"];
    let first = [put("P1", 100), put("P2", 200), put("P3", 300), put_list("ann", "10")];
    let before = load_all(&ports, "first", &first).await;
    let changes = [
        put("P1", 101),
        delete("P2"),
        put("P4", 400),
        put_list("bob", "5"),
        RowChange::Delete(RecordKey::Discounts(user("ann"))),
    ];
    let changes = sorted_by(changes.to_vec(), RowChange::key);
    let at = bring(&ports, "second", &changes).await;
    let after = vec![product("P1", 101), product("P3", 300), product("P4", 400)];
    assert_eq!(products_at(&ports, &at, &ids).await, Some(after.clone()));
    assert_eq!(lists_at(&ports, &at, &["ann", "bob"]).await, Some(vec![list("bob", "5")]));

    // When half of the journal is folded, each reader still sees all of it.
    ports.store.fold(&load("second"), 2, &changes[..2], forget_at()).await.unwrap();
    assert_eq!(products_at(&ports, &at, &ids).await, Some(after.clone()));
    // A reader at the previous head sees exactly that state, or learns that it moved.
    let old = products_at(&ports, &before, &ids).await;
    assert!(old.is_none(), "a row of a later version was met: {old:?}");

    fold(&ports, "second", 2).await;
    assert_eq!(products_at(&ports, &at, &ids).await, Some(after.clone()));
    finish(&ports, "second").await;
    // The head from before the end names a journal that is gone.
    if let Some(seen) = products_at(&ports, &at, &ids).await {
        assert_eq!(seen, after);
    }
    let now = head(&ports).await;
    assert_eq!(products_at(&ports, &now, &ids).await, Some(after));
    assert_eq!(lists_at(&ports, &now, &["ann", "bob"]).await, Some(vec![list("bob", "5")]));
    assert_eq!(ports.store.journals().await.unwrap(), []);
}

pub async fn a_load_needs_the_version_that_was_read(ports: Ports) {
    journal(&ports, "a", &[put("P1", 1)]).await;
    for expected in [Some(0), Some(1)] {
        let committed = ports.store.commit_load(&commit("a"), expected).await.unwrap();
        assert_eq!(committed, Committed::Conflict, "{expected:?}");
    }
    assert_eq!(ports.store.catalogue_head().await.unwrap(), None);
    assert_eq!(ports.store.commit_load(&commit("a"), None).await.unwrap(), Committed::Version(1));

    journal(&ports, "b", &[put("P1", 2)]).await;
    let unfolded = ports.store.commit_load(&commit("b"), Some(1)).await.unwrap();
    assert_eq!(unfolded, Committed::Conflict, "the one before is not folded");
    fold(&ports, "a", 1).await;
    finish(&ports, "a").await;
    for expected in [None, Some(0), Some(2)] {
        let committed = ports.store.commit_load(&commit("b"), expected).await.unwrap();
        assert_eq!(committed, Committed::Conflict, "{expected:?}");
    }
    let committed = ports.store.commit_load(&commit("b"), Some(1)).await.unwrap();
    assert_eq!(committed, Committed::Version(2));
}

pub async fn only_one_of_many_loads_comes_into_force(ports: Ports) {
    let ids: Vec<String> = (0..8).map(|n| format!("load {n}")).collect();
    for id in &ids {
        journal(&ports, id, &[put("P1", 1)]).await;
    }
    for expected in [None, Some(1)] {
        let commits: Vec<_> = ids.iter().map(|id| commit(id)).collect();
        let commits = commits.iter().map(|commit| ports.store.commit_load(commit, expected));
        let outcomes = try_join_all(commits).await.unwrap();
        let version = Committed::Version(expected.unwrap_or(0) + 1);
        let won = outcomes.iter().filter(|outcome| **outcome == version).count();
        assert_eq!(won, 1, "{outcomes:?}");
        let at = head(&ports).await;
        let winner = at.unfolded.unwrap().0;
        fold(&ports, &winner, at.version).await;
        finish(&ports, &winner).await;
    }
}

pub async fn a_dropped_load_never_comes_into_force(ports: Ports) {
    journal(&ports, "dead", &[put("P1", 1)]).await;
    let journals = ports.store.journals().await.unwrap();
    assert_eq!(journals.len(), 1);
    assert_eq!((&journals[0].load, journals[0].began_at), (&load("dead"), now()));
    assert!(!journals[0].is_waste(now()));
    assert!(journals[0].is_waste(now().plus(JOURNAL_KEPT_FOR)));

    ports.store.drop_journal(&load("dead")).await.unwrap();
    assert_eq!(ports.store.journals().await.unwrap(), []);
    assert!(!ports.store.write_journal(&load("dead"), &[put("P2", 2)]).await.unwrap());
    let committed = ports.store.commit_load(&commit("dead"), None).await.unwrap();
    assert_eq!(committed, Committed::Dropped);
    assert_eq!(ports.store.catalogue_head().await.unwrap(), None);
    assert_eq!(journal_of(&ports, "dead").await, []);
}

pub async fn the_journal_of_the_head_is_not_dropped(ports: Ports) {
    let at = bring(&ports, "a", &[put("P1", 1)]).await;
    assert_eq!(ports.store.journals().await.unwrap(), [], "it is the head's");
    ports.store.drop_journal(&load("a")).await.unwrap();
    assert_eq!(journal_of(&ports, "a").await, [put("P1", 1)]);
    assert_eq!(head(&ports).await, at);
    // Another load does not end it.
    ports.store.finish_load(&load("b")).await.unwrap();
    assert_eq!(head(&ports).await, at);
    ports.store.finish_load(&load("a")).await.unwrap();
    let journals = ports.store.journals().await.unwrap();
    assert!(journals.iter().all(|journal| journal.is_waste(now())), "{journals:?}");
}

pub async fn what_is_folded_late_changes_nothing(ports: Ports) {
    let first = [put("P1", 100), put("P2", 200), put_list("ann", "10")];
    load_all(&ports, "first", &first).await;
    let second = [put("P1", 111), delete("P2"), put_list("ann", "20")];
    let now = load_all(&ports, "second", &second).await;
    // A loader that was paused continues.
    ports.store.fold(&load("first"), 1, &first, forget_at()).await.unwrap();
    ports.store.finish_load(&load("first")).await.unwrap();
    ports.store.drop_journal(&load("first")).await.unwrap();
    assert_eq!(head(&ports).await, now);
    let products = products_at(&ports, &now, &["P1", "P2"]).await;
    assert_eq!(products, Some(vec![product("P1", 111)]));
    assert_eq!(lists_at(&ports, &now, &["ann"]).await, Some(vec![list("ann", "20")]));
}

pub async fn the_base_moves_only_with_products_and_currency(ports: Ports) {
    load_all(&ports, "a", &[put("P1", 1)]).await;
    let discounts_only = Commit { changes: Changes::NONE, ..commit("b") };
    journal(&ports, "b", &[put_list("ann", "1")]).await;
    ports.store.commit_load(&discounts_only, Some(1)).await.unwrap();
    let at = head(&ports).await;
    assert_eq!((at.version, at.base_version), (2, 1));
    fold(&ports, "b", 2).await;
    finish(&ports, "b").await;

    let yen: Currency = "JPY".parse().unwrap();
    let in_yen = Commit { currency: yen, ..commit("c") };
    journal(&ports, "c", &[]).await;
    assert_eq!(head(&ports).await.currency, Currency::USD, "prices are still in dollars");
    ports.store.commit_load(&in_yen, Some(2)).await.unwrap();
    let at = head(&ports).await;
    assert_eq!((at.version, at.base_version, at.currency), (3, 3, yen));
}

pub async fn the_head_says_what_changed_last(ports: Ports) {
    const NONE: Changes = Changes::NONE;
    let finer = UnitRounding { unit_decimals: 4, rounding: Rounding::HalfUp };
    let lists = Changes { lists: true, ..NONE };
    let mut expected: Option<CatalogueHead> = None;
    for (changes, rounding) in [
        (NONE, UnitRounding::PLAIN),
        (Changes { customers: true, ..NONE }, UnitRounding::PLAIN),
        (lists, UnitRounding::PLAIN),
        (NONE, UnitRounding::PLAIN),
        (Changes::PRODUCTS, finer),
        (Changes { shared_lists: true, ..lists }, finer),
        (lists, UnitRounding { unit_decimals: 0, ..finer }),
    ] {
        let version = expected.as_ref().map(|head| head.version);
        let id = format!("after {version:?}");
        journal(&ports, &id, &[]).await;
        let commit = Commit { changes, rounding, ..commit(&id) };
        ports.store.commit_load(&commit, version).await.unwrap();
        let after = expected.unwrap_or(CatalogueHead::EMPTY).after(&commit);
        assert_eq!(head(&ports).await, after, "{changes:?}");
        finish(&ports, &id).await;
        let folded = CatalogueHead { unfolded: None, ..after };
        assert_eq!(head(&ports).await, folded, "{changes:?}");
        expected = Some(folded);
    }
    let at = head(&ports).await;
    let versions = [at.version, at.base_version, at.lists_version, at.shared_version];
    assert_eq!((versions, at.has_customers), ([7, 5, 7, 6], true));
}

pub async fn a_large_journal_comes_back_in_its_order(ports: Ports) {
    // Few rows with long names have as many bytes as many rows, and folding costs a call for each row on AWS.
    let name = "Ñ".repeat(3_000);
    let products = (0..400).map(|n| {
        let product = Product { name: name.clone(), ..product(&format!("P{n:04}"), n) };
        RowChange::Put(Record::Product(product))
    });
    let lists = (0..40).map(|n| put_list(&format!("user {n:03}"), "5"));
    let changes: Vec<RowChange> = products.chain(lists).collect();
    ports.store.begin_load(&load("large"), now()).await.unwrap();
    for some in changes.chunks(150) {
        assert!(ports.store.write_journal(&load("large"), some).await.unwrap());
    }
    let large = load("large");
    let listed = all_pages(|from| ports.store.list_journal(&large, from)).await;
    assert!(listed == changes, "{} changes came back", listed.len());
    ports.store.commit_load(&commit("large"), None).await.unwrap();
    let at = head(&ports).await;
    let of_some = ports.store.products(&[product_id("P0000"), product_id("P0399")], &at).await;
    let AtHead::Read(of_some) = of_some.unwrap() else { panic!("nothing moved") };
    assert_eq!(of_some.len(), 2);
    for some in changes.chunks(150) {
        ports.store.fold(&load("large"), 1, some, forget_at()).await.unwrap();
    }
    finish(&ports, "large").await;
    let now = head(&ports).await;
    let first =
        all_pages(async |from| match ports.store.list_products(&now, Segment::ALL, from).await? {
            AtHead::Read(page) => Ok(page),
            AtHead::Moved => panic!("nothing moved"),
        });
    assert_eq!(first.await.len(), 400);
    let prices = ports.store.products(&[product_id("P0399")], &now).await.unwrap();
    let prices = prices.map(|rows| rows.into_iter().map(|row| row.price).collect::<Vec<_>>());
    assert_eq!(prices, AtHead::Read(vec![Some(Money::from_minor(399))]));
}

pub async fn a_listing_that_outlasts_the_fold_is_whole(ports: Ports) {
    // More than a page on every engine.
    let name = "Ñ".repeat(300);
    let first = (0..4_100).map(|n| {
        let product = Product { name: name.clone(), ..product(&format!("P{n:04}"), 1) };
        RowChange::from(product)
    });
    load_all(&ports, "first", &first.collect::<Vec<_>>()).await;
    let changed: Vec<_> = (0..200).map(|n| put(&format!("P{n:04}"), 2)).collect();
    let at = bring(&ports, "second", &changed).await;
    let AtHead::Read(page) = ports.store.list_products(&at, Segment::ALL, None).await.unwrap()
    else {
        panic!("nothing moved");
    };
    let (mut listed, mut from) = (page.items, page.next);
    assert!(from.is_some(), "it has one page only");
    fold(&ports, "second", 2).await;
    finish(&ports, "second").await;
    while from.is_some() {
        // On some engines the reader must start again.
        let page = ports.store.list_products(&at, Segment::ALL, from).await.unwrap();
        let AtHead::Read(page) = page else { return };
        listed.extend(page.items);
        from = page.next;
    }
    let listed: BTreeMap<_, _> =
        listed.into_iter().map(|product| (product.id, product.price)).collect();
    let two = Some(Money::from_minor(2));
    let changed = listed.values().filter(|price| **price == two).count();
    assert_eq!((listed.len(), changed), (4_100, 200));
}

pub async fn nothing_asked_is_nothing_done(ports: Ports) {
    ports.store.begin_load(&load("a"), now()).await.unwrap();
    assert!(ports.store.write_journal(&load("a"), &[]).await.unwrap());
    ports.store.fold(&load("a"), 1, &[], forget_at()).await.unwrap();
    assert_eq!(journal_of(&ports, "a").await, []);
    ports.store.drop_journal(&load("never begun")).await.unwrap();
    ports.store.finish_load(&load("never begun")).await.unwrap();
}
