//! Catalogues that differ in every price, and what a quote must contain for each of them.
//!
//! The prices are calculated here with exact decimals, not by ocache.

use std::fmt::Write as _;

use ocache::protocol::{LineFrame, QuotationFrame};
use rust_decimal::{Decimal, RoundingStrategy};

/// More than one part of a packed table holds, so that a quote can use two parts.
pub const PRODUCTS: u64 = 1_100;
/// The number of users who have discounts.
pub const KNOWN_USERS: u64 = 10;

pub fn product(index: u64) -> String {
    format!("P{index:04}")
}

pub fn known_user(index: u64) -> String {
    format!("known-{index}")
}

/// Returns the list price of a product in a catalogue, in minor units.
fn list_price(catalogue: u64, index: u64) -> i64 {
    i64::try_from(catalogue * 100_000 + index * 13 + 7).unwrap()
}

/// Returns the discount of a user on a product, in hundredths of a percent.
fn discount(user: &str, index: u64) -> i64 {
    match (0..KNOWN_USERS).find(|known| known_user(*known) == user) {
        Some(known) if index.is_multiple_of(3) => {
            i64::try_from(250 + known * 625 + index % 500).unwrap()
        }
        _ => 0,
    }
}

/// Returns a catalogue as a file that can be loaded.
pub fn products_file(catalogue: u64) -> String {
    let mut file = String::new();
    for index in 0..PRODUCTS {
        let price = Decimal::new(list_price(catalogue, index), 2);
        let id = product(index);
        writeln!(file, r#"{{"id":"{id}","name":"name of {id}","price":{price}}}"#).unwrap();
    }
    file
}

/// Returns the discounts of all users who have any, as a file that can be loaded.
pub fn discounts_file() -> String {
    let mut file = String::new();
    for user in (0..KNOWN_USERS).map(known_user) {
        let discounts = (0..PRODUCTS).filter(|index| discount(&user, *index) > 0).map(|index| {
            let percentage = Decimal::new(discount(&user, index), 2);
            format!(r#"{{"product_id":"{}","percentage":{percentage}}}"#, product(index))
        });
        let discounts = discounts.collect::<Vec<_>>().join(",");
        writeln!(file, r#"{{"user_id":"{user}","discounts":[{discounts}]}}"#).unwrap();
    }
    file
}

pub fn rounded(exact: Decimal) -> Decimal {
    exact.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

/// Returns the catalogue of an answer, if every line of it is right.
pub fn catalogue_of(
    user: &str,
    items: &[(u64, u64)],
    answer: &QuotationFrame,
) -> Result<u64, String> {
    let first = answer.lines.first().ok_or("it has no lines")?;
    let minor = listed(first)? * Decimal::ONE_HUNDRED;
    let catalogue = u64::try_from(minor).map_err(|error| error.to_string())? / 100_000;
    if answer.lines.len() != items.len() {
        return Err(format!("{} lines of {} are there", answer.lines.len(), items.len()));
    }
    let mut total = Decimal::ZERO;
    for ((index, quantity), line) in items.iter().zip(&answer.lines) {
        let list = Decimal::new(list_price(catalogue, *index), 2);
        let percent = Decimal::new(discount(user, *index), 2);
        let unit = rounded(list * (Decimal::ONE - percent / Decimal::ONE_HUNDRED));
        let line_total = rounded(unit * Decimal::from(*quantity));
        total += line_total;
        let expected = [list, percent, unit, line_total];
        if line.product != product(*index) || amounts(line)? != expected {
            return Err(format!("by catalogue {catalogue} it is {expected:?}, not {line:?}"));
        }
    }
    if decimal(answer.total.as_deref().unwrap_or_default())? != total {
        return Err(format!("the total is {total}, not {:?}", answer.total));
    }
    Ok(catalogue)
}

/// Returns the amounts of a line: list price, discount, unit price and total.
pub fn amounts(line: &LineFrame) -> Result<[Decimal; 4], String> {
    let LineFrame { discount_percent, unit_price, total, .. } = line;
    Ok([listed(line)?, decimal(discount_percent)?, decimal(unit_price)?, decimal(total)?])
}

pub fn listed(line: &LineFrame) -> Result<Decimal, String> {
    decimal(line.list_price.as_deref().ok_or("a line has no list price")?)
}

pub fn decimal(text: &str) -> Result<Decimal, String> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}
