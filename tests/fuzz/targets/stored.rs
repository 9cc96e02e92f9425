//! Fuzzes what the engines store as JSON and read back (indexes of bases, heads of catalogues, changes) and
//! the messages of the queues. The first byte says which of them the input is.
//!
//! What is accepted is written as a text that reads the same, and everything that happens to it on the way
//! to an answer succeeds.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use ocache::model::{Calculation, ProductId, ProviderMessage, QuotationKey, Timestamp};
use ocache::ports::{CatalogueHead, RecordKey, RowChange};
use ocache::pricing::{BaseIndex, BasePart, Currency, Money, PackedBase, Product};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let now = Timestamp::from_secs(1_800_000_000);
    match kind % 5 {
        0 => {
            let Some(index) = read::<BaseIndex>(text) else { return };
            look_up(&index);
        }
        1 => {
            let _ = read::<CatalogueHead>(text);
        }
        2 => {
            if let Some(change) = read::<RowChange>(text) {
                let key = change.key();
                let stored = RecordKey::from_stored(key.kind(), &key.stored());
                assert_eq!(stored, Ok(key), "a stored key is read as what it was");
            }
        }
        3 => {
            let Some(order) = read::<Calculation>(text) else { return };
            let _ = (order.group(), order.deduplication(), order.cause.is_overtaken(now));
        }
        _ => {
            let Some(message) = read::<ProviderMessage>(text) else { return };
            if let ProviderMessage::Quote(request) = message {
                let _ = QuotationKey::new(&request.user, &request.request_id);
                let _ = request.deadline.since(now);
            }
        }
    }
});

fn read<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = serde_json::from_str(text).ok()?;
    let again = serde_json::to_string(&value).expect("what was read can be written");
    assert_eq!(serde_json::from_str::<T>(&again).expect("and read again"), value);
    Some(value)
}

/// Looks up a product in an index, which may be no valid one.
fn look_up(index: &BaseIndex) {
    let product = ProductId::new("P1").expect("it is an id");
    let part = one_product(product.clone());
    let _ = index.part_of(&product);
    for number in (0..=index.parts.len()).filter_map(|number| u32::try_from(number).ok()) {
        let fits = index.fits(number, &part);
        let first = index.parts.get(number as usize).map(|part| &part.product);
        assert!(!fits || first == Some(&product));
    }
}

fn one_product(id: ProductId) -> BasePart {
    let products = vec![Product::new(id, "Stand".to_owned(), Money::from_minor(1))];
    let packed = PackedBase::new(Currency::USD, products).expect("it is a catalogue");
    BasePart::decode(&packed.parts[0]).expect("what was packed can be read")
}
