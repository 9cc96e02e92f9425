//! Tests of a catalogue that is far larger than a quote.

use std::time::Duration;

use bytes::Bytes;
use ocache::runtime::Role;

use super::harness::{Engine, System};

const PRODUCTS: usize = 200_000;

pub async fn two_hundred_thousand_products_are_quoted_from_the_parts_needed(engine: Engine) {
    let mut system = System::new(engine);
    // The first quote waits for the base, which a local AWS makes in minutes.
    system.policy.quote_within = Duration::from_secs(3600);
    // Prices that differ between products.
    system.load((0..PRODUCTS).map(|n| (format!("SKU{n:06}"), n as i64 + 1))).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = system.quote("Foo", "SKU000000:1 SKU123456:1 SKU199999:2").await;
    let totals: Vec<_> = quotation.lines.iter().map(|line| line.total.as_str()).collect();
    assert_eq!(totals, ["0.01", "1234.57", "4000.00"]);

    // Every part of the base that the quote does not need is replaced by garbage, which any reader would
    // refuse.
    let head = system.head("Foo").await.unwrap();
    assert_eq!(head.products, PRODUCTS as u64);
    let (store, name) = (&system.ports.store, head.base());
    let base = store.base(&name).await.unwrap().unwrap();
    let needed = ["SKU000000", "SKU123456", "SKU199999"]
        .map(|id| base.index.part_of(&id.parse().unwrap()).unwrap());
    let kept = store.base_parts(&name, &needed).await.unwrap();
    let parts = 0..u32::try_from(base.index.parts.len()).unwrap();
    let rubbish = parts.map(|number| match needed.iter().position(|needed| *needed == number) {
        Some(at) => kept[at].clone().unwrap(),
        None => Bytes::from_static(b"rubbish"),
    });
    let rubbish: Vec<Bytes> = rubbish.collect();
    store.put_base(&name, &base, &rubbish).await.unwrap();
    // A process that has nothing of it in memory.
    system.stop().await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let again = system.quote("Foo", "SKU000000:1 SKU123456:1 SKU199999:2").await;
    assert_eq!(again.lines, quotation.lines);
    system.stop().await;
}
