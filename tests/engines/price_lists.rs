//! Tests of customers, price lists with their rows, and ladders, read at a head in every way.

use std::collections::{BTreeMap, BTreeSet};

use ocache::model::{PriceListId, Timestamp};
use ocache::ports::{
    AtHead, CatalogueHead, Cursor, Page, PortError, Ports, Record, RecordKey, RowChange, Segment,
    UserDiscounts,
};
use ocache::pricing::{
    Currency, Customer, Discounts, Ladder, ListPrices, MinQuantity, Money, OwnLadder, OwnLadders,
    PriceList, PriceRule, Product, ProductDetail, QuantityRules, Recipients, Rung, Scope,
};

use super::listing::sorted_by;
use super::loading::{bring, finish, fold, forget_at, head, journal_of, load, load_all};
use super::samples::{ODD_IDS, product, product_id, user};

fn list_id(id: &str) -> PriceListId {
    PriceListId::stored(id.to_owned()).unwrap()
}

fn price_list(id: &str) -> PriceList {
    PriceList {
        id: list_id(id),
        priority: 0,
        currency: None,
        from: None,
        until: None,
        recipients: Recipients { everyone: true, ..Recipients::default() },
        is_wide: false,
        revision: 1,
    }
}

/// Returns a ladder with this many rungs, of which the first has this price.
fn ladder(rungs: i64, minor: i64) -> Ladder {
    let rung = |n: i64| Rung {
        min_quantity: MinQuantity::from_thousandths(n.cast_unsigned() * 500).unwrap(),
        rule: PriceRule::Price(Money::from_minor(minor - n)),
    };
    Ladder::new((0..rungs).map(rung).collect()).unwrap()
}

fn category(path: &str) -> Scope {
    Scope::Category(path.parse().unwrap())
}

fn prices(list: &str, scope: Scope, minor: i64) -> ListPrices {
    ListPrices { list: list_id(list), scope, ladder: ladder(3, minor) }
}

fn customer(id: &str, groups: &[&str]) -> Customer {
    let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
    Customer { groups, ..Customer::unknown(user(id)) }
}

fn own(of: &str, currency: Option<Currency>, minor: i64) -> UserDiscounts {
    let own = OwnLadder { product_id: product_id("P1"), ladder: ladder(2, minor) };
    let ladders = OwnLadders { currency, ladders: vec![own] };
    UserDiscounts { ladders, ..UserDiscounts::new(user(of), Discounts::default()) }
}

fn puts(records: &[Record]) -> Vec<RowChange> {
    sorted_by(records.iter().cloned().map(RowChange::Put).collect(), RowChange::key)
}

/// Returns the items of all pages, or `None` if a later load is in force.
async fn listed<T, F>(mut page: impl FnMut(Option<Cursor>) -> F) -> Option<Vec<T>>
where
    F: Future<Output = Result<AtHead<Page<T>>, PortError>>,
{
    let (mut items, mut from) = (vec![], None);
    loop {
        let AtHead::Read(page) = page(from).await.unwrap() else { return None };
        items.extend(page.items);
        from = page.next;
        if from.is_none() {
            return Some(items);
        }
    }
}

fn read<T>(read: Result<AtHead<Vec<T>>, PortError>) -> Option<Vec<T>> {
    match read.unwrap() {
        AtHead::Read(rows) => Some(rows),
        AtHead::Moved => None,
    }
}

/// Returns the rows of a list at a head, as they are listed.
async fn rows_of(ports: &Ports, at: &CatalogueHead, list: &str) -> Option<Vec<ListPrices>> {
    let list = list_id(list);
    let rows = listed(|from| ports.store.list_prices(&list, at, from)).await?;
    Some(sorted_by(rows, |row| row.scope.clone()))
}

/// Returns all records at a head that these keys name, both listed and read by key, or `None` if a later
/// load is in force. Products are left out, and users with discounts are only listed.
async fn records_at(
    ports: &Ports,
    at: &CatalogueHead,
    keys: &BTreeSet<RecordKey>,
) -> Option<Vec<Record>> {
    let store = &ports.store;
    let (mut users, mut discounted, mut lists, mut rows) = (vec![], vec![], vec![], vec![]);
    for key in keys.iter().cloned() {
        match key {
            RecordKey::Product(_) => {}
            RecordKey::Discounts(user) => discounted.push(user),
            RecordKey::Customer(user) => users.push(user),
            RecordKey::PriceList(list) => lists.push(list),
            RecordKey::Prices(list, scope) => rows.push((list, scope)),
        }
    }
    let mut asked: Vec<Record> = vec![];
    asked.extend(read(store.discounts(&discounted, at).await)?.into_iter().map(Record::Discounts));
    asked.extend(read(store.customers(&users, at).await)?.into_iter().map(Record::Customer));
    asked.extend(read(store.price_lists(&lists, at).await)?.into_iter().map(Record::PriceList));
    asked.extend(read(store.prices(&rows, at).await)?.into_iter().map(Record::Prices));
    let asked = sorted_by(asked, Record::key);

    let with_discounts = listed(|from| store.list_discounted_users(at, from)).await?;
    let with_discounts: BTreeSet<_> =
        with_discounts.into_iter().map(RecordKey::Discounts).collect();
    let mut all: Vec<Record> = vec![];
    let customers = listed(|from| store.list_customers(at, from)).await?;
    all.extend(customers.into_iter().map(Record::Customer));
    let found = listed(|from| store.list_price_lists(at, from)).await?;
    all.extend(found.into_iter().map(Record::PriceList));
    // A list may be gone and still have rows.
    let of_rows = rows.into_iter().map(|(list, _)| list);
    for list in of_rows.chain(lists).collect::<BTreeSet<_>>() {
        let of_list = listed(|from| store.list_prices(&list, at, from)).await?;
        assert!(of_list.iter().all(|row| row.list == list), "a row of another list");
        all.extend(of_list.into_iter().map(Record::Prices));
    }
    let is_discounts = |record: &&Record| matches!(record, Record::Discounts(_));
    let named: BTreeSet<_> = asked.iter().filter(is_discounts).map(Record::key).collect();
    assert_eq!(with_discounts, named);
    all.extend(asked.iter().filter(is_discounts).cloned());
    assert_eq!(sorted_by(all, Record::key), asked, "listed, and read by key");
    Some(asked)
}

fn keys_of(changes: &[RowChange]) -> BTreeSet<RecordKey> {
    changes.iter().map(RowChange::key).collect()
}

/// Returns records of each kind: one with every property, and one with none.
fn samples() -> Vec<Record> {
    let yen: Currency = "JPY".parse().unwrap();
    let groups = ODD_IDS.iter().map(|id| id.parse()).filter_map(Result::ok).collect();
    let known = Customer { currency: Some(yen), groups, ..Customer::unknown(user(ODD_IDS[0])) };
    let whole = PriceList {
        id: list_id(ODD_IDS[0]),
        priority: i32::MIN,
        currency: Some(yen),
        from: Some(Timestamp::from_millis(-1)),
        until: Some(Timestamp::from_millis(1_800_000_000_123)),
        recipients: Recipients {
            everyone: false,
            groups: known.groups.clone(),
            users: ODD_IDS.iter().map(|id| user(id)).collect(),
        },
        is_wide: true,
        revision: u64::MAX >> 1,
    };
    let rule = |rule, thousandths| Rung {
        min_quantity: MinQuantity::from_thousandths(thousandths).unwrap(),
        rule,
    };
    let rungs = vec![
        rule(PriceRule::Percentage("-1000".parse().unwrap()), 0),
        rule(PriceRule::Percentage("0.000001".parse().unwrap()), 1),
        rule(PriceRule::Amount(Money::MAX_PRICE), 500),
        rule(PriceRule::Price(Money::MAX_PRICE), 1_000_000_000),
    ];
    let ladder = Ladder::new(rungs).unwrap();
    let own = ["a", "a/b#c?d&e=f%20", "株"]
        .map(|id| OwnLadder { product_id: product_id(id), ladder: ladder.clone() });
    let ladders = OwnLadders { currency: Some(yen), ladders: own.to_vec() };
    let scopes = ODD_IDS.map(|id| Scope::Product(product_id(id))).into_iter();
    let scopes = scopes.chain([Scope::All, category("all"), category("tools/drills")]);
    let rows = scopes.map(|scope| {
        Record::Prices(ListPrices { list: whole.id.clone(), scope, ladder: ladder.clone() })
    });
    let mut records: Vec<Record> = rows.collect();
    records.extend(ODD_IDS.iter().skip(1).map(|id| Record::PriceList(price_list(id))));
    records.extend(ODD_IDS.iter().skip(1).map(|id| Record::Customer(customer(id, &[]))));
    let list = UserDiscounts::new(user(ODD_IDS[0]), Discounts::default());
    records.push(Record::Discounts(UserDiscounts { ladders, ..list }));
    records.extend([Record::Customer(known), Record::PriceList(whole)]);
    records
}

pub async fn records_come_back_as_they_were_written(ports: Ports) {
    let records = sorted_by(samples(), Record::key);
    let changes = puts(&records);
    let keys = keys_of(&changes);
    let at = bring(&ports, "first", &changes).await;
    assert_eq!(journal_of(&ports, "first").await, changes);
    assert_eq!(records_at(&ports, &at, &keys).await, Some(records.clone()), "in the journal");
    fold(&ports, "first", 1).await;
    finish(&ports, "first").await;
    let at = head(&ports).await;
    assert_eq!(records_at(&ports, &at, &keys).await, Some(records), "in the rows");
    let gone: Vec<_> = keys.iter().cloned().map(RowChange::Delete).collect();
    let at = bring(&ports, "second", &gone).await;
    assert_eq!(journal_of(&ports, "second").await, gone);
    assert_eq!(records_at(&ports, &at, &keys).await, Some(vec![]));
    fold(&ports, "second", 2).await;
    finish(&ports, "second").await;
    assert_eq!(records_at(&ports, &head(&ports).await, &keys).await, Some(vec![]));
}

pub async fn a_product_keeps_what_few_products_have(ports: Ports) {
    let yen: Currency = "JPY".parse().unwrap();
    let amount = |minor| BTreeMap::from([(yen, Money::from_minor(minor))]);
    let quantity = |text: &str| Some(text.parse().unwrap());
    let whole = ProductDetail {
        prices: amount(7),
        floors: amount(3),
        category: Some("tools/drills".parse().unwrap()),
        quantities: QuantityRules::new(quantity("24"), quantity("12"), quantity("60")).unwrap(),
    };
    let unpriced = Product { price: None, ..product("P2", 0) };
    let products = [
        product("P1", 100).with_detail(whole.clone()),
        unpriced.clone(),
        unpriced.with_detail(ProductDetail { floors: amount(0), ..ProductDetail::default() }),
    ];
    let ids = ["P1", "P2", "P3"].map(product_id);
    let [first, second, third] = products;
    let third = Product { id: ids[2].clone(), ..third };
    let products = vec![first.clone(), second, third];
    let changes: Vec<_> = products.iter().cloned().map(RowChange::from).collect();
    let seen = async |at: &CatalogueHead| {
        let listed =
            listed(|from| ports.store.list_products(at, Segment::ALL, from)).await.unwrap();
        let read = read(ports.store.products(&ids, at).await).unwrap();
        let [listed, read] = [listed, read].map(|found| sorted_by(found, |one| one.id.clone()));
        assert_eq!(listed, read);
        read
    };
    assert_eq!(seen(&bring(&ports, "first", &changes).await).await, products);
    fold(&ports, "first", 1).await;
    finish(&ports, "first").await;
    assert_eq!(seen(&head(&ports).await).await, products);
    // What a later load leaves out is gone.
    let plain = Product { detail: None, ..first };
    let at = load_all(&ports, "second", &[plain.clone().into()]).await;
    assert_eq!(seen(&at).await[0], plain);
}

pub async fn a_journal_is_laid_over_the_rows_until_it_is_folded(ports: Ports) {
    let tools = || category("tools");
    let first = puts(&[
        Record::Customer(customer("ann", &["gold"])),
        Record::Customer(customer("bob", &["gold"])),
        Record::Discounts(own("ann", None, 100)),
        Record::Discounts(own("bob", None, 100)),
        Record::PriceList(price_list("gold")),
        Record::PriceList(price_list("old")),
        Record::Prices(prices("gold", Scope::All, 100)),
        Record::Prices(prices("gold", tools(), 100)),
        Record::Prices(prices("old", tools(), 100)),
    ]);
    let before = load_all(&ports, "first", &first).await;
    let kept = [
        Record::Customer(customer("bob", &["gold"])),
        Record::Discounts(own("bob", None, 100)),
        Record::Prices(prices("gold", Scope::All, 100)),
    ];
    let put = [
        Record::Customer(customer("ann", &["silver"])),
        Record::Customer(customer("eve", &[])),
        Record::Discounts(own("ann", Some(Currency::USD), 90)),
        Record::PriceList(PriceList { priority: 7, revision: 2, ..price_list("gold") }),
        Record::PriceList(price_list("new")),
        Record::Prices(prices("gold", tools(), 90)),
        Record::Prices(prices("new", Scope::Product(product_id("P1")), 90)),
    ];
    let mut changes = puts(&put);
    changes.push(RowChange::Delete(RecordKey::PriceList(list_id("old"))));
    changes.push(RowChange::Delete(RecordKey::Prices(list_id("old"), tools())));
    let changes = sorted_by(changes, RowChange::key);
    let keys: BTreeSet<_> = keys_of(&first).union(&keys_of(&changes)).cloned().collect();
    let after = sorted_by([&kept[..], &put[..]].concat(), Record::key);

    let at = bring(&ports, "second", &changes).await;
    assert_eq!(records_at(&ports, &at, &keys).await, Some(after.clone()));
    // When half of the journal is folded, each reader still sees all of it.
    for (some, others) in [changes.split_at(3), changes.split_at(7)] {
        ports.store.fold(&load("second"), 2, some, forget_at()).await.unwrap();
        assert_eq!(records_at(&ports, &at, &keys).await, Some(after.clone()), "{others:?}");
    }
    fold(&ports, "second", 2).await;
    assert_eq!(records_at(&ports, &at, &keys).await, Some(after.clone()));
    // A reader at the previous head learns that it moved.
    for key in keys_of(&changes) {
        let of_one = BTreeSet::from([key]);
        if let Some(key) = of_one.first().filter(|key| first.iter().any(|one| one.key() == **key)) {
            let old = records_at(&ports, &before, &of_one).await;
            assert!(old.is_none(), "a row of a later version was met: {key}: {old:?}");
        }
    }
    finish(&ports, "second").await;
    let now = head(&ports).await;
    assert_eq!(records_at(&ports, &now, &keys).await, Some(after.clone()));
    // A loader that was paused continues.
    ports.store.fold(&load("first"), 1, &first, forget_at()).await.unwrap();
    assert_eq!(records_at(&ports, &now, &keys).await, Some(after));
}

pub async fn rows_of_a_list_are_listed_among_those_of_others(ports: Ports) {
    // Ids that are prefixes of each other, that end with the beginning of a scope, or that sort next to the
    // end of one.
    let ids = ["gold", "gold ", "gold!", "golden", "gol", "g", "gold/all", "all", "~"];
    let scopes = [Scope::All, category("tools"), Scope::Product(product_id("P1"))];
    let rows = |ids: &[&str], minor: i64| -> Vec<ListPrices> {
        let of = |id: &&str| scopes.clone().map(|scope| prices(id, scope, minor));
        sorted_by(ids.iter().flat_map(of).collect(), |row| (row.list.clone(), row.scope.clone()))
    };
    let changes = |rows: &[ListPrices]| -> Vec<RowChange> {
        rows.iter().cloned().map(|row| RowChange::Put(Record::Prices(row))).collect()
    };
    let check = async |at: &CatalogueHead, of: &[(&str, i64)]| {
        for (id, minor) in of {
            let expected = if *minor == 0 { vec![] } else { rows(&[*id], *minor) };
            assert_eq!(rows_of(&ports, at, id).await, Some(expected), "`{id}`");
        }
        for id in ["go", "gold a", "nothing"] {
            assert_eq!(rows_of(&ports, at, id).await, Some(vec![]), "`{id}`");
        }
    };
    let first = ids.map(|id| (id, 100));
    let at = bring(&ports, "first", &changes(&rows(&ids, 100))).await;
    check(&at, &first).await;
    fold(&ports, "first", 1).await;
    check(&at, &first).await;
    finish(&ports, "first").await;
    check(&head(&ports).await, &first).await;

    // One is changed, and one is deleted.
    let mut second = changes(&rows(&["gold "], 90));
    let gone = rows(&["gold"], 0).into_iter().map(|row| RecordKey::Prices(row.list, row.scope));
    second.extend(gone.map(RowChange::Delete));
    let second = sorted_by(second, RowChange::key);
    let expected = ids.map(|id| match id {
        "gold" => (id, 0),
        "gold " => (id, 90),
        _ => (id, 100),
    });
    let at = bring(&ports, "second", &second).await;
    check(&at, &expected).await;
    fold(&ports, "second", 2).await;
    check(&at, &expected).await;
    finish(&ports, "second").await;
    check(&head(&ports).await, &expected).await;
}

pub async fn a_long_list_is_listed_page_by_page(ports: Ports) {
    const ROWS: i64 = 4_100;
    const RUNGS: i64 = 40;
    // More than a page on every engine, between two short lists.
    let row = |list: &str, n: i64, minor: i64| {
        let scope = Scope::Product(product_id(&format!("P{n:04}")));
        ListPrices { list: list_id(list), scope, ladder: ladder(RUNGS, minor) }
    };
    let change = |row: ListPrices| RowChange::Put(Record::Prices(row));
    let long = (0..ROWS).map(|n| change(row("list", n, 1000)));
    let mut first = vec![change(row("lis", 1, 1000))];
    first.extend(long);
    first.push(change(row("list 2", 1, 1000)));
    load_all(&ports, "first", &first).await;
    let at = head(&ports).await;
    let whole: Vec<_> = (0..ROWS).map(|n| row("list", n, 1000)).collect();
    assert!(rows_of(&ports, &at, "list").await == Some(whole), "the rows are others");

    // The listing outlasts the fold.
    let list = list_id("list");
    let changed: Vec<_> = (0..200).map(|n| change(row("list", n, 900))).collect();
    let at = bring(&ports, "second", &changed).await;
    let AtHead::Read(page) = ports.store.list_prices(&list, &at, None).await.unwrap() else {
        panic!("nothing moved");
    };
    let (mut found, mut from) = (page.items, page.next);
    assert!(from.is_some(), "it has one page only");
    fold(&ports, "second", 2).await;
    finish(&ports, "second").await;
    while from.is_some() {
        // On some engines the reader must start again.
        let page = ports.store.list_prices(&list, &at, from).await.unwrap();
        let AtHead::Read(page) = page else { return };
        found.extend(page.items);
        from = page.next;
    }
    let is_new = |row: &&ListPrices| row.ladder == ladder(RUNGS, 900);
    assert_eq!(found.iter().filter(is_new).count(), 200);
    let scopes: BTreeSet<_> = found.iter().map(|row| row.scope.clone()).collect();
    assert_eq!((found.len(), scopes.len()), (4_100, 4_100));
}

pub async fn many_are_read_at_once(ports: Ports) {
    let many = (0..130).map(|n| format!("{n:03}"));
    let records: Vec<Record> = many
        .flat_map(|id| {
            let list = id.as_str();
            let row = prices(list, Scope::All, 100);
            [
                Record::Customer(customer(list, &["gold"])),
                Record::PriceList(price_list(list)),
                Record::Prices(row),
            ]
        })
        .collect();
    let records = sorted_by(records, Record::key);
    let changes = puts(&records);
    let at = load_all(&ports, "first", &changes).await;
    let strangers = (200..300).map(|n| format!("{n}"));
    let mut keys = keys_of(&changes);
    keys.extend(strangers.clone().map(|id| RecordKey::Customer(user(&id))));
    keys.extend(strangers.map(|id| RecordKey::PriceList(list_id(&id))));
    assert_eq!(records_at(&ports, &at, &keys).await, Some(records));
}

pub async fn nothing_asked_is_nothing_done(ports: Ports) {
    let at = CatalogueHead::EMPTY;
    assert_eq!(records_at(&ports, &at, &BTreeSet::new()).await, Some(vec![]));
    assert_eq!(rows_of(&ports, &at, "gold").await, Some(vec![]));
}
