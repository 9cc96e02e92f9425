//! Tests of `/metrics`, of the gateway and of a worker without one.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::process::Home;

/// Returns the answer of a server on loopback to a GET: its head, and its body.
pub fn get(url: &str, path: &str, header: &str) -> (String, String) {
    let address = url.trim_start_matches("ws://").trim_start_matches("http://");
    let address = address.split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n");
    write!(stream, "{head}{header}\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Returns the sum of a metric over all labels.
fn sum(text: &str, metric: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(metric));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line == wanted)
}

#[test]
fn a_gateway_counts_what_was_answered() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    for _ in 0..2 {
        home.json(&["quote", "--client", "AAA", "P1:2"]);
    }
    let text = loop {
        let (head, text) = get(&url, "/metrics", "host: localhost");
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("version=0.0.4"), "{head}");
        // A quotation is counted just after it is pushed. The third one is the check that made it ready.
        if sum(&text, r#"ocache_quotations_total{outcome="answered""#) >= 3 {
            break text;
        }
    };
    assert_eq!(sum(&text, r#"ocache_quotations_total{outcome="answered""#), 3, "{text}");
    for wanted in [
        r#"ocache_queue_messages{queue="refresh",state="dead"} 0"#,
        r#"ocache_breaker_open{queue="quotation"} 0"#,
        "ocache_acknowledgement_seconds_count 3",
        "ocache_price_age_seconds_count 3",
        "# TYPE ocache_recalculations_total counter",
        r#"ocache_expired_records{kind="price_table"} 0"#,
        r#"ocache_expired_records_late_seconds{kind="quotation"} 0.0"#,
    ] {
        assert!(has_line(&text, wanted), "no `{wanted}` in\n{text}");
    }
}

#[test]
fn a_gateway_serves_them_on_a_port_of_their_own_too() {
    let home = Home::with_fixtures();
    let wanted = "# TYPE ocache_sockets gauge";
    for command in ["up", "serve"] {
        let mut process = home.start(&[command, "--port", "0", "--metrics-port", "0"]);
        let line = process.stderr_line("metrics: ");
        let url = line.trim().trim_start_matches("metrics: ");
        let (_, text) = get(url, "/metrics", "host: localhost");
        assert!(has_line(&text, wanted), "{command}: no `{wanted}` in\n{text}");
        let (head, _) = get(url, "/live", "host: localhost");
        assert!(head.starts_with("HTTP/1.1 404"), "{command}: {head}");
        assert_eq!(process.interrupt().0, Some(0), "{command}");
    }
}

#[test]
fn metrics_tell_who_is_active_who_works_and_when_the_last_tick_was() {
    let home = Home::with_fixtures();
    home.ok(&["subscribe", "AAA", "BBB"]);
    let mut refresh = home.start(&["worker", "refresh", "--metrics-port", "0"]);
    let line = refresh.stderr_line("metrics: ");
    let url = line.trim().trim_start_matches("metrics: ").to_owned();
    refresh.stderr_line("refresh tick=");
    let mut text = get(&url, "/metrics", "host: localhost").1;
    // The age of the tick is shown once a process of the stack has written the tick down.
    let has_tick =
        |text: &str| text.lines().any(|line| line.starts_with("ocache_last_tick_age_seconds "));
    while !has_line(&text, "ocache_active_users 2") || !has_tick(&text) {
        text = get(&url, "/metrics", "host: localhost").1;
    }
    let version = env!("CARGO_PKG_VERSION");
    assert!(has_line(&text, &format!(r#"ocache_build_info{{version="{version}"}} 1"#)), "{text}");
    assert!(has_line(&text, r#"ocache_processes{role="refresh"} 1"#), "{text}");
    assert!(has_line(&text, r#"ocache_processes{role="price-calc"} 0"#), "{text}");
}

#[test]
fn metrics_tell_how_large_the_store_is() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let (_, text) = get(&url, "/metrics", "host: localhost");
    let file = std::fs::metadata(home.path().join("data/store.db")).unwrap().len();
    assert_eq!(sum(&text, r#"ocache_store_bytes{file="store"}"#), file, "{text}");
    assert!(sum(&text, r#"ocache_store_bytes{file="log"}"#) > 0, "{text}");
}

#[test]
fn metrics_are_for_this_machine() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    for path in ["/metrics", "/live", "/clients", "/clients/active", "/explain", "/worth"] {
        let (head, _) = get(&url, path, "host: localhost\r\nx-forwarded-for: 203.0.113.9");
        assert!(head.starts_with("HTTP/1.1 403"), "{path}: {head}");
        let (head, _) = get(&url, path, "host: evil.example");
        assert!(head.starts_with("HTTP/1.1 403"), "{path}: {head}");
    }
    let (head, _) = get(&url, "/products", "host: localhost\r\nx-forwarded-for: 203.0.113.9");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

#[test]
fn a_worker_without_a_gateway_has_a_port_for_them() {
    let home = Home::with_fixtures();
    let mut worker = home.start(&["worker", "price-calc", "--metrics-port", "0"]);
    let line = worker.stderr_line("metrics: ");
    let url = line.trim().trim_start_matches("metrics: ").to_owned();
    home.ok(&["subscribe", "AAA"]);
    worker.stderr_line("URGENT calculation");
    let wanted = r#"ocache_recalculations_total{reason="subscribe",effect="written"} 1"#;
    // The calculation is logged just before it is counted.
    let text = loop {
        let (head, text) = get(&url, "/metrics", "host: localhost");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        if has_line(&text, wanted) {
            break text;
        }
    };
    let none = r#"ocache_quotations_total{outcome="answered",warmth="warm"} 0"#;
    assert!(has_line(&text, none), "nothing was answered here: {text}");
    assert!(get(&url, "/", "host: localhost").0.starts_with("HTTP/1.1 404"));
    assert!(get(&url, "/metrics", "host: evil.example").0.starts_with("HTTP/1.1 403"));
    let taken = url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let stderr = home.fails(1, &["worker", "refresh", "--metrics-port", &taken]);
    assert!(stderr.contains(&taken) && stderr.contains("--metrics-port 0"), "{stderr}");
    assert_eq!(worker.interrupt().0, Some(0));
}
