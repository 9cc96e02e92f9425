//! Tests of `ocache cost`: measured, forecast, and one compared with the other.

use serde_json::{Value, json};

use super::process::Home;

const USERS: [&str; 6] = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];
const TICKS: f64 = 30.0;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// Runs a small system until the meter has seen enough ticks.
///
/// The first quotes come while nothing is scheduled. A tick between a visit and its urgent calculation
/// would order the same table a second time, and one of the two calculations would be refused or find
/// nothing to do. No forecast has such chances.
pub fn worked_until_seen(home: &Home, target: &[&str]) -> Value {
    let quote_each = || {
        for user in USERS {
            home.ok(&[&["quote", "--client", user, "P1:2", "P3:1"], target].concat());
        }
    };
    let (up, _) = home.up(&[&["--refresh-every", "30m", "--ttl", "1h"], target].concat());
    quote_each();
    assert_eq!(up.interrupt().0, Some(0));
    let (up, _) = home.up(&[&["--refresh-every", "1s", "--ttl", "1h"], target].concat());
    for _ in 0..3 {
        quote_each();
    }
    // Each quote that had to wait has a message that comes at its deadline.
    let status = [&["status"], target].concat();
    while home.json(&status)["queues"]["provider"]["delayed"] != 0 {}
    // `cost` uses the settings of the stack, whatever `up` was told.
    let cost = [&["cost"], target].concat();
    while number(&home.json(&cost)["events"]["ticks"]) < TICKS {}
    assert_eq!(up.interrupt().0, Some(0));
    home.json(&cost)
}

pub fn the_lines_agree(cost: &Value) {
    let events = &cost["events"];
    // There are two more, by which `up` checks twice that it is ready.
    assert_eq!(number(&events["quotes"]), 26.0);
    // The table that a first visit orders may be ready before its quote is looked at.
    assert!((1.0..=6.0).contains(&number(&events["cold_quotes"])), "{events}");
    assert!(number(&events["refreshes"]) > 2.0 * TICKS, "{events}");
    let compared = cost["compared"].as_array().unwrap();
    let mut lines = 0;
    for line in compared {
        // A report of a command is smaller than that of a worker, and there are few of each.
        if line["stage"] == "meter" {
            continue;
        }
        let ratio = number(&line["forecast_by_measured"]);
        assert!((0.9..=1.1).contains(&ratio), "{line}\n{cost:#}");
        lines += 1;
    }
    assert!(lines >= 12, "{cost:#}");
}

#[test]
fn a_forecast_of_what_was_done_is_within_a_tenth_of_what_the_meter_saw() {
    let home = Home::with_fixtures();
    let cost = worked_until_seen(&home, &[]);
    the_lines_agree(&cost);
    let total: f64 =
        cost["lines"].as_array().unwrap().iter().map(|line| number(&line["usd"])).sum();
    assert!((total - number(&cost["usd"])).abs() < 1e-11, "{cost:#}");
    assert!(number(&cost["usd_a_month"]) > number(&cost["usd"]));
    // By hand from what the meter counted, because how many refreshes share a batch is left to chance.
    let usage = home.json(&["meter"])["usage"].clone();
    let scheduled = usage.as_array().unwrap().iter().filter(|line| {
        line["reason"] == "scheduled"
            && (line["stage"] == "refresh" || line["stage"] == "price_calc")
    });
    let by_hand: f64 = scheduled
        .map(|line| {
            let each = match line["unit"].as_str().unwrap() {
                "read_unit" => 0.125,
                "write_unit" => 0.625,
                "request" => 0.5,
                other => panic!("{other} has no price here"),
            };
            let units = number(&line["measured_milliunits"]) + number(&line["derived_milliunits"]);
            units / 1000.0 * each
        })
        .sum();
    let each = number(&cost["usd_per_million_refreshes"]);
    assert!((each * number(&cost["events"]["refreshes"]) - by_hand).abs() < 1e-6, "{cost:#}");
    assert!(by_hand > 0.0);
    let spent =
        |each: &str, events: &str| number(&cost[each]) / 1e6 * number(&cost["events"][events]);
    // The rest is of loads, reports and commands.
    let refreshes = spent("usd_per_million_refreshes", "refreshes");
    let quotes = spent("usd_per_million_quotes", "quotes");
    assert!(quotes > 0.0 && refreshes + quotes < number(&cost["usd"]), "{cost:#}");
    // It is judged by what the first `up` set for the stack, not by a default.
    let by = json!({ "refresh_every_secs": 1.0, "ttl_secs": 3600.0, "fresh_for_secs": 600.0 });
    assert_eq!(cost["settings"], by);
    let shown = home.ok(&["cost"]);
    assert!(shown.contains("settings of the stack: refresh-every 1s, ttl 1h, "), "{shown}");
    for said in ["US$ a month", "price_calc", "forecast ÷ measured", "verdict: ", "break-even: "] {
        assert!(shown.contains(said), "{shown}");
    }
    // The fixtures were loaded once. A month is not billed for a load as often as this short time had one.
    assert!(shown.contains(", of which loads 0.") && shown.contains(", without loads:"), "{shown}");
    assert!(!shown.lines().any(|line| line.starts_with(" load ")), "{shown}");
}

#[test]
fn a_stack_that_did_nothing_costs_nothing() {
    let home = Home::with_empty_store();
    assert!(home.ok(&["cost"]).contains("nothing was used within 1h"));
    let cost = home.json(&["cost"]);
    assert_eq!((&cost["verdict"], &cost["compared"]), (&Value::Null, &json!([])));
}

fn forecast(home: &Home, more: &[&str]) -> Value {
    let few = ["cost", "forecast", "--active-users", "500", "--quotes-a-minute", "400"];
    home.json(&[&few[..], more].concat())
}

#[test]
fn a_forecast_needs_no_stack_and_answers_to_its_numbers() {
    let home = Home::new();
    let now = forecast(&home, &[]);
    // A month has 43,800 minutes, and so many ticks.
    assert_eq!(number(&now["refreshes_a_month"]).round(), 500.0 * 43_800.0);
    assert_eq!(number(&now["quotes_a_month"]).round(), 400.0 * 43_800.0);
    assert_eq!((number(&now["cold_share"]) * 1e6).round(), 62_500.0);
    let purposes = now["purposes"].as_object().unwrap();
    let sum: f64 = purposes.values().map(number).sum();
    assert!((sum - number(&now["usd_a_month"])).abs() < 1e-9, "{now:#}");
    assert!(!home.path().join("data").exists(), "a forecast needs no store");

    // A scheduled calculation in a batch of ten, by hand. It reads the table's head and a tenth of the
    // catalogue's head. It uses a tenth of three queue requests, and a tenth of a tenth of a second with
    // 1 GB. A tick reads a row of 0.1 KB, at half a unit for 4 KB. The fifth refresh after a head was
    // written writes it again, which is one in five. But one in twenty comes after a cold quote, which
    // wrote it too, so it is 17 in a hundred.
    let by_hand = 0.625 * 0.17 + 0.125 * 1.1 + 0.5 * 0.3 + (0.2 + 1.333_34) * 0.1;
    let refreshes = number(&now["usd_per_million_refreshes"]);
    assert!((by_hand..by_hand * 1.05).contains(&refreshes), "{refreshes} {by_hand}");
    // If the interval is half of the freshness, every refresh writes, except those after a cold quote,
    // which are every other one.
    let rare = forecast(&home, &["--refresh-every", "10m"]);
    let more = number(&rare["usd_per_million_refreshes"]) - refreshes;
    let by_hand = 0.625 * (0.5 - 0.17);
    assert!((by_hand..by_hand * 1.05).contains(&more), "{more} {by_hand}");

    let slow = forecast(&home, &["--refresh-every", "2m"]);
    let saved = now["what_if"].as_array().unwrap();
    let double = saved.iter().find(|one| one["refresh_every_secs"] == 120.0).unwrap();
    assert_eq!(double["usd_a_month"], slow["usd_a_month"]);
    let dear = include_str!("../../src/meter/billing/us-east-1.json").replace("0.625", "625");
    let dear = home.file("dear.json", dear);
    let dear = number(&forecast(&home, &["--price-list", &dear])["usd_a_month"]);
    assert!(dear > 100.0 * number(&now["usd_a_month"]), "{dear}");
}

#[test]
fn the_head_of_the_catalogue_is_billed_as_often_as_processes_read_it() {
    let home = Home::new();
    // The read units of a month.
    let units = |stage: &str, purpose: &str, active: &str, quotes: &str| {
        let numbers = ["--active-users", active, "--quotes-a-minute", quotes];
        let forecast = home.json(&[&["cost", "forecast"][..], &numbers].concat());
        let lines = forecast["lines"].as_array().unwrap();
        let is_meant = |line: &&Value| {
            (&line["stage"], &line["for"], &line["line"])
                == (&stage.into(), &purpose.into(), &"read_units".into())
        };
        lines.iter().filter(is_meant).map(|line| number(&line["units"])).sum::<f64>()
    };
    let secs = 43_800.0 * 60.0;
    // Each refresh reads the head of a table, and some read a base. The refreshes of ten million customers
    // are 16,667 batches a second, each of which takes a tenth of a second: 1,667 processes, and half as
    // many more.
    let refreshes = 10e6 * 43_800.0;
    let read = units("price_calc", "keep_warm", "10000000", "20000000");
    let looks = (read - refreshes) / secs;
    assert!((2_500.0..2_650.0).contains(&looks), "{looks}");
    // The refreshes of five thousand customers are 8.3 batches a second. Each may be the first of its
    // process.
    let read = units("price_calc", "keep_warm", "5000", "10000");
    let looks = (read - 5_000.0 * 43_800.0) / secs;
    assert!((8.3..8.6).contains(&looks), "{looks}");

    // If there are few quotes, each reads the head. A third of a million a second take a fiftieth of a
    // second each: 6,667 processes, and half as many more, read it ten thousand times a second.
    let each = units("quotation_handler", "quotes", "100", "200") / (200.0 * 43_800.0);
    let all = units("quotation_handler", "quotes", "10000000", "20000000") / (20e6 * 43_800.0);
    let looks = 1.0 - (each - all);
    assert!((0.02..0.05).contains(&looks), "{each} {all}");
}

#[test]
fn price_lists_cost_what_their_bases_do() {
    let home = Home::new();
    let of = |more: &[&str]| number(&forecast(&home, more)["usd_a_month"]);
    let lists = ["--lists", "20", "--tiers", "3"];
    let (plain, few) = (of(&[]), of(&[&lists[..], &["--terms", "2"]].concat()));
    let many = of(&[&lists[..], &["--terms", "400"]].concat());
    assert!(plain < few && few < many, "{plain} {few} {many}");
    // All terms are made again with every change of prices.
    let changing = [&lists[..], &["--terms", "400", "--changes-a-day", "24"]].concat();
    let plain_changing = of(&["--changes-a-day", "24"]);
    assert!(of(&changing) - plain_changing > many - plain);
}

#[test]
fn terms_that_cannot_be_are_refused() {
    let few = ["cost", "forecast", "--active-users", "5", "--quotes-a-minute", "9"];
    let home = Home::new();
    let fails = |more: &[&str]| home.fails(2, &[&few[..], more].concat());
    let said = fails(&["--lists", "4", "--terms", "5", "--lists-per-user", "4"]);
    assert!(said.contains("make only 1 combination") && said.contains("--terms 1"), "{said}");
    let said = fails(&["--lists", "2", "--lists-per-user", "3"]);
    assert!(said.contains("there are only 2") && said.contains("--lists 3"), "{said}");
    assert!(fails(&["--tiers", "21"]).contains("--tiers"));
}

#[test]
fn the_verdict_follows_the_quotes() {
    let home = Home::new();
    let choice = |active: &str, quotes: &str, every: &str| {
        let args = ["cost", "forecast", "--active-users", active, "--quotes-a-minute", quotes];
        let report = home.json(&[&args[..], &["--refresh-every", every]].concat());
        report["verdict"]["choice"].as_str().unwrap().to_owned()
    };
    assert_eq!(choice("100", "400", "5m"), "precompute");
    assert_eq!(choice("100", "21", "10s"), "calculate_on_read");
    assert_eq!(choice("100", "60", "5s"), "precompute_above_break_even");
}

#[test]
fn what_cannot_be_forecast_is_named() {
    let home = Home::new();
    let said = home.fails(2, &["cost", "forecast"]);
    assert!(said.contains("--active-users") && said.contains("--quotes-a-minute"), "{said}");
    let few = ["cost", "forecast", "--active-users", "500", "--quotes-a-minute", "4"];
    let said = home.fails(2, &few);
    assert!(said.contains("cannot keep 500 users active") && said.contains("hint: "), "{said}");
    home.fails(2, &["cost", "forecast", "--active-users", "many", "--quotes-a-minute", "4"]);
    let said = home.fails(4, &["cost", "--price-list", "none.json"]);
    assert!(said.contains("none.json"), "{said}");
    home.fails(2, &["cost", "--over", "soon"]);
}

#[test]
fn a_calculation_longer_than_a_function_may_take_is_refused() {
    let few = ["cost", "forecast", "--active-users", "5", "--quotes-a-minute", "9"];
    let home = Home::new();
    for time in ["31s", "5m"] {
        let stderr = home.fails(2, &[&few[..], &["--calculation-time", time]].concat());
        assert!(stderr.contains("more than 30s"), "{stderr}");
    }
    home.fails(2, &["cost", "--calculation-time", "1h"]);
}

#[test]
fn where_nothing_was_done_nothing_is_compared() {
    let home = Home::with_fixtures();
    let text = home.ok(&["cost"]);
    assert!(text.contains("not enough data yet") && text.contains("every ten seconds"), "{text}");
    assert!(!text.contains("forecast ÷ measured"), "{text}");
}
