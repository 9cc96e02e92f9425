//! Tests of errors over HTTP: each has a message for people, and one of the codes that `docs/protocol.md`
//! lists for its status. Each listed code is provoked here, except those that no client can provoke.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};

use serde_json::json;

use super::http::{Answer, send, send_to};
use super::process::Home;
use super::raw_socket::dial;

const PROTOCOL: &str = include_str!("../../docs/protocol.md");
const UPGRADE: &str = "upgrade: websocket";
const CSV: &str = "content-type: text/csv";
const QUOTE: &str = r#"{"client":"AAA","request_id":"7","items":[{"product":"P1","quantity":1}]}"#;

/// The codes that no client can provoke, and why.
const NOT_PROVOKED: [(u16, &str, &str); 3] = [
    (410, "gone", "only processes of the stack push, with a secret of the gateway"),
    (413, "rejected", "a quote with the largest body fits a row of the embedded store"),
    (500, "failed", "it takes a defect"),
];

type Code = (u16, String);

/// Returns the statuses and codes of the table. In its second column each part, up to a semicolon, begins
/// with codes. A colon, a full stop or a word begins their explanation.
fn listed() -> BTreeSet<Code> {
    let section = PROTOCOL.split_once("### Errors over HTTP").unwrap().1;
    let section = section.split_once("\n## ").unwrap().0;
    let rows = section.lines().skip_while(|line| *line != "| --- | --- |").skip(1);
    let rows = rows.take_while(|line| !line.is_empty()).flat_map(|line| {
        let row = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |"));
        let (status, parts) = row.and_then(|row| row.split_once(" | ")).expect(line);
        let status: u16 = status.parse().expect(line);
        parts.split("; ").flat_map(codes).map(move |code| (status, code)).collect::<Vec<_>>()
    });
    let all: Vec<Code> = rows.collect();
    let listed: BTreeSet<Code> = all.iter().cloned().collect();
    assert_eq!(listed.len(), all.len(), "a code is listed twice for a status: {all:?}");
    listed
}

/// Returns the codes with which a part of a row begins.
fn codes(part: &str) -> Vec<String> {
    let mut codes = vec![];
    let mut rest = part;
    loop {
        let code = rest.strip_prefix('`').and_then(|rest| rest.split_once('`'));
        let (code, after) = code.unwrap_or_else(|| panic!("no code: `{rest}` of `{part}`"));
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{part}");
        codes.push(code.to_owned());
        match after.strip_prefix(", ") {
            Some(next) => rest = next,
            None => {
                assert!(after.is_empty() || after.starts_with([':', '.', ' ']), "{part}");
                return codes;
            }
        }
    }
}

/// The errors that were provoked.
#[derive(Default)]
struct Provoked(BTreeSet<Code>);

impl Provoked {
    fn check(&mut self, reply: &Answer, status: u16, code: &str) {
        let body = reply.json();
        assert_eq!((reply.status, &body["code"]), (status, &json!(code)), "{body}");
        assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
        self.0.insert((status, code.to_owned()));
    }
}

fn bearer(home: &Home, args: &[&str]) -> String {
    format!("authorization: Bearer {}", home.ok(&[&["token"], args].concat()).trim())
}

#[test]
fn every_listed_code_is_sent_with_its_status_and_no_other() {
    let mut provoked = Provoked::default();
    requests_that_are_refused(&mut provoked);
    who_asks_for_another_customer_or_too_often(&mut provoked);
    let mut expected = listed();
    for (status, code, why) in NOT_PROVOKED {
        assert!(expected.remove(&(status, code.to_owned())), "{status} {code}: {why}");
    }
    assert_eq!(provoked.0, expected);
}

fn requests_that_are_refused(provoked: &mut Provoked) {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let loads = bearer(&home, &["--load"]);
    // The body of this request never comes. Meanwhile everything else is tried.
    let mut slow = dial(&url);
    let address = url.strip_prefix("ws://").unwrap();
    let head = format!("PUT /subscribe HTTP/1.1\r\nhost: {address}\r\ncontent-length: 9\r\n\r\n");
    slow.write_all(head.as_bytes()).unwrap();
    // After this request the customer has a table.
    assert_eq!(send(&url, "POST /quotes", &["prefer: wait=20"], QUOTE).status, 200);
    let large = " ".repeat(128 * 1024 + 1);
    for (request, headers, body, status, code) in [
        ("PUT /subscribe", &[][..], "{", 400, "not_json"),
        ("PUT /subscribe", &[], "{}", 400, "bad_frame"),
        ("PUT /subscribe", &[], r#"{"user_id":""}"#, 400, "bad_id"),
        ("PUT /subscribe", &[], &large, 413, "too_large"),
        ("POST /quotes", &[], &large, 413, "too_large"),
        ("POST /quotes", &[], r#"{"client":"AAA","items":[]}"#, 400, "bad_items"),
        ("POST /quotes", &[], &QUOTE.replace("P1", "P2"), 409, "request_id_taken"),
        ("GET /prices/AAA?limit=1&after=P1&table=x", &[], "", 409, "table_replaced"),
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
        ("POST /load", &[&loads, CSV], "id,name,price\nP1,,1\n", 400, "bad_data"),
        ("POST /load", &[&loads], "id,name,price\nP1,Desk,1\n", 415, "unsupported_type"),
        (
            "POST /load?currency=EUR",
            &[&loads, CSV],
            "id,name,price\nP1,Desk,1\n",
            409,
            "other_currency",
        ),
    ] {
        provoked.check(&send(&url, request, headers, body), status, code);
    }
    provoked.check(&send_to(address, "shop.example.com", "GET /health", &[], ""), 403, "forbidden");
    while_a_load_is_under_way(&url, &loads, provoked);
    let mut reply = String::new();
    slow.read_to_string(&mut reply).unwrap();
    provoked.check(&Answer::of(&reply), 408, "timed_out");
}

/// Provokes the error of a second load. Only one load can run, and it begins when its head is read.
fn while_a_load_is_under_way(url: &str, loads: &str, provoked: &mut Provoked) {
    let mut first = dial(url);
    let address = url.strip_prefix("ws://").unwrap();
    let head = format!(
        "POST /load HTTP/1.1\r\nhost: {address}\r\nexpect: 100-continue\r\n{loads}\r\n{CSV}\r\n\
         content-length: 9\r\n\r\n"
    );
    first.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 12];
    first.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100");
    let second = send(url, "POST /load", &[loads, CSV], "id,name,price\nP1,Desk,1\n");
    provoked.check(&second, 503, "unavailable");
    assert!(second.header("retry-after").is_some());
}

fn who_asks_for_another_customer_or_too_often(provoked: &mut Provoked) {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token", "--max-active-users", "1"]);
    let token = bearer(&home, &["--client", "NEW-1", "--client", "NEW-2"]);
    let subscribe = |user: &str, headers: &[&str]| {
        send(&url, "PUT /subscribe", headers, json!({ "user_id": user }).to_string())
    };
    provoked.check(&subscribe("NEW-1", &[]), 401, "unauthorized");
    provoked.check(&subscribe("AAA", &[&token]), 403, "forbidden");
    // The check of `up` has left the only place to them.
    let first = subscribe("NEW-1", &[&token]);
    assert_eq!(first.status, 202, "{first:?}");
    let refused = subscribe("NEW-2", &[&token]);
    provoked.check(&refused, 429, "rate_limited");
    assert!(refused.json()["message"].as_str().unwrap().contains("customers are active"));
    assert!(refused.header("retry-after").is_some());
}
