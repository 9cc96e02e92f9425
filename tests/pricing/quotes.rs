//! Tests of whole quotes.

use ocache::model::{Item, ProductId, Quantity};
use ocache::pricing::{ItemPrice, Money, ProductPrice, QuoteError, UnitRounding, quote};
use proptest::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::oracle;

/// A line of a quote: the price of its product if that exists, and the quantity.
type Line = (Option<Money>, Quantity);

fn line() -> impl Strategy<Value = Line> {
    (prop::option::weighted(0.8, oracle::price()), oracle::quantity())
}

/// Draws lines whose totals are near the largest possible.
fn large_line() -> impl Strategy<Value = Line> {
    let unit = (1..=5_i64).prop_map(|n| Some(Money::from_minor(n * 200_000_000_000_000)));
    (unit, (1000..=6000_u32).prop_map(|n| n.to_string().parse().unwrap()))
}

fn agree(lines: &[Line]) -> Result<(), TestCaseError> {
    let id = |index: usize| ProductId::new(format!("P{index}")).unwrap();
    let items: Vec<_> = (0..)
        .zip(lines)
        .map(|(index, (_, quantity))| Item { product: id(index), quantity: *quantity })
        .collect();
    let price_of = |item: &Item| {
        let index: usize = item.product.as_str()[1..].parse().unwrap();
        match lines[index].0 {
            Some(price) => ItemPrice::Price(ProductPrice::at_list_price(price)),
            None => ItemPrice::Unavailable,
        }
    };

    let mut sum = Decimal::ZERO;
    let mut totals = vec![];
    let mut unavailable = vec![];
    for (index, (unit, quantity)) in lines.iter().enumerate() {
        let Some(unit) = unit else {
            unavailable.push(id(index));
            continue;
        };
        let total = oracle::line_total(*unit, *quantity);
        sum += total;
        if sum.to_i64().is_none() {
            let error = QuoteError::TooLarge { product: id(index) };
            prop_assert_eq!(quote(&items, UnitRounding::PLAIN, price_of), Err(error));
            return Ok(());
        }
        totals.push((id(index), total.to_i64().unwrap()));
    }
    let quoted = quote(&items, UnitRounding::PLAIN, price_of).unwrap();
    let lines = quoted.lines.into_iter().map(|(item, _, total)| (item.product, total.minor()));
    prop_assert_eq!(lines.collect::<Vec<_>>(), totals);
    prop_assert_eq!(quoted.unavailable, unavailable);
    prop_assert_eq!(Some(quoted.total.minor()), sum.to_i64());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: oracle::cases(1_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_quote_is_the_sum_of_its_rounded_lines(lines in prop::collection::vec(line(), 0..40)) {
        agree(&lines)?;
    }

    #[test]
    fn the_line_at_which_a_total_stops_to_fit_is_named(
        lines in prop::collection::vec(large_line(), 1..8),
    ) {
        agree(&lines)?;
    }
}
