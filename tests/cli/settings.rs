//! Tests of settings: flags come first, then the environment, then a file, then defaults.

use std::sync::Arc;

use ocache::embedded::Embedded;
use ocache::memory::MemoryConnections;
use ocache::model::{QuotationKey, RequestId, UserId};
use ocache::ports::{SystemClock, SystemRandomness};
use ocache::supervisor::Supervisor;
use serde_json::Value;

use super::process::{Home, text};

/// The settings where there is no store yet.
fn shown(home: &Home, args: &[&str], variables: &[(&str, &str)]) -> Vec<Value> {
    let args = [&["config", "show", "--output", "json"], args].concat();
    let mut command = home.command(&args);
    command.current_dir(home.path()).envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn setting<'a>(shown: &'a [Value], name: &str) -> (&'a str, &'a str) {
    let setting = shown.iter().find(|setting| setting["setting"] == name).unwrap();
    (setting["value"].as_str().unwrap_or_default(), setting["origin"].as_str().unwrap())
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let home = Home::new();
    let file = home.file("ocache.toml", "port = 7171\nstack = \"shop\"\nmax-frames = 9\n");
    let all = shown(&home, &["--max-sockets", "7"], &[("OCACHE_STACK", "other")]);
    assert_eq!(setting(&all, "max-frames"), ("9", "file"));
    assert_eq!(setting(&all, "port"), ("7171", "file"));
    assert_eq!(setting(&all, "stack"), ("other", "environment"));
    assert_eq!(setting(&all, "max-sockets"), ("7", "flag"));
    assert_eq!(setting(&all, "quote-within"), ("30s", "default"));
    assert_eq!(setting(&all, "keep-quotations"), ("7d", "default"));
    assert_eq!(setting(&all, "keep-tables"), ("1d", "default"));
    assert_eq!(setting(&all, "region"), ("", "default"));
    let port = all.iter().find(|setting| setting["setting"] == "port").unwrap();
    assert!(port["from"].as_str().unwrap().ends_with("ocache.toml"), "{port}");

    let named = shown(&home, &["--config", &file], &[("OCACHE_PORT", "7272")]);
    assert_eq!(setting(&named, "port"), ("7272", "environment"));
}

/// Returns how long the quotation and the table of AAA are kept, in seconds.
fn kept(home: &Home, request_id: &str) -> (u64, u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let dir = home.path().join("data");
        let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
        let store = Embedded::open(&dir, clock, randomness, &Supervisor::new()).unwrap();
        let ports = store.ports(Arc::new(MemoryConnections::default()));
        let user = UserId::new("AAA").unwrap();
        let key = QuotationKey::new(&user, &RequestId::new(request_id).unwrap());
        let quotation = ports.store.quotation(&key).await.unwrap().unwrap();
        let heads = ports.store.table_heads(&[user]).await.unwrap();
        let head = &heads[0].1;
        store.close().await;
        let quotation = quotation.expires_at.since(quotation.accepted_at);
        (quotation.as_secs(), head.parts_expire_at.since(head.priced_at).as_secs())
    })
}

#[test]
fn how_long_quotations_and_tables_are_kept_can_be_set() {
    let home = Home::with_fixtures();
    home.set("keep-tables", "2h");
    let _worker = home.worker("price-calc");
    let quote = |id: &str| {
        home.json(&["quote", "--client", "AAA", "--request-id", id, "P1"]);
        kept(&home, id)
    };
    assert_eq!(quote("usual"), (7 * 86_400, 7200));
    home.set("keep-quotations", "2m");
    assert_eq!(quote("short"), (120, 7200));
    // A quotation is never kept for less than it may take.
    home.set("keep-quotations", "1m");
    home.set("quote-within", "90s");
    assert_eq!(quote("slow"), (90, 7200));
    for (flag, value) in [("--keep-quotations", "59s"), ("--keep-tables", "400d")] {
        let stderr = home.fails(2, &["config", "show", flag, value]);
        assert!(stderr.contains(value) && stderr.contains(flag), "{stderr}");
    }
}

#[test]
fn a_file_is_found_above_the_folder_and_then_at_home() {
    let home = Home::new();
    let own = home.path().join(".config/ocache");
    let below = home.path().join("a/b");
    for dir in [&own, &below] {
        std::fs::create_dir_all(dir).unwrap();
    }
    std::fs::write(own.join("ocache.toml"), "port = 7111\n").unwrap();
    assert_eq!(setting(&shown(&home, &[], &[]), "port"), ("7111", "file"));
    home.file("a/ocache.toml", "port = 7112\n");
    let mut command = home.command(&["config", "show", "--output", "json"]);
    let output = command.current_dir(&below).output().unwrap();
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(setting(&all, "port"), ("7112", "file"));
}

#[test]
fn a_file_is_obeyed_and_its_mistakes_are_named() {
    let home = Home::new();
    let data = home.path().join("elsewhere");
    home.file("ocache.toml", format!("data-dir = \"{}\"\nquiet = true\n", data.display()));
    let mut command = home.command(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")]);
    let output = command.env_remove("OCACHE_DATA_DIR").current_dir(home.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "quiet");
    assert!(data.join("store.db").exists());

    for (content, named) in [
        ("tll = \"9m\"", "did you mean `ttl`?"),
        ("ttl = \"soon\"", "`soon` is not a time"),
        ("backend = \"oracle\"", "`backend` in settings file"),
        ("data-dir = \"\"", "`data-dir` in settings file"),
        ("keys = \"\"", "`keys` in settings file"),
        ("[[", "is not TOML"),
    ] {
        let file = home.file("wrong.toml", content);
        let stderr = home.fails(2, &["status", "--config", &file]);
        assert!(stderr.contains(named) && stderr.contains("wrong.toml"), "{content}: {stderr}");
    }
    let missing = home.fails(4, &["status", "--config", "/no/such.toml"]);
    assert!(missing.contains("/no/such.toml"), "{missing}");
}

#[test]
fn one_table_and_one_decimal_are_singular() {
    let home = Home::with_fixtures();
    home.ok(&["subscribe", "AAA"]);
    let said = text(&home.run(&["config", "set", "unit-decimals", "2"]).stderr);
    assert!(said.contains("1 table of active customers is calculated again"), "{said}");
    home.ok(&["load", &home.file("fine.csv", "id,name,price\nP9,Nail,1.0005\n")]);
    let refused = home.fails(3, &["config", "set", "unit-decimals", "1"]);
    assert!(refused.contains("a price that does not fit 1 decimal beyond"), "{refused}");
}
