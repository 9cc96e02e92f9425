//! Tests of a catalogue that is far larger than a quote.

use std::time::Duration;

use bytes::Bytes;
use ocache::model::ProductId;
use ocache::ports::{AtHead, RowChange, Segment};
use ocache::pricing::{Money, Product};
use ocache::runtime::Role;

use super::harness::{Engine, System};

/// On a local AWS each row of a load takes a call, and for each page it sorts all rows of a table: with more products
/// its calls take longer than a call may. A row has about 500 bytes, so that each of eight segments needs two pages.
const PRODUCTS: usize = 20_000;
const WORDS_OF_NAME: usize = 14;

/// A word of 32 characters that has little in common with that of the next number, so that it compresses badly.
/// (The factor is the golden ratio, as a fraction of 2^128.)
fn word(n: usize) -> String {
    format!("{:032x}", (n as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
}

fn id_of(n: usize) -> ProductId {
    format!("SKU{n:06}").parse().unwrap()
}

pub async fn a_large_catalogue_is_quoted_from_the_parts_needed(engine: Engine) {
    let mut system = System::new(engine);
    // The first quote waits for the base, which a local AWS makes in minutes.
    system.policy.quote_within = Duration::from_secs(3600);
    // Prices that differ between products.
    let product = |n: usize| {
        let words = (n * WORDS_OF_NAME..).take(WORDS_OF_NAME).map(word);
        Product::new(id_of(n), words.collect::<String>(), Money::from_minor(n as i64 + 1))
    };
    system.change((0..PRODUCTS).map(product).map(RowChange::from).collect()).await;
    is_read_in_segments_of_several_pages(&system).await;
    let asked = [0, PRODUCTS / 2, PRODUCTS - 1];
    let items = asked.map(|n| format!("{}:1", id_of(n))).join(" ");
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = system.quote("Foo", &items).await;
    let totals: Vec<_> = quotation.lines.iter().map(|line| line.total.clone()).collect();
    let prices = asked.map(|n| format!("{}.{:02}", (n + 1) / 100, (n + 1) % 100));
    assert_eq!(totals, prices);

    // Every part of the base that the quote does not need is replaced by garbage, which any reader would
    // refuse.
    let head = system.head("Foo").await.unwrap();
    assert_eq!(head.products, PRODUCTS as u64);
    let (store, name) = (&system.ports.store, head.base());
    let base = store.base(&name).await.unwrap().unwrap();
    assert!(base.index.parts.len() > 100, "{}", base.index.parts.len());
    let needed = asked.map(|n| base.index.part_of(&id_of(n)).unwrap());
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
    let again = system.quote("Foo", &items).await;
    assert_eq!(again.lines, quotation.lines);
    system.stop().await;
}

/// Where an engine is read in segments, the first page says that there are enough products for it, and no
/// segment fits into one page.
async fn is_read_in_segments_of_several_pages(system: &System) {
    const LARGE_PAGE: usize = 2_000;
    let store = &system.ports.store;
    let count = store.product_segments();
    if count == 1 {
        return;
    }
    let head = store.catalogue_head().await.unwrap().unwrap();
    let segments = (0..count).map(|index| Segment { index, count });
    for segment in std::iter::once(Segment::ALL).chain(segments) {
        let listed = store.list_products(&head, segment, None).await.unwrap();
        let AtHead::Read(page) = listed else { panic!("no load has come between") };
        assert!(page.next.is_some() && page.items.len() >= LARGE_PAGE, "{}", page.items.len());
    }
}
