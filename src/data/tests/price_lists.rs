//! Tests of customers, price lists, their rows and own rows, in every format.

use super::read_one;
use crate::data::{Dataset, GivenOwn, GivenRule, GivenRung};
use crate::pricing::{Currency, Scope};

fn rule(rung: &GivenRung) -> String {
    let rule = match &rung.rule {
        GivenRule::Price(price) => format!("costs {price}"),
        GivenRule::Percentage(rate) => format!("{rate} % off"),
        GivenRule::Amount(amount) => format!("{amount} off"),
    };
    format!("from {}: {rule}", rung.min_quantity)
}

fn own(list: &GivenOwn) -> impl Iterator<Item = String> {
    let user = &list.user;
    list.rows.iter().map(move |(product, rung)| format!("{user} {product} {}", rule(rung)))
}

/// Returns everything in a dataset, one line each.
fn lines(dataset: &Dataset) -> Vec<String> {
    let mut lines = vec![];
    for product in &dataset.products {
        let detail = product.detail.clone().unwrap_or_default();
        let money = |money: &crate::pricing::Money| money.minor();
        let price = product.price.as_ref().map(money);
        let prices: Vec<_> =
            detail.prices.iter().map(|(c, price)| (c.code(), money(price))).collect();
        let floors: Vec<_> =
            detail.floors.iter().map(|(c, floor)| (c.code(), money(floor))).collect();
        let sold = detail.quantities;
        let sold = [sold.min, sold.step, sold.max].map(|it| it.map(|it| it.to_string()));
        let category = detail.category.map(String::from);
        lines.push(format!("{} {price:?} {prices:?} {floors:?} {category:?} {sold:?}", product.id));
    }
    for customer in &dataset.customers {
        let currency = customer.currency.map(Currency::code);
        lines.push(format!("{} {currency:?} {:?}", customer.user, customer.groups));
    }
    for (list, _) in &dataset.lists {
        let (from, until) =
            (list.from.map(|it| it.to_string()), list.until.map(|it| it.to_string()));
        let to = &list.recipients;
        lines.push(format!(
            "{} {} {:?} {from:?} {until:?} {} {:?} {:?}",
            list.id,
            list.priority,
            list.currency.map(Currency::code),
            to.everyone,
            to.groups,
            to.users
        ));
    }
    for prices in &dataset.prices {
        let rungs = prices.rungs.iter().map(rule);
        lines.extend(rungs.map(|rung| format!("{} {} {rung}", prices.list, prices.scope)));
    }
    lines.extend(dataset.own.iter().flat_map(own));
    lines
}

const EXPECTED: [&str; 12] = [
    r#"P1 Some(1000) [("EUR", 900)] [("EUR", 500), ("USD", 600)] Some("tools/drills") [Some("10"), Some("5"), Some("100")]"#,
    r#"P2 None [("EUR", 100)] [] None [None, None, None]"#,
    r#"A Some("EUR") {"de", "gold"}"#,
    "B None {}",
    r#"L 5 Some("EUR") Some("2026-03-28T23:00:00.000Z") Some("2026-04-01T00:00:00.000Z") false {"gold"} {"A", "B"}"#,
    "M 0 None None None true {} {}",
    "L product `P1` from 0: costs 8.00",
    "L product `P1` from 10: costs 7.50",
    "L category `tools` from 5: 1 off",
    "M all products from 0: -2.5 % off",
    "A P1 from 0: 10 % off",
    "A P1 from 10: costs 6",
];

#[test]
fn every_format_says_the_same() {
    let rows = [
        r#"{"id":"P1","name":"Drill","price":"10.00","prices":{"EUR":"9.00"},"category":"tools/drills","floor":6,"floors":{"EUR":"5"},"min":10,"step":5,"max":"100"}"#,
        r#"{"id":"P2","name":"Bit","prices":{"EUR":1}}"#,
        r#"{"user_id":"A","currency":"EUR","groups":["gold","de"]}"#,
        r#"{"user_id":"B","groups":[]}"#,
        r#"{"price_list":"L","priority":5,"currency":"EUR","from":"2026-03-29","until":"2026-04-01T00:00:00Z","time_zone":"Europe/Berlin","users":["A","B"],"groups":["gold"]}"#,
        r#"{"price_list":"M","everyone":true,"until":null}"#,
        r#"{"price_list":"L","product_id":"P1","min_quantity":10,"price":"7.50"}"#,
        r#"{"price_list":"L","product_id":"P1","price":"8.00"}"#,
        r#"{"price_list":"L","category":"tools","min_quantity":"5","amount":1}"#,
        r#"{"price_list":"M","percentage":-2.5}"#,
        r#"{"user_id":"A","product_id":"P1","min_quantity":10,"price":6}"#,
        r#"{"user_id":"A","product_id":"P1","percentage":10}"#,
    ];
    let object = format!(
        r#"{{"products":[{}],"customers":[{}],"price_lists":[{}],"prices":[{}],"user_discounts":[{}]}}"#,
        rows[..2].join(","),
        rows[2..4].join(","),
        rows[4..6].join(","),
        rows[6..10].join(","),
        rows[10..].join(",")
    );
    let attributes = r#"{"my_products":[{"PutRequest":{"Item":{"id":{"S":"P1"},"name":{"S":"Drill"},
        "prices":{"M":{"USD":{"N":"10"},"EUR":{"N":"9"}}},"category":{"S":"tools/drills"},
        "floors":{"M":{"USD":{"N":"6"},"EUR":{"N":"5"}}},"min":{"N":"10"},"step":{"N":"5"},"max":{"N":"100"}}}},
        {"PutRequest":{"Item":{"id":{"S":"P2"},"name":{"S":"Bit"},"prices":{"M":{"EUR":{"S":"1"}}}}}}],
        "my_customers":[{"PutRequest":{"Item":{"user_id":{"S":"A"},"currency":{"S":"EUR"},"groups":{"SS":["gold","de"]}}}},
        {"PutRequest":{"Item":{"user_id":{"S":"B"}}}}],
        "my_price_lists":[{"PutRequest":{"Item":{"price_list":{"S":"L"},"priority":{"N":"5"},"currency":{"S":"EUR"},
        "from":{"S":"2026-03-29"},"until":{"S":"2026-04-01T00:00:00Z"},"time_zone":{"S":"Europe/Berlin"},
        "users":{"L":[{"S":"A"},{"S":"B"}]},"groups":{"SS":["gold"]}}}},
        {"PutRequest":{"Item":{"price_list":{"S":"M"},"everyone":{"BOOL":true}}}}],
        "my_prices":[{"PutRequest":{"Item":{"price_list":{"S":"L"},"product_id":{"S":"P1"},"min_quantity":{"N":"10"},"price":{"N":"7.50"}}}},
        {"PutRequest":{"Item":{"price_list":{"S":"L"},"product_id":{"S":"P1"},"price":{"S":"8.00"}}}},
        {"PutRequest":{"Item":{"price_list":{"S":"L"},"category":{"S":"tools"},"min_quantity":{"N":"5"},"amount":{"N":"1"}}}},
        {"PutRequest":{"Item":{"price_list":{"S":"M"},"percentage":{"N":"-2.5"}}}}],
        "my_user_discounts":[{"PutRequest":{"Item":{"user_id":{"S":"A"},"discounts":{"L":[
        {"M":{"product_id":{"S":"P1"},"min_quantity":{"N":"10"},"price":{"N":"6"}}},
        {"M":{"product_id":{"S":"P1"},"percentage":{"N":"10"}}}]}}}}]}"#;
    for (what, text) in [
        ("lines", rows.join("\n")),
        ("array", format!("[{}]", rows.join(",\n"))),
        ("object", object),
        ("batch write", attributes.to_owned()),
    ] {
        let dataset = read_one(&text).unwrap_or_else(|errors| panic!("{what}: {errors}"));
        assert_eq!(lines(&dataset), EXPECTED, "{what}");
        let [time] = dataset.local_times.as_slice() else { panic!("{what}") };
        assert_eq!((time.field, time.given.as_str()), ("from", "2026-03-29"), "{what}");
        assert_eq!(time.instant.to_string(), "2026-03-28T23:00:00.000Z");
    }
}

#[test]
fn csv_says_the_same_in_a_file_for_each_kind() {
    let files = [
        "id,name,price,price.EUR,category,floor,floor.EUR,min,step,max\n\
         P1,Drill,10.00,9,tools/drills,6,5,10,5,100\nP2,Bit,,1,,,,,,\n",
        "user_id,currency,groups\nA,EUR,gold|de\nB,,\n",
        "price_list,priority,currency,from,until,time_zone,users,groups,everyone\n\
         L,5,EUR,2026-03-29,2026-04-01T00:00:00Z,Europe/Berlin,A | B,gold,\nM,,,,,,,,true\n",
        "price_list,product_id,category,min_quantity,price,percentage,amount\n\
         L,P1,,10,7.50,,\nL,P1,,,8.00,,\nL,,tools,5,,,1\nM,,,,,-2.5,\n",
        "user_id,product_id,min_quantity,price,percentage\nA,P1,10,6,\nA,P1,,,10\n",
    ];
    let read: Vec<String> = files.iter().flat_map(|text| lines(&read_one(text).unwrap())).collect();
    assert_eq!(read, EXPECTED);
}

#[test]
fn a_discount_on_every_quantity_stays_a_discount() {
    let rows = "user_id,product_id,min_quantity,percentage\n";
    let plain = read_one(format!("{rows}A,P1,0,10\nA,P2,,0\n")).unwrap();
    assert_eq!((plain.discounts.len(), plain.own.len()), (1, 0));
    for more in ["A,P3,5,10", "A,P3,0,-10"] {
        let dataset = read_one(format!("{rows}A,P1,0,10\nB,P1,0,10\n{more}\n")).unwrap();
        assert_eq!((dataset.discounts.len(), dataset.own.len()), (1, 1), "{more}");
        assert_eq!(dataset.own[0].rows.len(), 2, "all of that user's rows");
    }
}

#[test]
fn a_row_of_a_list_knows_its_line() {
    let dataset = read_one("price_list,price\n\nL,1\n").unwrap();
    let place = dataset.prices[0].rungs[0].place;
    assert_eq!((dataset.prices[0].scope.clone(), place.at.line), (Scope::All, 3));
}

#[test]
fn more_decimals_of_unit_prices_are_read_when_the_stack_has_them() {
    use crate::data::{Amounts, read_texts};
    let text = "id,name,price\nP,a,0.4950\nQ,b,1\n".as_bytes();
    let texts = [(std::path::Path::new("f"), text)];
    let amounts = |unit_decimals| Amounts { currency: Currency::USD, unit_decimals };
    let dataset = read_texts(&texts, amounts(1)).unwrap();
    let prices: Vec<_> = dataset.products.iter().map(|it| it.price.unwrap().minor()).collect();
    assert_eq!((prices, dataset.unit_decimals), (vec![495, 1000], 1));
    assert!(read_texts(&texts, amounts(0)).is_err());
}
