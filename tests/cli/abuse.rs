//! Tests of hostile or faulty clients of the gateway. Whatever one of them does, it gets an error or is cut
//! off, and the others are served.

use std::io::{Read, Write};
use std::process::Child;

use serde_json::json;

use super::gateway::http_status;
use super::process::{Home, Running};
use super::raw_socket::{CONTINUATION, FINAL, RawSocket, TEXT, dial, frame};

const PING: &str = r#"{"action":"ping"}"#;
/// How much of the gateway's memory an idle socket may take.
const BYTES_PER_SOCKET: u64 = 16 * 1024;

fn serve(home: &Home, args: &[&str]) -> (Running, String) {
    // `--quiet`, because nobody reads what it logs about a thousand sockets.
    let serve = ["serve", "--port", "0", "--output", "json", "--quiet"];
    let mut gateway = home.start(&[&serve, args].concat());
    let websocket = gateway.stdout_json()["websocket"].as_str().unwrap().to_owned();
    (gateway, websocket)
}

fn is_served(websocket: &str) {
    let mut other = RawSocket::open(websocket);
    other.say(PING);
    assert_eq!(other.hear(), json!({ "type": "pong" }));
}

fn quote(user: &str) -> String {
    format!(r#"{{"action":"quote","client":"{user}","items":[{{"product":"P1","quantity":1}}]}}"#)
}

/// Floods the gateway until it refuses. Returns how many pongs came before.
fn pongs_before_a_refusal(socket: &mut RawSocket) -> usize {
    const FLOOD: usize = 1_000;
    let ping = frame(FINAL | TEXT, PING.as_bytes(), true);
    socket.0.write_all(&ping.repeat(FLOOD)).unwrap();
    for pongs in 0..FLOOD {
        let reply = socket.hear();
        if reply["type"] == "error" {
            assert_eq!(reply["code"], "rate_limited");
            return pongs;
        }
    }
    panic!("{FLOOD} frames, and none refused")
}

/// Returns the resident memory of a process, in bytes.
#[cfg(target_os = "linux")]
fn resident(process: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn handshakes_that_never_finish_are_cut_off() {
    let home = Home::new();
    let (_gateway, websocket) = serve(&home, &[]);
    let mut silent = dial(&websocket);
    let mut slow = dial(&websocket);
    slow.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: web").unwrap();
    is_served(&websocket);
    for stream in [&mut silent, &mut slow] {
        let mut reply = vec![];
        // The read times out if nobody ends the connection.
        stream.read_to_end(&mut reply).unwrap();
        assert!(!reply.starts_with(b"HTTP/1.1 101"));
    }
}

#[test]
fn frames_that_break_the_rules_close_the_socket_with_their_code() {
    let home = Home::new();
    let (_gateway, websocket) = serve(&home, &[]);
    let ping = PING.as_bytes();
    let part = vec![b'x'; 30 * 1024];
    let too_large = frame(FINAL | TEXT, &[b'x'; 32 * 1024 + 1], true);
    let too_long: Vec<u8> = std::iter::once(TEXT)
        .chain(std::iter::repeat_n(CONTINUATION, 4))
        .flat_map(|first| frame(first, &part, true))
        .collect();
    let reserved_bit = frame(FINAL | 0x40 | TEXT, ping, true);
    for (what, bytes, code) in [
        ("a frame over 32 KB", too_large, 1009),
        ("a message over 128 KB", too_long, 1009),
        ("bad UTF-8", frame(FINAL | TEXT, b"\"\xff\xfe\"", true), 1007),
        ("an unmasked frame", frame(FINAL | TEXT, ping, false), 1002),
        ("a reserved bit", reserved_bit, 1002),
        ("an unknown opcode", frame(FINAL | 0x3, ping, true), 1002),
        ("a continuation of nothing", frame(FINAL | CONTINUATION, ping, true), 1002),
    ] {
        let mut socket = RawSocket::open(&websocket);
        socket.0.write_all(&bytes).unwrap();
        assert_eq!(socket.close_code(), code, "{what}");
        is_served(&websocket);
    }
    // The largest allowed message, in several fragments.
    let mut socket = RawSocket::open(&websocket);
    socket.send(TEXT, &vec![b' '; 32 * 1024]).unwrap();
    socket.send(CONTINUATION, &vec![b' '; 32 * 1024]).unwrap();
    socket.send(FINAL | CONTINUATION, ping).unwrap();
    assert_eq!(socket.hear(), json!({ "type": "pong" }));
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_never_reads_takes_little_memory_and_is_cut_off() {
    let home = Home::new();
    let (gateway, websocket) = serve(&home, &["--max-frames", "1000000"]);
    let before = resident(gateway.process());
    let mut deaf = RawSocket::open(&websocket);
    // Each message is answered with an error of its own length. In the end the gateway stops reading, and then the
    // connection ends.
    let unknown = format!(r#"{{"action":"{}"}}"#, "x".repeat(64));
    while deaf.send(FINAL | TEXT, unknown.as_bytes()).is_ok() {}
    let grown = resident(gateway.process()).saturating_sub(before);
    assert!(grown < 8 * 1024 * 1024, "{grown} bytes");
    is_served(&websocket);
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_idle_sockets_take_little_memory() {
    let home = Home::new();
    let (gateway, websocket) = serve(&home, &[]);
    is_served(&websocket);
    let before = resident(gateway.process());
    let mut sockets: Vec<_> = (0..1000).map(|_| RawSocket::open(&websocket)).collect();
    let grown = resident(gateway.process()).saturating_sub(before) / 1000;
    println!("{grown} bytes for each idle socket");
    assert!(grown <= BYTES_PER_SOCKET, "{grown} bytes for each idle socket");
    let last = sockets.last_mut().unwrap();
    last.say(PING);
    assert_eq!(last.hear(), json!({ "type": "pong" }));
}

#[test]
fn a_flood_from_one_socket_is_told_so_and_hurts_nobody_else() {
    let home = Home::new();
    let (_gateway, websocket) = serve(&home, &["--max-frames", "20"]);
    let mut flood = RawSocket::open(&websocket);
    assert!(pongs_before_a_refusal(&mut flood) >= 1);
    is_served(&websocket);
}

#[test]
fn an_address_shares_what_its_sockets_may_use() {
    let home = Home::new();
    let limits = ["--max-frames-per-address", "20", "--max-sockets-per-address", "2"];
    let (_gateway, websocket) = serve(&home, &limits);
    let from = |address: &str| {
        RawSocket::open_with(&websocket, &format!("x-forwarded-for: 9.9.9.9, {address}\r\n"))
    };
    let (mut first, mut second) = (from("203.0.113.9").unwrap(), from("203.0.113.9").unwrap());
    assert_eq!(from("203.0.113.9").err(), Some(429), "a third socket");
    for socket in [&mut first, &mut second] {
        pongs_before_a_refusal(socket);
    }
    let mut other = from("203.0.113.10").unwrap();
    other.say(PING);
    assert_eq!(other.hear(), json!({ "type": "pong" }));
    drop(first);
    is_served(&websocket);
}

#[test]
fn there_is_room_for_so_many_connections() {
    let home = Home::new();
    let (_gateway, websocket) = serve(&home, &["--max-sockets", "2"]);
    let (first, _second) = (RawSocket::open(&websocket), RawSocket::open(&websocket));
    assert_eq!(RawSocket::open_with(&websocket, "").err(), Some(503));
    drop(first);
    // The place is free when the gateway has noticed.
    while RawSocket::open_with(&websocket, "").is_err() {}
}

#[test]
fn invented_users_are_limited_in_number() {
    let home = Home::with_fixtures();
    home.set("max-active-users", "50");
    let (_gateway, websocket) = serve(&home, &[]);
    let mut socket = RawSocket::open(&websocket);
    let (mut accepted, mut refused) = (0, 0);
    for user in 0..1_000 {
        socket.say(&quote(&format!("invented {user}")));
        let reply = socket.hear();
        match (reply["type"].as_str(), reply["code"].as_str()) {
            (Some("accepted"), _) => accepted += 1,
            (_, Some("rate_limited")) => refused += 1,
            _ => panic!("{reply}"),
        }
    }
    assert_eq!((accepted, refused), (50, 950));
    assert_eq!(home.json(&["status"])["active_users"].as_array().unwrap().len(), 50);
    socket.say(&quote("invented 0"));
    assert_eq!(socket.hear()["type"], "accepted", "who was there already");
}

#[test]
fn an_address_invents_only_so_many_users() {
    let home = Home::with_fixtures();
    home.set("max-new-users-per-address", "5");
    let (_gateway, websocket) = serve(&home, &[]);
    let from = |address: &str| {
        RawSocket::open_with(&websocket, &format!("x-forwarded-for: {address}\r\n")).unwrap()
    };
    let mut inventor = from("203.0.113.9");
    let mut users = 0..;
    loop {
        inventor.say(&quote(&format!("invented {}", users.next().unwrap())));
        let reply = inventor.hear();
        if reply["type"] == "error" {
            assert_eq!(reply["code"], "rate_limited");
            break;
        }
        assert!(users.start < 1_000, "never refused");
    }
    let mut other = from("203.0.113.10");
    other.say(&quote("AAA"));
    assert_eq!(other.hear()["type"], "accepted");
}

#[test]
fn a_first_visit_is_quoted_and_not_refreshed_when_so_configured() {
    let home = Home::new();
    let (_up, websocket) = home.up(&["--active-from-second-visit"]);
    let mut socket = RawSocket::open(&websocket);
    let mut visit = || {
        socket.say(&quote("once"));
        assert_eq!(socket.hear()["type"], "accepted");
        assert_eq!(socket.hear()["status"], "answered");
    };
    let left_secs = || {
        let status = home.json(&["status"]);
        let users = status["active_users"].as_array().unwrap();
        let once = users.iter().find(|user| user["user"] == "once")?;
        Some(once["expires_in_secs"].as_u64().unwrap())
    };
    visit();
    assert!(left_secs().unwrap_or(0) <= 2, "too short to be refreshed");
    visit();
    assert!(left_secs().unwrap() > 60);
}

#[cfg(target_os = "linux")]
#[test]
fn unfinished_messages_are_bounded_in_bytes_for_all_together() {
    const MESSAGES: usize = 700;
    const FRAGMENT: usize = 30 * 1024;
    const FRAGMENTS: usize = 4;
    let home = Home::with_fixtures();
    let (gateway, websocket) = serve(&home, &[]);
    let before = resident(gateway.process());
    let mut sockets: Vec<_> = (0..MESSAGES).map(|_| RawSocket::open(&websocket)).collect();
    for socket in &mut sockets {
        for first in [TEXT].into_iter().chain([CONTINUATION; FRAGMENTS - 1]) {
            socket.send(first, &[b' '; FRAGMENT]).unwrap();
        }
        // The gateway has read everything, so this is the newest socket, whatever the gateway does in
        // parallel.
        socket.is_heard();
    }
    assert_eq!(sockets[0].close_code(), 1013, "the oldest");
    // A well-behaved client is served, also with a message that is not small.
    let mut honest = RawSocket::open(&websocket);
    let long = format!("{}{PING}", " ".repeat(FRAGMENT));
    honest.say(&long);
    assert_eq!(honest.hear(), json!({ "type": "pong" }));
    let newest = sockets.last_mut().unwrap();
    newest.send(FINAL | CONTINUATION, PING.as_bytes()).unwrap();
    assert_eq!(newest.hear(), json!({ "type": "pong" }), "one of the newest is finished");
    let grown = resident(gateway.process()) - before;
    // A message may take twice its size while it grows.
    assert!(grown < 2 * 64 * 1024 * 1024 + MESSAGES as u64 * 2 * BYTES_PER_SOCKET, "{grown} bytes");
}

#[test]
fn a_proxy_that_does_not_say_for_whom_makes_nobody_this_machine() {
    let home = Home::with_fixtures();
    let limit = ["--max-frames-per-address", "5", "--max-frames", "1000"];
    let (_up, url) = home.up(&[&["--allow-host", "quotes.example.com"], &limit[..]].concat());
    for path in ["/metrics", "/clients", "/live"] {
        assert_eq!(http_status(&url, &format!("GET {path} HTTP/1.1")), 403, "{path}");
    }
    // Strangers share one allowance, whatever connection they use.
    let refused = (0..100).find(|_| http_status(&url, "GET /health HTTP/1.1") == 429);
    assert!(refused.is_some());
    // A client that proves to be on this machine does not share it.
    for _ in 0..10 {
        assert_eq!(home.json(&["quote", "--client", "AAA", "P1:2"])["total"], "900.00");
    }
}
