//! Tests of the gateway with a client that is not ocache's.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::http::{Answer, send};
use super::process::Home;

pub struct Socket(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Socket {
    pub async fn open(url: &str) -> Self {
        Self(connect_async(url).await.unwrap().0)
    }

    /// Opens a socket as a page does, through a reverse proxy that passes on the host.
    pub async fn of_page(url: &str, host: &str, origin: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in [("host", host), ("origin", origin)] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        Self(connect_async(request).await.unwrap().0)
    }

    pub async fn say(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    pub async fn hear(&mut self) -> Value {
        match self.0.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn closed(&mut self) -> CloseCode {
        loop {
            if let Message::Close(frame) = self.0.next().await.unwrap().unwrap() {
                return frame.unwrap().code;
            }
        }
    }
}

/// Makes a request that is answered with JSON.
pub fn http(websocket: &str, request: &str, body: &str) -> (u16, Value) {
    let answer = exchange(websocket, request, body);
    (answer.status, answer.json())
}

/// Makes a request without a body. Returns the status.
pub fn http_status(websocket: &str, request: &str) -> u16 {
    exchange(websocket, request.trim_end(), "").status
}

/// Makes a request. `request` has its headers behind its first line.
fn exchange(websocket: &str, request: &str, body: &str) -> Answer {
    let mut lines = request.lines();
    let first = lines.next().unwrap().trim_end_matches(" HTTP/1.1");
    send(websocket, first, &lines.collect::<Vec<_>>(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_dialects_over_one_socket() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let mut socket = Socket::open(&url).await;
    socket.say(r#"{"action":"ping"}"#).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    socket.say(r#"{"action":"PING"}"#).await;
    assert_eq!(socket.hear().await, json!({ "message": "pong !" }));

    let quote = r#"{"action":"quote","client":"AAA","request_id":"r1",
        "items":[{"product":"P1","quantity":2},{"product":"P3","quantity":1}]}"#;
    socket.say(quote).await;
    let accepted = socket.hear().await;
    assert_eq!((&accepted["type"], &accepted["request_id"]), (&json!("accepted"), &json!("r1")));
    let answer = socket.hear().await;
    assert_eq!((&answer["type"], &answer["total"]), (&json!("quotation"), &json!("1805.52")));
    socket.say(r#"{"action":"get","client":"AAA","request_id":"r1"}"#).await;
    assert_eq!(socket.hear().await, answer);
    socket.say(r#"{"action":"get","client":"BBB","request_id":"r1"}"#).await;
    assert_eq!(socket.hear().await["code"], "not_found");

    let original = r#"{"action":"MESSAGE","payload":{"message":{"user_id":"AAA",
        "products":[{"id":"P1","qtd":2},{"id":"P9","qtd":1}]}}}"#;
    socket.say(original).await;
    assert_eq!(socket.hear().await, json!({ "message": "quotation under analisys" }));
    let answer = socket.hear().await;
    assert_eq!(answer["products"][0]["final_value"], json!(900.0));
    assert_eq!(answer["unavailable"], json!(["P9"]));
}

/// Tests that the gateway itself tells its clients, if there is no other process and nobody answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_tells_its_clients_when_a_deadline_has_passed() {
    let home = Home::new();
    home.set("quote-within", "5s");
    let args = ["serve", "--port", "0", "--output", "json"];
    let mut gateway = home.start(&args);
    let started = gateway.stdout_json();
    let url = started["websocket"].as_str().unwrap();
    let (mut socket, mut other) = (Socket::open(url).await, Socket::open(url).await);
    let quote = r#"{"action":"quote","client":"AAA","request_id":"r1",
        "items":[{"product":"P1","quantity":2}]}"#;
    socket.say(quote).await;
    assert_eq!(socket.hear().await["type"], "accepted");
    let original = r#"{"action":"MESSAGE","payload":{"message":{"user_id":"AAA",
        "products":[{"id":"P1","qtd":2}]}}}"#;
    socket.say(original).await;
    assert_eq!(socket.hear().await, json!({ "message": "quotation under analisys" }));
    // A client that asks for it while it is pending waits for it too.
    let get = r#"{"action":"get","client":"AAA","request_id":"r1"}"#;
    other.say(get).await;
    assert_eq!(other.hear().await["status"], "pending");

    let failed = socket.hear().await;
    assert_eq!((&failed["request_id"], &failed["status"]), (&json!("r1"), &json!("failed")));
    assert!(failed["reason"].as_str().unwrap().contains("deadline"), "{failed}");
    assert_eq!(other.hear().await, failed);
    let failed_too = socket.hear().await;
    assert_eq!(failed_too["message"], failed["reason"], "in the original dialect");
    // Nothing else is pushed, and the failure is stored.
    socket.say(get).await;
    assert_eq!(socket.hear().await, failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_frames_are_answered_and_the_socket_stays_open() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let mut socket = Socket::open(&url).await;
    for (frame, code) in [
        ("hello", "not_json"),
        (r#"{"action":"buy"}"#, "unknown_action"),
        (r#"{"action":"quote","client":"AAA"}"#, "bad_frame"),
        (r#"{"action":"quote","client":"","items":[{"product":"P1","quantity":1}]}"#, "bad_id"),
        (
            r#"{"action":"quote","client":"A","items":[{"product":"P1","quantity":1e308}]}"#,
            "bad_items",
        ),
    ] {
        socket.say(frame).await;
        let reply = socket.hear().await;
        assert_eq!((&reply["type"], &reply["code"]), (&json!("error"), &json!(code)), "{frame}");
    }
    socket.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(socket.hear().await["code"], "not_text");
    socket.say(r#"{"action":"ping"}"#).await;
    assert_eq!(socket.hear().await["type"], "pong");
    socket.say("x".repeat(33 * 1024)).await;
    assert_eq!(socket.closed().await, CloseCode::Size);
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_closed_with_1001_when_the_system_stops() {
    let home = Home::new();
    let (up, url) = home.up(&[]);
    let mut socket = Socket::open(&url).await;
    let stopped = tokio::task::spawn_blocking(move || up.interrupt());
    assert_eq!(socket.closed().await, CloseCode::Away);
    drop(socket);
    assert_eq!(stopped.await.unwrap().0, Some(0));
}

#[test]
fn subscribing_over_http() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let put = |body: &str| http(&url, "PUT /subscribe HTTP/1.1", body);
    let (status, body) = put(r#"{"user_id":"José Núñez 株式会社"}"#);
    assert_eq!((status, &body["user_id"]), (202, &json!("José Núñez 株式会社")));
    assert_eq!(home.json(&["status"])["active_users"][0]["user"], "José Núñez 株式会社");
    for (body, part) in
        [("", "user_id"), ("{}", "user_id"), (r#"{"user_id":""}"#, "empty"), ("[", "user_id")]
    {
        let (status, reply) = put(body);
        assert_eq!(status, 400, "{body}");
        assert!(reply["message"].as_str().unwrap().contains(part), "{body}: {reply}");
    }
    assert_eq!(http(&url, "GET /subscribe HTTP/1.1", "").0, 405);
    assert_eq!(http(&url, "GET /health HTTP/1.1", "").1["status"], "ok");
    assert_eq!(http(&url, "GET /nowhere HTTP/1.1", "").0, 404);
    assert_eq!(http(&url, "POST /@connections/nobody HTTP/1.1", "{}").0, 403);
    let page = "POST /@connections/nobody HTTP/1.1\r\norigin: http://localhost:1";
    assert_eq!(http(&url, page, "{}").0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_pages_are_kept_out_unless_allowed() {
    let home = Home::new();
    let (_up, url) = home.up(&["--allow-origin", "https://shop.example.com"]);
    let from = |origin: &str| {
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        connect_async(request)
    };
    assert!(from("https://evil.example").await.is_err());
    assert!(from("https://shop.example.com").await.is_ok());
    assert!(from(&url.replace("ws://", "http://")).await.is_ok(), "its own page");
}
