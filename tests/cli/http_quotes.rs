//! Tests of quotes over HTTP.

use serde_json::{Value, json};

use super::gateway::Socket;
use super::http::{Answer, send};
use super::process::Home;

const QUOTE: &str = r#"{"client":"AAA","request_id":"order 7","items":[
    {"product":"P1","quantity":2},{"product":"P3","quantity":"1"},{"product":"P9","quantity":1}]}"#;

fn post(url: &str, body: &str, headers: &[&str]) -> Answer {
    send(url, "POST /quotes", headers, body)
}

/// Returns the place that a reply names, as a client resolves it: relative to the requested path.
fn place(reply: &Answer) -> String {
    format!("GET /{}", reply.header("location").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_the_frame_of_the_websocket() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let cold = post(&url, QUOTE, &["prefer: wait=20"]);
    assert_eq!((cold.status, cold.header("preference-applied").unwrap()), (200, "wait=20".into()));
    let answer = cold.json();
    assert_eq!((&answer["status"], &answer["total"]), (&json!("answered"), &json!("1805.52")));
    assert_eq!(answer["unavailable"], json!(["P9"]));
    assert_eq!(cold.header("cache-control").as_deref(), Some("no-store"));

    let again = post(&url, QUOTE, &[]);
    assert_eq!((again.status, &again.json()), (200, &answer), "answered before");
    let get = send(&url, "GET /quotes/order%207?client=AAA", &[], "");
    assert_eq!((get.status, &get.json()), (200, &answer));
    let mut socket = Socket::open(&url).await;
    socket.say(r#"{"action":"get","client":"AAA","request_id":"order 7"}"#).await;
    assert_eq!(socket.hear().await, answer);

    // A warm quote is answered at once. Its id is made by ocache.
    let warm = post(&url, r#"{"client":"AAA","items":[{"product":"P1","quantity":1}]}"#, &[]);
    let answer = warm.json();
    assert_eq!((warm.status, &answer["total"]), (200, &json!("450.00")));
    assert!(answer["request_id"].as_str().unwrap().starts_with("q_"));
    // The quote is in the original dialect, and the answer in the current one.
    socket
        .say(
            r#"{"action":"MESSAGE","payload":{"message":{"user_id":"AAA",
                "products":[{"id":"P1","qtd":2}]}}}"#,
        )
        .await;
    socket.hear().await;
    let original = socket.hear().await["id"].as_str().unwrap().to_owned();
    let get = send(&url, &format!("GET /quotes/{original}?client=AAA"), &[], "");
    assert_eq!(get.json()["lines"][0]["unit_price"], "450.00");
}

#[test]
fn what_cannot_be_answered_yet_is_found_at_its_place() {
    let home = Home::new();
    home.set("quote-within", "5s");
    let mut gateway = home.start(&["serve", "--port", "0", "--output", "json"]);
    let url = gateway.stdout_json()["websocket"].as_str().unwrap().to_owned();
    let accepted = post(&url, QUOTE, &[]);
    assert_eq!((accepted.status, accepted.header("retry-after").unwrap()), (202, "1".into()));
    assert_eq!(accepted.header("location").unwrap(), "quotes/order%207?client=AAA");
    assert_eq!(accepted.json()["status"], "pending");
    let pending = send(&url, &place(&accepted), &[], "");
    assert_eq!((pending.status, &pending.json()), (200, &accepted.json()));
    assert_eq!(pending.header("retry-after").as_deref(), Some("1"));
    // The request is held until the quotation is settled. Nobody calculates, so it fails at its deadline.
    let held = send(&url, &place(&accepted), &["prefer: wait=20"], "");
    let failed = held.json();
    assert_eq!((held.status, &failed["status"]), (200, &json!("failed")));
    assert!(failed["reason"].as_str().unwrap().contains("deadline"), "{failed}");
    assert_eq!(post(&url, QUOTE, &[]).json(), failed);
}

#[test]
fn mistakes_have_a_status_and_a_code() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let item = r#"{"product":"P1","quantity":1}"#;
    let many = vec![item; 401].join(",");
    for (body, code, part) in [
        ("", "not_json", "body"),
        ("[]", "bad_frame", "body"),
        (r#"{"client":"A","items":[],"id":"7"}"#, "bad_frame", "id"),
        (r#"{"client":"","items":[{"product":"P1","quantity":1}]}"#, "bad_id", "empty"),
        (r#"{"client":"A","items":[]}"#, "bad_items", "no product"),
        (&format!(r#"{{"client":"A","items":[{item},{item}]}}"#), "bad_items", "twice"),
        (&format!(r#"{{"client":"A","items":[{many}]}}"#), "bad_items", "401"),
    ] {
        let reply = post(&url, body, &[]);
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!(code)), "{body:.60}");
        assert!(reply.json()["message"].as_str().unwrap().contains(part), "{reply:?}");
    }
    assert_eq!(post(&url, QUOTE, &["prefer: wait=20"]).status, 200);
    let other = QUOTE.replace("P1", "P2");
    let taken = post(&url, &other, &[]);
    assert_eq!((taken.status, &taken.json()["code"]), (409, &json!("request_id_taken")));
    for (path, status, code) in [
        ("/quotes/x?client=AAA", 404, "not_found"),
        ("/quotes/order%207?client=BBB", 404, "not_found"),
        ("/quotes/order%207", 400, "bad_query"),
        ("/quotes/order%207?client=AAA&wait=3", 400, "bad_query"),
        ("/quotes/%FF?client=AAA", 400, "bad_id"),
    ] {
        let reply = send(&url, &format!("GET {path}"), &[], "");
        assert_eq!((reply.status, &reply.json()["code"]), (status, &json!(code)), "{path}");
    }
    for (request, allow) in
        [("GET /quotes", "POST, OPTIONS"), ("DELETE /quotes/x", "GET, HEAD, OPTIONS")]
    {
        let reply = send(&url, request, &[], "");
        assert_eq!(
            (reply.status, reply.header("allow").unwrap()),
            (405, allow.into()),
            "{request}"
        );
    }
    let large = post(&url, &format!("{}{}", " ".repeat(128 * 1024), QUOTE), &[]);
    assert_eq!(large.status, 413);
}

#[test]
fn only_who_has_a_token_is_answered() {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token"]);
    let token = |args: &[&str]| {
        let token = home.ok(&[&["token"], args].concat());
        format!("authorization: Bearer {}", token.trim())
    };
    let (own, other) = (token(&["--client", "AAA"]), token(&["--client", "BBB"]));
    let denied = post(&url, QUOTE, &[]);
    assert_eq!(denied.status, 401);
    assert!(denied.header("www-authenticate").unwrap().starts_with("Bearer"));
    let forbidden = post(&url, QUOTE, &[&other]);
    assert_eq!((forbidden.status, &forbidden.json()["code"]), (403, &json!("forbidden")));
    assert_eq!(post(&url, QUOTE, &[&own, "prefer: wait=20"]).status, 200);
    let get = |token: &str| send(&url, "GET /quotes/order%207?client=AAA", &[token], "").status;
    assert_eq!((get(&own), get(&other), get("x: y")), (200, 403, 401));
    // A client that may not ask leaves no trace.
    let status = home.json(&["status"]);
    let users: Vec<&Value> = status["active_users"].as_array().unwrap().iter().collect();
    assert_eq!(users.len(), 1, "{status}");
}

#[test]
fn requests_count_like_frames() {
    let home = Home::new();
    let limits = ["--max-frames-per-address", "5", "--max-new-users-per-address", "2"];
    let (_up, url) = home.up(&[&limits[..], &["--limit-loopback"]].concat());
    let quote = |user: &str| {
        let body = format!(r#"{{"client":"{user}","items":[{{"product":"P1","quantity":1}}]}}"#);
        post(&url, &body, &[])
    };
    let statuses: Vec<u16> = (0..20).map(|n| quote(&format!("user {n}")).status).collect();
    let refused = statuses.iter().find(|status| **status == 429);
    assert!(refused.is_some(), "{statuses:?}");
    let flood = (0..100).map(|_| send(&url, "GET /quotes/x?client=A", &[], ""));
    let refused = flood.into_iter().find(|reply| reply.status == 429).unwrap();
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
}
