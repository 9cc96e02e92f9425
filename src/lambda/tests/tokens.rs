//! Tests of the authorizer, and of what the functions behind it do with its answer.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

use super::http::http_event;
use super::stack::{Delivered, Stack, frame_event, frames, texts};
use crate::lambda::EventError;
use crate::lambda::authorizer::authorize;
use crate::lambda::granted::Authorization;
use crate::lambda::subscribe::on_request;
use crate::lambda::websocket::Frames;
use crate::memory::{ManualClock, MemoryTokenKeys};
use crate::ports::{Queue, TokenKeys as _};
use crate::runtime::{IdentityProvider, KeySetPlace, TokenCheck};
use crate::tokens::testing::{
    NOW, P256, RSA, bad_issued_tokens, bad_tokens, claims, header, issued_claims, issuer, key,
    ring, signed,
};
use crate::tokens::{KeyRing, Token};

const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/live/$connect";
const QUOTE: &str = r#"{"action":"quote","client":"AAA","items":[{"product":"P1","quantity":2}]}"#;
const FOREIGN: &str =
    r#"{"action":"quote","client":"BBB","items":[{"product":"P1","quantity":2}]}"#;

fn check(keys: KeyRing) -> TokenCheck {
    TokenCheck::new(Arc::new(MemoryTokenKeys::with(keys)), Arc::new(ManualClock::new(NOW)))
}

fn good() -> Token {
    signed(&key(1), &header(), &claims())
}

/// Returns a request of the WebSocket API.
fn connect(headers: Value, query: Value) -> Value {
    json!({
        "type": "REQUEST",
        "methodArn": ARN,
        "headers": headers,
        "multiValueHeaders": {},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {},
        "stageVariables": {},
        "requestContext": { "routeKey": "$connect", "eventType": "CONNECT", "stage": "live",
                            "connectionId": "c1", "apiId": "abc123" },
    })
}

/// Returns a request of the HTTP API.
fn put(headers: Value, query: Value) -> Value {
    json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-west-1:123456789012:def456/$default/PUT/subscribe",
        "identitySource": ["Bearer …"],
        "routeKey": "PUT /subscribe",
        "rawPath": "/subscribe",
        "rawQueryString": "",
        "headers": headers,
        "queryStringParameters": query,
        "requestContext": { "apiId": "def456", "stage": "$default" },
    })
}

fn bearer(token: &Token) -> Value {
    json!({ "Host": "abc123.example.com", "Authorization": format!("Bearer {}", token.as_str()) })
}

async fn ask(check: &TokenCheck, event: Value) -> Result<Value, EventError> {
    authorize(check, serde_json::from_value(event).unwrap()).await
}

async fn effect(check: &TokenCheck, event: Value) -> Value {
    ask(check, event).await.unwrap()["policyDocument"]["Statement"][0]["Effect"].take()
}

/// Captures the log while its guard lives.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn start(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let lines = fmt::layer().with_ansi(false).with_writer(move || log.clone());
        // The spans of traces are not in the log.
        let all = Targets::new().with_default(Level::TRACE).with_target("trace", LevelFilter::OFF);
        tracing::subscriber::set_default(registry().with(lines.with_filter(all)))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_good_token_says_whom_the_client_may_quote_for() {
    let check = check(ring());
    let query = json!({ "token": good().as_str() });
    for event in [connect(bearer(&good()), Value::Null), connect(json!({}), query.clone())] {
        let answer = ask(&check, event).await.unwrap();
        let statement =
            json!({ "Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ARN });
        assert_eq!(answer["policyDocument"]["Statement"], json!([statement]));
        assert_eq!(answer["principalId"], "shop");
        assert_eq!(answer["context"], json!({ "clients": r#"["AAA"]"#, "subject": "shop" }));
    }
    let answer = ask(&check, put(bearer(&good()), Value::Null)).await.unwrap();
    assert_eq!(
        (&answer["isAuthorized"], &answer["context"]["clients"]),
        (&json!(true), &json!(r#"["AAA"]"#))
    );
    // A token in a URL is refused where it can be in a header.
    assert_eq!(ask(&check, put(json!({}), query)).await.unwrap()["isAuthorized"], false);
}

#[tokio::test]
async fn whoever_has_no_good_token_is_kept_out_and_the_log_has_no_token() {
    let (check, log) = (check(ring()), Log::default());
    let _logging = log.start();
    assert_eq!(effect(&check, connect(json!({}), Value::Null)).await, "Deny");
    assert_eq!(ask(&check, put(json!({}), Value::Null)).await.unwrap()["isAuthorized"], false);
    let basic = json!({ "authorization": "Basic YTpi" });
    assert_eq!(effect(&check, connect(basic, json!({ "token": good().as_str() }))).await, "Deny");
    let tokens = bad_tokens();
    for (what, token, refusal) in &tokens {
        let query = json!({ "token": token.as_str() });
        for event in [connect(bearer(token), Value::Null), connect(json!({}), query)] {
            assert_eq!(effect(&check, event).await, "Deny", "{what}");
        }
        let answer = ask(&check, put(bearer(token), Value::Null)).await.unwrap();
        assert_eq!(answer["isAuthorized"], false, "{what}");
        assert!(log.text().contains(&refusal.to_string()), "{what} is not logged");
    }
    assert_eq!(effect(&check, connect(bearer(&good()), Value::Null)).await, "Allow");
    let log = log.text();
    assert!(log.contains("let in") && log.contains("a token is needed"), "{log}");
    let parts = tokens.iter().flat_map(|(_, token, _)| token.as_str().split('.').skip(1));
    for part in parts.filter(|part| part.len() > 3) {
        assert!(!log.contains(part), "{part} in {log}");
    }
}

#[tokio::test]
async fn tokens_of_an_identity_provider_come_in_and_forged_ones_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("jwks.json");
    let keys = json!({ "keys": [RSA[0].jwk(), P256[0].jwk()] });
    std::fs::write(&file, keys.to_string()).unwrap();
    let provider = IdentityProvider { issuer: issuer(), keys: KeySetPlace::File(file) };
    let (check, log) = (check(ring()).accepting(provider), Log::default());
    let _logging = log.start();
    for signer in [&RSA[0], &P256[0]] {
        let token = signer.signed(&signer.header(), &issued_claims());
        let answer = ask(&check, connect(bearer(&token), Value::Null)).await.unwrap();
        assert_eq!(answer["context"], json!({ "clients": r#"["AAA"]"#, "subject": "shop" }));
    }
    for (what, token, refusal) in bad_issued_tokens() {
        assert_eq!(effect(&check, connect(bearer(&token), Value::Null)).await, "Deny", "{what}");
        let in_url = connect(json!({}), json!({ "token": token.as_str() }));
        assert_eq!(effect(&check, in_url).await, "Deny", "{what}");
        let log = log.text();
        assert!(log.contains(&refusal.to_string()), "{what} is not logged");
        let mut parts = token.as_str().split('.').skip(1).filter(|part| part.len() > 3);
        assert!(!parts.any(|part| log.contains(part)), "{what}: {log}");
    }
    assert_eq!(effect(&check, connect(bearer(&good()), Value::Null)).await, "Allow");
}

#[tokio::test]
async fn keys_are_rotated_without_a_new_deployment() {
    let keys = Arc::new(MemoryTokenKeys::with(ring()));
    let clock = Arc::new(ManualClock::new(NOW));
    let check = TokenCheck::new(keys.clone(), clock.clone());
    let enter = async |ring: &KeyRing| {
        let token = crate::tokens::testing::good_token(ring, NOW, Duration::from_secs(3600));
        effect(&check, connect(bearer(&token), Value::Null)).await
    };
    assert_eq!(enter(&ring()).await, "Allow");
    let rotated = ring().rotated(key(2));
    keys.replace(&rotated).await.unwrap();
    clock.advance(Duration::from_secs(10));
    assert_eq!((enter(&rotated).await, enter(&ring()).await), (json!("Allow"), json!("Allow")));
    keys.replace(&rotated.clone().rotated(key(3))).await.unwrap();
    clock.advance(Duration::from_secs(5 * 60));
    assert_eq!((enter(&rotated).await, enter(&ring()).await), (json!("Allow"), json!("Deny")));
}

#[tokio::test]
async fn without_keys_the_function_fails_and_nobody_gets_in() {
    let none =
        TokenCheck::new(Arc::default() as Arc<MemoryTokenKeys>, Arc::new(ManualClock::new(NOW)));
    let error = ask(&none, connect(bearer(&good()), Value::Null)).await.unwrap_err();
    assert!(matches!(error, EventError::Keys(_)), "{error:?}");
}

/// Sends a frame of a connection for which the authorizer gave this answer.
async fn send(frames: &Frames, frame: &str, authorizer: Value) -> Value {
    let mut event = serde_json::to_value(frame_event("c1", frame, "abc123")).unwrap();
    event["requestContext"]["authorizer"] = authorizer;
    let replies = texts(frames.handle(serde_json::from_value(event).unwrap()).await);
    serde_json::from_str(&replies[0]).unwrap()
}

#[tokio::test]
async fn a_connection_quotes_for_its_own_users_only() {
    let stack = Stack::new().await;
    let frames = frames(&stack.ports, Authorization::Token);
    let answer = ask(&check(ring()), connect(bearer(&good()), Value::Null)).await.unwrap();
    // API Gateway passes the answer on in this form.
    let mut own = answer["context"].clone();
    own["principalId"] = answer["principalId"].clone();
    own["integrationLatency"] = json!(12);

    let get = r#"{"action":"get","client":"BBB","request_id":"7"}"#;
    let original = r#"{"action":"MESSAGE","payload":{"message":{"user_id":"BBB",
        "products":[{"id":"P1","qtd":2}]}}}"#;
    for frame in [FOREIGN, get, original] {
        let reply = send(&frames, frame, own.clone()).await;
        assert_eq!((&reply["type"], &reply["code"]), (&json!("error"), &json!("forbidden")));
    }
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::NOTHING, "nothing was saved");
    assert_eq!(stack.ports.store.active_user(&"BBB".parse().unwrap()).await.unwrap(), None);
    assert_eq!(send(&frames, QUOTE, own).await["type"], "accepted");
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::all(1));
    assert_eq!(send(&frames, FOREIGN, json!({ "clients": r#""*""# })).await["type"], "accepted");
}

#[tokio::test]
async fn an_authorizer_that_said_nothing_lets_nobody_quote() {
    let stack = Stack::new().await;
    let strict = frames(&stack.ports, Authorization::Token);
    for nothing in [
        Value::Null,
        json!({}),
        json!({ "principalId": "shop" }),
        json!({ "clients": "" }),
        json!({ "clients": "AAA" }),
        json!({ "clients": ["AAA"] }),
        json!({ "clients": "*" }),
        json!({ "clients": "null" }),
    ] {
        assert_eq!(send(&strict, QUOTE, nothing.clone()).await["code"], "forbidden", "{nothing}");
        assert_eq!(send(&strict, r#"{"action":"ping"}"#, nothing).await["type"], "pong");
    }
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::NOTHING);
    for open in [Authorization::AwsIam, Authorization::None] {
        let open = frames(&stack.ports, open);
        assert_eq!(send(&open, QUOTE, Value::Null).await["type"], "accepted");
    }
}

#[tokio::test]
async fn only_own_users_are_subscribed() {
    let stack = Stack::new().await;
    let subscribe = async |user: &str, authorizer: Value| {
        let body = json!({ "user_id": user }).to_string();
        let mut event = http_event("PUT /subscribe", None, "", &body);
        event["requestContext"]["authorizer"] = authorizer;
        let request = serde_json::from_value(event).unwrap();
        let ttl = Duration::from_secs(300);
        on_request(&stack.ports, ttl, Authorization::Token, request).await.status_code
    };
    let own = json!({ "lambda": { "clients": r#"["AAA"]"#, "subject": "shop" } });
    assert_eq!(subscribe("BBB", own.clone()).await, 403);
    for nothing in [Value::Null, json!({}), json!({ "lambda": null }), json!({ "lambda": {} })] {
        assert_eq!(subscribe("AAA", nothing).await, 403);
    }
    assert_eq!(stack.deliver(Queue::Quotation).await, Delivered::NOTHING);
    assert_eq!(subscribe("AAA", own).await, 202);
    assert_eq!(stack.deliver(Queue::Quotation).await, Delivered::all(1));
}
