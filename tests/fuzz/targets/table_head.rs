//! Heads of price tables.
//!
//! What is accepted reads the same when it is packed again, and when an encoder of this target's own
//! writes it; and everything that is done with a head on the way to an answer can be done.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::model::Timestamp;
use ocache::ports::{Own, TableHead};
use ocache_fuzz::{signed, text, varint};

fuzz_target!(|input: &[u8]| {
    let Ok(head) = TableHead::unpack(input) else { return };
    assert_eq!(TableHead::unpack(&head.pack()).expect("what was packed can be read"), head);
    assert_eq!(TableHead::unpack(&encode(&head)).expect("the format is as it is said"), head);
    let now = Timestamp::from_secs(1_800_000_000);
    let _ = (head.is_usable(now), head.is_fresh(now), head.usable_until.to_string());
    if let Own::Parts(first) = &head.own
        && first.is_sorted_by(|a, b| a < b)
    {
        for (part, index) in (0_u32..).zip(first) {
            assert_eq!(head.part_of(*index), Some(part));
        }
    }
});

fn encode(head: &TableHead) -> Vec<u8> {
    let mut out = vec![1];
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
    match &head.own {
        Own::Inline(rows) => {
            out.push(0);
            out.extend_from_slice(rows);
        }
        Own::Parts(first) => {
            out.push(1);
            varint(&mut out, first.len() as u64);
            first.iter().for_each(|index| varint(&mut out, u64::from(*index)));
        }
    }
    out
}
