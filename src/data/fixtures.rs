//! The data of the first steps: the files of `fixtures/`, built into the binary.

use std::path::Path;

use super::dataset::Dataset;
use super::error::DataErrors;
use super::given::Amounts;
use super::read::read_texts;
use crate::pricing::Currency;

const PRODUCTS: &str = include_str!("../../fixtures/products.json");
const USER_DISCOUNTS: &str = include_str!("../../fixtures/user_discounts.json");

/// The currency of the prices.
pub const CURRENCY: Currency = Currency::USD;

/// Returns five products, and the discounts of two users, `AAA` and `BBB`.
///
/// # Errors
/// [`DataErrors`], as for any other files. A test proves that these files are good.
pub fn dataset() -> Result<Dataset, DataErrors> {
    dataset_with(0)
}

/// Returns the same data for a catalogue whose unit prices have `unit_decimals` more decimals than their
/// currency.
///
/// # Errors
/// Those of [`dataset`].
pub fn dataset_with(unit_decimals: u8) -> Result<Dataset, DataErrors> {
    read_texts(
        &[
            (Path::new("fixtures/products.json"), PRODUCTS.as_bytes()),
            (Path::new("fixtures/user_discounts.json"), USER_DISCOUNTS.as_bytes()),
        ],
        Amounts { currency: CURRENCY, unit_decimals },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixtures_are_those_of_the_first_steps() {
        let dataset = dataset().unwrap();
        let products: Vec<_> = dataset
            .products
            .iter()
            .map(|product| (product.id.as_str(), product.price.unwrap().format(CURRENCY)))
            .collect();
        let expected = [
            ("P1", "500.00"),
            ("P2", "578.00"),
            ("P3", "1029.00"),
            ("P4", "145.00"),
            ("P5", "10843.00"),
        ];
        assert_eq!(products, expected.map(|(id, price)| (id, price.to_owned())));

        let discounts: Vec<_> = dataset
            .discounts
            .iter()
            .flat_map(|list| {
                list.discounts.as_slice().iter().map(|discount| {
                    format!("{} {} {}", list.user, discount.product_id, discount.percentage)
                })
            })
            .collect();
        let expected =
            ["AAA P1 10", "AAA P2 15", "AAA P3 12", "BBB P1 11", "BBB P2 12", "BBB P3 13"];
        assert_eq!(discounts, expected);
    }
}
