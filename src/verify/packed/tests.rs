//! Both decoders say the same, and this one does not share the mistakes of the other.

use proptest::prelude::*;

use super::*;
use crate::model::ProductId;
use crate::pricing::{self, BasePart, Currency, Money, OwnRows, PackedBase, PackedOwn, Percentage};

/// As the pricing module reads it.
fn base_as_priced(part: &[u8]) -> Option<Vec<BaseRow>> {
    let part = BasePart::decode(part).ok()?;
    let row = |row: pricing::BaseEntry<'_>| BaseRow {
        id: row.id.to_owned(),
        name: row.name.to_owned(),
        price: row.list_price.minor().cast_unsigned(),
    };
    Some(part.iter().map(row).collect())
}

fn own_as_priced(part: &[u8]) -> Option<Vec<OwnRow>> {
    let own = OwnRows::decode(part).ok()?;
    let row = |row: &pricing::OwnRow| OwnRow {
        index: u64::from(row.index),
        discount: u64::from(row.discount.millionths()),
        saving: row.saving.minor().cast_unsigned(),
    };
    Some(own.as_slice().iter().map(row).collect())
}

fn own() -> impl Strategy<Value = OwnRows> {
    let percentage =
        prop_oneof![(0..=100_000_000_u32), (0..=200_u32).prop_map(|halves| halves * 500_000)];
    let row = (percentage, 0..=Money::MAX_PRICE.minor());
    let index = prop_oneof![0..500_u32, any::<u32>()];
    proptest::collection::btree_map(index, row, 0..600).prop_map(|rows| {
        let row = |(index, (millionths, minor))| pricing::OwnRow {
            index,
            discount: Percentage::from_millionths(millionths).unwrap(),
            saving: Money::from_minor(minor),
        };
        OwnRows::new(rows.into_iter().map(row).collect()).unwrap()
    })
}

fn base() -> impl Strategy<Value = PackedBase> {
    let product = ("\\PC{0,30}", 0..=Money::MAX_PRICE.minor());
    proptest::collection::btree_map("[aP株]{0,3}[a-c0-9é株]{1,6}", product, 1..200).prop_map(
        |rows| {
            let product = |(id, (name, minor))| pricing::Product {
                id: ProductId::stored(id).unwrap(),
                name,
                price: Money::from_minor(minor),
            };
            PackedBase::new(Currency::USD, rows.into_iter().map(product).collect()).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn both_read_the_same_of_a_base(
        base in base(),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        for part in &base.parts {
            let priced = base_as_priced(part);
            prop_assert!(priced.is_some());
            prop_assert_eq!(base_rows(part).ok(), priced);
            let mut damaged = part.clone();
            damaged[place.index(part.len())] ^= 1 << bit;
            if let (Ok(read), Some(priced)) = (base_rows(&damaged), base_as_priced(&damaged)) {
                prop_assert_eq!(read, priced);
            }
            prop_assert!(base_rows(&part[..place.index(part.len())]).is_err());
        }
    }

    #[test]
    fn both_read_the_same_of_own_rows(
        own in own(),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        for part in &PackedOwn::new(&own).unwrap().parts {
            let priced = own_as_priced(part);
            prop_assert!(priced.is_some());
            prop_assert_eq!(own_rows(part).ok(), priced);
            let mut damaged = part.clone();
            damaged[place.index(part.len())] ^= 1 << bit;
            if let (Ok(read), Some(priced)) = (own_rows(&damaged), own_as_priced(&damaged)) {
                prop_assert_eq!(read, priced);
            }
            prop_assert!(own_rows(&part[..place.index(part.len())]).is_err());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let columns = [&[1, 0], bytes.as_slice(), &fnv_1a(&bytes).to_le_bytes()].concat();
        if let (Ok(read), Some(priced)) = (own_rows(&columns), own_as_priced(&columns)) {
            prop_assert_eq!(read, priced);
        }
        let packed = zstd::bulk::compress(&bytes, 1).unwrap();
        let part = [b"OB\x01\x00", packed.as_slice()].concat();
        if let (Ok(read), Some(priced)) = (base_rows(&part), base_as_priced(&part)) {
            prop_assert_eq!(read, priced);
        }
        let _ = (own_rows(&bytes), base_rows(&bytes));
    }

    /// A mistake of packing that its own unpacking undoes is one that quotes never show.
    #[test]
    fn a_rule_of_packing_that_is_wrong_shows(
        rows in proptest::collection::btree_map(0..500_u32, (1..=200_u64, 1000..9_000_u64), 2..60),
    ) {
        let rows: Vec<OwnRow> = rows
            .into_iter()
            .map(|(index, (halves, saving))| OwnRow {
                index: u64::from(index),
                discount: halves * 500_000,
                saving,
            })
            .collect();
        prop_assert_eq!(own_rows(&packed_by(Rule::AsDescribed, &rows)).ok(), Some(rows.clone()));
        for rule in [Rule::GapsFromTheRowItself, Rule::NoUnit, Rule::SavingsFirst] {
            let read = own_rows(&packed_by(rule, &rows)).ok();
            prop_assert_ne!(read, Some(rows.clone()), "{:?}", rule);
        }
    }
}

/// How a copy of the packing goes about it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    AsDescribed,
    GapsFromTheRowItself,
    NoUnit,
    SavingsFirst,
}

fn packed_by(rule: Rule, rows: &[OwnRow]) -> Vec<u8> {
    const UNIT: u64 = 500_000;
    let mut columns = vec![];
    let mut put = |number| pricing::put_varint(&mut columns, number);
    put(rows.len() as u64);
    let mut next = 0;
    for row in rows {
        put(row.index - next);
        next = row.index + u64::from(rule != Rule::GapsFromTheRowItself);
    }
    put(UNIT);
    let unit = if rule == Rule::NoUnit { 1 } else { UNIT };
    let percentages = rows.iter().map(|row| row.discount / unit);
    let savings = rows.iter().map(|row| row.saving);
    match rule {
        Rule::SavingsFirst => savings.chain(percentages).for_each(put),
        _ => percentages.chain(savings).for_each(put),
    }
    let sum = fnv_1a(&columns).to_le_bytes();
    [&[1, 0], columns.as_slice(), &sum].concat()
}
