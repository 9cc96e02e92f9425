//! Tests of loading price lists and what belongs to them, and of seeing beforehand what a load would
//! change.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::process::{Home, text};
use super::schema::Schemas;

const WHOLESALE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/wholesale");

fn wholesale() -> Home {
    let home = Home::new();
    home.ok(&["load", WHOLESALE]);
    home
}

#[test]
fn the_wholesale_example_loads_and_nothing_of_it_is_odd() {
    let home = Home::new();
    let output = home.run(&["load", WHOLESALE]);
    assert!(output.status.success());
    let stderr = text(&output.stderr);
    let said: Vec<&str> = stderr.lines().filter(|line| !line.starts_with("engine: ")).collect();
    assert_eq!(
        said,
        [
            "price list `winter-de` begins at 2026-10-31T23:00:00.000Z, which is 2026-11-01 in Europe/Berlin",
            "price list `winter-de` ends at 2031-03-31T22:00:00.000Z, which is 2031-04-01 in Europe/Berlin",
        ]
    );
    let again = home.json(&["load", WHOLESALE]);
    for (kind, count) in
        [("products", 6), ("users", 1), ("customers", 4), ("price_lists", 5), ("prices", 11)]
    {
        let expected = json!({ "added": 0, "changed": 0, "unchanged": count, "removed": 0 });
        assert_eq!(again[kind], expected, "{kind}");
    }
    assert_eq!(again["catalogue_version"], 1);
    assert_eq!(again["local_times"][0]["instant"], "2026-10-31T23:00:00.000Z");
}

#[test]
fn what_is_said_of_a_local_time_is_true_when_clocks_change() {
    let home = Home::new();
    let lists = "price_list,from,until,time_zone,everyone\n\
                 odd,2027-03-28T02:30,2027-10-31T02:30,Europe/Berlin,true\n";
    let output = home.run(&["load", &home.file("lists.csv", lists)]);
    let stderr = text(&output.stderr);
    for said in [
        "price list `odd` begins at 2027-03-28T01:30:00.000Z, which is 2027-03-28T03:30 in Europe/Berlin (2027-03-28T02:30 does not exist there)\n",
        "price list `odd` ends at 2027-10-31T00:30:00.000Z, which is 2027-10-31T02:30 in Europe/Berlin (2027-10-31T02:30 comes twice there; the first is meant)\n",
    ] {
        assert!(stderr.contains(said), "{stderr}");
    }
}

#[test]
fn the_rows_that_the_page_shows_load_and_fit_their_schemas() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = std::fs::read_to_string(docs.join("data-files.md")).unwrap();
    let shown = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let home = Home::new();
    let file = home.file("shop.json", shown);
    let output = home.run(&["load", &file]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("note:"), "{}", text(&output.stderr));

    let mut schemas = Schemas::of(&docs.join("data-files"));
    let shown: Value = serde_json::from_str(shown).unwrap();
    for (table, schema) in [
        ("products", "product"),
        ("customers", "customer"),
        ("price_lists", "price-list"),
        ("prices", "price"),
        ("user_discounts", "user-discount"),
    ] {
        assert!(page.contains(&format!("(data-files/{schema}.json)")), "{schema}");
        for row in shown[table].as_array().unwrap() {
            schemas.check(schema, row);
            let mut with_more = row.clone();
            with_more["colour"] = "red".into();
            assert!(!schemas.fits(schema, &with_more), "{schema}");
        }
    }
    for (schema, table, wrong) in [
        ("product", "products", json!({"id": "P", "name": "P"})),
        ("product", "products", json!({"id": 7, "name": "P", "price": 1})),
        ("customer", "customers", json!({"user_id": "A", "groups": "gold"})),
        ("price-list", "price_lists", json!({"price_list": "L", "everyone": "yes"})),
        ("price", "prices", json!({"price_list": "gold", "price": 1, "percentage": 1})),
        ("price", "prices", json!({"price_list": "gold", "product_id": "P"})),
        ("user-discount", "user_discounts", json!({"user_id": "A", "price": 1})),
    ] {
        assert!(!schemas.fits(schema, &wrong), "{wrong}");
        let file = home.file("wrong.json", json!({ table: [wrong] }).to_string());
        home.fails(3, &["load", &file]);
    }
}

#[test]
fn a_dry_run_shows_what_would_change_and_changes_nothing() {
    let home = wholesale();
    home.ok(&["subscribe", "NORTHWIND", "BAUHOF", "CORNERSHOP"]);
    let changed = "id,name,price,price.EUR\nSAW-190,Circular saw 190 mm,160.00,160.00\n";
    let changed = home.file("changed.csv", changed);
    let file = home.path().join("prices.csv");
    let args = ["load", &changed, "--dry-run", "--changes", file.to_str().unwrap()];
    let output = home.run(&args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // Without its category the product is in no list for tools.
    let expected = "\
prices of 3 of 3 active customers would change:
         2 up, at most +20.3 %: `SAW-190` for `BAUHOF`, 133.00 to 160.00 EUR
         1 down, at most -2.44 %: `SAW-190` for `CORNERSHOP`, 164.00 to 160.00 USD
";
    let stdout = text(&output.stdout);
    assert!(stdout.ends_with(expected), "{stdout}");
    assert!(text(&output.stderr).ends_with("nothing was written\n"));
    let mut rows: Vec<String> =
        std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(rows.remove(0), "customer,product,min_quantity,before,after,currency");
    rows.sort();
    assert_eq!(
        rows,
        [
            "BAUHOF,SAW-190,0,133.00,160.00,EUR",
            "CORNERSHOP,SAW-190,0,164.00,160.00,USD",
            "NORTHWIND,SAW-190,0,147.60,160.00,USD",
        ]
    );
    let report = home.json(&["load", &changed, "--dry-run"]);
    assert_eq!((&report["catalogue_version"], &report["tables_ordered"]), (&json!(1), &json!(0)));
    assert_eq!(report["products"]["changed"], 1);
    assert_eq!(report["effect"]["affected"], 3);
    assert_eq!(report["effect"]["down"]["most"]["after"], "160.00");
    assert_eq!(home.json(&["load", &changed])["catalogue_version"], 2, "and then it is done");
}

#[test]
fn a_dry_run_where_there_is_no_store_makes_none() {
    let home = Home::new();
    let report = home.json(&["load", WHOLESALE, "--dry-run"]);
    assert_eq!(
        (&report["products"]["added"], &report["catalogue_version"]),
        (&json!(6), &json!(0))
    );
    assert_eq!(report["effect"]["customers"], 0);
    assert!(!home.path().join("data").exists());
}

#[test]
fn flags_of_a_dry_run_that_cannot_be_are_refused() {
    let home = wholesale();
    let stderr = home.fails(2, &["load", WHOLESALE, "--changes", "prices.csv"]);
    assert!(stderr.contains("--dry-run"), "{stderr}");
    let own = home.file("own.csv", "id,name,price\nP1,Desk,1.00\n");
    let stderr = home.fails(2, &["load", &own, "--dry-run", "--changes", &own]);
    assert!(stderr.contains("own.csv` is also read"), "{stderr}");
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "id,name,price\nP1,Desk,1.00\n");
    let stderr = home.fails(2, &["load", WHOLESALE, "--dry-run", "--changes", "prices.xlsx"]);
    assert!(stderr.contains("neither a .csv nor an .ndjson"), "{stderr}");
}

#[test]
fn a_row_that_only_the_store_shows_to_be_wrong_is_refused_whole() {
    let home = wholesale();
    let good = home.file("good.csv", "id,name,price\nNEW,New,1.00\n");
    let dear = "price_list,product_id,min_quantity,price\ngold-eur,DRILL-18V,20,105.00\n";
    let dear = home.file("dear.csv", dear);
    let stderr = home.fails(3, &["load", &good, &dear]);
    let expected = "dear.csv:2: price list `gold-eur` rises for product `DRILL-18V`: from 99.00 to 105.00 at min_quantity 20; a row for more may not be dearer";
    assert!(stderr.contains(expected), "{stderr}");
    assert!(stderr.contains("nothing was written"), "{stderr}");
    let report = home.json(&["load", &good, "--dry-run"]);
    assert_eq!(report["products"]["added"], 1, "the good file was not loaded either");
    // A dry run refuses the same.
    home.fails(3, &["load", &dear, "--dry-run"]);
}

#[test]
fn generated_price_lists_load_without_a_note() {
    let home = Home::new();
    let made = home.path().join("made").to_str().unwrap().to_owned();
    let args = ["--products", "300", "--users", "20", "--discounts", "5"];
    let lists = ["--lists", "6", "--tiers", "3", "--currencies", "USD,EUR"];
    let generate: Vec<&str> = ["generate", &made].into_iter().chain(args).chain(lists).collect();
    let generated = home.json(&generate);
    assert_eq!(generated["prices"], 6 * 30 * 3);
    let output = home.run(&["load", &made, "--output", "json"]);
    assert!(!text(&output.stderr).contains("note:"), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["prices"]["added"], 6 * 30 * 3);
    assert_eq!(
        (&report["customers"]["added"], &report["price_lists"]["added"]),
        (&json!(20), &json!(6))
    );
}

#[cfg(unix)]
#[test]
fn a_load_that_is_interrupted_while_it_reads_says_that_nothing_was_changed() {
    use std::io::Write as _;

    use rustix::process::{Pid, Signal, kill_process};

    // More than a pipe holds, so when everything is written, the load has begun to read.
    let rows = "{\"id\":\"P1\",\"name\":\"Drill\",\"price\":1}\n".repeat(30_000);
    let (fresh, stored) = (Home::new(), Home::with_fixtures());
    for (home, signal, dry_run) in [
        (&fresh, Signal::INT, &["--dry-run"][..]),
        (&fresh, Signal::TERM, &[]),
        (&stored, Signal::TERM, &[]),
    ] {
        let mut command = home.command(&[&["load", "-"], dry_run].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(rows.as_bytes()).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("interrupted; nothing was changed"), "{said}");
        drop(stdin);
    }
    assert_eq!(stored.json(&["status"])["catalogue"]["version"], 1);
}

#[test]
fn a_ladder_that_rises_is_told_once() {
    let home = Home::with_fixtures();
    let rising = "user_id,product_id,min_quantity,price\nAAA,P1,0,1.00\nAAA,P1,5,3.00\n";
    let rising = home.file("rising.csv", rising);
    let stderr = home.fails(3, &["load", &rising, "--merge"]);
    assert_eq!(stderr.matches(" rises for product `P1`").count(), 1, "{stderr}");
    // One that rises only with what is stored is told too.
    home.ok(&["load", &home.file("low.csv", "user_id,product_id,price\nAAA,P1,1.00\n")]);
    let high = "user_id,product_id,min_quantity,price\nAAA,P1,5,3.00\n";
    let stderr = home.fails(3, &["load", &home.file("high.csv", high), "--merge"]);
    assert!(stderr.contains("merged with what is stored, rises for product `P1`"), "{stderr}");
}
