//! Fuzzes parts of catalogue bases: raw bytes, and bodies that do decompress.
//!
//! What is accepted must be sorted and findable, with possible prices. Packed again, it reads the same, and
//! so does what this target's own encoder makes of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::model::ProductId;
use ocache::pricing::{
    Base, BasePart, Currency, Money, PackedBase, Product, ProductDetail, QuantityRules,
};
use ocache_fuzz::varint;

/// Flags that say that products have prices, floors, quantity rules and categories.
const ALL_COLUMNS: u8 = 15;
/// No part is larger than this once decompressed.
const MAX_BYTES: usize = 1024 * 1024;

fuzz_target!(|input: &[u8]| {
    let part = match input.split_first() {
        // Hardly any raw bytes decompress, so the input is mostly the body.
        Some((1, rest)) => {
            let (columns, body) = rest.split_first().unwrap_or((&0, &[]));
            assemble(*columns, body)
        }
        Some((_, raw)) => raw.to_vec(),
        None => vec![],
    };
    let Ok(part) = BasePart::decode(&part) else { return };
    assert_eq!(part.is_empty(), part.len() == 0);
    assert!(part.weight() > 0);
    // A part does not check the characters of an id.
    let Ok(products) = products(&part) else { return };
    assert_eq!(products.len(), part.len());
    assert!(products.windows(2).all(|pair| pair[0].id < pair[1].id), "sorted, and none twice");
    for (place, product) in products.iter().enumerate() {
        let price = product.price.unwrap_or_default();
        assert!((Money::ZERO..=Money::MAX_PRICE).contains(&price));
        assert_eq!(part.find(&product.id), Some(place));
    }
    let body = body(&products);
    let too_long = body.len() > MAX_BYTES;
    match BasePart::decode(&assemble(ALL_COLUMNS, &body)) {
        Ok(again) => assert_eq!(self::products(&again).expect("they were ids"), products),
        // Ids without common prefixes may need more space than a part has.
        Err(error) => assert!(too_long, "{error}"),
    }
    pack_again(products);
});

fn products(part: &BasePart) -> Result<Vec<Product>, ocache::model::IdError> {
    let product = |entry: ocache::pricing::BaseEntry<'_>| {
        let (id, name) = (ProductId::stored(entry.id)?, entry.name.to_owned());
        let detail = ProductDetail {
            floors: entry.floor.map(|floor| (Currency::USD, floor)).into_iter().collect(),
            category: entry.category.cloned(),
            quantities: entry.quantities,
            ..ProductDetail::default()
        };
        let product = Product { id, name, price: entry.list_price, detail: None };
        Ok(product.with_detail(detail))
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
        // The ids have no common prefixes here.
        varint(&mut body, 0);
        varint(&mut body, product.id.as_str().len() as u64);
    }
    products.iter().for_each(|product| body.extend_from_slice(product.id.as_str().as_bytes()));
    let price = |product: &Product| product.price.unwrap_or_default().minor() as u64;
    products.iter().for_each(|product| varint(&mut body, price(product)));
    products.iter().for_each(|product| varint(&mut body, product.name.len() as u64));
    products.iter().for_each(|product| body.extend_from_slice(product.name.as_bytes()));
    put_detail(&mut body, products);
    body
}

/// Writes all optional columns.
fn put_detail(body: &mut Vec<u8>, products: &[Product]) {
    body.extend(products.iter().map(|product| u8::from(product.price.is_none())));
    for product in products {
        varint(body, product.floor_in(Currency::USD).map_or(0, |floor| floor.minor() as u64 + 1));
    }
    for product in products {
        let QuantityRules { min, step, max } = product.quantities();
        for quantity in [min, step, max] {
            varint(body, quantity.map_or(0, |quantity| quantity.thousandths() as u64));
        }
    }
    // Each product with a category has its own entry; equal ones are not shared.
    let categories: Vec<_> = products.iter().filter_map(Product::category).collect();
    varint(body, categories.len() as u64);
    for category in &categories {
        varint(body, category.as_str().len() as u64);
        body.extend_from_slice(category.as_str().as_bytes());
    }
    let mut number = 0;
    for product in products {
        number += u64::from(product.category().is_some());
        varint(body, if product.category().is_some() { number } else { 0 });
    }
}

fn assemble(columns: u8, body: &[u8]) -> Vec<u8> {
    let packed = zstd::bulk::compress(body, 1).unwrap_or_default();
    [b"OB\x01".as_slice(), &[columns], packed.as_slice()].concat()
}
