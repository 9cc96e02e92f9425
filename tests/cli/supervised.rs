//! Tests that a part of a process that dies ends the process, which says so. The tests plant panics from
//! outside, as only builds with debug assertions allow.
#![cfg(debug_assertions)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Home, Running};

/// Long after it should have died.
const HANG: Duration = Duration::from_secs(60);

/// A home with a folder in which panics are planted.
struct Planted {
    home: Home,
}

impl Planted {
    fn new() -> Self {
        let home = Home::with_fixtures();
        fs::create_dir(home.path().join("panics")).unwrap();
        Self { home }
    }

    fn start(&self, args: &[&str]) -> Running {
        let mut command = self.home.command(args);
        command.args(["--output", "json"]);
        command.env("OCACHE_PLANTED_PANICS", self.home.path().join("panics"));
        Running::of(command)
    }

    fn up(&self) -> (Running, String) {
        let mut up = self.start(&["up", "--port", "0", "--refresh-every", "200ms"]);
        let ready = up.stdout_json();
        (up, ready["websocket"].as_str().unwrap().replace("ws://", ""))
    }

    fn plant(&self, part: &str) {
        fs::write(self.home.path().join("panics").join(part), "").unwrap();
    }
}

/// Makes a gateway write and read something, whatever the result.
fn give_work(address: &str) {
    let body = r#"{"user_id":"BBB"}"#;
    let request = format!(
        "PUT /subscribe HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    if let Ok(mut socket) = TcpStream::connect(address) {
        let _ = socket.write_all(request.as_bytes());
        let _ = socket.read_to_end(&mut vec![]);
    }
}

fn says_who_died(process: Running, part: &str) {
    let (code, stderr) = process.end();
    assert_eq!(code, Some(1), "{part}: {stderr}");
    let last: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
    let message = last["error"]["message"].as_str().unwrap();
    let words = format!("{part} died: planted by a test (src/supervisor/planted.rs");
    assert!(message.starts_with(&words), "{part}: {stderr}");
    println!("exit code 1, {message}");
}

#[test]
fn whatever_part_of_the_system_dies_the_others_drain_and_the_reason_is_told() {
    for part in [
        "the consumer of the Refresh Queue",
        "the consumer of the Quotation Queue",
        "the consumer of the provider's queue",
        "the schedule",
        "the gateway",
        "the page's course of counters",
        "the meter",
        "the watch over the file of the store",
        "the wait for signals",
        "the writing thread of the store",
        "the answers of the store",
        "a reading thread of the store",
        "the watching thread of the store",
        "the watch over processes that end",
        "the settings of the stack",
        "the sign of life",
        "the list of events",
        "the workers",
    ] {
        let planted = Planted::new();
        let (mut up, address) = planted.up();
        planted.plant(part);
        let begun = Instant::now();
        while up.is_running() {
            assert!(begun.elapsed() < HANG, "{part} does not die");
            // Several requests at once, so that their writes share a commit.
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| give_work(&address));
                }
            });
        }
        says_who_died(up, part);
        let gateways = fs::read_dir(planted.home.path().join("data/gateways")).unwrap();
        assert_eq!(gateways.count(), 0, "{part}: it has not drained");
    }
}

#[test]
fn a_thread_that_dies_at_the_start_ends_the_process_too() {
    for part in ["the checkpoint thread of the store", "the count of signals"] {
        let planted = Planted::new();
        planted.plant(part);
        says_who_died(planted.start(&["worker", "all"]), part);
    }
}

#[test]
fn a_worker_without_its_metrics_does_not_live_on() {
    let planted = Planted::new();
    let mut worker = planted.start(&["worker", "all", "--metrics-port", "0"]);
    worker.stderr_line("working");
    planted.plant("the metrics server");
    says_who_died(worker, "the metrics server");
}

#[test]
fn a_command_that_waits_for_a_dead_part_gives_up_at_once() {
    let planted = Planted::new();
    planted.plant("the consumer of the provider's queue");
    let quote = planted.start(&["quote", "--client", "AAA", "P1"]);
    says_who_died(quote, "the consumer of the provider's queue");
}
