//! Checks that both decoders read the same, and that this one does not share mistakes of the other.

use std::fmt::Debug;
use std::sync::Arc;

use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::model::{PriceListId, ProductId, Quantity, Timestamp};
use crate::pricing::{
    self, BasePart, Currency, LadderPacker, LadderRows, MinQuantity, Money, OwnRows, PackedBase,
    PackedLadders, PackedOwn, Percentage, QuantityRules, Rate, Rule, RuleKind, Rules, Scope, Step,
};

/// Decodes a part with the pricing module.
fn base_as_priced(part: &[u8]) -> Option<Vec<BaseRow>> {
    let part = BasePart::decode(part).ok()?;
    let units = |money: Money| money.minor().cast_unsigned();
    let thousandths =
        |quantity: Option<Quantity>| quantity.map_or(0, |it| it.thousandths().cast_unsigned());
    let row = |row: pricing::BaseEntry<'_>| {
        let QuantityRules { min, step, max } = row.quantities;
        BaseRow {
            id: row.id.to_owned(),
            name: row.name.to_owned(),
            price: row.list_price.map(units),
            floor: row.floor.map(units),
            quantities: [min, step, max].map(thousandths),
            category: row.category.map(ToString::to_string),
        }
    };
    Some(part.iter().map(row).collect())
}

fn own_as_priced(part: &[u8]) -> Option<Vec<StoredOwnRow>> {
    let own = OwnRows::decode(part).ok()?;
    let row = |row: &pricing::OwnRow| StoredOwnRow {
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

/// Generates bases, some with all columns of details and some with none.
fn base() -> impl Strategy<Value = PackedBase> {
    let price = || option::of(0..=Money::MAX_PRICE.minor());
    let category = option::of(prop::sample::select(vec!["a", "a/b", "株"]));
    let quantities = option::of((1..9_i64, 1..9_i64, 9..20_i64));
    let product = ("\\PC{0,30}", price(), price(), category, quantities);
    let products = proptest::collection::btree_map("[aP株]{0,3}[a-c0-9é株]{1,6}", product, 1..200);
    (products, any::<bool>()).prop_map(|(rows, has_details)| {
        let euro: Currency = "EUR".parse().unwrap();
        let product = |(id, (name, price, floor, category, quantities))| {
            let id = ProductId::stored(id).unwrap();
            let price: Option<i64> = price;
            let plain = pricing::Product::new(id, name, Money::from_minor(price.unwrap_or(7)));
            if !has_details {
                return plain;
            }
            let amounts = |amount: Option<i64>| {
                amount.map(|minor| (euro, Money::from_minor(minor))).into_iter().collect()
            };
            let quantities: Option<(i64, i64, i64)> = quantities;
            let quantities = quantities.map_or(QuantityRules::ANY, |(min, step, max)| {
                let times = |times: i64| Quantity::from_thousandths(times * step * 100);
                QuantityRules::new(times(min), times(1), times(max)).unwrap()
            });
            let category: Option<&str> = category;
            let category = category.map(|path| path.parse().unwrap());
            let (prices, floors) = (amounts(price), amounts(floor));
            plain.with_detail(pricing::ProductDetail { prices, floors, category, quantities })
        };
        let currency = if has_details { euro } else { Currency::USD };
        let products = rows.into_iter().map(product).collect();
        PackedBase::in_currency(currency, Currency::USD, products).unwrap()
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let kind = prop_oneof![
        Just(RuleKind::Price),
        Just(RuleKind::Amount),
        (i64::MIN..=100_000_000)
            .prop_map(|millionths| RuleKind::Percentage(Rate::try_from(millionths).unwrap())),
    ];
    let scope = prop_oneof![
        Just(Scope::All),
        Just(Scope::Category("a/株".parse().unwrap())),
        Just(Scope::Product(ProductId::stored("P").unwrap())),
    ];
    let list = "[a-c株]{1,6}".prop_map(|id| PriceListId::stored(id).unwrap());
    let min_quantity = prop_oneof![0..9_u64, 0..=1_000_000_000_000_u64]
        .prop_map(|thousandths| MinQuantity::from_thousandths(thousandths).unwrap());
    let until = option::of(any::<i64>().prop_map(Timestamp::from_millis));
    (option::of(list), any::<i32>(), option::of(scope), kind, min_quantity, until).prop_map(
        |(list, priority, scope, kind, min_quantity, until)| Rule {
            list,
            priority,
            scope,
            kind,
            min_quantity,
            until,
        },
    )
}

/// Generates products by index, each with some steps.
fn ladders() -> impl Strategy<Value = PackedLadders> {
    let step = (1..2_000_000_u64, 0..=Money::MAX_UNIT_PRICE.minor(), any::<prop::sample::Index>());
    let steps = proptest::collection::vec(step, 1..6);
    let index = prop_oneof![0..500_u32, any::<u32>()];
    let rows = proptest::collection::btree_map(index, steps, 0..300);
    (rows, proptest::collection::vec(rule(), 1..20)).prop_map(|(rows, book)| {
        let (mut rules, mut packer) = (Rules::default(), LadderPacker::default());
        for (index, steps) in rows {
            let mut from = 0;
            let steps = steps.into_iter().map(|(more, price, rule)| {
                from += more;
                let from = MinQuantity::from_thousandths(from - 1).unwrap();
                let rule = rules.number(rule.get(&book));
                Step { from, price: Money::from_minor(price), rule }
            });
            let steps: Vec<Step> = steps.collect();
            packer.push(index, &steps, &rules).unwrap();
        }
        packer.finish().unwrap()
    })
}

fn ladders_as_priced(part: &[u8]) -> Option<Vec<StoredLadderRow>> {
    let rows = LadderRows::decode(part).ok()?;
    let step = |step: &Step| {
        let rule = Arc::new(rows.rules().get(step.rule as usize)?.clone());
        Some(StoredStep { from: step.from, price: step.price, rule })
    };
    let row = |(index, steps): (u32, &[Step])| {
        let steps = steps.iter().map(step).collect::<Option<_>>()?;
        Some(StoredLadderRow { index: u64::from(index), steps })
    };
    rows.iter().map(row).collect()
}

/// Checks that both decoders read the same of a part, and of the part with one bit flipped, and that the part
/// cut off there is refused.
fn both_read_the_same<R: Debug + PartialEq>(
    part: &[u8],
    (place, bit): (prop::sample::Index, u8),
    read: fn(&[u8]) -> Result<Vec<R>, String>,
    as_priced: fn(&[u8]) -> Option<Vec<R>>,
) -> Result<(), TestCaseError> {
    let priced = as_priced(part);
    prop_assert!(priced.is_some());
    prop_assert_eq!(read(part).ok(), priced);
    let place = place.index(part.len());
    let mut damaged = part.to_vec();
    damaged[place] ^= 1 << bit;
    if let (Ok(read), Some(priced)) = (read(&damaged), as_priced(&damaged)) {
        prop_assert_eq!(read, priced);
    }
    prop_assert!(read(&part[..place]).is_err());
    Ok(())
}

proptest! {
    #[test]
    fn both_read_the_same_of_a_base(
        base in base(),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        for part in &base.parts {
            both_read_the_same(part, (place, bit), base_rows, base_as_priced)?;
        }
    }

    #[test]
    fn both_read_the_same_of_own_rows(
        own in own(),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        for part in &PackedOwn::new(&own).unwrap().parts {
            both_read_the_same(part, (place, bit), own_rows, own_as_priced)?;
        }
    }

    #[test]
    fn both_read_the_same_of_ladders(
        ladders in ladders(),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        for part in &ladders.parts {
            both_read_the_same(part, (place, bit), ladder_rows, ladders_as_priced)?;
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
        if let (Ok(read), Some(priced)) = (ladder_rows(&columns), ladders_as_priced(&columns)) {
            prop_assert_eq!(read, priced);
        }
        let with_details = [b"OB\x01\x0f", packed.as_slice()].concat();
        if let (Ok(read), Some(priced)) = (base_rows(&with_details), base_as_priced(&with_details)) {
            prop_assert_eq!(read, priced);
        }
        let _ = (own_rows(&bytes), base_rows(&bytes), ladder_rows(&bytes));
    }

    /// A mistake in packing that its own unpacking undoes never shows in quotes, but it must show here.
    #[test]
    fn a_rule_of_packing_that_is_wrong_shows(
        rows in proptest::collection::btree_map(0..500_u32, (1..=200_u64, 1000..9_000_u64), 2..60),
    ) {
        let rows: Vec<StoredOwnRow> = rows
            .into_iter()
            .map(|(index, (halves, saving))| StoredOwnRow {
                index: u64::from(index),
                discount: halves * 500_000,
                saving,
            })
            .collect();
        prop_assert_eq!(own_rows(&packed_by(Packing::AsDescribed, &rows)).ok(), Some(rows.clone()));
        for rule in [Packing::GapsFromTheRowItself, Packing::NoUnit, Packing::SavingsFirst] {
            let read = own_rows(&packed_by(rule, &rows)).ok();
            prop_assert_ne!(read, Some(rows.clone()), "{:?}", rule);
        }
    }
}

/// The variants of a copy of the packing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Packing {
    AsDescribed,
    GapsFromTheRowItself,
    NoUnit,
    SavingsFirst,
}

fn packed_by(rule: Packing, rows: &[StoredOwnRow]) -> Vec<u8> {
    const UNIT: u64 = 500_000;
    let mut columns = vec![];
    let mut put = |number| pricing::put_varint(&mut columns, number);
    put(rows.len() as u64);
    let mut next = 0;
    for row in rows {
        put(row.index - next);
        next = row.index + u64::from(rule != Packing::GapsFromTheRowItself);
    }
    put(UNIT);
    let unit = if rule == Packing::NoUnit { 1 } else { UNIT };
    let percentages = rows.iter().map(|row| row.discount / unit);
    let savings = rows.iter().map(|row| row.saving);
    match rule {
        Packing::SavingsFirst => savings.chain(percentages).for_each(put),
        _ => percentages.chain(savings).for_each(put),
    }
    let sum = fnv_1a(&columns).to_le_bytes();
    [&[1, 0], columns.as_slice(), &sum].concat()
}
