//! Plain HTTP/1.1 with one request for each connection, for a client that is not ocache's.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// A reply.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// Parses a reply.
    pub fn of(reply: &str) -> Self {
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("`{reply}`"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let answer = Self { status, head: head.to_owned(), body: body.to_owned() };
        match answer.header("transfer-encoding") {
            Some(_) => Self { body: joined(&answer.body), ..answer },
            None => answer,
        }
    }

    /// Returns the value of a header. Several values are joined by commas.
    pub fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let values: Vec<&str> =
            lines.filter(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends a request such as `GET /health`, with one line for each header, to the gateway of a websocket.
pub fn send(websocket: &str, request: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Answer {
    let address = websocket.strip_prefix("ws://").unwrap();
    send_to(address, address, request, headers, body)
}

/// Sends a request to an address, with any host name.
pub fn send_to(
    address: &str,
    host: &str,
    request: &str,
    headers: &[&str],
    body: impl AsRef<[u8]>,
) -> Answer {
    let body = body.as_ref();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let mut head = format!(
        "{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n"
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    // A server that refuses a large body need not read it to its end.
    let _ = stream.write_all(body);
    let mut reply = vec![];
    stream.read_to_end(&mut reply).unwrap();
    Answer::of(&String::from_utf8(reply).unwrap())
}

/// Joins the chunks of a body, which must be complete.
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    loop {
        let (size, rest) = chunks.split_once("\r\n").expect("the last chunk is there");
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.push_str(&rest[..size]);
        chunks = rest[size..].strip_prefix("\r\n").unwrap();
    }
}
