//! Fuzzes packed discounts: raw bytes, and fields with the checksum that they need.
//!
//! What is accepted must be sorted. Packed again, it reads the same, and so does what this target's own
//! encoder makes of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::pricing::{Discounts, fingerprint};
use ocache_fuzz::{bytes, seal, text, varint};

fuzz_target!(|input: &[u8]| {
    let packed = match input.split_first() {
        Some((1, fields)) => seal(fields),
        Some((_, raw)) => raw.to_vec(),
        None => vec![],
    };
    let Ok(discounts) = Discounts::unpack(&packed) else { return };
    let list = discounts.as_slice();
    assert_eq!((list.len(), list.is_empty()), (discounts.len(), discounts.is_empty()));
    assert!(list.windows(2).all(|pair| pair[0].product_id < pair[1].product_id));
    let sorted = Discounts::new(list.to_vec()).expect("no product twice");
    let packed = discounts.pack().expect("discounts can be packed");
    let again = Discounts::unpack(&packed).expect("what was packed can be read");
    let own = Discounts::unpack(&encode(&discounts)).expect("the format is as it is said");
    for other in [sorted, again, own] {
        assert_eq!(other, discounts);
        assert_eq!(other.as_slice(), list);
        assert_eq!(fingerprint(&other), fingerprint(&discounts));
    }
});

fn encode(discounts: &Discounts) -> Vec<u8> {
    let list = discounts.as_slice();
    let ids = || list.iter().map(|discount| discount.product_id.as_str());
    let mut fields = vec![];
    // The ids have no common prefixes here.
    bytes(&mut fields, &vec![0; list.len()]);
    bytes(&mut fields, &ids().map(|id| id.len() as u8).collect::<Vec<_>>());
    text(&mut fields, &ids().collect::<String>());
    // Percentages in millionths.
    varint(&mut fields, 1);
    varint(&mut fields, list.len() as u64);
    for discount in list {
        varint(&mut fields, u64::from(discount.percentage.millionths()));
    }
    seal(&fields)
}
