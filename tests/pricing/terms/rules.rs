//! Tests each rule of the choice of a price by itself.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::agreement::agreed;
use super::world::{Asked, Kind, Outcome, Priced, Scope, World};

/// 2026-06-01T00:00:00Z.
const NOW: i64 = 1_780_272_000_000;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn quoted_at(load: &Value, quantity: &str, at: i64) -> Outcome {
    let world = World::read(load, &Value::Null);
    let (user, product) = ("C".to_owned(), "P".to_owned());
    agreed(&world, &Asked { user, product, quantity: decimal(quantity), at }, 1)
}

fn quoted(load: &Value, quantity: &str) -> Outcome {
    quoted_at(load, quantity, NOW)
}

fn priced(load: &Value, quantity: &str) -> Priced {
    match quoted(load, quantity) {
        Outcome::Priced(priced) => priced,
        other => panic!("{other:?}"),
    }
}

/// Returns the price of one unit, and the list that makes it.
fn price(load: &Value, quantity: &str) -> (String, Option<String>) {
    let priced = priced(load, quantity);
    let list = priced.rule.map(|rule| rule.list.unwrap_or_else(|| "own".to_owned()));
    (priced.unit_price.normalize().to_string(), list)
}

fn by(price: &str, list: &str) -> (String, Option<String>) {
    (price.to_owned(), Some(list.to_owned()))
}

fn at_list(price: &str) -> (String, Option<String>) {
    (price.to_owned(), None)
}

/// Returns a load with a product at 100 in a category, a customer in a group, and lists that are for
/// everyone unless they say otherwise.
fn load(lists: Value, prices: Value) -> Value {
    json!({
        "products": [{"id": "P", "price": "100.00", "category": "tools/drills"}],
        "customers": [{"user_id": "C", "groups": ["gold"]}],
        "price_lists": lists,
        "prices": prices,
    })
}

#[test]
fn the_larger_priority_wins_though_it_is_dearer() {
    let lists = json!([
        {"price_list": "A", "priority": -1, "everyone": true, "currency": "USD"},
        {"price_list": "B", "priority": 7, "everyone": true, "currency": "USD"},
        {"price_list": "C", "everyone": true, "currency": "USD"},
    ]);
    let row =
        |list: &str, price: &str| json!({"price_list": list, "product_id": "P", "price": price});
    let load = load(lists, json!([row("A", "1"), row("B", "70"), row("C", "2")]));
    assert_eq!(price(&load, "1"), by("70", "B"));
}

#[test]
fn equal_priority_takes_the_lowest_and_of_equal_prices_the_smallest_list_id() {
    let lists = json!([
        {"price_list": "B", "everyone": true, "currency": "USD"},
        {"price_list": "A", "everyone": true, "currency": "USD"},
        {"price_list": "Z", "everyone": true, "currency": "USD"},
    ]);
    let row =
        |list: &str, price: &str| json!({"price_list": list, "product_id": "P", "price": price});
    let two = |prices: [&str; 3]| {
        let rows = [row("A", prices[0]), row("B", prices[1]), row("Z", prices[2])];
        price(&load(lists.clone(), json!(rows)), "1")
    };
    assert_eq!(two(["80", "70", "90"]), by("70", "B"));
    assert_eq!(two(["70", "70", "70"]), by("70", "A"));
    assert_eq!(two(["71", "70", "70"]), by("70", "B"));
}

#[test]
fn the_own_list_comes_first() {
    let lists =
        json!([{"price_list": "L", "priority": 2147483647, "everyone": true, "currency": "USD"}]);
    let mut load = load(lists, json!([{"price_list": "L", "product_id": "P", "price": "1"}]));
    load["user_discounts"] = json!([{"user_id": "C", "product_id": "P", "percentage": "20"}]);
    assert_eq!(price(&load, "1"), by("80", "own"));
    // Below its ladder the own list has no matching row.
    load["user_discounts"] =
        json!([{"user_id": "C", "product_id": "P", "min_quantity": "5", "price": "99"}]);
    assert_eq!(price(&load, "4.999"), by("1", "L"));
    assert_eq!(price(&load, "5"), by("99", "own"));
}

#[test]
fn below_a_ladder_the_next_list_answers() {
    let lists = json!([
        {"price_list": "A", "priority": 1, "everyone": true, "currency": "USD"},
        {"price_list": "B", "priority": 2, "everyone": true, "currency": "USD"},
    ]);
    let load = load(
        lists,
        json!([
            {"price_list": "A", "product_id": "P", "min_quantity": "2", "price": "50"},
            {"price_list": "B", "product_id": "P", "min_quantity": "10", "price": "60"},
        ]),
    );
    assert_eq!(price(&load, "1"), at_list("100"));
    assert_eq!(price(&load, "9.999"), by("50", "A"));
    assert_eq!(price(&load, "10"), by("60", "B"));
}

#[test]
fn product_before_category_before_all() {
    let lists = json!([{"price_list": "A", "everyone": true}]);
    let rows = [
        json!({"price_list": "A", "percentage": "50"}),
        json!({"price_list": "A", "category": "tools", "percentage": "40"}),
        json!({"price_list": "A", "category": "tools/drills", "percentage": "30"}),
        json!({"price_list": "A", "product_id": "P", "percentage": "5"}),
    ];
    let up_to = |count: usize| {
        let priced = priced(&load(lists.clone(), json!(rows[..count])), "1");
        (priced.unit_price.normalize().to_string(), priced.rule.unwrap().scope)
    };
    assert_eq!(up_to(1), ("50".to_owned(), Scope::All));
    assert_eq!(up_to(2), ("60".to_owned(), Scope::Category("tools".to_owned())));
    assert_eq!(up_to(3), ("70".to_owned(), Scope::Category("tools/drills".to_owned())));
    assert_eq!(up_to(4), ("95".to_owned(), Scope::Product("P".to_owned())));
    // Only whole steps of a category's path count.
    let tool = json!([{"price_list": "A", "category": "tool", "percentage": "40"}]);
    assert_eq!(price(&load(lists, tool), "1"), at_list("100"));
}

#[test]
fn a_groups_list_and_a_customers_both_count() {
    let lists = json!([
        {"price_list": "G", "groups": ["gold"], "currency": "USD"},
        {"price_list": "U", "users": ["C"], "currency": "USD"},
    ]);
    let row =
        |list: &str, price: &str| json!({"price_list": list, "product_id": "P", "price": price});
    let load =
        |group: &str, user: &str| load(lists.clone(), json!([row("G", group), row("U", user)]));
    assert_eq!(price(&load("90", "85"), "1"), by("85", "U"));
    assert_eq!(price(&load("84", "85"), "1"), by("84", "G"));
}

#[test]
fn another_groups_price_is_never_seen() {
    let others = json!([
        {"price_list": "S", "groups": ["silver", "golden"], "priority": 9, "currency": "USD"},
        {"price_list": "D", "users": ["D"], "priority": 9, "currency": "USD"},
        {"price_list": "N", "priority": 9, "currency": "USD"},
    ]);
    let rows: Vec<Value> = ["S", "D", "N"]
        .iter()
        .map(|list| json!({"price_list": list, "product_id": "P", "price": "1"}))
        .collect();
    let mut load = load(others, json!(rows));
    assert_eq!(price(&load, "1"), at_list("100"));
    load["customers"] = json!([]);
    assert_eq!(price(&load, "1"), at_list("100"));
}

#[test]
fn a_list_in_another_currency_does_not_count_and_nothing_is_converted() {
    let lists = json!([
        {"price_list": "U", "everyone": true, "currency": "USD"},
        {"price_list": "N", "everyone": true},
    ]);
    let rows = json!([
        {"price_list": "U", "product_id": "P", "price": "1"},
        {"price_list": "N", "percentage": "10"},
    ]);
    let mut load = load(lists, rows);
    load["products"] = json!([{"id": "P", "prices": {"USD": "100.00", "EUR": "92.00"}}]);
    load["customers"] = json!([{"user_id": "C", "currency": "EUR"}]);
    assert_eq!(price(&load, "1"), by("82.8", "N"));
    load["customers"] = json!([{"user_id": "C", "currency": "JPY"}]);
    assert_eq!(quoted(&load, "1"), Outcome::Unavailable);
}

#[test]
fn an_amount_larger_than_the_price_gives_nothing_to_pay() {
    let lists = json!([{"price_list": "A", "everyone": true, "currency": "USD"}]);
    let load = load(lists, json!([{"price_list": "A", "product_id": "P", "amount": "100.01"}]));
    assert_eq!(price(&load, "1"), by("0", "A"));
    assert_eq!(priced(&load, "3").discount, decimal("100"));
}

#[test]
fn a_floor_raises_what_is_calculated_and_never_above_the_list_price() {
    let lists = json!([{"price_list": "A", "everyone": true, "currency": "USD"}]);
    let with_floor = |floor: &str, row: Value| {
        let mut row = row;
        row["price_list"] = "A".into();
        let mut load = load(lists.clone(), json!([row]));
        load["products"][0]["floor"] = floor.into();
        priced(&load, "1")
    };
    let half = with_floor("60", json!({"percentage": "50"}));
    assert_eq!(half.unit_price, decimal("60"));
    // A percentage is shown as agreed.
    assert_eq!(half.discount, decimal("50"));
    let amount = with_floor("60", json!({"product_id": "P", "amount": "70"}));
    assert_eq!((amount.unit_price, amount.discount), (decimal("60"), decimal("40")));
    assert_eq!(with_floor("160", json!({"percentage": "50"})).unit_price, decimal("100"));
    let surcharge = with_floor("160", json!({"percentage": "-10"}));
    assert_eq!(surcharge.unit_price, decimal("110"));
    let stated = with_floor("60", json!({"product_id": "P", "price": "55"}));
    assert_eq!(stated.unit_price, decimal("55"));
}

/// Tests surcharges on the highest price that can be loaded: neither another row nor the list price counts
/// instead.
#[test]
fn a_surcharge_counts_also_above_the_highest_price_that_can_be_loaded() {
    let lists = json!([
        {"price_list": "A", "priority": 1, "everyone": true},
        {"price_list": "B", "everyone": true, "currency": "USD"},
    ]);
    let rows = json!([
        {"price_list": "A", "product_id": "P", "percentage": "-4"},
        {"price_list": "A", "product_id": "P", "min_quantity": "5", "percentage": "-5"},
        {"price_list": "A", "percentage": "10"},
        {"price_list": "B", "product_id": "P", "price": "70"},
    ]);
    let mut load = load(lists, rows);
    load["products"][0]["price"] = "10000000000000.00".into();
    assert_eq!(price(&load, "1"), by("10400000000000", "A"));
    assert_eq!(price(&load, "5"), by("10500000000000", "A"));
    assert_eq!(priced(&load, "5").discount, decimal("-5"));
    // A row at a quantity is a next tier if it is cheaper, however high its price.
    load["prices"][1]["percentage"] = "-3".into();
    assert_eq!(priced(&load, "1").next_tier, Some((decimal("5"), decimal("10300000000000"))));
    // The customer's own row counts too, with the largest surcharge.
    load["user_discounts"] = json!([{"user_id": "C", "product_id": "P", "percentage": "-1000"}]);
    assert_eq!(price(&load, "1"), by("110000000000000", "own"));
}

/// Tests that such prices are compared as they are, not as equally high.
#[test]
fn of_two_surcharges_above_the_highest_price_that_can_be_loaded_the_lower_wins() {
    let lists = json!([
        {"price_list": "A", "everyone": true},
        {"price_list": "B", "everyone": true},
    ]);
    let row = |list: &str, percentage: &str| json!({"price_list": list, "percentage": percentage});
    let mut load = load(lists, json!([row("A", "-5"), row("B", "-4")]));
    load["products"][0]["price"] = "10000000000000.00".into();
    assert_eq!(price(&load, "1"), by("10400000000000", "B"));
    load["prices"][1]["percentage"] = "-5".into();
    assert_eq!(price(&load, "1"), by("10500000000000", "A"));
}

#[test]
fn a_stated_price_above_the_list_price_stands() {
    let lists = json!([{"price_list": "A", "everyone": true, "currency": "USD"}]);
    let load = load(lists, json!([{"price_list": "A", "product_id": "P", "price": "125"}]));
    assert_eq!(price(&load, "1"), by("125", "A"));
    assert_eq!(priced(&load, "1").discount, decimal("-25"));
}

/// Tests windows around a change to summer time. On that day Berlin has 23 hours. Kolkata has no such
/// change, and an offset with half an hour.
#[test]
fn windows_begin_and_end_to_the_millisecond_in_two_zones_over_a_change_to_summer_time() {
    let windows = [
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23),
        ("2026-03-29T00:00:00+05:30", "2026-03-30T00:00:00+05:30", 24),
    ];
    for (from, until, hours) in windows {
        let lists = json!([
            {"price_list": "A", "everyone": true, "from": from, "until": until},
        ]);
        let load = load(lists, json!([{"price_list": "A", "percentage": "10"}]));
        let begins = from.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let ends = until.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        assert_eq!(ends - begins, hours * 3_600_000);
        let at = |millis: i64| match quoted_at(&load, "1", millis) {
            Outcome::Priced(priced) => priced.unit_price.normalize().to_string(),
            other => panic!("{other:?}"),
        };
        let seen = [begins - 1, begins, ends - 1, ends].map(at);
        assert_eq!(seen, ["100", "90", "90", "100"], "{from}");
    }
}

#[test]
fn two_lists_of_one_customer_that_both_end() {
    let lists = json!([
        {"price_list": "A", "priority": 2, "users": ["C"], "until": "2026-06-01T00:00:01Z"},
        {"price_list": "B", "priority": 1, "users": ["C"], "until": "2026-06-01T00:00:02Z"},
    ]);
    let rows = json!([
        {"price_list": "A", "product_id": "P", "percentage": "20"},
        {"price_list": "B", "product_id": "P", "percentage": "10"},
    ]);
    let load = load(lists, rows);
    let at = |millis: i64| match quoted_at(&load, "1", NOW + millis) {
        Outcome::Priced(priced) => priced.unit_price.normalize().to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!([999, 1_000, 1_999, 2_000].map(at), ["80", "90", "90", "100"]);
}

#[test]
fn half_a_piece_without_a_minimum_has_the_price_of_the_first_rung() {
    let lists = json!([{"price_list": "A", "everyone": true, "currency": "USD"}]);
    let load = load(
        lists,
        json!([
            {"price_list": "A", "product_id": "P", "price": "90"},
            {"price_list": "A", "product_id": "P", "min_quantity": "1", "price": "80"},
        ]),
    );
    assert_eq!(price(&load, "0.5"), by("90", "A"));
    assert_eq!(priced(&load, "0.5").total, Some(decimal("45")));
    assert_eq!(priced(&load, "0.5").next_tier, Some((decimal("1"), decimal("80"))));
}

#[test]
fn a_step_of_a_tenth_allows_a_half() {
    let mut load = load(json!([]), json!([]));
    load["products"][0]["step"] = "0.1".into();
    load["products"][0]["min"] = "0.1".into();
    assert_eq!(priced(&load, "0.5").total, Some(decimal("50")));
    let (below, above) = (Some(decimal("0.5")), Some(decimal("0.6")));
    assert_eq!(quoted(&load, "0.55"), Outcome::Invalid { below, above });
}

#[test]
fn a_product_without_a_price_is_unavailable_in_a_wrong_quantity_too() {
    let lists = json!([{"price_list": "A", "everyone": true, "currency": "USD"}]);
    let rows = |price: &str| json!([{"price_list": "A", "product_id": "P", "min_quantity": "24", price: "10"}]);
    let sold_by_the_dozen = |rows: Value| {
        let mut load = load(lists.clone(), rows);
        load["products"][0] = json!({"id": "P", "step": "12", "prices": {"EUR": "100.00"}});
        quoted(&load, "5")
    };
    assert_eq!(sold_by_the_dozen(json!([])), Outcome::Unavailable);
    assert_eq!(sold_by_the_dozen(rows("percentage")), Outcome::Unavailable, "off no list price");
    // It has a price at other quantities.
    let (below, above) = (None, Some(decimal("12")));
    assert_eq!(sold_by_the_dozen(rows("price")), Outcome::Invalid { below, above });
}

#[test]
fn a_wrong_quantity_may_miss_one_neighbour() {
    let mut load = load(json!([]), json!([]));
    load["products"][0]["min"] = "24".into();
    load["products"][0]["step"] = "12".into();
    load["products"][0]["max"] = "60".into();
    let invalid = |below: &str, above: &str| {
        let quantity = |text: &str| (!text.is_empty()).then(|| decimal(text));
        Outcome::Invalid { below: quantity(below), above: quantity(above) }
    };
    assert_eq!(quoted(&load, "12"), invalid("", "24"));
    assert_eq!(quoted(&load, "25"), invalid("24", "36"));
    assert_eq!(quoted(&load, "61"), invalid("60", ""));
    assert_eq!(priced(&load, "36").total, Some(decimal("3600")));
}

#[test]
fn a_composed_ladder_may_have_more_rungs_than_any_of_its_lists() {
    let lists: Vec<Value> = ["A", "B", "D"]
        .iter()
        .map(|list| json!({"price_list": list, "everyone": true, "currency": "USD"}))
        .collect();
    let rung = |list: &str, min: &str, price: &str| json!({"price_list": list, "product_id": "P", "min_quantity": min, "price": price});
    let rows = json!([
        rung("A", "1", "90"),
        rung("A", "10", "60"),
        rung("B", "2", "85"),
        rung("B", "20", "55"),
        rung("D", "3", "80"),
        rung("D", "30", "50"),
    ]);
    let load = load(json!(lists), rows);
    let ladder = ["1", "2", "3", "10", "20", "30"].map(|quantity| price(&load, quantity));
    let expected =
        [by("90", "A"), by("85", "B"), by("80", "D"), by("60", "A"), by("55", "B"), by("50", "D")];
    assert_eq!(ladder, expected);
    let next = |quantity| priced(&load, quantity).next_tier;
    assert_eq!(next("1"), Some((decimal("2"), decimal("85"))));
    assert_eq!(next("29.999"), Some((decimal("30"), decimal("50"))));
    assert_eq!(next("30"), None);
}

/// Tests that own prices and amounts keep the currency in which they were loaded, and that percentages hold
/// in every one.
#[test]
fn own_prices_do_not_count_after_the_customers_currency_changes() {
    let mut load = load(json!([]), json!([]));
    load["products"] = json!([{"id": "P", "prices": {"USD": "100.00", "EUR": "92.00"}}]);
    load["user_discounts"] = json!([
        {"user_id": "C", "product_id": "P", "price": "1.00"},
        {"user_id": "C", "product_id": "P", "min_quantity": "10", "percentage": "50"},
    ]);
    let mut world = World::read(&load, &Value::Null);
    let asked = |quantity: &str| Asked {
        user: "C".to_owned(),
        product: "P".to_owned(),
        quantity: decimal(quantity),
        at: NOW,
    };
    let price = |world: &World, quantity: &str| match agreed(world, &asked(quantity), 1) {
        Outcome::Priced(priced) => (priced.unit_price, priced.rule.map(|rule| rule.kind)),
        other => panic!("{other:?}"),
    };
    assert_eq!(price(&world, "1"), (decimal("1"), Some(Kind::Price)));
    world.customers.get_mut("C").unwrap().currency = Some("EUR".to_owned());
    assert_eq!(price(&world, "1"), (decimal("92"), None));
    assert_eq!(price(&world, "10"), (decimal("46"), Some(Kind::Percentage)));
}

#[test]
fn a_next_tier_is_the_first_later_rung_that_is_cheaper_at_a_quantity_that_is_sold() {
    let lists = json!([
        {"price_list": "A", "everyone": true, "currency": "USD"},
        {"price_list": "B", "priority": 1, "everyone": true, "currency": "USD"},
    ]);
    let mut load = load(
        lists,
        json!([
            {"price_list": "A", "product_id": "P", "price": "50"},
            {"price_list": "B", "product_id": "P", "min_quantity": "7", "price": "60"},
            {"price_list": "B", "product_id": "P", "min_quantity": "25", "price": "40"},
        ]),
    );
    load["products"][0]["step"] = "6".into();
    assert_eq!(priced(&load, "6").next_tier, Some((decimal("30"), decimal("40"))));
    load["products"][0]["max"] = "24".into();
    assert_eq!(priced(&load, "6").next_tier, None);
}
