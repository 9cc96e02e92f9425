//! The rules of prices, worked out with nothing but whole numbers of 128 bits.

/// A whole, in millionths of a per cent.
pub const WHOLE: i128 = 100_000_000;
/// One piece, in thousandths.
pub const PIECE: i128 = 1_000;

/// The price of one before rounding: in minor units, times [`WHOLE`].
#[must_use]
pub const fn exact_unit_price(list_price: i64, discount_millionths: i128) -> i128 {
    list_price as i128 * (WHOLE - discount_millionths)
}

/// The price of one: list price less discount, halves to the even neighbour.
#[must_use]
pub const fn unit_price(list_price: i64, discount_millionths: i128) -> i128 {
    rounded(exact_unit_price(list_price, discount_millionths), WHOLE)
}

/// The price of a line: of one, times a quantity in thousandths, halves to the even neighbour.
#[must_use]
pub const fn line_total(unit_price: i128, quantity_thousandths: i128) -> i128 {
    rounded(unit_price * quantity_thousandths, PIECE)
}

/// `numerator ÷ denominator`, halves to the even neighbour; of numbers that are not negative.
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

/// `units × 10^-decimals` with at least so many decimals, and more only where they are not zero.
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
        assert_eq!([1, 3, 5, 7].map(|list| unit_price(list, WHOLE / 2)), [0, 2, 2, 4]);
        assert_eq!(unit_price(102_900, 12_000_000), 90_552);
        assert_eq!([500, 1500, 2500].map(|quantity| line_total(1, quantity)), [0, 2, 2]);
    }

    #[test]
    fn every_digit_is_written_and_no_needless_one() {
        assert_eq!(written(4_500_000_000_000, 10, 2), "450.00");
        assert_eq!(written(12_345, 3, 2), "12.345");
        assert_eq!(written(-5, 3, 0), "-0.005");
        assert_eq!((written(7, 0, 2), written(0, 2, 0)), ("7".to_owned(), "0".to_owned()));
    }
}
