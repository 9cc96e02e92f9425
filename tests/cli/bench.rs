//! Tests of `ocache bench`: what it measures, and that it leaves nothing behind.

use serde_json::{Value, json};

use super::process::Home;

const SMALL: [&str; 9] =
    ["bench", "--users", "5", "--quotes", "40", "--cold", "3", "--sockets", "4"];

/// Returns how much was done in each phase, which must be all that was asked for.
fn phases(report: &Value) -> Vec<(&str, u64)> {
    let phases = report["phases"].as_array().unwrap();
    ["subscribe", "first tables", "refresh", "warm quotes", "cold quotes"]
        .into_iter()
        .zip(phases)
        .map(|(name, figures)| {
            assert_eq!(figures["phase"], name);
            assert_eq!(figures["asked"], figures["done"], "{figures}");
            (name, figures["done"].as_u64().unwrap())
        })
        .collect()
}

/// Checks that no user, table or message of the run is left.
fn nothing_is_left(home: &Home) {
    let status = home.json(&["status"]);
    assert_eq!(status["active_users"], json!([]));
    assert_eq!(status["tables"]["stored"], 0);
    for queue in ["refresh", "quotation", "provider"] {
        assert_eq!(status["queues"][queue]["dead_letters"], 0, "{queue}");
    }
}

#[test]
fn without_a_gateway_it_brings_its_own_and_removes_what_it_made() {
    let home = Home::with_fixtures();
    let report = home.json(&SMALL);
    let expected = [
        ("subscribe", 5),
        ("first tables", 5),
        ("refresh", 5),
        ("warm quotes", 40),
        ("cold quotes", 3),
    ];
    assert_eq!(phases(&report), expected);
    // One answer in sixteen is compared with the request.
    for (phase, checked) in [(2, Value::Null), (3, json!(3)), (4, json!(1))] {
        assert_eq!(report["phases"][phase]["checked"], checked, "{report}");
    }
    for phase in [3, 4] {
        let figures = &report["phases"][phase];
        for times in ["acknowledged_ms", "answered_ms"] {
            let of = |name: &str| figures[times][name].as_f64().unwrap();
            assert!(of("p50") > 0.0 && of("p50") <= of("p90"), "{figures}");
            assert!(of("p90") <= of("p99") && of("p99") <= of("p99_9"), "{figures}");
        }
    }
    // A user is one item, a table is one, and so is a quote that is answered directly. Work at the end of a
    // phase may be counted in the next one.
    let used = |name: &str| -> f64 {
        let phases = report["phases"].as_array().unwrap().iter();
        phases.map(|phase| phase["used"][name].as_f64().unwrap()).sum()
    };
    assert!(used("write_units") >= 5.0 + 5.0 + 5.0 + 40.0, "{report}");
    assert!(used("calls") >= 2.0 * (5.0 + 5.0 + 40.0), "{report}");
    nothing_is_left(&home);
    assert_eq!(home.json(&["status"])["gateways"], json!([]));
}

#[test]
fn a_running_system_is_measured_through_its_own_gateway_at_a_set_rate() {
    let home = Home::new();
    let (up, url) = home.up(&[]);
    let report = home.json(&[&SMALL[..], &["--rate", "200"]].concat());
    assert_eq!((&report["gateway"], &report["rate"]), (&json!(url), &json!(200)));
    // Forty quotes at two hundred a second take at least a fifth of a second to send.
    assert!(report["phases"][3]["secs"].as_f64().unwrap() >= 39.0 / 200.0, "{report}");
    assert_eq!(phases(&report)[3], ("warm quotes", 40));
    assert_eq!(report["phases"][3]["used"], Value::Null, "others did the work");
    nothing_is_left(&home);
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn for_people_it_prints_a_table_and_says_what_it_does() {
    let home = Home::with_fixtures();
    let output = home.run(&SMALL);
    let (stdout, stderr) =
        (super::process::text(&output.stdout), super::process::text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    for word in ["p99.9", "acknowledged", "answered", "cold quotes", "40/40"] {
        assert!(stdout.contains(word), "no {word} in {stdout}");
    }
    assert!(stderr.contains("ocache-bench-") && stderr.contains("removed"), "{stderr}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    let home = Home::with_empty_store();
    let stderr = home.fails(4, &SMALL);
    assert!(stderr.contains("no products") && stderr.contains("ocache load"), "{stderr}");
    // Here the gateway's system calculates nothing.
    let home = Home::with_fixtures();
    let mut serve = home.start(&["serve", "--port", "0", "--output", "json"]);
    serve.stdout_json();
    let stderr = home.fails(5, &[&SMALL[..], &["--timeout", "300ms"]].concat());
    assert!(stderr.contains("tables were not calculated"), "{stderr}");
    assert_eq!(home.json(&["status"])["active_users"], json!([]));
}

#[test]
fn quotes_that_are_refused_are_not_done_and_the_reason_is_said() {
    let home = Home::new();
    let (up, _) = home.up(&["--max-frames", "4"]);
    let few = ["bench", "--users", "2", "--quotes", "20", "--cold", "0", "--sockets", "1"];
    let output = home.run(&few);
    let stderr = super::process::text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let said = "of the calls were not answered with a price: too many frames";
    assert!(stderr.contains(said), "{stderr}");
    nothing_is_left(&home);
    assert_eq!(up.interrupt().0, Some(0));
}
