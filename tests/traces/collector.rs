//! A collector of traces, which receives what OpenTelemetry's own collector would.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// Accepts every request to its address until the test ends.
pub struct Collector {
    pub url: String,
    requests: Arc<Mutex<Vec<Taken>>>,
}

/// A request.
#[derive(Clone)]
pub struct Taken {
    /// Its first line and its headers.
    pub head: String,
    /// Its body.
    pub body: Value,
}

/// A span, as it was sent.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub whole: Value,
}

impl Span {
    /// Returns an attribute as text.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let attributes = self.whole["attributes"].as_array().unwrap();
        let found = attributes.iter().find(|attribute| attribute["key"] == key)?;
        let value = found["value"].as_object().unwrap().values().next().unwrap();
        Some(value.as_str().unwrap())
    }
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(vec![]));
        let taken = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let taken = Arc::clone(&taken);
                std::thread::spawn(move || serve(stream.unwrap(), &taken));
            }
        });
        Self { url, requests }
    }

    pub fn requests(&self) -> Vec<Taken> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns all spans that were sent so far.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = vec![];
        for request in self.requests() {
            for resource in request.body["resourceSpans"].as_array().unwrap() {
                for scope in resource["scopeSpans"].as_array().unwrap() {
                    spans.extend(scope["spans"].as_array().unwrap().iter().map(span));
                }
            }
        }
        spans
    }
}

fn span(span: &Value) -> Span {
    let text = |key: &str| span[key].as_str().unwrap().to_owned();
    Span {
        name: text("name"),
        trace: text("traceId"),
        id: text("spanId"),
        parent: text("parentSpanId"),
        whole: span.clone(),
    }
}

/// Accepts the requests of one connection until it is closed.
fn serve(stream: TcpStream, taken: &Mutex<Vec<Taken>>) {
    let mut answers = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let lower = head.to_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.trim().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        let body = serde_json::from_slice(&body).unwrap();
        // The request is noted before the answer, because the process may end when it gets that, and the
        // test goes on.
        taken.lock().unwrap().push(Taken { head, body });
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        answers.write_all(answer.as_bytes()).unwrap();
    }
}
