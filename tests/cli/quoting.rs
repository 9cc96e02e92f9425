//! Tests of `ocache quote` in all its variants.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::leaving::ended;
use super::process::{Home, text};

#[test]
fn a_session_reads_lines_and_waits_for_the_replies_still_due() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let input = "P1:2 P3:1\n\nP1:0\nP5\n";
    let output = home.piped(&["quote", "--client", "BBB"], input);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stdout.matches("for BBB").count(), 2, "{stdout}");
    for part in ["890.00", "895.23", "10843.00"] {
        assert!(stdout.contains(part), "{stdout}");
    }
    assert!(stderr.contains("`0` is not positive"), "{stderr}");
    assert_eq!(stderr.matches("quotation under analysis").count(), 2, "{stderr}");
}

#[test]
fn a_session_ends_with_the_worst_code_of_its_lines() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    for (input, code, errors) in [
        ("P1:2\nP3:1\n", 0, vec![]),
        ("P1:2\nP1:x\nP1 P1\n", 2, vec!["line 2: ", "line 3: product `P1` is named twice"]),
        ("P1:x\nP9 P8\nP1:2\n", 4, vec!["line 1: ", "no price for any of: P9, P8"]),
        // Some programs write files like this.
        ("\u{feff}P1:2\r\nP3\r\n", 0, vec![]),
        ("P1:2\rP1:x\rP3\r", 2, vec!["line 2: ", "no price for 1 of 3 quotes"]),
        ("help\n", 4, vec!["no price for any of: help"]),
    ] {
        for flags in [&[][..], &["-q"], &["--output", "json"]] {
            let quote = [&["quote", "--client", "AAA"], flags].concat();
            let output = home.piped(&quote, input);
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{input:?} {flags:?}: {stderr}");
            for error in &errors {
                assert!(stderr.contains(error), "{input:?} {flags:?}: {stderr}");
            }
            if flags == ["-q"] && errors.is_empty() {
                assert_eq!(stderr, "", "{input:?}");
            }
        }
    }
}

#[test]
fn a_file_of_quotes_is_answered_in_the_order_of_its_lines() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    // The first quote is cold, so its answer takes longest.
    let lines = home.file("quotes.txt", "P1:7\nP1:x\nNOPE\n\nP1:y\nNOWHERE\nP3:9\n");
    let said = std::fs::File::create(home.path().join("said")).unwrap();
    let mut command = home.command(&["quote", "--client", "COLD", "--output", "json"]);
    command.stdin(std::fs::File::open(lines).unwrap());
    command.stdout(said.try_clone().unwrap()).stderr(said);
    assert_eq!(command.status().unwrap().code(), Some(4));
    let said = std::fs::read_to_string(home.path().join("said")).unwrap();
    let places: Vec<usize> = [
        r#""quantity": "7""#,
        r#""message":"line 2: "#,
        r#""unavailable": [
    "NOPE""#,
        r#""message":"line 3: there is no price for any of: NOPE""#,
        r#""message":"line 5: "#,
        r#""message":"line 6: there is no price for any of: NOWHERE""#,
        r#""quantity": "9""#,
        "no price for 4 of 6 quotes",
    ]
    .iter()
    .map(|part| said.find(part).unwrap_or_else(|| panic!("no {part} in {said}")))
    .collect();
    assert!(places.is_sorted(), "{places:?} {said}");
    // Each hint is printed once.
    assert_eq!(said.matches("write a line such as").count(), 1, "{said}");
    assert_eq!(said.matches("lists the products with a price").count(), 1, "{said}");
}

#[test]
fn a_session_says_with_which_code_quotes_failed() {
    let home = Home::with_fixtures();
    home.set("quote-within", "300ms");
    let output = home.piped(&["quote", "-q", "--client", "NEW"], "P1:1\nP1:x\n");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("no price for 2 of 2 quotes"), "{stderr}");
}

#[test]
fn a_session_can_name_every_product_that_can_be_loaded() {
    let home = Home::new();
    let rows = "id,name,price\na b,x,1.00\nurn:sku:7,y,2.00\n\"19\"\"-rack\",z,4.00\n";
    home.ok(&["load", &home.file("odd.csv", rows)]);
    let _worker = home.worker("price-calc");
    let input = "\"a b\":2 urn:sku:7:1 19\"-rack\n";
    let output = home.piped(&["quote", "--client", "AAA", "--output", "json"], input);
    let quotation: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(quotation["total"], "8.00", "{}", text(&output.stderr));
}

#[test]
fn a_quote_of_which_no_product_is_known_is_not_found() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let output =
        home.run(&["quote", "--client", "AAA", "P1O", "nothing-like-it", "--output", "json"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    // The stored quotation is printed all the same.
    let quotation: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(quotation["unavailable"], json!(["P1O", "nothing-like-it"]));
    assert!(stderr.contains("no price for any of: P1O, nothing-like-it"), "{stderr}");
    assert!(stderr.contains("did you mean P1?"), "{stderr}");
    // One known product is enough.
    home.ok(&["quote", "--client", "AAA", "P1", "P1O"]);
}

#[test]
fn a_quote_of_which_nothing_is_priced_says_once_why() {
    let home = Home::with_fixtures();
    let file = home.path().join("products.json");
    let step = r#"{"products":[{"id":"CABLE","name":"Cable","price":"1.20","step":"0.5"}]}"#;
    std::fs::write(&file, step).unwrap();
    home.ok(&["load", file.to_str().unwrap()]);
    let _worker = home.worker("price-calc");
    let quote = |products: &[&str]| {
        let output = home.run(&[&["quote", "--client", "AAA"], products].concat());
        assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    let (stdout, stderr) = quote(&["CABLE:3.25"]);
    assert_eq!(stdout, "`CABLE` is not sold in a quantity of 3.25; 3 and 3.5 are next to it\n");
    assert!(
        stderr.contains("error: no product is sold in the quantity that was asked for"),
        "{stderr}"
    );
    let (stdout, stderr) = quote(&["P10"]);
    assert_eq!(stdout, "no price for: P10\n");
    assert!(stderr.contains("error: there is no price for any of: P10"), "{stderr}");
}

#[test]
fn no_hint_names_another_customer_when_the_one_given_exists() {
    let home = Home::new();
    let products = home.file("p.csv", "id,name,price\nP1,Desk,1.00\n");
    let discounts = "user_id,product_id,percentage\nACME,P1,1\nACNE,P1,2\n";
    home.ok(&["load", &products, &home.file("d.csv", discounts)]);
    for (args, is_known) in [
        (["prices", "ACME"], true),
        (["unsubscribe", "ACNE"], true),
        (["prices", "ACMEE"], false),
        (["unsubscribe", "ACMEE"], false),
    ] {
        let output = home.run(&args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{args:?}: {stderr}");
        assert_eq!(stderr.contains("did you mean"), !is_known, "{args:?}: {stderr}");
    }
    home.ok(&["subscribe", "ACNE"]);
    home.ok(&["subscribe", "BOB"]);
    home.ok(&["unsubscribe", "BOB"]);
    let stderr = home.fails(4, &["prices", "ACNE"]);
    assert!(!stderr.contains("did you mean"), "{stderr}");
}

#[test]
fn a_quote_is_found_again_by_its_id() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let quoted = home.json(&["quote", "--client", "AAA", "P1:2", "P9"]);
    assert_eq!(quoted["unavailable"][0], "P9");
    let id = quoted["request_id"].as_str().unwrap();
    assert_eq!(home.json(&["quotation", id]), quoted);
    assert_eq!(home.json(&["quotation", id, "--client", "AAA"]), quoted);
    home.fails(4, &["quotation", id, "--client", "BBB"]);

    let named = home.json(&["quote", "--client", "AAA", "--request-id", "7", "P1:2"]);
    assert_eq!(named["request_id"], "7");
    assert_eq!(home.json(&["quote", "--client", "AAA", "--request-id", "7", "P1:2"]), named);
    home.fails(2, &["quotation", "7"]);
    assert_eq!(home.json(&["quotation", "7", "--client", "AAA"]), named);
    let taken = home.fails(3, &["quote", "--client", "AAA", "--request-id", "7", "P2"]);
    assert!(taken.contains("`7` is taken"), "{taken}");
}

#[test]
fn nobody_to_calculate_is_a_timeout_with_a_hint() {
    let home = Home::with_fixtures();
    home.set("quote-within", "100ms");
    let stderr = home.fails(5, &["quote", "--client", "AAA", "P1"]);
    assert!(stderr.contains("failed: "), "{stderr}");
    assert!(
        stderr.contains("no process of this stack runs price-calc; start one with `ocache worker"),
        "{stderr}"
    );
    home.set("quote-within", "30s");
    let stderr = home.fails(5, &["quote", "--client", "AAA", "--timeout", "200ms", "P1"]);
    assert!(stderr.contains("no answer came within 200ms"), "{stderr}");
}

#[test]
fn a_quote_for_which_somebody_works_too_slowly_is_not_blamed_on_missing_workers() {
    let home = Home::with_fixtures();
    home.set("quote-within", "300ms");
    let worker = home.worker("price-calc");
    // A stopped process is alive and calculates nothing.
    kill_process(Pid::from_child(worker.process()), Signal::STOP).unwrap();
    let stderr = home.fails(5, &["quote", "--client", "AAA", "P1"]);
    assert!(stderr.contains("workers run but did not answer within `quote-within`"), "{stderr}");
    assert!(!stderr.contains("no process of this stack"), "{stderr}");
}

#[test]
fn a_quote_that_nobody_works_for_is_given_up_long_before_its_deadline() {
    // Only the early check says so. Without it, the quotation itself fails after half a minute, with other words and
    // the same exit code.
    const EARLY: &str = "no answer can come: no process of this stack runs";
    let home = Home::with_fixtures();
    let alone = home.fails(5, &["quote", "--client", "AAA", "P1"]);
    assert!(alone.contains(&format!("{EARLY} price-calc")), "{alone}");
    assert!(alone.contains("`ocache worker all "), "{alone}");
    let session = home.piped(&["quote", "--client", "BBB"], "P1\nP3\n");
    let stderr = text(&session.stderr);
    assert_eq!(session.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains(&format!("lines 1 to 2: {EARLY}")), "{stderr}");
    assert!(stderr.contains("no price for 2 of 2 quotes"), "{stderr}");

    // The same through a gateway that leaves the work to others.
    let mut gateway = home.start(&["serve", "--port", "0", "--output", "json"]);
    gateway.stdout_json();
    let stderr = home.fails(5, &["quote", "--client", "CCC", "P1"]);
    assert!(stderr.contains(&format!("{EARLY} quotation-provider, price-calc")), "{stderr}");
    // A killed worker is gone at once.
    home.worker("all").kill();
    let stderr = home.fails(5, &["quote", "--client", "DDD", "P1"]);
    assert!(stderr.contains(&format!("{EARLY} quotation-provider, price-calc")), "{stderr}");
    let _worker = home.worker("all");
    home.ok(&["quote", "--client", "EEE", "P1"]);
}

#[test]
fn a_gateway_that_is_not_there_is_unreachable() {
    let home = Home::new();
    let url = "ws://127.0.0.1:1";
    let stderr = home.fails(6, &["quote", "--client", "AAA", "--url", url, "P1"]);
    assert!(stderr.contains(url) && stderr.contains("hint:"), "{stderr}");
    assert_eq!(stderr.matches("refused").count(), 1, "{stderr}");
}

/// Tests that a customer's own request id is theirs alone, even if it looks like one of ocache's.
#[test]
fn a_chosen_request_id_is_its_clients_own_whatever_it_looks_like() {
    // Like an id of this version, and like one of an earlier version.
    const IDS: [&str; 2] = ["q_000000000000000000000a", "q_0000000000000000000000000a"];
    let home = Home::new();
    let _up = home.up(&[]);
    for id in IDS {
        for (client, item, total) in [("AAA", "P1:2", "900.00"), ("BBB", "P1:4", "1780.00")] {
            let quote = ["quote", "--client", client, "--request-id", id, item];
            let answer = home.json(&quote);
            assert_eq!((&answer["request_id"], &answer["total"]), (&json!(id), &json!(total)));
            let kept = home.json(&["quotation", id, "--client", client]);
            assert_eq!((&kept["client"], &kept["total"]), (&json!(client), &json!(total)));
        }
        let stderr = home.fails(4, &["quotation", id]);
        assert!(stderr.contains("--client"), "{stderr}");
    }
    // A quotation whose id ocache made is found with and without naming the customer.
    let made = home.json(&["quote", "--client", "AAA", "P1:2"])["request_id"].clone();
    let made = made.as_str().unwrap();
    assert_eq!(home.json(&["quotation", made])["client"], "AAA");
    assert_eq!(home.json(&["quotation", made, "--client", "AAA"])["client"], "AAA");
    home.fails(4, &["quotation", made, "--client", "BBB"]);
}

#[test]
fn a_session_whose_gateway_dies_names_the_lines_without_an_answer() {
    let home = Home::with_fixtures();
    let worker = home.worker("all");
    // It lives, and does nothing.
    kill_process(Pid::from_child(worker.process()), Signal::STOP).unwrap();
    let mut gateway = home.start(&["serve", "--port", "0", "--output", "json"]);
    gateway.stdout_json();
    let mut command = home.command(&["quote", "--client", "NEW"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut session = command.spawn().unwrap();
    let mut input = session.stdin.take().unwrap();
    input.write_all(b"P1:2\nP3:1\n").unwrap();
    let mut lines = BufReader::new(session.stderr.take().unwrap()).lines().map(Result::unwrap);
    let accepted = lines.by_ref().filter(|line| line.starts_with("quotation under analysis"));
    assert_eq!(accepted.take(2).count(), 2);
    gateway.kill();
    // It ends although there may be more lines.
    let said = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(ended(session), Some(6), "{said}");
    assert!(said.contains("error: lines 1 to 2: "), "{said}");
    assert!(said.contains("no price for 2 of 2 quotes; no line after line 2 was sent"), "{said}");
    drop(input);
}
