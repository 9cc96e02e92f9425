//! Tests of money, percentages and quantities: parsing, formatting, multiplying.

use ocache::model::Quantity;
use ocache::pricing::{Currency, Money, Percentage, Rounding};
use proptest::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::oracle;

fn currency() -> impl Strategy<Value = Currency> {
    // Currencies with no, two, three and four decimals.
    prop::sample::select(vec!["JPY", "USD", "KWD", "CLF"]).prop_map(|code| code.parse().unwrap())
}

/// Draws a number as people and machines write it.
fn number() -> impl Strategy<Value = String> {
    "-?[0-9]{1,17}(\\.[0-9]{1,8})?((e|E)[+-]?[0-9])?"
}

/// Returns the number in units of `10^-decimals`, if it is a whole number of them. A number that even the
/// oracle cannot hold is far above every maximum.
fn units(text: &str, decimals: u32) -> Option<Decimal> {
    let number = match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text).unwrap(),
        false => Decimal::from_str_exact(text).unwrap(),
    };
    let units = number.checked_mul(Decimal::from(10_u64.pow(decimals)))?;
    units.is_integer().then_some(units)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: oracle::cases(3_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_discount_rounds_as_the_oracle_does(
        list in oracle::price(),
        discount in oracle::percentage(),
    ) {
        let unit = list.less(discount);
        prop_assert_eq!(unit, oracle::unit_price(list, discount));
        prop_assert!(Money::ZERO <= unit && unit <= list);
    }

    #[test]
    fn a_surcharge_rounds_as_the_oracle_does(
        list in oracle::price(),
        surcharge in oracle::surcharge(),
    ) {
        let unit = surcharge.of(list, Rounding::HalfEven);
        prop_assert_eq!(unit, oracle::surcharged(list, surcharge));
        prop_assert!(list <= unit && unit <= Money::MAX_UNIT_PRICE);
    }

    #[test]
    fn a_line_rounds_as_the_oracle_does(
        unit in prop_oneof![3 => oracle::price(), 1 => oracle::raised_price()],
        quantity in oracle::quantity(),
    ) {
        let total = unit.times(quantity).map(Money::minor);
        prop_assert_eq!(total, oracle::line_total(unit, quantity).to_i64());
    }

    #[test]
    fn prices_are_read_exactly_or_not_at_all(text in number(), currency in currency()) {
        let max = Decimal::from(Money::MAX_PRICE.minor());
        let expected = units(&text, currency.decimals())
            .filter(|units| (Decimal::ZERO..=max).contains(units));
        let read = Money::parse_price(&text, currency).ok();
        prop_assert_eq!(read.map(Money::minor), expected.and_then(|units| units.to_i64()));
    }

    #[test]
    fn percentages_are_read_exactly_or_not_at_all(text in "-?[0-9]{1,3}(\\.[0-9]{1,8})?") {
        let whole = Decimal::from(100_000_000);
        let expected = units(&text, 6).filter(|units| (Decimal::ZERO..=whole).contains(units));
        let read = text.parse::<Percentage>().ok();
        prop_assert_eq!(read.map(Percentage::millionths), expected.and_then(|u| u.to_u32()));
    }

    #[test]
    fn quantities_are_read_exactly_or_not_at_all(text in number()) {
        let max = Decimal::from(Quantity::MAX.thousandths());
        let expected =
            units(&text, 3).filter(|units| *units > Decimal::ZERO && *units <= max);
        let read = text.parse::<Quantity>().ok();
        prop_assert_eq!(read.map(Quantity::thousandths), expected.and_then(|u| u.to_i64()));
    }

    #[test]
    fn what_is_written_is_the_number_and_is_read_back(
        price in oracle::price(),
        currency in currency(),
        percentage in oracle::percentage(),
        quantity in oracle::quantity(),
    ) {
        let written = price.format(currency);
        prop_assert_eq!(&written, &Decimal::new(price.minor(), currency.decimals()).to_string());
        prop_assert_eq!(Money::parse_price(&written, currency), Ok(price));

        let written = percentage.to_string();
        let exact = Decimal::new(i64::from(percentage.millionths()), 6).normalize();
        prop_assert_eq!(&written, &exact.to_string());
        prop_assert_eq!(written.parse(), Ok(percentage));

        let written = quantity.to_string();
        let exact = Decimal::new(quantity.thousandths(), 3).normalize();
        prop_assert_eq!(&written, &exact.to_string());
        prop_assert_eq!(written.parse(), Ok(quantity));
    }
}
