//! Tests of whole price tables: priced, packed and read back, product by product.

use std::collections::{BTreeMap, BTreeSet};

use ocache::model::ProductId;
use ocache::pricing::{
    Base, BasePart, Currency, Discount, Discounts, Money, OwnRow, OwnRows, PackedBase, PackedOwn,
    Percentage, Product, ProductPrice, Rounding, fingerprint,
};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::oracle;

type Prices = BTreeMap<ProductId, Money>;
type Percentages = BTreeMap<ProductId, Percentage>;

/// Cuts a text to the longest start that is a product id in some store.
fn cut(mut text: String) -> ProductId {
    while text.len() > ProductId::MAX_BYTES {
        text.pop();
    }
    ProductId::stored(text).unwrap()
}

/// Draws an id that often begins like others, and often is in no catalogue.
fn id() -> impl Strategy<Value = ProductId> {
    let start = prop::sample::select(vec!["", "P", "PROD-", "株式会社", "株式", "é", "e\u{301}"]);
    (start, "\\PC{1,20}").prop_map(|(start, rest)| cut(format!("{start}{rest}")))
}

/// Returns the name of the product with an id.
fn name_of(id: &ProductId) -> String {
    format!("the {id}").repeat(id.as_str().len() % 3)
}

fn base_of(prices: &Prices) -> PackedBase {
    // In reverse, because the order must not matter.
    let products =
        prices.iter().rev().map(|(id, price)| Product::new(id.clone(), name_of(id), *price));
    PackedBase::new(Currency::USD, products.collect()).unwrap()
}

fn discounts_of(percentages: &Percentages) -> Discounts {
    let list = percentages
        .iter()
        .rev()
        .map(|(id, percentage)| Discount { product_id: id.clone(), percentage: *percentage });
    Discounts::new(list.collect()).unwrap()
}

/// Prices the rows of a customer, packs them, and reads them back.
fn own_of(base: &Base, discounts: &Discounts) -> OwnRows {
    let part = |number| base.part(number);
    let priced = OwnRows::price(base.index(), discounts, Rounding::HalfEven, part).unwrap();
    let packed = PackedOwn::new(&priced).unwrap();
    assert_eq!(packed.first.len(), packed.parts.len());
    let mut rows: Vec<OwnRow> = vec![];
    for (first, part) in packed.first.iter().zip(&packed.parts) {
        let part = OwnRows::decode(part).unwrap();
        assert_eq!(part.as_slice()[0].index, *first);
        rows.extend(part.as_slice());
    }
    let read = OwnRows::new(rows).unwrap();
    assert_eq!(read, priced);
    read
}

/// Prices, packs and reads back. Every entry must be what the oracle says, and there must be no other.
fn agree(
    prices: &Prices,
    percentages: &Percentages,
    strangers: &BTreeSet<ProductId>,
) -> Result<(), TestCaseError> {
    let packed = base_of(prices);
    prop_assert_eq!(packed.index.products as usize, prices.len());
    let base = Base::new(&packed).unwrap();
    let discounts = discounts_of(percentages);
    let own = own_of(&base, &discounts);

    let numbers = 0..packed.parts.len() as u32;
    for number in numbers.clone() {
        prop_assert!(packed.index.fits(number, base.part(number).unwrap()));
    }
    let parts: Vec<&BasePart> = numbers.map(|number| base.part(number).unwrap()).collect();
    let mut found = parts.iter().flat_map(|part| part.iter());
    for (id, list_price) in prices {
        let discount = percentages.get(id).copied().unwrap_or_default();
        let unit_price = oracle::unit_price(*list_price, discount);
        let discount = discount.into();
        let expected =
            ProductPrice { discount, unit_price, ..ProductPrice::at_list_price(*list_price) };
        prop_assert_eq!(base.entry(id, &own), Some(expected));
        let listed = found.next().unwrap();
        let is = (listed.id, listed.name.to_owned(), listed.list_price.unwrap());
        prop_assert_eq!(is, (id.as_str(), name_of(id), *list_price));
    }
    prop_assert_eq!(found.next(), None);
    for id in strangers.iter().chain(percentages.keys()).filter(|id| !prices.contains_key(*id)) {
        prop_assert_eq!(base.entry(id, &own), None);
    }
    let rows = percentages.keys().filter(|id| prices.contains_key(*id)).count();
    prop_assert_eq!(own.as_slice().len(), rows);
    Ok(())
}

/// Returns a catalogue of many products and discounts for some of them, all from one seed.
fn large(seed: u64, count: usize, id_bytes: usize, discounted: f64) -> (Prices, Percentages) {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut prices, mut percentages) = (Prices::new(), Percentages::new());
    while prices.len() < count {
        let length = random.random_range(6..=id_bytes.max(6));
        let text = (0..length).map(|_| random.random_range('!'..='\u{17f}'));
        let text = text.filter(|c| !c.is_control()).collect::<String>();
        let id = cut(format!("P{text}"));
        let price = random.random_range(0..=Money::MAX_PRICE.minor());
        if random.random_bool(discounted) {
            let millionths = random.random_range(0..=100_000_000);
            percentages.insert(id.clone(), Percentage::from_millionths(millionths).unwrap());
        }
        prices.insert(id, Money::from_minor(price));
    }
    (prices, percentages)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: oracle::cases(400),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn small_tables_of_odd_ids_agree_with_the_oracle(
        prices in prop::collection::btree_map(id(), oracle::price(), 0..40),
        discounts in prop::collection::vec((any::<prop::sample::Index>(), oracle::percentage()), 0..20),
        elsewhere in prop::collection::btree_map(id(), oracle::percentage(), 0..10),
        strangers in prop::collection::btree_set(id(), 0..10),
    ) {
        let mut percentages = elsewhere;
        if !prices.is_empty() {
            let ids: Vec<_> = prices.keys().collect();
            percentages.extend(
                discounts.into_iter().map(|(index, discount)| ((*index.get(&ids)).clone(), discount)),
            );
        }
        agree(&prices, &percentages, &strangers)?;
    }

    #[test]
    fn a_fingerprint_tells_discounts_apart(
        percentages in prop::collection::btree_map(id(), oracle::percentage(), 1..20),
        index in any::<prop::sample::Index>(),
    ) {
        let print = |percentages: &Percentages| fingerprint(&discounts_of(percentages));
        let original = print(&percentages);
        prop_assert_eq!(print(&percentages.clone()), original);

        let mut other = percentages.clone();
        let discount = other.values_mut().nth(index.index(percentages.len())).unwrap();
        *discount = Percentage::from_millionths(discount.millionths() / 2 + 1).unwrap();
        if other != percentages {
            prop_assert_ne!(print(&other), original);
        }
        let mut fewer = percentages.clone();
        fewer.pop_last();
        prop_assert_ne!(print(&fewer), original);
    }

    #[test]
    fn damage_is_noticed_or_changes_nothing(
        prices in prop::collection::btree_map(id(), oracle::price(), 1..40),
        seed in any::<u64>(),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let packed = base_of(&prices).parts.remove(0);
        let rows = |part: &BasePart| format!("{:?}", part.iter().collect::<Vec<_>>());
        let good = rows(&BasePart::decode(&packed).unwrap());
        let mut damaged = packed.clone();
        damaged[place.index(packed.len())] ^= 1 << bit;
        if let Ok(read) = BasePart::decode(&damaged) {
            prop_assert_eq!(rows(&read), good);
        }
        prop_assert!(BasePart::decode(&packed[..place.index(packed.len())]).is_err());

        let (prices, percentages) = large(seed, 60, 20, 0.9);
        let base = Base::new(&base_of(&prices)).unwrap();
        let (part, discounts) = (|number| base.part(number), discounts_of(&percentages));
        let own = OwnRows::price(base.index(), &discounts, Rounding::HalfEven, part);
        let own = own.unwrap();
        let packed = PackedOwn::new(&own).unwrap().parts.remove(0);
        let mut damaged = packed.clone();
        damaged[place.index(packed.len())] ^= 1 << bit;
        if let Ok(read) = OwnRows::decode(&damaged) {
            prop_assert_eq!(read, own);
        }
        prop_assert!(OwnRows::decode(&packed[..place.index(packed.len())]).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: oracle::cases(15),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn large_tables_agree_with_the_oracle(
        seed in any::<u64>(),
        count in prop_oneof![1..3500_usize, prop::sample::select(vec![1023, 1024, 1025, 2048])],
        id_bytes in 6..64_usize,
        discounted in prop::sample::select(vec![0.0, 0.01, 0.5, 1.0]),
    ) {
        let (prices, percentages) = large(seed, count, id_bytes, discounted);
        let strangers = large(!seed, 50, id_bytes, 0.0).0.into_keys().collect();
        agree(&prices, &percentages, &strangers)?;
    }
}

#[test]
fn a_row_of_the_last_index_that_can_be_written_is_read_back() {
    let row = |index| OwnRow { index, discount: Percentage::default(), saving: Money::ZERO };
    let own = OwnRows::new(vec![row(7), row(u32::MAX)]).unwrap();
    let packed = PackedOwn::new(&own).unwrap();
    assert_eq!(OwnRows::decode(&packed.parts[0]).unwrap(), own);
}

#[test]
fn no_part_fits_an_index_whose_parts_begin_in_no_order() {
    let prices = Prices::from([(cut("P1".to_owned()), Money::ZERO)]);
    let packed = base_of(&prices);
    let part = BasePart::decode(&packed.parts[0]).unwrap();
    let mut index = packed.index;
    assert!(index.fits(0, &part));
    index.parts.push(index.parts[0].clone());
    index.parts[0].index = 5;
    assert!(!index.fits(0, &part));
}
