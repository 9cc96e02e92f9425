//! Tests of a server that takes the port of a killed gateway, and answers as the gateway did.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::gateway::{Socket, http};
use super::process::Home;

/// How long it goes on reading from a connection on which nothing comes.
const QUIET: Duration = Duration::from_millis(200);

/// Answers every request as the gateway answered for its health.
struct Impostor {
    heard: Arc<Mutex<String>>,
}

impl Impostor {
    /// Takes the port of a gateway that is gone.
    fn at(websocket: &str, health: &Value) -> Self {
        let address = websocket.strip_prefix("ws://").unwrap();
        let listener = TcpListener::bind(address).unwrap();
        let heard = Arc::<Mutex<String>>::default();
        let (hearing, body) = (heard.clone(), health.to_string());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (hearing, body) = (hearing.clone(), body.clone());
                thread::spawn(move || listen(stream.unwrap(), &hearing, &body));
            }
        });
        Self { heard }
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

fn listen(mut stream: TcpStream, hearing: &Mutex<String>, body: &str) {
    stream.set_read_timeout(Some(QUIET)).unwrap();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        hearing.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
        let length = body.len();
        let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        // The client may have detected it and closed the connection.
        let _ = stream.write_all(reply.as_bytes());
    }
}

/// Returns how many gateways are in the registry.
fn entries(home: &Home) -> usize {
    std::fs::read_dir(home.path().join("data/gateways")).unwrap().count()
}

#[test]
fn it_gets_no_ticket_from_a_quote() {
    // Tests both the token that a quote makes for itself, and one that it is given.
    for is_given in [false, true] {
        let home = Home::new();
        let (up, url) = home.up(&["--require-token"]);
        let token = home.ok(&["token", "--client", "AAA"]);
        let mut quote = vec!["quote", "--client", "AAA", "P1:2"];
        // From here on the table exists, so a quote is answered without price calc.
        assert_eq!(home.json(&quote)["total"], "900.00");
        let (_, health) = http(&url, "GET /health HTTP/1.1", "");
        up.kill();
        let impostor = Impostor::at(&url, &health);
        if is_given {
            quote.extend(["--token", token.trim()]);
        }
        assert_eq!(home.json(&quote)["total"], "900.00");
        let heard = impostor.heard();
        assert!(heard.contains("GET /health"), "the entry led to it: {heard}");
        for part in ["Bearer", "authorization", "AAA", token.trim()] {
            assert!(!heard.contains(part), "{part}: {heard}");
        }
        assert_eq!(entries(&home), 0, "who was seen through is no gateway");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_gets_no_answer_from_a_worker() {
    let home = Home::with_fixtures();
    let mut serve = home.start(&["serve", "--port", "0", "--output", "json"]);
    let url = serve.stdout_json()["websocket"].as_str().unwrap().to_owned();
    let mut socket = Socket::open(&url).await;
    let frame = r#"{"action":"quote","client":"AAA","request_id":"r1",
        "items":[{"product":"P1","quantity":2}]}"#;
    socket.say(frame).await;
    assert_eq!(socket.hear().await["type"], "accepted");
    let (_, health) = http(&url, "GET /health HTTP/1.1", "");
    serve.kill();
    let impostor = Impostor::at(&url, &health);
    let worker = home.worker("all");
    let quotation = ["quotation", "r1", "--client", "AAA"];
    while home.json(&quotation)["status"] != "answered" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The worker finishes what it has begun, such as the push.
    assert_eq!(worker.interrupt().0, Some(0));
    let heard = impostor.heard();
    assert!(heard.contains("GET /health"), "the entry led to it: {heard}");
    for part in ["POST", "@connections", "900.00", "AAA"] {
        assert!(!heard.contains(part), "{part}: {heard}");
    }
    assert_eq!(entries(&home), 0, "who was seen through is no gateway");
}
