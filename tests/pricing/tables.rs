//! Whole price tables: priced, packed, read back, product by product.

use std::collections::{BTreeMap, BTreeSet};

use ocache::model::{Generation, ProductId, Timestamp};
use ocache::ports::TableHead;
use ocache::pricing::{
    Catalogue, Currency, Discount, Discounts, Entry, Money, PRICING_VERSION, PackedPart,
    Percentage, PriceTable, fingerprint,
};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::oracle;

type Prices = BTreeMap<ProductId, Money>;
type Percentages = BTreeMap<ProductId, Percentage>;

/// A text cut to the longest start that is a product id in some store.
fn cut(mut text: String) -> ProductId {
    while text.len() > ProductId::MAX_BYTES {
        text.pop();
    }
    ProductId::stored(text).unwrap()
}

/// An id that often begins like others do, and often is in no catalogue.
fn id() -> impl Strategy<Value = ProductId> {
    let start = prop::sample::select(vec!["", "P", "PROD-", "株式会社", "株式", "é", "e\u{301}"]);
    (start, "\\PC{1,20}").prop_map(|(start, rest)| cut(format!("{start}{rest}")))
}

fn catalogue_of(prices: &Prices) -> Catalogue {
    // Backwards, because the order must not matter.
    let products = prices.iter().rev().map(|(id, price)| (id.clone(), *price)).collect();
    Catalogue::new(1, Currency::USD, products).unwrap()
}

fn discounts_of(percentages: &Percentages) -> Discounts {
    let list = percentages
        .iter()
        .rev()
        .map(|(id, percentage)| Discount { product_id: id.clone(), percentage: *percentage });
    Discounts::new(list.collect()).unwrap()
}

/// The head that price calculation writes for a table, as far as reading it goes.
fn head_of(table: &PriceTable<'_>) -> TableHead {
    TableHead {
        version: 1,
        generation: Generation::from_random([1; 16]),
        fingerprint: fingerprint(&catalogue_of(&Prices::new()), &Discounts::default()),
        pricing_version: PRICING_VERSION,
        base_version: 0,
        catalogue_version: 1,
        currency: Currency::USD,
        products: table.len() as u64,
        parts: table.first_products().collect(),
        parts_expire_at: Timestamp::default(),
        priced_at: Timestamp::default(),
        validated_at: Timestamp::default(),
        fresh_until: Timestamp::default(),
        usable_until: Timestamp::default(),
    }
}

/// The price of a product as a reader finds it: from the head to the part to the product.
fn look_up(head: &TableHead, parts: &[PackedPart], product: &ProductId) -> Option<Entry> {
    let part = usize::try_from(head.part_of(product)?).unwrap();
    parts[part].find(product)
}

/// Prices, packs and reads back; every entry must be what the oracle says, and nothing else there.
fn agree(
    prices: &Prices,
    percentages: &Percentages,
    strangers: &BTreeSet<ProductId>,
) -> Result<(), TestCaseError> {
    let catalogue = catalogue_of(prices);
    let discounts = discounts_of(percentages);
    let table = PriceTable::new(&catalogue, &discounts);
    let packed = table.pack().unwrap();
    prop_assert!(packed.iter().all(|part| part.len() <= PackedPart::MAX_BYTES));
    let parts: Vec<_> = packed.iter().map(|part| PackedPart::decode(part).unwrap()).collect();
    let head = head_of(&table);
    prop_assert_eq!(head.parts.len(), parts.len());

    let mut found = parts.iter().flat_map(PackedPart::iter).map(Result::unwrap);
    for (id, list_price) in prices {
        let discount = percentages.get(id).copied().unwrap_or_default();
        let unit_price = oracle::unit_price(*list_price, discount);
        let expected = Entry { list_price: *list_price, discount, unit_price };
        prop_assert_eq!(found.next(), Some((id.clone(), expected)));
        prop_assert_eq!(look_up(&head, &parts, id), Some(expected));
    }
    prop_assert_eq!(found.next(), None);
    prop_assert_eq!(table.len(), prices.len());
    for id in strangers.iter().chain(percentages.keys()).filter(|id| !prices.contains_key(*id)) {
        prop_assert_eq!(look_up(&head, &parts, id), None);
    }
    Ok(())
}

/// A catalogue of many products and discounts for some of them, all from one seed.
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
        cases: oracle::cases(1000),
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
    fn a_fingerprint_tells_tables_apart(
        prices in prop::collection::btree_map(id(), oracle::price(), 1..20),
        percentages in prop::collection::btree_map(id(), oracle::percentage(), 1..20),
        index in any::<prop::sample::Index>(),
    ) {
        let print = |prices: &Prices, percentages: &Percentages| {
            fingerprint(&catalogue_of(prices), &discounts_of(percentages))
        };
        let original = print(&prices, &percentages);
        let forwards = prices.clone().into_iter().collect();
        let same = Catalogue::new(2, Currency::USD, forwards).unwrap();
        prop_assert_eq!(fingerprint(&same, &discounts_of(&percentages)), original);

        let mut dearer = prices.clone();
        let price = dearer.values_mut().nth(index.index(prices.len())).unwrap();
        *price = Money::from_minor(price.minor() ^ 1);
        prop_assert_ne!(print(&dearer, &percentages), original);

        let mut other = percentages.clone();
        let discount = other.values_mut().nth(index.index(percentages.len())).unwrap();
        *discount = Percentage::from_millionths(discount.millionths() / 2 + 1).unwrap();
        if other != percentages {
            prop_assert_ne!(print(&prices, &other), original);
        }
        let mut fewer = percentages.clone();
        fewer.pop_last();
        prop_assert_ne!(print(&prices, &fewer), original);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: oracle::cases(40),
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
