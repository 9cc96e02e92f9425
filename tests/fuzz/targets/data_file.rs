//! Fuzzes product and discount files of every format: JSON, NDJSON, CSV and DynamoDB batch-write JSON. The
//! content decides the format.
//!
//! What is accepted reads the same when it is written again as NDJSON. An accepted array is JSON for
//! another parser too, and has no fewer elements than rows were read. A refusal has a place or a reason
//! that a person can read.

#![no_main]

use std::collections::BTreeSet;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use ocache::data::{Dataset, read_texts};
use ocache::pricing::{Currency, Product};
use serde_json::{Value, json};

fuzz_target!(|input: &[u8]| {
    let read = |text: &[u8]| read_texts(&[(Path::new("file"), text)], Currency::USD);
    let dataset = match read(input) {
        Ok(dataset) => dataset,
        Err(errors) => {
            assert!(!errors.errors.is_empty());
            assert!(!errors.to_string().is_empty());
            return;
        }
    };
    let ids: BTreeSet<_> = dataset.products.iter().map(|product| &product.id).collect();
    assert_eq!(ids.len(), dataset.products.len(), "a product twice");
    let text = std::str::from_utf8(input).map(|text| text.trim_start_matches('\u{feff}'));
    let text = text.unwrap_or_else(|_| panic!("text that is not UTF-8 was read"));
    if text.trim_start().starts_with('[') {
        let rows: Vec<Value> = serde_json::from_str(text).expect("an array is JSON");
        assert!(rows.len() >= dataset.products.len() + dataset.discounts.len());
    }
    let again = lines(&dataset);
    if again.is_empty() {
        return;
    }
    let again = read(again.as_bytes()).unwrap_or_else(|errors| panic!("{again}\n{errors}"));
    assert!(again.products.iter().eq(plain(&dataset)), "{:?}", again.products);
    assert_eq!(again.discounts, dataset.discounts);
});

/// Returns the products with one price and nothing else.
fn plain(dataset: &Dataset) -> impl Iterator<Item = &Product> {
    dataset.products.iter().filter(|product| product.price.is_some() && product.detail.is_none())
}

fn lines(dataset: &Dataset) -> String {
    let products = plain(dataset).map(|product| {
        let price = product.price.unwrap_or_default().format(Currency::USD);
        json!({ "id": product.id, "name": product.name, "price": price })
    });
    let lists = dataset.discounts.iter().map(|list| {
        let entries = list.discounts.as_slice().iter().map(|discount| {
            let percentage = discount.percentage.to_string();
            json!({ "product_id": discount.product_id, "percentage": percentage })
        });
        json!({ "user_id": list.user, "discounts": entries.collect::<Vec<_>>() })
    });
    products.chain(lists).map(|row| format!("{row}\n")).collect()
}
