//! `ocache quote` in all its ways.

use serde_json::json;

use super::process::{Home, text};

#[test]
fn a_session_reads_lines_and_waits_for_the_replies_still_due() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let input = "P1:2 P3:1\n\nP1:0\nP5\n";
    let output = home.piped(&["quote", "--client", "BBB"], input);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stdout.matches("for BBB").count(), 2, "{stdout}");
    for part in ["890.00", "895.23", "10843.00"] {
        assert!(stdout.contains(part), "{stdout}");
    }
    assert!(stderr.contains("`0` is not positive"), "{stderr}");
    assert_eq!(stderr.matches("quotation under analysis").count(), 2, "{stderr}");
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
    home.set("quote-within", "300ms");
    let stderr = home.fails(5, &["quote", "--client", "AAA", "P1"]);
    assert!(stderr.contains("failed") && stderr.contains("ocache worker price-calc"), "{stderr}");
    let stderr = home.fails(5, &["quote", "--client", "AAA", "--timeout", "200ms", "P1"]);
    assert!(stderr.contains("no answer came within 200ms"), "{stderr}");
}

#[test]
fn a_gateway_that_is_not_there_is_unreachable() {
    let home = Home::new();
    let url = "ws://127.0.0.1:1";
    let stderr = home.fails(6, &["quote", "--client", "AAA", "--url", url, "P1"]);
    assert!(stderr.contains(url) && stderr.contains("hint:"), "{stderr}");
    assert_eq!(stderr.matches("refused").count(), 1, "{stderr}");
}

/// A customer who numbers quotes in a way that looks like ours is still the only one whose they are.
#[test]
fn a_chosen_request_id_is_its_clients_own_whatever_it_looks_like() {
    const ID: &str = "q_0000000000000000000000000a";
    let home = Home::new();
    let _up = home.up(&[]);
    for (client, item, total) in [("AAA", "P1:2", "900.00"), ("BBB", "P1:4", "1780.00")] {
        let quote = ["quote", "--client", client, "--request-id", ID, item];
        let answer = home.json(&quote);
        assert_eq!((&answer["request_id"], &answer["total"]), (&json!(ID), &json!(total)));
        let kept = home.json(&["quotation", ID, "--client", client]);
        assert_eq!((&kept["client"], &kept["total"]), (&json!(client), &json!(total)));
    }
    let stderr = home.fails(4, &["quotation", ID]);
    assert!(stderr.contains("--client"), "{stderr}");
    // One that ocache made is found without saying whose it is, and with it.
    let made = home.json(&["quote", "--client", "AAA", "P1:2"])["request_id"].clone();
    let made = made.as_str().unwrap();
    assert_eq!(home.json(&["quotation", made])["client"], "AAA");
    assert_eq!(home.json(&["quotation", made, "--client", "AAA"])["client"], "AAA");
    home.fails(4, &["quotation", made, "--client", "BBB"]);
}
