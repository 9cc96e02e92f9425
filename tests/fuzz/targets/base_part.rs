//! Parts of catalogue bases: bytes as they are, and bodies that do decompress.
//!
//! What is accepted must be sorted and findable, with prices that a product can have. Packed again, it
//! reads the same, and so does what an encoder of this target's own makes of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::model::ProductId;
use ocache::pricing::{Base, BasePart, Currency, Money, PackedBase, Product};
use ocache_fuzz::varint;

/// No part is larger than this once decompressed.
const MAX_BYTES: usize = 1024 * 1024;

fuzz_target!(|input: &[u8]| {
    let part = match input.split_first() {
        // Hardly any raw bytes decompress; so mostly the body is the input.
        Some((1, body)) => assemble(body),
        Some((_, raw)) => raw.to_vec(),
        None => vec![],
    };
    let Ok(part) = BasePart::decode(&part) else { return };
    assert_eq!(part.is_empty(), part.len() == 0);
    assert!(part.weight() > 0);
    // A part does not look at the characters of an id.
    let Ok(products) = products(&part) else { return };
    assert_eq!(products.len(), part.len());
    assert!(products.windows(2).all(|pair| pair[0].id < pair[1].id), "sorted, and none twice");
    for (place, product) in products.iter().enumerate() {
        assert!((Money::ZERO..=Money::MAX_PRICE).contains(&product.price));
        assert_eq!(part.find(&product.id), Some(place));
    }
    let body = body(&products);
    let too_long = body.len() > MAX_BYTES;
    match BasePart::decode(&assemble(&body)) {
        Ok(again) => assert_eq!(self::products(&again).expect("they were ids"), products),
        // Ids that share nothing may take more than a part has.
        Err(error) => assert!(too_long, "{error}"),
    }
    pack_again(products);
});

fn products(part: &BasePart) -> Result<Vec<Product>, ocache::model::IdError> {
    let product = |entry: ocache::pricing::BaseEntry<'_>| {
        let (id, name) = (ProductId::stored(entry.id)?, entry.name.to_owned());
        Ok(Product { id, name, price: entry.list_price })
    };
    part.iter().map(product).collect()
}

fn pack_again(products: Vec<Product>) {
    let packed = PackedBase::new(Currency::USD, products.clone()).expect("they are a catalogue");
    let base = Base::new(&packed).expect("what was packed can be read");
    let mut again = vec![];
    for number in (0..).take(packed.parts.len()) {
        let part = base.part(number).expect("each part is there");
        assert!(base.index().fits(number, part));
        again.extend(self::products(part).expect("they were ids"));
    }
    assert_eq!(again, products);
}

fn body(products: &[Product]) -> Vec<u8> {
    let mut body = vec![];
    varint(&mut body, products.len() as u64);
    for product in products {
        // Ids that share nothing.
        varint(&mut body, 0);
        varint(&mut body, product.id.as_str().len() as u64);
    }
    products.iter().for_each(|product| body.extend_from_slice(product.id.as_str().as_bytes()));
    products.iter().for_each(|product| varint(&mut body, product.price.minor() as u64));
    products.iter().for_each(|product| varint(&mut body, product.name.len() as u64));
    products.iter().for_each(|product| body.extend_from_slice(product.name.as_bytes()));
    body
}

fn assemble(body: &[u8]) -> Vec<u8> {
    let packed = zstd::bulk::compress(body, 1).unwrap_or_default();
    [b"OB\x01\x00", packed.as_slice()].concat()
}
