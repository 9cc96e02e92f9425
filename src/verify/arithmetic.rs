//! The arithmetic of prices, with integers of 128 bits only.

use crate::pricing::{Money, PriceRule, Rounding, UnitRounding};

/// A whole, in millionths of a percent.
pub const WHOLE: i128 = 100_000_000;
/// One piece, in thousandths.
pub const PIECE: i128 = 1_000;

/// Returns the price of one piece before rounding: in minor units, times [`WHOLE`].
#[must_use]
pub const fn exact_unit_price(list_price: i64, discount_millionths: i128) -> i128 {
    list_price as i128 * (WHOLE - discount_millionths)
}

/// Returns `numerator ÷ denominator` with halves rounded to even. Both must not be negative.
#[must_use]
pub const fn rounded(numerator: i128, denominator: i128) -> i128 {
    let (down, rest) = (numerator / denominator, numerator % denominator);
    if rest * 2 < denominator {
        down
    } else if rest * 2 == denominator {
        down + down % 2
    } else {
        down + 1
    }
}

/// Returns `numerator ÷ denominator` with the rounding of a stack. Both must not be negative.
#[must_use]
pub const fn rounded_by(numerator: i128, denominator: i128, rounding: Rounding) -> i128 {
    match rounding {
        Rounding::HalfEven => rounded(numerator, denominator),
        Rounding::HalfUp => (2 * numerator + denominator) / (2 * denominator),
    }
}

/// Applies a row to a list price. Returns units of unit prices, rounded once. A calculated price is then
/// raised to the smaller of floor and list price; a stated price is not. Returns `None` if the rule needs
/// a list price and there is none.
#[must_use]
pub fn finished(
    rule: PriceRule,
    list_price: Option<Money>,
    floor: Option<Money>,
    rounding: Rounding,
) -> Option<i128> {
    let units = |money: Money| i128::from(money.minor());
    let list_price = list_price.map(units);
    let calculated = match rule {
        PriceRule::Price(price) => return Some(units(price)),
        PriceRule::Percentage(rate) => {
            rounded_by(list_price? * (WHOLE - i128::from(rate.millionths())), WHOLE, rounding)
        }
        PriceRule::Amount(amount) => (list_price? - units(amount)).max(0),
    };
    let least = floor.map(units).map_or(0, |floor| floor.min(list_price.unwrap_or(floor)));
    Some(calculated.max(least))
}

/// Returns the total of a line in minor units of the currency, rounded once. The unit price is in units
/// of unit prices, the quantity in thousandths.
#[must_use]
pub fn line_total_by(unit_price: i128, quantity_thousandths: i128, rounding: UnitRounding) -> i128 {
    let whole = PIECE * i128::from(rounding.scale());
    rounded_by(unit_price * quantity_thousandths, whole, rounding.rounding)
}

/// Formats `units × 10^-decimals` with at least `at_least` decimals, and more only if they are not zero.
#[must_use]
pub fn written(units: i128, decimals: u32, at_least: u32) -> String {
    let (decimals, at_least) = (decimals as usize, at_least as usize);
    let digits = format!("{:0>1$}", units.unsigned_abs(), decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let kept = fraction.trim_end_matches('0').len().max(at_least.min(decimals));
    let sign = if units < 0 { "-" } else { "" };
    match kept {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{}", &fraction[..kept]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let unit_price = |list, discount| rounded(exact_unit_price(list, discount), WHOLE);
        let line_total = |unit, quantity| line_total_by(unit, quantity, UnitRounding::PLAIN);
        assert_eq!([1, 3, 5, 7].map(|list| unit_price(list, WHOLE / 2)), [0, 2, 2, 4]);
        assert_eq!(unit_price(102_900, 12_000_000), 90_552);
        assert_eq!([500, 1500, 2500].map(|quantity| line_total(1, quantity)), [0, 2, 2]);
    }

    #[test]
    fn halves_go_up_where_a_stack_says_so() {
        let half_up = UnitRounding { unit_decimals: 2, rounding: Rounding::HalfUp };
        assert_eq!([1, 3, 4].map(|n| rounded_by(n, 2, Rounding::HalfUp)), [1, 2, 2]);
        assert_eq!([1, 3, 4].map(|n| rounded_by(n, 2, Rounding::HalfEven)), [0, 2, 2]);
        assert_eq!(line_total_by(50, 1_000, half_up), 1);
        assert_eq!(line_total_by(49, 1_000, half_up), 0);
        let list_price = Some(Money::from_minor(1_050));
        let less = |text: &str| PriceRule::Percentage(text.parse().unwrap());
        let price = |rule, floor: Option<i64>, rounding| {
            finished(rule, list_price, floor.map(Money::from_minor), rounding)
        };
        assert_eq!(price(less("15"), None, Rounding::HalfUp), Some(893));
        assert_eq!(price(less("15"), None, Rounding::HalfEven), Some(892));
        assert_eq!(price(less("15"), Some(900), Rounding::HalfEven), Some(900));
        let amount = PriceRule::Amount(Money::from_minor(2_000));
        assert_eq!(price(amount, None, Rounding::HalfEven), Some(0));
        assert_eq!(price(amount, Some(2_000), Rounding::HalfEven), Some(1_050));
        assert_eq!(finished(amount, None, None, Rounding::HalfEven), None);
    }

    #[test]
    fn every_digit_is_written_and_no_needless_one() {
        assert_eq!(written(4_500_000_000_000, 10, 2), "450.00");
        assert_eq!(written(12_345, 3, 2), "12.345");
        assert_eq!(written(-5, 3, 0), "-0.005");
        assert_eq!((written(7, 0, 2), written(0, 2, 0)), ("7".to_owned(), "0".to_owned()));
    }
}
