//! A websocket client that can send anything, byte by byte.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A wait that ends only if the test has failed.
const HANG: Duration = Duration::from_secs(60);

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// Marks the last fragment of a message.
pub const FINAL: u8 = 0x80;

/// Opens a TCP connection to a gateway.
pub fn dial(websocket: &str) -> TcpStream {
    let stream = TcpStream::connect(websocket.strip_prefix("ws://").unwrap()).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream.set_write_timeout(Some(HANG)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// An open websocket.
pub struct RawSocket(pub TcpStream);

impl RawSocket {
    pub fn open(websocket: &str) -> Self {
        Self::open_with(websocket, "").unwrap()
    }

    /// Opens a websocket with further headers. Returns the status if it is refused.
    pub fn open_with(websocket: &str, headers: &str) -> Result<Self, u16> {
        let mut stream = dial(websocket);
        let host = websocket.strip_prefix("ws://").unwrap();
        // Sent in one piece: a gateway that refuses closes the socket, perhaps before a second piece comes.
        let request = format!(
            "GET / HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = vec![];
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let status = String::from_utf8_lossy(&head[9..12]).parse().unwrap();
        if status == 101 { Ok(Self(stream)) } else { Err(status) }
    }

    /// Sends a frame in the form that a client must use.
    pub fn send(&mut self, first: u8, payload: &[u8]) -> io::Result<()> {
        self.0.write_all(&frame(first, payload, true))
    }

    pub fn say(&mut self, text: &str) {
        self.send(FINAL | TEXT, text.as_bytes()).unwrap();
    }

    /// Returns the next frame: its first byte and its payload.
    pub fn receive(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head)?;
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.0.read_exact(&mut length)?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.0.read_exact(&mut length)?;
                u64::from_be_bytes(length)
            }
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload)?;
        Ok((head[0], payload))
    }

    pub fn hear(&mut self) -> serde_json::Value {
        let (_, payload) = self.receive().unwrap();
        serde_json::from_slice(&payload).unwrap()
    }

    /// Waits until the gateway has read what was sent, also within a message.
    pub fn is_heard(&mut self) {
        self.send(FINAL | PING, &[]).unwrap();
        assert_eq!(self.receive().unwrap(), (FINAL | PONG, vec![]));
    }

    /// Returns the code with which the gateway closes, and skips other frames before it.
    pub fn close_code(&mut self) -> u16 {
        loop {
            let (first, payload) = self.receive().unwrap();
            if first == FINAL | CLOSE {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }
}

/// Returns a frame with or without the mask that clients must use. The mask is zero, so the payload is sent
/// as it is.
pub fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(mask | u8::try_from(short).unwrap()),
        long => {
            bytes.push(mask | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    if masked {
        bytes.extend([0; 4]);
    }
    bytes.extend(payload);
    bytes
}
