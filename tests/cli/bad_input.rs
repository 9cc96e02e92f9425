//! Tests of bad input: the error names it, with a hint where there is one, has the right exit code, and
//! nothing changes.

use serde_json::json;

use super::process::Home;

#[test]
fn bad_words_on_the_command_line() {
    let home = Home::new();
    let long = "u".repeat(257);
    let long_product = format!("{}:1", "p".repeat(65));
    for (args, part) in [
        (vec!["subscribe", ""], "empty"),
        (vec!["subscribe", &long], "257 bytes"),
        (vec!["subscribe", "a\nb"], "control character"),
        (vec!["quote", "--client", "", "P1"], "empty"),
        (vec!["quote", "--client", "AAA", &long_product], "65 bytes"),
        (vec!["quote", "--client", "AAA", "P1:0"], "not positive"),
        (vec!["quote", "--client", "AAA", "P1:-1"], "not positive"),
        (vec!["quote", "--client", "AAA", "P1:NaN"], "not a decimal"),
        (vec!["quote", "--client", "AAA", "P1:1e308"], "out of range"),
        (vec!["quote", "--client", "AAA", "P1:1.0001"], "more than 3 decimals"),
        (vec!["quote", "--client", "AAA", "P1", "P1:2"], "named twice"),
        (vec!["quote", "--client", "AAA", "P1", "--url", "http://127.0.0.1:1"], "not a websocket"),
        (vec!["quote", "--client", "AAA", "P1", "--url", "7070"], "not a websocket"),
        (vec!["list", "products", "--data-dir", ""], "'--data-dir <DIR>': the path is empty"),
        (vec!["token", "--client", "AAA", "--keys", ""], "'--keys <FILE>': the path is empty"),
        (vec!["status", "--config", ""], "'--config <FILE>': the path is empty"),
        (vec!["up", "--jwks", "", "--issuer", "x"], "'--jwks <URL|FILE>': the path is empty"),
        (vec!["up", "--ttl", "soon"], "not a time"),
        (vec!["up", "--allow-origin", "example"], "not an origin"),
        (vec!["--stack", "a b", "status"], "`a b` cannot be the prefix of names; use up to 45"),
        (vec!["serve", "--allow-host", "https://x"], "'--allow-host <HOST>': `https://x` is not"),
        (vec!["--backend", "embedded", "--region", "x", "status"], "--backend embedded"),
        (vec!["quotee"], "quote"),
        (vec!["load"], "PATH"),
    ] {
        let stderr = home.fails(2, &args);
        assert!(stderr.contains(part), "{args:?}: {stderr}");
    }
    assert!(!home.path().join("data/store.db").exists(), "nothing was even opened");
}

#[test]
fn a_data_folder_that_is_a_file_is_named() {
    let home = Home::new();
    let file = home.file("products.csv", "id,name,price\nP1,Desk,1.00\n");
    for folder in [file.clone(), format!("{file}/below")] {
        for command in ["list products", "load -", "up --port 0", "keys list"] {
            let mut args: Vec<&str> = command.split(' ').collect();
            args.extend(["--data-dir", &folder]);
            let stderr = home.fails(2, &args);
            let named = format!(
                "`{folder}` cannot be the data folder: `{file}` is a file, not a folder\n\nhint: choose a folder"
            );
            assert!(stderr.contains(&named), "{args:?}: {stderr}");
        }
    }
}

#[test]
fn four_hundred_and_one_lines_are_too_many() {
    let home = Home::new();
    let items: Vec<String> = (0..401).map(|n| format!("P{n}")).collect();
    let mut args = vec!["quote", "--client", "AAA"];
    args.extend(items.iter().map(String::as_str));
    assert!(home.fails(2, &args).contains("401 products"));
}

#[test]
fn bad_data_is_named_by_file_and_line_and_nothing_is_written() {
    let home = Home::new();
    let good = home.file("good.csv", "id,name,price\nP1,Desk,1.00\n");
    for (name, content, part) in [
        ("price.csv", "id,name,price\nP2,Lamp,1.001\n", "price.csv:2"),
        ("twice.csv", "id,name,price\nP2,Lamp,1\nP2,Lamp,1\n", "twice.csv:3"),
        ("below.csv", "user_id,product_id,percentage\nA,P1,-1000.1\n", "below.csv:2"),
        ("above.csv", "user_id,product_id,percentage\nA,P1,100.1\n", "above.csv:2"),
        ("cut.json", "[{\"id\":\"P2\",\"name\":\"Lamp\",", "cut.json:1"),
        (
            "long.ndjson",
            &format!("{{\"id\":\"{}\",\"name\":\"x\",\"price\":1}}\n", "p".repeat(65)),
            "long.ndjson:1",
        ),
        ("binary.json", "\0\u{1}\u{2}", "binary.json"),
    ] {
        let bad = home.file(name, content);
        let stderr = home.fails(3, &["load", &good, &bad]);
        assert!(stderr.contains(part) && stderr.contains("hint: nothing was written"), "{stderr}");
    }
    assert!(!home.path().join("data").exists(), "a refused load makes no store");
    let latin = home.path().join("latin.csv");
    std::fs::write(&latin, b"id,name,price\nP1,Caf\xe9,1\n").unwrap();
    home.fails(3, &["load", latin.to_str().unwrap()]);
}

#[test]
fn a_file_that_is_named_and_does_not_exist_is_not_found_whatever_it_is_for() {
    let home = Home::new();
    for args in [
        vec!["load", "nowhere.csv"],
        vec!["simulate", "nowhere.csv"],
        vec!["simulate", "--synthetic", "poisson", "--price-list", "nowhere.csv"],
        vec!["status", "--config", "nowhere.csv"],
        vec!["up", "--port", "0", "--jwks", "nowhere.csv", "--issuer", "https://id.example.com"],
    ] {
        let stderr = home.fails(4, &args);
        assert!(stderr.contains("nowhere.csv") && stderr.contains("hint:"), "{args:?}: {stderr}");
    }
}

#[test]
fn what_is_refused_makes_no_store() {
    let home = Home::new();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().port().to_string();
    let missing = home.path().join("missing.json").display().to_string();
    let bad = home.file("bad.csv", "id,name,price\nP1,Desk,cheap\n");
    for (code, args, part) in [
        (3, vec!["load", &bad], "bad.csv:2"),
        (3, vec!["load", &bad, "--currency", "CHF"], "bad.csv:2"),
        (1, vec!["up", "--port", &taken], "--port 0"),
        (1, vec!["up", "--port", "0", "--metrics-port", &taken], "--metrics-port 0"),
        (2, vec!["up", "--port", "0", "--keys", &missing], "--keys alone"),
        (4, vec!["up", "--port", "0", "--require-token", "--keys", &missing], "no keys in"),
        (1, vec!["serve", "--port", &taken], "--port 0"),
        (1, vec!["serve", "--port", "0", "--metrics-port", &taken], "--metrics-port 0"),
        (2, vec!["serve", "--port", "0", "--keys", &missing], "--keys alone"),
        (2, vec!["serve", "--port", "0", "--require-token"], "requires none"),
        (1, vec!["worker", "all", "--metrics-port", &taken], "--metrics-port 0"),
        (2, vec!["config", "set", "ttl", "soon"], "ttl"),
        (4, vec!["bench"], "no store"),
    ] {
        let stderr = home.fails(code, &args);
        assert!(stderr.contains(part), "{args:?}: {stderr}");
        assert!(!home.path().join("data").exists(), "{args:?} makes a store");
    }
}

#[test]
fn an_up_that_is_refused_empties_no_store() {
    let home = Home::with_fixtures();
    let missing = home.path().join("missing.json").display().to_string();
    let fresh = ["up", "--port", "0", "--fresh", "--yes", "--keys", &missing];
    assert!(home.fails(2, &fresh).contains("--keys alone"));
    home.fails(4, &[&fresh[..], &["--require-token"]].concat());
    assert_eq!(home.json(&["status"])["catalogue"]["version"], 1);
}

#[test]
fn discounts_of_unknown_products_are_kept_and_mentioned() {
    let home = Home::new();
    let csv = home.file("d.csv", "user_id,product_id,percentage\nA,NOPE,10\n");
    let output = home.run(&["load", &csv]);
    assert!(output.status.success());
    assert!(super::process::text(&output.stderr).contains("`NOPE`"));
}

#[test]
fn a_load_mends_the_rows_that_cannot_be_read() {
    let home = Home::with_fixtures();
    let store = rusqlite::Connection::open(home.path().join("data/store.db")).unwrap();
    let damage = |what: &str| assert_eq!(store.execute(what, []).unwrap(), 1);
    damage("UPDATE discounts SET list = 'x' WHERE user = 'AAA'");
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
    let load = ["load", fixtures, "--output", "json"];
    let output = home.run(&load);
    let stderr = super::process::text(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("customer `AAA`"), "{stderr}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["unreadable"].as_array().unwrap().len(), 1, "{report}");
    let users = &report["users"];
    assert_eq!((&users["changed"], &users["added"]), (&json!(1), &json!(0)), "{report}");
    let again = home.json(&["load", fixtures]);
    assert_eq!((&again["unreadable"], &again["users"]["changed"]), (&json!([]), &json!(0)));
}

#[test]
fn a_store_that_cannot_be_used_says_why_and_is_not_touched() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("data")).unwrap();
    let store = home.path().join("data/store.db");
    std::fs::write(&store, "this is a letter, not a store").unwrap();
    let stderr = home.fails(6, &["status"]);
    assert!(stderr.contains("store.db") && stderr.contains("hint:"), "{stderr}");
    assert_eq!(std::fs::read_to_string(&store).unwrap(), "this is a letter, not a store");
}

#[test]
fn what_does_not_exist_is_not_found() {
    let home = Home::with_fixtures();
    home.fails(4, &["prices", "AAA"]);
    home.fails(4, &["quotation", "q_00000000000000000000000000"]);
    home.fails(4, &["dead-letters", "show", "x"]);
    let output = home.run(&["unsubscribe", "Nobody"]);
    assert_eq!(output.status.code(), Some(4));
}
