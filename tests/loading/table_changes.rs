//! Tests of the changes of another table's rows, loaded batch by batch.

use std::collections::BTreeMap;

use ocache::data::{Amounts, Layout, LoadOptions, LoadReport, RowCounts, TableChanges, load};
use ocache::ports::{Ports, discounts_now};
use ocache::pricing::Currency;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::shop::Shop;

/// An item before and after.
type Change = (Option<Value>, Option<Value>);

async fn load_changes(shop: &Shop, changes: &[Change]) -> LoadReport {
    let mut given = TableChanges::of("theirs", Amounts::from(Currency::USD), Layout::default());
    for (old, new) in changes {
        let [old, new] = [old, new].map(|item| item.as_ref().map(Value::to_string));
        given.add(old.as_deref(), new.as_deref()).unwrap();
    }
    let options = LoadOptions { currency: Currency::USD, prune: false, merge: true };
    let Ports { store, clock, randomness, .. } = &shop.ports;
    let data = given.into_data().unwrap();
    load(&**store, &**clock, &**randomness, &data, options, &|_| {}).await.unwrap()
}

fn product(id: &str, price: &str) -> Option<Value> {
    Some(json!({ "id": { "S": id }, "name": { "S": id }, "price": { "N": price } }))
}

fn price(min_quantity: &str, price: &str) -> Option<Value> {
    Some(json!({
        "price_list": { "S": "gold" }, "product_id": { "S": "P1" },
        "min_quantity": { "N": min_quantity }, "price": { "N": price },
    }))
}

/// Returns the minimum quantities of the rows of list `gold`.
async fn ladder(shop: &Shop) -> Vec<String> {
    let rows = shop.rows("gold").await;
    let from = |row: &String| Some(row.split_once(" from ")?.1.split_once(':')?.0.to_owned());
    rows.iter().filter_map(from).collect()
}

#[tokio::test]
async fn the_last_word_on_a_row_counts() {
    let shop = Shop::new();
    shop.load("id,name,price\nP1,P1,1\nP2,P2,2\n").await;
    let changes = [
        (None, product("P3", "3")),
        (product("P3", "3"), None),
        (product("P1", "1"), None),
        (None, product("P1", "1.50")),
        (product("P2", "2"), None),
    ];
    let report = load_changes(&shop, &changes).await;
    let expected = RowCounts { added: 0, changed: 1, unchanged: 0, removed: 1 };
    assert_eq!(report.counts.products, expected, "P3 was never there");
    let again = load_changes(&shop, &changes).await;
    assert!(!again.counts.wrote(), "a batch may come twice");
    assert_eq!(again.version, report.version);
}

#[tokio::test]
async fn rows_of_price_lists_go_one_by_one_and_a_list_with_all_its_rows() {
    let shop = Shop::new();
    shop.load(
        r#"{"price_list":"gold","currency":"USD","everyone":true}
        {"price_list":"gold","product_id":"P1","price":"9.00"}
        {"price_list":"gold","product_id":"P1","min_quantity":10,"price":"8.00"}
        {"price_list":"gold","product_id":"P1","min_quantity":20,"price":"7.00"}"#,
    )
    .await;
    let report = load_changes(&shop, &[(price("10", "8.00"), None)]).await;
    assert_eq!((report.counts.prices.removed, report.change.catalogue), (1, true));
    assert_eq!(ladder(&shop).await, ["0", "20"]);
    // If the key of a row changes, the row with the old key is removed.
    let report = load_changes(&shop, &[(price("20", "7.00"), price("30", "6.50"))]).await;
    assert_eq!((report.counts.prices.added, report.counts.prices.removed), (1, 1));
    assert_eq!(ladder(&shop).await, ["0", "30"]);
    load_changes(&shop, &[(price("0", "9.00"), None), (price("30", "6.50"), None)]).await;
    assert_eq!(ladder(&shop).await, Vec::<String>::new());
    load_changes(&shop, &[(None, price("5", "5.00"))]).await;
    let list = json!({ "price_list": { "S": "gold" }, "everyone": { "BOOL": true } });
    let gone = [(Some(list.clone()), None), (price("5", "5.00"), None)];
    let report = load_changes(&shop, &gone).await;
    assert_eq!((report.counts.price_lists.removed, report.counts.prices.removed), (1, 1));
    assert_eq!(ladder(&shop).await, Vec::<String>::new());
    assert!(!load_changes(&shop, &gone).await.counts.wrote());
}

#[test]
fn an_item_that_was_never_understood_takes_nothing_away() {
    let changes = || TableChanges::of("theirs", Amounts::from(Currency::USD), Layout::default());
    let mut given = changes();
    given.add(Some(r#"{"colour":{"S":"red"}}"#), None).unwrap();
    let data = given.into_data().unwrap();
    assert_eq!((data.rows(), data.removed.len()), (0, 0));
    // What was loaded under this id must be removed, although the last values cannot be understood.
    let mut given = changes();
    let mended = product("P1", "1").unwrap();
    let wrong = product("P1", "many").unwrap();
    assert!(given.add(Some(&mended.to_string()), Some(&wrong.to_string())).is_err());
    given.add(Some(&wrong.to_string()), None).unwrap();
    assert_eq!(given.into_data().unwrap().removed.len(), 1);
}

/// The lists of customers: products with percentages. A customer's item may also be missing.
type Lists = BTreeMap<usize, BTreeMap<usize, u8>>;

fn item(customer: usize, list: &BTreeMap<usize, u8>) -> Value {
    let entries = list.iter().map(|(product, percentage)| {
        json!({ "M": {
            "product_id": { "S": format!("P{product}") },
            "percentage": { "N": percentage.to_string() },
        } })
    });
    json!({
        "user_id": { "S": format!("C{customer}") },
        "discounts": { "L": entries.collect::<Vec<_>>() },
    })
}

#[tokio::test]
async fn own_prices_are_not_in_the_currency_of_a_record_that_goes_with_them() {
    let shop = Shop::new();
    shop.load(r#"{"user_id":"A","currency":"EUR"}"#).await;
    let record = Some(json!({ "user_id": { "S": "A" }, "currency": { "S": "EUR" } }));
    let own = Some(json!({
        "user_id": { "S": "A" }, "product_id": { "S": "P1" }, "price": { "N": "5" },
    }));
    load_changes(&shop, &[(record, None), (None, own)]).await;
    let lists = discounts_now(&*shop.ports.store, &["A".parse().unwrap()]).await.unwrap();
    assert_eq!(lists[0].ladders.currency, Some(Currency::USD));
}

/// Returns the rows of the store, except one that another load has written.
async fn stored(shop: &Shop) -> Lists {
    let users: Vec<_> = (0..3).map(|customer| format!("C{customer}").parse().unwrap()).collect();
    let lists = discounts_now(&*shop.ports.store, &users).await.unwrap();
    let mut found = Lists::new();
    for list in lists {
        let customer = list.user.as_str()[1..].parse().unwrap();
        for row in list.discounts.as_slice().iter().filter(|row| row.product_id.as_str() != "own") {
            let product = row.product_id.as_str()[1..].parse().unwrap();
            let percentage = row.percentage.to_string().parse().unwrap();
            found.entry(customer).or_default().insert(product, percentage);
        }
    }
    found
}

proptest! {
    #[test]
    fn however_changes_are_batched_the_rows_are_those_of_the_table(
        writes in prop::collection::vec(
            (0usize..3, prop::option::of(prop::collection::btree_map(0usize..4, 1u8..50, 0..4))),
            1..24,
        ),
        batch in 1usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let shop = Shop::new();
            shop.load("user_id,product_id,percentage\nC0,own,99\n").await;
            let mut table = Lists::new();
            let mut changes: Vec<Change> = vec![];
            for (customer, list) in writes {
                let before = table.get(&customer).map(|list| item(customer, list));
                match &list {
                    Some(list) => drop(table.insert(customer, list.clone())),
                    None => drop(table.remove(&customer)),
                }
                let after = list.map(|list| item(customer, &list));
                if before.is_some() || after.is_some() {
                    changes.push((before, after));
                }
            }
            for batch in changes.chunks(batch) {
                load_changes(&shop, batch).await;
            }
            table.retain(|_, list| !list.is_empty());
            assert_eq!(stored(&shop).await, table);
            let own = discounts_now(&*shop.ports.store, &["C0".parse().unwrap()]).await.unwrap();
            let own = own.iter().flat_map(|list| list.discounts.as_slice());
            assert_eq!(own.filter(|row| row.product_id.as_str() == "own").count(), 1, "it is another's");
        });
    }
}
