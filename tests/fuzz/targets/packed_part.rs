//! Parts of price tables: bytes as they are, and sections that do decompress.
//!
//! What is accepted must be sorted, findable, and no dearer than its list price; and an encoder of
//! this target's own, written after the format's description alone, must make a part of it that says
//! the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::model::ProductId;
use ocache::pricing::{Entry, PackedPart, Percentage};

fuzz_target!(|input: &[u8]| {
    let part = match input.split_first() {
        // zstd's checksum lets hardly any raw bytes through; so mostly the sections are the input.
        Some((1, sections)) => {
            let at = sections.first().map_or(0, |share| sections.len() * usize::from(*share) / 255);
            let (catalogue, prices) =
                sections.get(1..).unwrap_or_default().split_at_checked(at).unwrap_or_default();
            assemble(catalogue, prices)
        }
        Some((_, raw)) => raw.to_vec(),
        None => vec![],
    };
    let Ok(part) = PackedPart::decode(&part) else { return };
    let entries: Vec<(String, Entry)> =
        part.iter().map(|(id, entry)| (id.to_owned(), entry)).collect();
    assert_eq!(entries.len(), part.len());
    assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, and none twice");
    for (id, entry) in &entries {
        assert!(entry.unit_price <= entry.list_price && entry.unit_price.minor() >= 0);
        // Bytes alone do not show that an id is one: it may have control characters.
        if let Ok(id) = ProductId::new(id.as_str()) {
            assert_eq!(part.find(&id), Some(*entry));
        }
    }
    let again = encode(&entries);
    // Ids without shared beginnings may take more than a section has.
    if let Ok(again) = PackedPart::decode(&again) {
        assert!(again.iter().map(|(id, entry)| (id.to_owned(), entry)).eq(entries));
    } else {
        assert!(entries.iter().map(|(id, _)| id.len()).sum::<usize>() > 8 * 1024);
    }
});

fn encode(entries: &[(String, Entry)]) -> Vec<u8> {
    let mut catalogue = vec![];
    varint(&mut catalogue, entries.len() as u64);
    entries.iter().for_each(|_| varint(&mut catalogue, 0));
    entries.iter().for_each(|(id, _)| varint(&mut catalogue, id.len() as u64));
    entries.iter().for_each(|(id, _)| catalogue.extend_from_slice(id.as_bytes()));
    for (_, entry) in entries {
        varint(&mut catalogue, entry.list_price.minor().cast_unsigned());
    }
    // A product at a discount of nothing is left out, unless it costs less all the same.
    let discounted: Vec<(usize, Entry)> = entries
        .iter()
        .map(|(_, entry)| *entry)
        .enumerate()
        .filter(|(_, e)| e.discount != Percentage::default() || e.unit_price != e.list_price)
        .collect();
    let mut prices = vec![];
    varint(&mut prices, discounted.len() as u64);
    let mut next = 0;
    for (index, _) in &discounted {
        varint(&mut prices, (index - next) as u64);
        next = index + 1;
    }
    for (_, entry) in &discounted {
        varint(&mut prices, u64::from(entry.discount.millionths()));
    }
    for (_, entry) in &discounted {
        let saving = entry.list_price.minor() - entry.unit_price.minor();
        varint(&mut prices, saving.cast_unsigned());
    }
    assemble(&catalogue, &prices)
}

fn assemble(catalogue: &[u8], prices: &[u8]) -> Vec<u8> {
    let mut part = b"OC\x01".to_vec();
    for section in [catalogue, prices] {
        let packed = zstd::bulk::compress(section, 1).unwrap_or_default();
        varint(&mut part, packed.len() as u64);
        part.extend(packed);
    }
    part
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let more = value >> 7;
        out.push((value & 0x7f) as u8 | if more > 0 { 0x80 } else { 0 });
        if more == 0 {
            return;
        }
        value = more;
    }
}
