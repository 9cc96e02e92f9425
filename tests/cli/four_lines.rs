//! Tests the four lines that must work exactly as written, each in a process of its own.

use super::process::{Home, text};

#[test]
fn the_four_lines() {
    let home = Home::new();
    let at_root = |args: &[&str]| {
        let output = home.command(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    at_root(&["load", "fixtures/"]);
    at_root(&["subscribe", "AAA"]);
    let worker = home.worker("price-calc");
    let quotation = at_root(&["quote", "--client", "AAA", "P1:2", "P3:1"]);
    for part in ["900.00", "905.52", "total 1805.52 USD for AAA"] {
        assert!(quotation.contains(part), "{quotation}");
    }
    let (code, stderr) = worker.interrupt();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("drained"), "{stderr}");
}

#[test]
fn a_user_nobody_has_heard_of_pays_list_prices_and_is_active_then() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let quotation = home.json(&["quote", "--client", "Foo", "P1:2", "P3:1"]);
    assert_eq!((&quotation["type"], &quotation["total"]), (&"quotation".into(), &"2029.00".into()));
    let status = home.json(&["status"]);
    assert_eq!(status["active_users"][0]["user"], "Foo");
    assert_eq!(status["active_users"][0]["table"]["products"], 5);
    assert_eq!(status["tables"]["stored"], 1);
}

#[test]
fn every_stage_in_a_process_of_its_own() {
    let home = Home::with_fixtures();
    let mut serve = home.start(&["serve", "--port", "0", "--output", "json"]);
    let websocket = serve.stdout_json()["websocket"].as_str().unwrap().to_owned();
    let mut price_calc = home.worker("price-calc");
    let provider = home.worker("quotation-provider");
    home.set("refresh-every", "200ms");
    let mut refresh = home.start(&["worker", "refresh"]);
    // The gateway is found by itself, and also if it is named.
    assert_eq!(home.json(&["quote", "--client", "AAA", "P1:2"])["total"], "900.00");
    let named = ["quote", "--client", "AAA", "--url", &websocket, "P1:2"];
    assert_eq!(home.json(&named)["total"], "900.00");
    refresh.stderr_line("ordered=1");
    // Scheduled and urgent calculations have different log lines. Calculations that changed nothing are
    // only counted.
    for _ in 0..3 {
        let line = price_calc.stderr_line("scheduled calculation");
        let is_counted = line.contains("scheduled calculations") && line.contains("unchanged=");
        assert!(is_counted || line.contains("Calculated"), "{line}");
    }
    for process in [refresh, price_calc, provider, serve] {
        assert_eq!(process.interrupt().0, Some(0));
    }
}
