//! Tests from files to quotes: every engine quotes what was loaded. Some prices are stated in public
//! documents, others are of random sellers and are checked against an oracle in exact decimals. In all
//! cases `verify` finds nothing.

#[path = "system/harness.rs"]
#[allow(dead_code, reason = "other tests of systems use the rest of it")]
mod harness;

#[path = "pricing/terms/drawn.rs"]
mod drawn;
#[path = "pricing/terms/oracle.rs"]
mod oracle;
#[path = "pricing/terms/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::path::Path;

use harness::{Engine, System, user};
use ocache::data::{LoadOptions, load, read_texts, set_rounding};
use ocache::ports::QuotationStatus;
use ocache::pricing::{Currency, Rounding, UnitRounding};
use ocache::protocol::{LineFrame, QuotationFrame, RuleFrame, ScopeFrame};
use ocache::runtime::Role;
use ocache::verify::{VerifyOptions, verify};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use world::{Asked, Kind, List, Outcome, Own, Priced, Row, Rule, Scope, World};

const WORK: &[Role] = &[Role::PriceCalc, Role::QuotationProvider];

/// Brings records into force, as `ocache load` does.
async fn bring(system: &System, records: &Value, world: &World, is_first: bool) {
    let (currency, unit_decimals): (Currency, _) =
        (world.currency.parse().unwrap(), world.unit_decimals);
    let text = records.to_string();
    let amounts = ocache::data::Amounts { currency, unit_decimals };
    let data = read_texts(&[(Path::new("records.json"), text.as_bytes())], amounts);
    let data = data.unwrap_or_else(|error| panic!("{error}\n{text}"));
    // The settings were set before anything was loaded, in the currency of a new stack.
    let options = LoadOptions { currency, prune: is_first, merge: false };
    let ports = &system.ports;
    let loaded = load(&*ports.store, &*ports.clock, &*ports.randomness, &data, options, &|_| {});
    loaded.await.unwrap();
}

/// Returns a system with workers, in which this is loaded.
async fn selling(engine: Engine, world: &World, loads: &[Value]) -> System {
    let mut system = System::new(engine);
    let rounding = if world.half_up { Rounding::HalfUp } else { Rounding::HalfEven };
    let rounding = UnitRounding { unit_decimals: world.unit_decimals, rounding };
    let ports = &system.ports;
    set_rounding(&*ports.store, &*ports.clock, &*ports.randomness, rounding).await.unwrap();
    for (place, records) in loads.iter().enumerate() {
        bring(&system, records, world, place == 0).await;
    }
    system.run(WORK);
    system
}

/// Returns a quote's answer, and when it was calculated.
async fn quoted(system: &System, asked: &Asked) -> (QuotationFrame, i64) {
    let Asked { user, product, quantity, .. } = asked;
    let frame = system.quote(user, &format!("{product}:{quantity}")).await;
    let page = system.ports.store.list_quotations(None).await.unwrap();
    let stored = page.items.into_iter().find(|it| it.request_id.as_str() == frame.request_id);
    match stored.unwrap().status {
        QuotationStatus::Answered(answer) => (frame, answer.answered_at.millis()),
        _ => (frame, asked.at),
    }
}

async fn verified(system: &System) {
    let options = VerifyOptions { tables: None, answers: None, seed: 1 };
    let mut findings = vec![];
    let report = verify(&*system.ports.store, options, system.now(), &mut findings).await.unwrap();
    assert_eq!(findings, []);
    assert!(report.tables_checked > 0 && report.answers_checked > 0, "{report:?}");
}

/// Returns a frame as an outcome of the oracle.
fn outcome(frame: &QuotationFrame) -> Outcome {
    let decimal = |text: &String| text.parse::<Decimal>().unwrap();
    if let [invalid] = frame.invalid.as_slice() {
        let [below, above] = [&invalid.below, &invalid.above].map(|it| it.as_ref().map(decimal));
        return Outcome::Invalid { below, above };
    }
    let [line] = frame.lines.as_slice() else {
        assert_eq!(frame.unavailable.len(), 1, "{frame:?}");
        return Outcome::Unavailable;
    };
    let LineFrame { list_price, unit_price, discount_percent, total, rule, next_tier, .. } = line;
    Outcome::Priced(Priced {
        currency: frame.currency.clone().unwrap(),
        list_price: list_price.as_ref().map(decimal),
        unit_price: decimal(unit_price),
        discount: decimal(discount_percent),
        total: Some(decimal(total)),
        rule: rule.as_ref().map(|rule| rule_of(rule, &line.product)),
        next_tier: next_tier.as_ref().map(|it| (decimal(&it.quantity), decimal(&it.unit_price))),
    })
}

fn rule_of(rule: &RuleFrame, product: &str) -> Rule {
    let until = rule.until.as_ref().map(|it| it.parse::<jiff::Timestamp>().unwrap());
    assert_eq!(rule.own, rule.list.is_none());
    Rule {
        list: rule.list.clone(),
        scope: match &rule.scope {
            ScopeFrame::Product => Scope::Product(product.to_owned()),
            ScopeFrame::Category(path) => Scope::Category(path.clone()),
            ScopeFrame::All => Scope::All,
        },
        kind: match rule.kind.as_str() {
            "price" => Kind::Price,
            "percentage" => Kind::Percentage,
            "amount" => Kind::Amount,
            other => panic!("{other}"),
        },
        min: rule.min_quantity.parse().unwrap(),
        until: until.map(|until| until.as_millisecond()),
    }
}

/// Returns the oracle's outcome in the form of a frame, which has no rule for an own discount on every
/// quantity.
fn expected(world: &World, asked: &Asked) -> Outcome {
    let mut expected = oracle::price(world, asked);
    if let Outcome::Priced(priced) = &mut expected
        && priced.rule.as_ref().is_some_and(|rule| rule.list.is_none())
        && is_plain(&world.own[&asked.user], &asked.product)
    {
        priced.rule = None;
    }
    expected
}

fn is_plain(own: &Own, product: &str) -> bool {
    let is_of = |row: &&Row| row.scope == Scope::Product(product.to_owned());
    let rows: Vec<&Row> = own.rows.iter().filter(is_of).collect();
    let [Row { min, kind: Kind::Percentage, value, .. }] = rows.as_slice() else { return false };
    min.is_zero() && (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(value)
}

async fn every_stated_price_is_quoted(engine: impl Fn() -> Engine) {
    let cases: Value = serde_json::from_str(include_str!("pricing/terms/cases.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 31);
    for case in cases {
        let id = &case["id"];
        let world = World::read(&case["load"], &case["settings"]);
        let mut system = selling(engine(), &world, std::slice::from_ref(&case["load"])).await;
        let client = case["quote"]["client"].as_str().unwrap();
        let items = case["quote"]["items"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let items = items.map(|it| format!("{}:{}", text(&it["product"]), text(&it["quantity"])));
        let items: Vec<String> = items.collect();
        let frame = system.quote(client, &items.join(" ")).await;
        let frame = serde_json::to_value(&frame).unwrap();
        for (name, expected) in case["expect"].as_object().unwrap() {
            let is = match name.as_str() {
                "unit_price" => &frame["lines"][0]["unit_price"],
                name => &frame[name],
            };
            assert_eq!(is, expected, "{id}: {frame}");
        }
        system.stop().await;
        verified(&system).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_stated_price_is_quoted_on_memory() {
    every_stated_price_is_quoted(harness::memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stated_price_is_quoted_on_one_file() {
    every_stated_price_is_quoted(harness::embedded).await;
}

/// Returns random sellers whose ladders a load accepts: among rungs of one kind none rises.
fn sold(seed: u64) -> (World, Asked) {
    let (mut world, asked) = drawn::drawn(seed);
    for product in world.products.values_mut().filter(|product| product.prices.is_empty()) {
        product.prices.insert("KWD".to_owned(), Decimal::ONE);
    }
    for list in &mut world.lists {
        fall(&mut list.rows);
    }
    for own in world.own.values_mut() {
        fall(&mut own.rows);
        // A customer without a record has always bought in the stack's currency.
        if world.customers.is_empty() {
            own.currency = world.currency.clone();
        }
        let decimals = oracle::decimals_of(&own.currency) + u32::from(world.unit_decimals);
        for row in own.rows.iter_mut().filter(|row| row.kind != Kind::Percentage) {
            row.value = row.value.round_dp(decimals);
        }
    }
    (world, asked)
}

fn fall(rows: &mut [Row]) {
    let mut groups: BTreeMap<(Scope, u8), Vec<usize>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        groups.entry((row.scope.clone(), row.kind as u8)).or_default().push(place);
    }
    for places in groups.into_values() {
        let mut values: Vec<Decimal> = places.iter().map(|place| rows[*place].value).collect();
        values.sort_unstable();
        if rows[places[0]].kind == Kind::Price {
            values.reverse();
        }
        let mut places = places;
        places.sort_by_key(|place| rows[*place].min);
        for (place, value) in places.into_iter().zip(values) {
            rows[place].value = value;
        }
    }
}

fn amounts(amounts: &BTreeMap<String, Decimal>) -> Value {
    amounts.iter().map(|(currency, amount)| (currency.clone(), amount.to_string())).collect()
}

fn priced_row(row: &Row) -> Value {
    let kind = match row.kind {
        Kind::Price => "price",
        Kind::Percentage => "percentage",
        Kind::Amount => "amount",
    };
    let mut record = json!({"min_quantity": row.min.to_string(), kind: row.value.to_string()});
    match &row.scope {
        Scope::Product(product) => record["product_id"] = product.as_str().into(),
        Scope::Category(category) => record["category"] = category.as_str().into(),
        Scope::All => {}
    }
    record
}

fn list_record(list: &List) -> Value {
    let time = |millis: Option<i64>| {
        millis.map(|millis| jiff::Timestamp::from_millisecond(millis).unwrap().to_string())
    };
    let members = json!({
        "price_list": list.id,
        "priority": list.priority,
        "currency": list.currency,
        "from": time(list.from),
        "until": time(list.until),
        "users": list.users,
        "groups": list.groups,
        "everyone": list.everyone,
    });
    let there = members.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    there.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Returns the loads that make a world. Own prices keep the currency that the customer had when they were
/// loaded.
fn loads(world: &World) -> Vec<Value> {
    let products = world.products.values().map(|product| {
        let mut record = json!({"id": product.id, "name": product.id});
        if !product.prices.is_empty() {
            record["prices"] = amounts(&product.prices);
        }
        if !product.floors.is_empty() {
            record["floors"] = amounts(&product.floors);
        }
        let text = |value: &Option<Decimal>| value.map(|value| value.to_string());
        let category = product.category.clone();
        let optional = [
            ("category", category),
            ("min", text(&product.min)),
            ("step", text(&product.step)),
            ("max", text(&product.max)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                record[name] = value.into();
            }
        }
        record
    });
    let customer = |user: &String, currency: Option<&String>| {
        let customer = &world.customers[user];
        let mut record = json!({"user_id": user, "groups": customer.groups});
        if let Some(currency) = currency {
            record["currency"] = currency.as_str().into();
        }
        record
    };
    let before = world.customers.iter().map(|(user, known)| {
        let own = world.own.get(user).map(|own| &own.currency);
        customer(user, own.or(known.currency.as_ref()))
    });
    let after = world.customers.iter().map(|(user, known)| customer(user, known.currency.as_ref()));
    let rows = world.lists.iter().flat_map(|list| {
        list.rows.iter().map(|row| {
            let mut record = priced_row(row);
            record["price_list"] = list.id.as_str().into();
            record
        })
    });
    let own = world.own.iter().flat_map(|(user, own)| {
        own.rows.iter().map(|row| {
            let mut record = priced_row(row);
            record["user_id"] = user.as_str().into();
            record
        })
    });
    let first = json!({
        "products": products.collect::<Vec<_>>(),
        "customers": before.collect::<Vec<_>>(),
        "price_lists": world.lists.iter().map(list_record).collect::<Vec<_>>(),
        "prices": rows.collect::<Vec<_>>(),
        "user_discounts": own.collect::<Vec<_>>(),
    });
    let mut loads = vec![first];
    if !world.customers.is_empty() {
        loads.push(json!({ "customers": after.collect::<Vec<_>>() }));
    }
    loads
}

/// Checks one seed, at the time of the answer.
async fn agrees(engine: Engine, seed: u64) {
    // Printed now, so that it is also shown if `verify` fails.
    println!("seed {seed}");
    let (world, asked) = sold(seed);
    let loads = loads(&world);
    let mut system = selling(engine, &world, &loads).await;
    let (frame, at) = quoted(&system, &asked).await;
    let expected = expected(&world, &Asked { at, ..asked.clone() });
    if frame.status == "failed" {
        let Outcome::Priced(priced) = expected else { panic!("seed {seed}: {frame:?}") };
        assert_eq!(priced.total, None, "seed {seed}: {frame:?}");
        system.stop().await;
        return;
    }
    assert_eq!(outcome(&frame), expected, "seed {seed}: {asked:#?} of {world:#?}");
    system.stop().await;
    verified(&system).await;
    assert!(system.head(&asked.user).await.is_some_and(|head| head.products == 1));
    assert_eq!(frame.client, user(&asked.user).as_str());
}

/// Tests that a discount on every quantity comes before all lists, but only if the product has a list
/// price.
#[tokio::test(start_paused = true)]
async fn a_stated_price_counts_where_an_own_discount_has_no_list_price() {
    let records = json!({
        "products": [{"id": "P", "name": "P", "prices": {"USD": "100.00"}}],
        "customers": [{"user_id": "C", "currency": "EUR"}],
        "price_lists": [{"price_list": "L", "users": ["C"], "currency": "EUR"}],
        "prices": [{"price_list": "L", "product_id": "P", "price": "7.00"}],
        "user_discounts": [{"user_id": "C", "product_id": "P", "percentage": "10"}],
    });
    let world = World::read(&records, &Value::Null);
    let mut system = selling(harness::memory(), &world, &[records]).await;
    let frame = system.quote("C", "P:1").await;
    assert_eq!(frame.lines.first().map(|line| line.unit_price.as_str()), Some("7.00"), "{frame:?}");
    system.stop().await;
    verified(&system).await;
}

/// Returns how many sellers are tried: `OCACHE_PRICING_CASES`, or the usual number.
fn cases(usual: u64) -> u64 {
    let set = std::env::var("OCACHE_PRICING_CASES").ok();
    set.map_or(usual, |count| count.parse().expect("OCACHE_PRICING_CASES is a number"))
}

#[tokio::test(start_paused = true)]
async fn prices_of_random_sellers_are_quoted_on_memory() {
    let alone = std::env::var("OCACHE_PRICING_SEED").ok();
    let seeds = match alone {
        Some(seed) => vec![seed.parse().expect("OCACHE_PRICING_SEED is a number")],
        None => (0..cases(400)).collect(),
    };
    for seed in seeds {
        agrees(harness::memory(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_of_random_sellers_are_quoted_on_one_file() {
    for seed in 0..cases(40) {
        agrees(harness::embedded(), seed).await;
    }
}
