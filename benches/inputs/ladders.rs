//! Ladders for the benchmarks.

use ocache::pricing::{MinQuantity, Money, PriceRule, Product, Rung};

/// Returns prices of 5, 10 and 15 per cent below the list price, each lower by `more` per cent.
pub fn three_rungs(product: &Product, more: i64) -> Vec<Rung> {
    let price = product.price.expect("generated products have prices").minor();
    let rung = |(thousandths, percent): (u64, i64)| Rung {
        min_quantity: MinQuantity::from_thousandths(thousandths).expect("it is a quantity"),
        rule: PriceRule::Price(Money::from_minor(price * (percent - more) / 100)),
    };
    [(0, 95), (10_000, 90), (100_000, 85)].map(rung).to_vec()
}
