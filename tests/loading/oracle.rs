//! Tests what a preview says about prices, against explanations of each price before and after the load.

use std::collections::BTreeMap;

use ocache::model::{Quantity, UserId};
use ocache::ports::{AtHead, CatalogueHead, Ports, Segment};
use ocache::pricing::{
    Currency, Customer, GivenList, Goods, Ladder, ListPrices, Money, OwnLadder, PriceList,
    PriceRule, Product, Rung, Scope, Subject, explain,
};
use proptest::prelude::*;
use proptest::sample::select;

use super::shop::Shop;

const USERS: [&str; 3] = ["A", "B", "C"];
const PRODUCTS: [&str; 3] = ["P", "Q", "R"];
/// The minimum quantities of rows, which are also the quantities at which prices are compared.
const QUANTITIES: [&str; 3] = ["0", "5", "10"];

/// Draws a row of a ladder that never rises, whichever of its rows are there.
fn rule() -> impl Strategy<Value = String> {
    (0..3_usize, 0..3_u8, 0..8_u32).prop_map(|(place, kind, value)| {
        let (quantity, place) = (QUANTITIES[place], 20 * u32::try_from(place).unwrap());
        let rule = match kind {
            0 => format!(r#""percentage":{}"#, place + value),
            1 => format!(r#""amount":{}"#, place + value),
            _ => format!(r#""price":{}"#, 90 - place - value),
        };
        format!(r#""min_quantity":{quantity},{rule}"#)
    })
}

fn product() -> impl Strategy<Value = String> {
    (select(&PRODUCTS[..]), 50..150_u32, any::<[bool; 3]>()).prop_map(|(id, price, has)| {
        let euros = if has[0] { format!(r#","EUR":{}"#, price / 2) } else { String::new() };
        let floor = if has[1] { r#","floor":40"# } else { "" };
        let category = if has[2] { r#","category":"a/b""# } else { "" };
        format!(
            r#"{{"id":"{id}","name":"{id}","prices":{{"USD":{price}{euros}}}{floor}{category}}}"#
        )
    })
}

fn customer() -> impl Strategy<Value = String> {
    (select(&USERS[..]), any::<bool>(), select(vec!["", "\"g\"", "\"h\"", "\"g\",\"h\""])).prop_map(
        |(user, euros, groups)| {
            let currency = if euros { "EUR" } else { "USD" };
            format!(r#"{{"user_id":"{user}","currency":"{currency}","groups":[{groups}]}}"#)
        },
    )
}

fn list() -> impl Strategy<Value = String> {
    let to = vec![
        r#""groups":["g"]"#,
        r#""groups":["h"]"#,
        r#""users":["A","C"]"#,
        r#""everyone":true"#,
    ];
    let until = vec!["", r#","until":"2020-01-01T00:00:00Z""#];
    (select(vec!["K", "L"]), 0..2_u8, select(to), select(until)).prop_map(
        |(id, priority, to, until)| {
            format!(r#"{{"price_list":"{id}","currency":"USD","priority":{priority},{to}{until}}}"#)
        },
    )
}

fn price() -> impl Strategy<Value = String> {
    let scope = vec![r#""product_id":"P","#, r#""product_id":"Q","#, r#""category":"a","#, ""];
    (select(vec!["K", "L"]), select(scope), rule())
        .prop_map(|(list, scope, rule)| format!(r#"{{"price_list":"{list}",{scope}{rule}}}"#))
}

fn own() -> impl Strategy<Value = String> {
    (select(&USERS[..]), select(&PRODUCTS[..]), rule()).prop_map(|(user, product, rule)| {
        format!(r#"{{"user_id":"{user}","product_id":"{product}",{rule}}}"#)
    })
}

/// Returns the key of a row. Of two rows with the same key only the first is kept.
fn key(row: &str) -> String {
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    let is_rule = row["min_quantity"].is_number();
    let names = ["id", "user_id", "price_list", "product_id", "min_quantity"];
    let scope = is_rule.then(|| row["category"].clone());
    format!("{is_rule} {scope:?} {:?}", names.map(|name| row[name].clone()))
}

fn rows() -> impl Strategy<Value = String> {
    let row = prop_oneof![product(), customer(), list(), price(), own()];
    prop::collection::vec(row, 1..14).prop_map(|rows| {
        let rows: BTreeMap<String, String> = rows.into_iter().map(|row| (key(&row), row)).collect();
        rows.into_values().collect::<Vec<_>>().join("\n")
    })
}

/// Everything that decides prices, read from the store.
struct State {
    head: CatalogueHead,
    products: Vec<Product>,
    customers: Vec<Customer>,
    lists: Vec<PriceList>,
    rows: Vec<ListPrices>,
    own: Vec<(UserId, Option<Currency>, OwnLadder)>,
}

fn read<T>(read: AtHead<T>) -> T {
    let AtHead::Read(value) = read else { panic!("it has moved") };
    value
}

impl State {
    async fn of(shop: &Shop) -> Self {
        let Ports { store, .. } = &shop.ports;
        let head = shop.head().await;
        let users = USERS.map(|user| user.parse().unwrap());
        let lists = read(store.list_price_lists(&head, None).await.unwrap()).items;
        let mut rows = vec![];
        for list in &lists {
            rows.extend(read(store.list_prices(&list.id, &head, None).await.unwrap()).items);
        }
        let mut own = vec![];
        for list in read(store.discounts(&users, &head).await.unwrap()) {
            for discount in list.discounts.as_slice() {
                let rule = PriceRule::Percentage(discount.percentage.into());
                let rung = Rung { min_quantity: "0".parse().unwrap(), rule };
                let ladder = Ladder::new(vec![rung]).unwrap();
                let product_id = discount.product_id.clone();
                own.push((list.user.clone(), None, OwnLadder { product_id, ladder }));
            }
            let ladders = list.ladders.ladders.into_iter();
            own.extend(ladders.map(|own| (list.user.clone(), list.ladders.currency, own)));
        }
        Self {
            products: read(store.list_products(&head, Segment::ALL, None).await.unwrap()).items,
            customers: read(store.customers(&users, &head).await.unwrap()),
            head,
            lists,
            rows,
            own,
        }
    }

    /// Returns the price of a product for a user at a quantity, with its currency.
    fn price(&self, shop: &Shop, user: &str, product: &str, quantity: Quantity) -> Option<String> {
        let user: UserId = user.parse().unwrap();
        let unknown = Customer::unknown(user.clone());
        let customer = self.customers.iter().find(|it| it.user == user).unwrap_or(&unknown);
        let currency = customer.currency.unwrap_or(self.head.currency);
        let product = self.products.iter().find(|it| it.id.as_str() == product)?;
        let goods = Goods {
            list_price: product.price_in(currency, self.head.currency),
            floor: product.floor_in(currency),
            rounding: self.head.rounding.rounding,
        };
        let mut given: Vec<GivenList<'_>> = self
            .lists
            .iter()
            .map(|list| {
                let rows = self.rows.iter().filter(|row| row.list == list.id);
                let rows: Vec<(Scope, &Ladder)> =
                    rows.map(|row| (row.scope.clone(), &row.ladder)).collect();
                GivenList { list: Some(list), own_currency: None, rows }
            })
            .collect();
        let own = self
            .own
            .iter()
            .filter(|(whose, _, own)| *whose == user && own.product_id == product.id);
        given.extend(own.map(|(_, currency, own)| GivenList::own(own, *currency)));
        let subject = Subject {
            customer,
            currency,
            product: &product.id,
            category: product.category(),
            goods,
            quantity,
            at: shop.clock_now(),
        };
        let price: Money = explain(&subject, &given).unit_price?;
        Some(format!("{} {currency}", price.format(currency)))
    }
}

/// Returns what a preview says about one price: `before` and `after`, with their currencies.
fn told(heard: &[String], user: &str, product: &str) -> BTreeMap<Quantity, [Option<String>; 2]> {
    let mut told: BTreeMap<Quantity, [Option<String>; 2]> = BTreeMap::new();
    for line in heard {
        let words: Vec<&str> = line.split(' ').collect();
        let [who, what, from, before, "to", after, currency] = words[..] else { panic!("{line}") };
        if who == user && what == product {
            let price = |price: &str| (price != "-").then(|| format!("{price} {currency}"));
            let entry = told.entry(quantity(from.trim_end_matches(':'))).or_default();
            // A price that changes its currency is reported in two lines.
            let [was, is] = entry;
            *was = was.take().or(price(before));
            *is = is.take().or(price(after));
        }
    }
    told
}

/// Returns the least quantity at or above a minimum quantity.
fn quantity(from: &str) -> Quantity {
    from.parse().unwrap_or_else(|_| "0.001".parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn a_preview_tells_every_price_that_the_load_changes_and_no_other(
        before in rows(),
        after in rows(),
        prune in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shop = Shop::new();
            let lists = "{\"price_list\":\"K\",\"currency\":\"USD\"}\n{\"price_list\":\"L\",\"currency\":\"USD\"}";
            shop.load(lists).await;
            shop.load(&before).await;
            for user in USERS {
                shop.visit(user).await;
            }
            let was = State::of(&shop).await;
            // Only rows of a list that pruning removes may be refused.
            let Some(heard) = shop.try_preview(&after, prune).await else { return };
            shop.try_load(&after, prune).await.unwrap();
            let is = State::of(&shop).await;
            for (user, product) in USERS.iter().flat_map(|user| PRODUCTS.map(|product| (user, product))) {
                let told = told(&heard, user, product);
                let both = |quantity| {
                    [was.price(&shop, user, product, quantity), is.price(&shop, user, product, quantity)]
                };
                for (quantity, prices) in &told {
                    assert_eq!(&both(*quantity), prices, "{user} {product} {quantity}");
                }
                for quantity in QUANTITIES.map(quantity) {
                    let prices = both(quantity);
                    if prices[0] != prices[1] {
                        let last = told.range(..=quantity).next_back().map(|(_, prices)| prices);
                        assert_eq!(last, Some(&prices), "{user} {product} {quantity}: {heard:?}");
                    }
                }
            }
        });
    }
}
