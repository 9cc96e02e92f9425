//! Fuzzes a customer's own rows: raw bytes, and columns with the checksum that they need.
//!
//! What is accepted must be sorted, with possible discounts and savings. Packed again, it reads the same,
//! and so does what this target's own encoder makes of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::pricing::{Money, OwnRow, OwnRows, PackedOwn};
use ocache_fuzz::{fnv, varint};

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

fuzz_target!(|input: &[u8]| {
    let part = match input.split_first() {
        // Hardly any raw bytes have a right checksum, so the input is mostly the columns.
        Some((1, columns)) => assemble(PLAIN, columns, columns),
        Some((2, columns)) => {
            let packed = zstd::bulk::compress(columns, 1).unwrap_or_default();
            assemble(COMPRESSED, &packed, columns)
        }
        Some((_, raw)) => raw.to_vec(),
        None => vec![],
    };
    let Ok(own) = OwnRows::decode(&part) else { return };
    let rows = own.as_slice();
    assert!(rows.windows(2).all(|pair| pair[0].index < pair[1].index), "sorted, and none twice");
    for row in rows {
        assert!((Money::ZERO..=Money::MAX_PRICE).contains(&row.saving));
        assert!(row.discount.millionths() <= 100_000_000);
        assert_eq!(own.find(row.index), Some(row));
        assert_eq!(row.unit_price(row.saving), Some(Money::ZERO), "what is saved is enough");
    }
    let columns = columns(rows);
    let again = OwnRows::decode(&assemble(PLAIN, &columns, &columns));
    assert_eq!(again.expect("the format is what it is said to be"), own);
    pack_again(&own);
});

fn pack_again(own: &OwnRows) {
    let packed = PackedOwn::new(own).expect("rows can be packed");
    assert_eq!(packed.first.len(), packed.parts.len());
    let mut again = vec![];
    for (first, part) in packed.first.iter().zip(&packed.parts) {
        let part = OwnRows::decode(part).expect("what was packed can be read");
        assert_eq!(part.as_slice().first().map(|row| row.index), Some(*first));
        again.extend_from_slice(part.as_slice());
    }
    assert_eq!(again, own.as_slice());
}

fn columns(rows: &[OwnRow]) -> Vec<u8> {
    let mut columns = vec![];
    varint(&mut columns, rows.len() as u64);
    let mut next = 0;
    for row in rows {
        varint(&mut columns, u64::from(row.index) - next);
        next = u64::from(row.index) + 1;
    }
    // Percentages in millionths.
    varint(&mut columns, 1);
    rows.iter().for_each(|row| varint(&mut columns, u64::from(row.discount.millionths())));
    rows.iter().for_each(|row| varint(&mut columns, row.saving.minor() as u64));
    columns
}

fn assemble(form: u8, body: &[u8], columns: &[u8]) -> Vec<u8> {
    [&[1, form], body, &fnv(columns)].concat()
}
