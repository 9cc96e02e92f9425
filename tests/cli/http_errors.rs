//! Errors over HTTP: each has a message for people, and one of the codes that `docs/protocol.md` lists for
//! its status.

use serde_json::json;

use super::http::{Answer, send, send_to};
use super::process::Home;

const PROTOCOL: &str = include_str!("../../docs/protocol.md");
const UPGRADE: &str = "upgrade: websocket";

/// The codes that the table lists for a status.
fn listed(status: u16) -> Vec<&'static str> {
    let section = PROTOCOL.split_once("### Errors over HTTP").unwrap().1;
    let section = section.split_once("\n## ").unwrap().0;
    let mut rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let row = rows.find(|(first, _)| *first == status.to_string());
    let (_, codes) = row.unwrap_or_else(|| panic!("no row for {status}"));
    codes.split('`').skip(1).step_by(2).collect()
}

fn check(reply: &Answer, status: u16, code: &str) {
    let body = reply.json();
    assert_eq!((reply.status, &body["code"]), (status, &json!(code)), "{body}");
    assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
    assert!(listed(status).contains(&code), "{status} {code}");
}

#[test]
fn errors_have_codes_that_the_documentation_lists_for_their_status() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let large = " ".repeat(128 * 1024 + 1);
    for (request, headers, body, status, code) in [
        ("PUT /subscribe", &[][..], "[", 400, "not_json"),
        ("PUT /subscribe", &[], "{}", 400, "bad_frame"),
        ("PUT /subscribe", &[], r#"{"user_id":""}"#, 400, "bad_id"),
        ("PUT /subscribe", &[], &large, 413, "too_large"),
        ("POST /quotes", &[], &large, 413, "too_large"),
        ("GET /products?limit=x", &[], "", 400, "bad_query"),
        ("GET /", &[UPGRADE], "", 400, "bad_request"),
        (
            "GET /",
            &[UPGRADE, "sec-websocket-key: a", "sec-websocket-version: 8"],
            "",
            426,
            "bad_version",
        ),
        ("GET /nothing", &[], "", 404, "not_found"),
        ("DELETE /quotes", &[], "", 405, "method_not_allowed"),
        ("GET /health", &["origin: https://shop.example.com"], "", 403, "forbidden"),
        ("POST /load", &[], "", 401, "unauthorized"),
    ] {
        check(&send(&url, request, headers, body), status, code);
    }
    let address = url.strip_prefix("ws://").unwrap();
    check(&send_to(address, "shop.example.com", "GET /health", &[], ""), 403, "forbidden");
}

#[test]
fn who_asks_for_another_customer_or_too_often_is_told_by_a_code() {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token", "--max-active-users", "1"]);
    let token = home.ok(&["token", "--client", "NEW-1", "--client", "NEW-2"]);
    let token = format!("authorization: Bearer {}", token.trim());
    let subscribe = |user: &str, headers: &[&str]| {
        send(&url, "PUT /subscribe", headers, json!({ "user_id": user }).to_string())
    };
    check(&subscribe("NEW-1", &[]), 401, "unauthorized");
    check(&subscribe("AAA", &[&token]), 403, "forbidden");
    // One place is not enough for two, whether or not somebody has it already.
    subscribe("NEW-1", &[&token]);
    let refused = subscribe("NEW-2", &[&token]);
    check(&refused, 429, "rate_limited");
    assert!(refused.json()["message"].as_str().unwrap().contains("customers are active"));
    assert!(refused.header("retry-after").is_some());
}
