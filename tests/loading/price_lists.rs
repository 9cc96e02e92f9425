//! Tests of price lists, customers and own rows: what is stored, what is kept, and whose tables are
//! ordered.

use ocache::data::{RowCounts, set_rounding};
use ocache::model::UserId;
use ocache::ports::{AtHead, Ports};
use ocache::pricing::{Currency, Money, PriceRule};

use super::shop::{FINE, Shop};

const LIST: &str = r#"{"price_list":"L","currency":"USD","groups":["gold"]}"#;

fn row(rest: &str) -> String {
    format!(r#"{{"price_list":"L",{rest}}}"#)
}

#[tokio::test]
async fn the_same_rows_twice_change_nothing() {
    let shop = Shop::new();
    let text = format!(
        "{LIST}\n{}\n{}\n{{\"user_id\":\"A\",\"groups\":[\"gold\"]}}\n\
         {{\"user_id\":\"A\",\"product_id\":\"P\",\"min_quantity\":5,\"price\":\"1.00\"}}",
        row(r#""product_id":"P","price":"2.00""#),
        row(r#""category":"tools","percentage":5"#),
    );
    let first = shop.load(&text).await;
    let added = |added| RowCounts { added, ..RowCounts::default() };
    assert_eq!(first.counts.price_lists, added(1));
    assert_eq!((first.counts.prices, first.counts.customers), (added(2), added(1)));
    assert_eq!((first.counts.users, first.version), (added(1), 1));
    let second = shop.load(&text).await;
    assert!(!second.counts.wrote());
    assert_eq!((second.version, second.counts.prices.unchanged), (1, 2));
    let head = shop.head().await;
    assert_eq!((head.lists_version, head.shared_version, head.base_version), (1, 1, 0));
    assert!(head.has_customers);
}

#[tokio::test]
async fn rows_are_merged_by_quantity_and_move_the_revision_of_their_list() {
    let shop = Shop::new();
    let rows = [
        row(r#""product_id":"P","price":"2.00""#),
        row(r#""product_id":"P","min_quantity":10,"price":"1.50""#),
    ];
    shop.load(&format!("{LIST}\n{}\n{}", rows[0], rows[1])).await;
    let list = shop.list("L").await.unwrap();
    assert_eq!((list.revision, list.is_wide), (1, false));

    let changed = row(r#""product_id":"P","min_quantity":"10.0","price":"1.40""#);
    let new = row(r#""product_id":"P","min_quantity":20,"price":"1.30""#);
    let report = shop.load(&format!("{changed}\n{new}")).await;
    let expected = RowCounts { added: 1, changed: 1, ..RowCounts::default() };
    assert_eq!(report.counts.prices, expected);
    assert_eq!(report.counts.price_lists, RowCounts::default(), "no file names the list itself");
    assert_eq!(
        shop.rows("L").await,
        [
            "product `P` from 0: costs 200",
            "product `P` from 10: costs 140",
            "product `P` from 20: costs 130"
        ]
    );
    assert_eq!(shop.list("L").await.unwrap().revision, 2);
    // Other loads do not change it.
    shop.load(r#"{"user_id":"A","groups":[]}"#).await;
    assert_eq!(shop.list("L").await.unwrap().revision, 2);
    assert_eq!(shop.head().await.lists_version, 2);
}

#[tokio::test]
async fn a_list_stays_wide_and_its_header_is_compared_without_what_loads_add() {
    let shop = Shop::new();
    shop.load(&format!("{LIST}\n{}", row(r#""percentage":5"#))).await;
    assert!(shop.list("L").await.unwrap().is_wide);
    let report = shop.load(LIST).await;
    assert!(!report.counts.wrote());
    let other = LIST.replace("gold", "silver");
    let report = shop.load(&other).await;
    assert_eq!(report.counts.price_lists, RowCounts { changed: 1, ..RowCounts::default() });
    let list = shop.list("L").await.unwrap();
    assert!(list.is_wide, "it has a row for all products still");
    assert_eq!(list.revision, 2);
}

#[tokio::test]
async fn pruning_works_by_kind_and_within_the_lists_that_are_named() {
    let shop = Shop::new();
    let all = format!(
        "{LIST}\n{{\"price_list\":\"M\",\"everyone\":true}}\n{}\n{}\n{}\n\
         {{\"price_list\":\"M\",\"percentage\":1}}\n{{\"user_id\":\"A\",\"groups\":[]}}\n\
         {{\"user_id\":\"B\",\"groups\":[]}}",
        row(r#""product_id":"P","price":"2.00""#),
        row(r#""product_id":"P","min_quantity":10,"price":"1.50""#),
        row(r#""product_id":"Q","price":"2.00""#),
    );
    shop.load(&all).await;

    // Only a price: other rows of its list are removed, those of other lists stay.
    let report = shop.prune(&row(r#""product_id":"P","price":"2.00""#)).await;
    let counts = report.counts;
    assert_eq!(counts.prices, RowCounts { unchanged: 1, removed: 2, ..RowCounts::default() });
    assert_eq!((counts.price_lists.removed, counts.customers.removed), (0, 0));
    assert_eq!(shop.rows("L").await, ["product `P` from 0: costs 200"]);
    assert_eq!(shop.rows("M").await.len(), 1);
    assert_eq!(shop.list("L").await.unwrap().revision, 2);

    // Only a list: other lists are removed with their rows, its own rows stay.
    let report = shop.prune(LIST).await;
    assert_eq!((report.counts.price_lists.removed, report.counts.prices.removed), (1, 1));
    assert_eq!(shop.list("M").await, None);
    assert_eq!((shop.rows("M").await.len(), shop.rows("L").await.len()), (0, 1));

    let report = shop.prune(r#"{"user_id":"A","groups":[]}"#).await;
    assert_eq!((report.counts.customers.removed, report.counts.customers.unchanged), (1, 1));
}

#[tokio::test]
async fn own_prices_are_in_the_currency_of_their_customer() {
    let shop = Shop::new();
    let own = r#"{"user_id":"A","product_id":"P","price":"5.5"}"#;
    let ladders = async || {
        let user: UserId = "A".parse().unwrap();
        let head = shop.head().await;
        let AtHead::Read(mut lists) = shop.ports.store.discounts(&[user], &head).await.unwrap()
        else {
            panic!("it has moved")
        };
        let ladders = lists.pop().unwrap().ladders;
        let rule = ladders.ladders[0].ladder.rungs()[0].rule;
        (ladders.currency.map(Currency::code), rule)
    };
    let price = |minor| PriceRule::Price(Money::from_minor(minor));
    // The currency is the catalogue's if the customer has no record.
    shop.load(own).await;
    assert_eq!(ladders().await, (Some("USD"), price(550)));
    // The currency is that of the customer's record, in the files or in the store. Rows that were loaded
    // before keep their own.
    shop.load(r#"{"user_id":"A","currency":"KWD"}"#).await;
    assert_eq!(ladders().await, (Some("USD"), price(550)));
    shop.load(own).await;
    assert_eq!(ladders().await, (Some("KWD"), price(5500)));
    shop.load(&format!("{own}\n{{\"user_id\":\"A\",\"currency\":\"EUR\"}}")).await;
    assert_eq!(ladders().await, (Some("EUR"), price(550)));
    // A record that the same load removes does not count.
    let pruned = format!("{own}\n{{\"user_id\":\"B\",\"groups\":[]}}");
    for changed in [1, 0] {
        let counts = shop.prune(&pruned).await.counts;
        assert_eq!((counts.users.changed, ladders().await), (changed, (Some("USD"), price(550))));
    }
    // Percentages have no currency.
    shop.load(r#"{"user_id":"A","product_id":"P","min_quantity":5,"percentage":10}"#).await;
    assert_eq!(ladders().await.0, None);
}

#[tokio::test]
async fn amounts_have_the_decimals_of_their_currency_and_of_unit_prices() {
    let shop = Shop::new();
    let Ports { store, clock, randomness, .. } = &shop.ports;
    set_rounding(&**store, &**clock, &**randomness, FINE).await.unwrap();
    let text = LIST.replace("USD", "JPY");
    let text = format!("{text}\n{}", row(r#""product_id":"P","price":"2.25""#));
    let mut data = Shop::read(&text);
    let options = ocache::data::LoadOptions { currency: Currency::USD, prune: false, merge: false };
    let loading = ocache::data::load(&**store, &**clock, &**randomness, &data, options, &|_| {});
    let error = loading.await.unwrap_err().to_string();
    assert_eq!(error, "unit-decimals is 2 now, and the files were read with 0");
    data.unit_decimals = 2;
    let loading = ocache::data::load(&**store, &**clock, &**randomness, &data, options, &|_| {});
    loading.await.unwrap();
    assert_eq!(shop.rows("L").await, ["product `P` from 0: costs 225"]);
    assert_eq!(shop.head().await.rounding, FINE);
}

#[tokio::test]
async fn those_are_ordered_whom_a_load_may_touch() {
    let shop = Shop::new();
    let ordered = async |text: &str| {
        let change = shop.load(text).await.change;
        let users: Vec<String> = change.users.iter().map(ToString::to_string).collect();
        (change.catalogue, users.join(" "))
    };
    // A list for single customers, without a wide row, concerns only them.
    let list = r#"{"price_list":"L","currency":"USD","users":["A","B"]}"#;
    assert_eq!(ordered(list).await, (false, "A B".to_owned()));
    assert_eq!(
        ordered(&row(r#""product_id":"P","price":"2.00""#)).await,
        (false, "A B".to_owned())
    );
    // A change of recipients concerns those who had it and those who have it.
    let list = list.replace(r#""A","B""#, r#""B","C""#);
    assert_eq!(ordered(&list).await, (false, "A B C".to_owned()));
    assert_eq!(shop.head().await.shared_version, 0);
    // A list with a wide row is shared.
    assert!(ordered(&row(r#""percentage":"1""#)).await.0);
    assert!(ordered(r#"{"price_list":"M","everyone":true}"#).await.0);
    assert_eq!(shop.head().await.shared_version, 5);
    // Customers, and own rows.
    assert_eq!(ordered(r#"{"user_id":"D","groups":["gold"]}"#).await, (false, "D".to_owned()));
    let own = r#"{"user_id":"E","product_id":"P","price":"1.00"}"#;
    assert_eq!(ordered(own).await, (false, "E".to_owned()));
    assert_eq!(ordered(own).await, (false, String::new()));
}

#[tokio::test]
async fn what_may_not_be_meant_is_mentioned() {
    let shop = Shop::new();
    let text = r#"{"id":"P","name":"P","price":"10.00","floor":"6.00"}
        {"price_list":"L","currency":"USD","users":["A","X"]}
        {"price_list":"M","percentage":"1"}
        {"price_list":"M"}
        {"price_list":"L","product_id":"P","price":"5.00"}
        {"price_list":"L","product_id":"Q","price":"5.00"}
        {"user_id":"A","currency":"USD"}
        {"user_id":"A","product_id":"P","price":"11.00"}
        {"user_id":"Y","product_id":"P","percentage":"1"}"#;
    let mentions = shop.load(text).await.mentions;
    assert_eq!(mentions.unknown_products, ["Q".parse().unwrap()]);
    assert_eq!(
        (mentions.unknown_customers.count, mentions.unknown_customers.first),
        (2, vec!["X".to_owned(), "Y".to_owned()])
    );
    assert_eq!(mentions.given_to_nobody.first, ["M"]);
    assert_eq!(mentions.under_floor.first, ["5.00 USD of price list `L` for `P`, floor 6.00 USD"]);
    assert_eq!(
        mentions.dearer_than_list.first,
        ["11.00 USD of customer `A` for `P`, list price 10.00 USD"]
    );
    // If there are no customers at all, unknown users are not reported.
    let other = Shop::new();
    let report = other.load(r#"{"price_list":"L","users":["A"]}"#).await;
    assert_eq!(report.mentions.unknown_customers.count, 0);
}
