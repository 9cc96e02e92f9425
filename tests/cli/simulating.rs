//! Tests of `ocache simulate`, and of its errors for bad input.

use serde_json::json;

use super::process::{Home, text};

const TRACE: &str = "time,customer,lines\n\
    2026-03-02T09:00:30Z,a,3\n2026-03-02T09:01:10Z,a,1\n2026-03-02T11:00:00Z,b,2\n";

#[test]
fn a_sweep_is_printed_and_written_in_every_form() {
    let home = Home::new();
    let trace = home.file("trace.csv", TRACE);
    let (csv, plot) = (home.path().join("sweep.csv"), home.path().join("sweep.svg"));
    let args = ["simulate", &trace, "--ttl", "5m,10m", "--refresh-every", "1m", "--products", "50"];
    let files = ["--csv", csv.to_str().unwrap(), "--plot", plot.to_str().unwrap()];
    let report = home.json(&[&args[..], &files].concat());
    assert_eq!((&report["arrivals"], &report["users"]), (&json!(3), &json!(2)));
    let policies = report["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 2);
    let first = &policies[0];
    assert_eq!((&first["ttl_secs"], &first["answered"]), (&json!(300.0), &json!(3)));
    assert_eq!((&first["answered_at_once"], &first["tables_calculated"]), (&json!(1), &json!(2)));
    assert_eq!(first["best"], true);
    let bill = first["bill"].as_object().unwrap();
    assert!(bill["write_units"]["units"].as_f64().unwrap() > 10.0);

    let csv = std::fs::read_to_string(csv).unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(
        rows[0].starts_with("ttl_secs,refresh_every_secs,adaptive_longest_secs,on_change,"),
        "{csv}"
    );
    assert_eq!(rows[1].split(',').count(), rows[0].split(',').count());
    let plot = std::fs::read_to_string(plot).unwrap();
    assert_eq!(plot.matches("<circle").count(), 2 + 2, "two policies, two entries of the legend");
    assert!(home.ok(&args).contains("at once"));
    let listed = ["--lists", "6", "--tiers", "3", "--currencies", "USD,EUR", "--designs"];
    let listed = home.json(&[&args[..], &listed].concat());
    assert_eq!((&listed["price_lists"], &listed["terms"]), (&json!(6), &json!(6)));
    let units = |report: &serde_json::Value, line: &str| {
        report["policies"][0]["bill"][line]["units"].as_f64().unwrap()
    };
    assert!(units(&listed, "read_units") > units(&report, "read_units"));
    assert!(listed["policies"][0]["straightforward"]["usd"].is_string());
    assert!(!home.path().join("data").exists(), "a simulation needs no store");
}

#[test]
fn the_straightforward_design_is_billed_for_the_same_work() {
    let home = Home::new();
    let trace = home.file("trace.csv", TRACE);
    let args = ["simulate", &trace, "--products", "50", "--designs"];
    let report = home.json(&args);
    let ours = &report["policies"][0];
    let theirs = &ours["straightforward"];
    let units =
        |design: &serde_json::Value, line: &str| design["bill"][line]["units"].as_f64().unwrap();
    // Two tables are calculated, and six ticks find that of `a` unchanged.
    assert_eq!((&ours["tables_calculated"], &ours["tables_validated"]), (&json!(2), &json!(6)));
    // A table of 50 products takes about 5 KB as maps, and is always written. Here its head is written when
    // it is new, and once more by the sixth tick, five minutes later. A part of the base and its index are
    // written once, and the base's claim twice: it is taken and released.
    let spared = 5 * (2 + 6) - (2 + 1) - 2 - 2;
    assert_eq!(units(theirs, "write_units") - units(ours, "write_units"), f64::from(spared));
    for same in ["fifo_requests", "topic_requests", "invocations", "websocket_messages"] {
        assert_eq!(units(theirs, same), units(ours, same), "{same}");
    }
    let shown = home.ok(&args);
    assert!(shown.contains("straightforward") && shown.contains("times as much"), "{shown}");
}

#[test]
fn drawn_arrivals_need_no_trace_and_are_the_same_for_the_same_seed() {
    let home = Home::new();
    let args =
        ["simulate", "--synthetic", "daily", "--users", "5", "--days", "2", "--products", "20"];
    let first = home.json(&args);
    assert!(first["arrivals"].as_u64().unwrap() > 5);
    assert_eq!(first, home.json(&args));
    assert_ne!(first, home.json(&[&args[..], &["--seed", "2"]].concat()));
}

#[test]
fn what_cannot_be_simulated_is_named() {
    let home = Home::new();
    assert!(home.fails(2, &["simulate"]).contains("TRACE"));
    assert!(home.fails(4, &["simulate", "none.csv"]).contains("`none.csv` does not exist"));
    let bad = home.file("bad.csv", "time,customer\nyesterday,a\n");
    let said = home.fails(3, &["simulate", &bad]);
    assert!(said.contains("bad.csv:2: `yesterday` is not a time") && said.contains("hint: "));
    let trace = home.file("trace.csv", TRACE);
    let prices = home.file("prices.json", r#"{"region":"r","dated":"d","prices":{}}"#);
    let said = home.fails(3, &["simulate", &trace, "--price-list", &prices]);
    assert!(said.contains("no price for `write_units`"), "{said}");
    home.fails(2, &["simulate", &trace, "--ttl", "soon"]);
    home.fails(2, &["simulate", &trace, "--synthetic", "poisson"]);
}

#[test]
fn prices_can_be_replaced() {
    let home = Home::new();
    let trace = home.file("trace.csv", TRACE);
    let built_in = include_str!("../../src/meter/billing/us-east-1.json");
    let dear = home.file("dear.json", built_in.replace("\"0.625\"", "\"625000\""));
    let args = ["simulate", &trace, "--products", "20"];
    let output = home.run(&[&args[..], &["--price-list", &dear]].concat());
    assert!(text(&output.stderr).contains("list prices of us-east-1 dated 2026-"));
    let usd = |report: &serde_json::Value| {
        report["policies"][0]["usd"].as_str().unwrap().parse::<f64>().unwrap()
    };
    let cheap = usd(&home.json(&args));
    assert!(usd(&home.json(&[&args[..], &["--price-list", &dear]].concat())) > 1_000.0 * cheap);
}

#[test]
fn a_trace_comes_through_a_pipe() {
    let home = Home::new();
    let output = home.piped(&["simulate", "-", "--products", "50", "--output", "json"], TRACE);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["arrivals"], 3);
    let wrong = home.piped(&["simulate", "-"], "a,b\n1,2\n");
    assert_eq!(wrong.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("standard input"), "{wrong:?}");
}
