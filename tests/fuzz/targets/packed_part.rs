//! Parts of price tables: bytes as they are, and sections that do decompress.
//!
//! What is accepted must be sorted, findable, and no dearer than its list price; and an encoder of
//! this target's own, written after the format's description alone, must make a part of it that says
//! the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::model::ProductId;
use ocache::pricing::{Entry, Money, PackedPart, Percentage};

/// Of a price ÷ 100, which has at most five bytes.
const PLANES: std::ops::Range<usize> = 0..5;

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
    // That an id is none shows only when it is unfolded.
    let Ok(entries) = part.iter().collect::<Result<Vec<_>, _>>() else { return };
    assert_eq!(entries.len(), part.len());
    assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, and none twice");
    for (id, entry) in &entries {
        assert!(entry.list_price <= Money::MAX_PRICE);
        assert!(entry.unit_price <= entry.list_price && entry.unit_price.minor() >= 0);
        assert_eq!(part.find(id), Some(*entry));
    }
    // Ids without shared beginnings may take more than a part has.
    if let Ok(again) = PackedPart::decode(&encode(&entries)) {
        assert!(again.iter().map(|product| product.expect("it was one")).eq(entries));
    } else {
        assert!(entries.iter().map(|(id, _)| id.as_str().len()).sum::<usize>() > 8 * 1024);
    }
});

fn encode(entries: &[(ProductId, Entry)]) -> Vec<u8> {
    let mut catalogue = vec![];
    varint(&mut catalogue, entries.len() as u64);
    // Texts that share nothing.
    catalogue.push(0);
    entries.iter().for_each(|_| varint(&mut catalogue, 0));
    entries.iter().for_each(|(id, _)| varint(&mut catalogue, id.as_str().len() as u64));
    entries.iter().for_each(|(id, _)| catalogue.extend_from_slice(id.as_str().as_bytes()));
    let prices = || entries.iter().map(|(_, entry)| entry.list_price.minor().cast_unsigned());
    catalogue.push(5);
    prices().for_each(|minor| catalogue.push((minor % 100) as u8));
    for plane in PLANES.rev() {
        prices().for_each(|minor| catalogue.push((minor / 100).to_le_bytes()[plane]));
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
    if !discounted.is_empty() {
        // Percentages in millionths.
        varint(&mut prices, 1);
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

/// The prices as they are, with their checksum.
fn assemble(catalogue: &[u8], prices: &[u8]) -> Vec<u8> {
    let packed = zstd::bulk::compress(catalogue, 1).unwrap_or_default();
    let sum = prices.iter().fold(0x811c_9dc5_u32, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    let prices = [&[0], prices, &sum.to_le_bytes()].concat();
    let mut part = b"OC\x02".to_vec();
    for section in [packed, prices] {
        varint(&mut part, section.len() as u64);
        part.extend(section);
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
