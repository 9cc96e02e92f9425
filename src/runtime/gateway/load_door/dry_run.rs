//! `POST /load?dry-run=true`: shows what a load would change for whom. Nothing is written.

use std::collections::BTreeMap;
use std::io;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::http_reply::{Reply, json_reply};
use super::not_loaded;
use crate::data::{
    Dataset, LoadOptions, MovedPrice, MovedPrices, Preview, counts_json, effect_json,
    mentions_json, moved_json, preview, several_lines_json,
};
use crate::model::UserId;
use crate::ports::Ports;

/// The most changed prices in the reply. The largest changes are kept.
const TOLD_PRICES: usize = 200;
/// The most customers in the reply. Those with the most changed prices are kept.
const TOLD_CUSTOMERS: usize = 200;

pub(super) async fn reply(
    ports: &Ports,
    dataset: &Dataset,
    options: LoadOptions,
) -> Result<Reply, Reply> {
    let mut changes = Changes::default();
    let (store, clock) = (&*ports.store, &*ports.clock);
    let preview = preview(store, clock, dataset, options, &mut changes, &|_| {}).await;
    let Preview { version, counts, mentions, lost, unreadable, effect } =
        preview.map_err(|error| not_loaded(&error))?;
    let decimals = dataset.unit_decimals;
    let mut told = counts_json(&counts);
    told.extend(mentions_json(&mentions));
    let mut add = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    add("dry_run", true.into());
    add("catalogue_version", version.into());
    add("currency", options.currency.code().into());
    add("own_rows_removed", lost.rows.into());
    add("rows_of_several_lines", several_lines_json(&dataset.notices));
    add("unreadable", json!(unreadable));
    add("effect", effect_json(&effect, decimals));
    add("changes", changes.prices(decimals));
    add("customers", changes.customers());
    Ok(json_reply(StatusCode::OK, &Value::Object(told)))
}

/// The prices that would change: the largest changes, and the number of each customer.
#[derive(Default)]
struct Changes {
    largest: Vec<MovedPrice>,
    customers: BTreeMap<UserId, u64>,
}

impl MovedPrices for Changes {
    fn restart(&mut self) -> io::Result<()> {
        *self = Self::default();
        Ok(())
    }

    fn moved(&mut self, price: &MovedPrice) -> io::Result<()> {
        *self.customers.entry(price.customer.clone()).or_default() += 1;
        self.largest.push(price.clone());
        // Wait until there are many, so that they are seldom sorted.
        if self.largest.len() >= 4 * TOLD_PRICES {
            self.keep_largest();
        }
        Ok(())
    }
}

impl Changes {
    /// Keeps the largest changes. A price that appears or disappears counts as larger than any that
    /// moves.
    fn keep_largest(&mut self) {
        let size = |price: &MovedPrice| {
            price.fall().map_or(i64::MAX, |fall| fall.millionths().saturating_abs())
        };
        self.largest.sort_by_key(|price| std::cmp::Reverse(size(price)));
        self.largest.truncate(TOLD_PRICES);
    }

    fn prices(&mut self, unit_decimals: u8) -> Value {
        self.keep_largest();
        self.largest.iter().map(|price| moved_json(price, unit_decimals)).collect()
    }

    fn customers(&self) -> Value {
        let mut customers: Vec<_> = self.customers.iter().collect();
        customers.sort_by_key(|(_, prices)| std::cmp::Reverse(**prices));
        let told = customers.into_iter().take(TOLD_CUSTOMERS);
        told.map(|(user, prices)| json!({ "customer": user, "prices": prices })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Currency, Money};

    #[test]
    fn the_largest_moves_and_the_busiest_customers_are_told() {
        let money = Money::from_minor;
        let mut changes = Changes::default();
        let mut moved = |customer: &str, product: usize, before, after| {
            let price = MovedPrice {
                customer: customer.parse().unwrap(),
                product: format!("P{product}").parse().unwrap(),
                min_quantity: "0".parse().unwrap(),
                before,
                after,
                floor: None,
                currency: Currency::USD,
            };
            changes.moved(&price).unwrap();
        };
        for product in 0..1_000 {
            let rise = 1 + i64::try_from(product).unwrap();
            moved("A", product, Some(money(10_000)), Some(money(10_000 + rise)));
        }
        moved("B", 2_000, Some(money(10_000)), Some(money(5_000)));
        moved("B", 2_001, None, Some(money(100)));
        let told = changes.prices(0);
        let told = told.as_array().unwrap();
        assert_eq!(told.len(), TOLD_PRICES);
        let products: Vec<_> = told[..4].iter().map(|price| &price["product"]).collect();
        assert_eq!(products, ["P2001", "P2000", "P999", "P998"]);
        assert_eq!(told[0]["before"], Value::Null);
        let customers = json!([
            { "customer": "A", "prices": 1000 }, { "customer": "B", "prices": 2 },
        ]);
        assert_eq!(changes.customers(), customers);
        changes.restart().unwrap();
        assert_eq!((changes.prices(0), changes.customers()), (json!([]), json!([])));
    }
}
