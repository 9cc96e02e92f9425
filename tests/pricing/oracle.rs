//! An oracle for amounts, and random amounts that provoke rounding.

use ocache::model::Quantity;
use ocache::pricing::{Money, Percentage, Rate};
use proptest::prelude::*;
use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};

/// Returns how many random cases a property is tried with: `OCACHE_PRICING_CASES`, or the usual number.
pub fn cases(usual: u32) -> u32 {
    let set = std::env::var("OCACHE_PRICING_CASES").ok();
    set.map_or(usual, |count| count.parse().expect("OCACHE_PRICING_CASES is a number"))
}

fn rounded(exact: Decimal) -> Decimal {
    exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven)
}

/// Returns a percentage as a fraction of one.
fn fraction(percentage: Percentage) -> Decimal {
    Decimal::new(i64::from(percentage.millionths()), 8)
}

/// Returns the price of one unit, less a discount.
pub fn unit_price(list: Money, discount: Percentage) -> Money {
    let unit = rounded(Decimal::from(list.minor()) * (Decimal::ONE - fraction(discount)));
    Money::from_minor(unit.to_i64().unwrap())
}

/// Returns the price of one unit, with a surcharge on top. No limit is applied.
pub fn surcharged(list: Money, surcharge: Rate) -> Money {
    let on_top = Decimal::new(-surcharge.millionths(), 8);
    let unit = rounded(Decimal::from(list.minor()) * (Decimal::ONE + on_top));
    Money::from_minor(unit.to_i64().unwrap())
}

/// Returns the total of a line in minor units, however large.
pub fn line_total(unit: Money, quantity: Quantity) -> Decimal {
    rounded(Decimal::from(unit.minor()) * Decimal::new(quantity.thousandths(), 3))
}

/// Draws a price. Small ones, round ones and those at the limit are more frequent than by chance.
pub fn price() -> impl Strategy<Value = Money> {
    let max = Money::MAX_PRICE.minor();
    prop_oneof![0..=100_i64, (0..=10_000_i64).prop_map(|n| n * 100), 0..=max, max - 10..=max]
        .prop_map(Money::from_minor)
}

/// Draws a price that only a surcharge makes, because it is above all that can be loaded.
pub fn raised_price() -> impl Strategy<Value = Money> {
    (Money::MAX_PRICE.minor() + 1..=Money::MAX_UNIT_PRICE.minor()).prop_map(Money::from_minor)
}

/// Draws a percentage. Many are whole or half per cents, whose products often end in exactly a half.
pub fn percentage() -> impl Strategy<Value = Percentage> {
    prop_oneof![
        (0..=200_u32).prop_map(|n| n * 500_000),
        (0..=10_000_u32).prop_map(|n| n * 10_000),
        0..=100_000_000_u32,
    ]
    .prop_map(|millionths| Percentage::from_millionths(millionths).unwrap())
}

/// Draws a surcharge. The largest, and those of whole per cents, are more frequent than by chance.
pub fn surcharge() -> impl Strategy<Value = Rate> {
    let largest = -Rate::MAX_SURCHARGE.millionths();
    prop_oneof![
        (1..=1000_i64).prop_map(|n| n * 1_000_000),
        1..=100_i64,
        1..=largest,
        Just(largest),
    ]
    .prop_map(|millionths| Rate::from_millionths(-millionths).unwrap())
}

pub fn quantity() -> impl Strategy<Value = Quantity> {
    let max = Quantity::MAX.thousandths();
    prop_oneof![1..=2000_i64, (1..=100_i64).prop_map(|n| n * 500), 1..=max]
        .prop_map(|thousandths| Decimal::new(thousandths, 3).to_string().parse().unwrap())
}
