//! A catalogue far larger than a quote.

use bytes::Bytes;
use ocache::ports::{Flip, parts_of};
use ocache::runtime::Role;

use super::harness::{Engine, System, user};

const PRODUCTS: usize = 200_000;

pub async fn two_hundred_thousand_products_are_quoted_from_the_parts_needed(engine: Engine) {
    let mut system = System::new(engine);
    // Prices that tell the products apart.
    system.load((0..PRODUCTS).map(|n| (format!("SKU{n:06}"), n as i64 + 1))).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = system.quote("Foo", "SKU000000:1 SKU123456:1 SKU199999:2").await;
    let totals: Vec<_> = quotation.lines.iter().map(|line| line.total.as_str()).collect();
    assert_eq!(totals, ["0.01", "1234.57", "4000.00"]);

    // Every part that such a quote does not need becomes rubbish, which any reader would refuse.
    let head = system.head("Foo").await.unwrap();
    assert_eq!(head.products, PRODUCTS as u64);
    let needed = ["SKU000000", "SKU123456", "SKU199999"]
        .map(|id| head.part_of(&id.parse().unwrap()).unwrap());
    let parts = 0..u32::try_from(head.parts.len()).unwrap();
    let store = &system.ports.store;
    let kept = parts_of(&**store, &user("Foo"), &head.generation, &needed).await.unwrap();
    let rubbish = parts.map(|number| match needed.iter().position(|needed| *needed == number) {
        Some(at) => kept[at].clone().unwrap(),
        None => Bytes::from_static(b"rubbish"),
    });
    let rubbish: Vec<Bytes> = rubbish.collect();
    let expire_at = head.parts_expire_at;
    let put = store.put_table(&user("Foo"), &head, &rubbish, Some(head.version), expire_at).await;
    assert_eq!(put.unwrap(), Flip::Done);
    let again = system.quote("Foo", "SKU000000:1 SKU123456:1 SKU199999:2").await;
    assert_eq!(again.lines, quotation.lines);
    system.stop().await;
}
