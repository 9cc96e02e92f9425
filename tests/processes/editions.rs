//! Data in which every price, name and discount shows its edition.
//!
//! The prices are calculated here with exact decimals, not by ocache.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ocache::protocol::QuotationFrame;
use rust_decimal::Decimal;

use super::prices::{amounts, listed, rounded};

/// On how many products each user has discounts.
pub const DISCOUNTS: u64 = 8;

/// The size of the data, in every edition.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub products: u64,
    pub users: u64,
}

pub fn user(index: u64) -> String {
    format!("customer-{index}")
}

fn product(index: u64) -> String {
    format!("P{index:06}")
}

fn name(edition: u64, index: u64) -> String {
    format!("product {index} of edition {edition}")
}

fn list_price(edition: u64, index: u64) -> Decimal {
    Decimal::new(i64::try_from(edition * 1_000_000 + index * 13 + 7).unwrap(), 2)
}

impl Size {
    /// Returns the products on which a user has a discount, if the data names the user.
    pub fn discounted(self, user: u64) -> BTreeSet<u64> {
        if user >= self.users {
            return BTreeSet::new();
        }
        (0..DISCOUNTS)
            .map(|nth| (user * 7 + nth * (self.products / DISCOUNTS)) % self.products)
            .collect()
    }

    /// Returns a discount in percent. Inside the data it is never 0, and it differs between near editions.
    fn discount(self, edition: u64, user: u64, index: u64) -> Decimal {
        if !self.discounted(user).contains(&index) {
            return Decimal::ZERO;
        }
        let hundredths = (edition % 89) * 100 + (user + index) % 100 + 1;
        Decimal::new(i64::try_from(hundredths).unwrap(), 2)
    }

    /// Returns an edition as a file that can be loaded.
    pub fn file(self, edition: u64) -> String {
        let mut file = String::new();
        for index in 0..self.products {
            let (id, name, price) =
                (product(index), name(edition, index), list_price(edition, index));
            writeln!(file, r#"{{"id":"{id}","name":"{name}","price":{price}}}"#).unwrap();
        }
        for number in 0..self.users {
            let discounts = self.discounted(number).into_iter().map(|index| {
                let (id, percentage) = (product(index), self.discount(edition, number, index));
                format!(r#"{{"product_id":"{id}","percentage":{percentage}}}"#)
            });
            let discounts = discounts.collect::<Vec<_>>().join(",");
            writeln!(file, r#"{{"user_id":"{}","discounts":[{discounts}]}}"#, user(number))
                .unwrap();
        }
        file
    }

    /// Returns the edition of an answer, if all of it is right: names, prices, discounts.
    pub fn edition_of(
        self,
        user: u64,
        items: &[(u64, u64)],
        answer: &QuotationFrame,
    ) -> Result<u64, String> {
        if answer.status != "answered" || answer.lines.len() != items.len() {
            return Err(format!("not answered, or not whole: {answer:?}"));
        }
        let first = listed(&answer.lines[0])? * Decimal::ONE_HUNDRED;
        let edition = u64::try_from(first).map_err(|error| error.to_string())? / 1_000_000;
        for ((index, quantity), line) in items.iter().zip(&answer.lines) {
            let (list, percent) =
                (list_price(edition, *index), self.discount(edition, user, *index));
            let unit = rounded(list * (Decimal::ONE - percent / Decimal::ONE_HUNDRED));
            let expected = [list, percent, unit, rounded(unit * Decimal::from(*quantity))];
            let ids = (product(*index), name(edition, *index));
            if (&line.product, &line.name) != (&ids.0, &ids.1) || amounts(line)? != expected {
                return Err(format!("by edition {edition} it is {expected:?}, not {line:?}"));
            }
        }
        Ok(edition)
    }
}

/// Returns the items of a quote, in the form of the websocket.
pub fn items(items: &[(u64, u64)]) -> Vec<serde_json::Value> {
    let item = |(index, quantity): &(u64, u64)| serde_json::json!({ "product": product(*index), "quantity": quantity });
    items.iter().map(item).collect()
}
