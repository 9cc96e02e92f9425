//! Tests of prices that public projects state as facts, and of prices calculated by hand.

use rust_decimal::Decimal;
use serde_json::Value;

use super::agreement::agreed;
use super::world::{Asked, Outcome, World};

/// A time at which all lists that have begun and not ended are in force.
const NOW: i64 = 1_780_000_000_000;

#[test]
fn every_stated_price_is_what_is_quoted() {
    let cases: Value = serde_json::from_str(include_str!("cases.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 31);
    for case in cases {
        let id = &case["id"];
        let world = World::read(&case["load"], &case["settings"]);
        let quote = &case["quote"];
        for item in quote["items"].as_array().unwrap() {
            let asked = Asked {
                user: quote["client"].as_str().unwrap().to_owned(),
                product: item["product"].as_str().unwrap().to_owned(),
                quantity: item["quantity"].as_str().unwrap().parse().unwrap(),
                at: NOW,
            };
            let outcome = agreed(&world, &asked, 1);
            let expected = case["expect"].as_object().unwrap();
            for (name, expected) in expected {
                let amount = || expected.as_str().unwrap().parse::<Decimal>().unwrap();
                match (name.as_str(), &outcome) {
                    ("unavailable", Outcome::Unavailable) => {
                        assert_eq!(expected, &serde_json::json!([asked.product]), "{id}");
                    }
                    ("total", Outcome::Priced(priced)) => {
                        assert_eq!(priced.total, Some(amount()), "{id}")
                    }
                    ("unit_price", Outcome::Priced(priced)) => {
                        assert_eq!(priced.unit_price, amount(), "{id}");
                    }
                    ("currency", Outcome::Priced(priced)) => {
                        assert_eq!(priced.currency, expected.as_str().unwrap(), "{id}");
                    }
                    (name, outcome) => panic!("{id}: {name} of {outcome:?}"),
                }
            }
        }
    }
}
