//! The opponent: price calc in the straightforward way. For each message it reads all products, looks for
//! each of them through all of the user's discounts, and always stores the table as one map. A call has one
//! message and one user. It uses the same ports and gets the same prices.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use ocache::model::{Calculation, Generation, UserId};
use ocache::ports::{
    NewTable, OwnStorage, Ports, Prices, Queue, TableHead, discounts_now, first_products,
};
use ocache::pricing::{
    Currency, Discounts, PRICING_VERSION, Product, ProductPrice, UnitRounding, fingerprint,
};
use serde_json::json;

/// Handles one order, if there is one. Returns whether there was.
pub async fn work_once(ports: &Ports) -> bool {
    let visibility = Duration::from_secs(60);
    let received = ports.queues.receive(Queue::Refresh, 1, Duration::ZERO, visibility).await;
    let Some(message) = received.expect("the queue can be received from").into_iter().next() else {
        return false;
    };
    let order: Calculation = serde_json::from_str(&message.body).expect("it is an order");
    store(ports, &order.user).await;
    let acknowledged = ports.queues.acknowledge(Queue::Refresh, &[message.receipt]).await;
    acknowledged.expect("it can be acknowledged");
    true
}

async fn store(ports: &Ports, user: &UserId) {
    let users = std::slice::from_ref(user);
    let old = ports.store.table_heads(users).await.expect("heads can be read");
    let old = old.first().map(|(_, head)| head.version);
    let products = products(ports).await;
    let lists = discounts_now(&*ports.store, users).await.expect("discounts can be read");
    let discounts = lists.into_iter().next().map(|list| list.discounts).unwrap_or_default();

    let map: BTreeMap<&str, _> = price(&products, &discounts)
        .into_iter()
        .map(|(product, entry)| {
            let item = json!({
                "list_price": entry.list_price,
                "discount": entry.discount,
                "unit_price": entry.unit_price,
            });
            (product.id.as_str(), item)
        })
        .collect();
    let map = Bytes::from(serde_json::to_vec(&map).expect("a map has a JSON form"));
    let now = ports.clock.now();
    let expire_at = now.plus(Duration::from_secs(24 * 60 * 60));
    let head = TableHead {
        version: old.unwrap_or(0) + 1,
        generation: Generation::from_random(ports.randomness.bits()),
        fingerprint: fingerprint(&Discounts::default()),
        pricing_version: PRICING_VERSION,
        catalogue_version: 1,
        base_version: 1,
        currency: Currency::USD,
        products: products.len() as u64,
        rounding: UnitRounding::PLAIN,
        own: OwnStorage::Parts(vec![0]),
        prices: Prices::LIST,
        next: vec![],
        valid_until: None,
        parts_expire_at: expire_at,
        priced_at: now,
        validated_at: now,
        fresh_until: expire_at,
        usable_until: expire_at,
    };
    let parts = [map];
    let table = NewTable::new(user, &head, expire_at).with_parts(&parts).replacing(old);
    let stored = ports.store.put_table(table).await;
    stored.expect("a table can be stored");
}

async fn products(ports: &Ports) -> Vec<Product> {
    let products = first_products(&*ports.store, usize::MAX).await;
    products.expect("products can be listed").rows
}

/// Returns every product with its price. Looks for the discount of each in the whole list.
pub fn price<'a>(
    products: &'a [Product],
    discounts: &Discounts,
) -> Vec<(&'a Product, ProductPrice)> {
    let mut table = Vec::new();
    for product in products {
        let mut percentage = Default::default();
        for discount in discounts.as_slice() {
            if discount.product_id == product.id {
                percentage = discount.percentage;
            }
        }
        let list_price = product.price.expect("every product has a price");
        let unit_price = list_price.less(percentage);
        let entry = ProductPrice {
            discount: percentage.into(),
            unit_price,
            ..ProductPrice::at_list_price(list_price)
        };
        table.push((product, entry));
    }
    table
}
