//! Fuzzes heads of price tables.
//!
//! What is accepted reads the same when it is packed again, and when this target's own encoder writes it.
//! Everything that happens to a head on the way to an answer succeeds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::model::Timestamp;
use ocache::ports::{OwnStorage, Prices, TableHead};
use ocache::pricing::Rounding;
use ocache_fuzz::{signed, text, varint};

fuzz_target!(|input: &[u8]| {
    let Ok(head) = TableHead::unpack(input) else { return };
    assert_eq!(TableHead::unpack(&head.pack()).expect("what was packed can be read"), head);
    assert_eq!(TableHead::unpack(&encode(&head)).expect("the format is as it is said"), head);
    let now = Timestamp::from_secs(1_800_000_000);
    let _ = (head.is_usable(now), head.is_fresh(now), head.usable_until.to_string());
    for prices in head.periods() {
        let _ = head.base_of(prices);
        find_parts(&prices.ladders);
    }
    assert!(head.parts() >= head.own.parts());
    let _ = head.prices_at(now);
    find_parts(&head.own);
});

/// Checks that each part is found by the product with which it begins.
fn find_parts(own: &OwnStorage) {
    let OwnStorage::Parts(first) = own else { return };
    if first.is_sorted_by(|a, b| a < b) {
        for (part, index) in (0_u32..).zip(first) {
            assert_eq!(own.part_of(*index), Some(part));
        }
    }
}

fn encode(head: &TableHead) -> Vec<u8> {
    let mut out = vec![2];
    varint(&mut out, head.version);
    varint(&mut out, u64::from(head.pricing_version));
    varint(&mut out, head.catalogue_version);
    varint(&mut out, head.base_version);
    varint(&mut out, head.products);
    text(&mut out, head.currency.code());
    text(&mut out, head.generation.as_str());
    out.extend_from_slice(&head.fingerprint.bytes());
    signed(&mut out, head.priced_at.millis());
    signed(&mut out, head.validated_at.millis());
    signed(&mut out, head.fresh_until.millis());
    signed(&mut out, head.usable_until.millis());
    signed(&mut out, head.parts_expire_at.millis());
    put_own(&mut out, &head.own);
    put_prices(&mut out, &head.prices);
    let has_next = u8::from(!head.next.is_empty());
    let has_end = u8::from(head.valid_until.is_some());
    let is_half_up = u8::from(head.rounding.rounding == Rounding::HalfUp);
    out.push(has_next | has_end << 1 | is_half_up << 2 | head.rounding.unit_decimals << 3);
    if let Some(until) = head.valid_until {
        signed(&mut out, until.millis());
    }
    if !head.next.is_empty() {
        varint(&mut out, head.next.len() as u64);
    }
    for next in &head.next {
        signed(&mut out, next.from.millis());
        put_prices(&mut out, &next.prices);
    }
    out
}

fn put_prices(out: &mut Vec<u8>, prices: &Prices) {
    out.push(u8::from(prices.terms.is_some()));
    if let Some(terms) = prices.terms {
        out.extend_from_slice(&terms.bytes());
    }
    put_own(out, &prices.ladders);
}

fn put_own(out: &mut Vec<u8>, own: &OwnStorage) {
    match own {
        OwnStorage::Inline(rows) => {
            out.push(0);
            varint(out, rows.len() as u64);
            out.extend_from_slice(rows);
        }
        OwnStorage::Parts(first) => {
            out.push(1);
            varint(out, first.len() as u64);
            first.iter().for_each(|index| varint(out, u64::from(*index)));
        }
    }
}
