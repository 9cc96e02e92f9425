//! Tests of processes whose stderr nobody reads.

use std::net::TcpStream;
use std::time::Duration;

use super::process::{Home, text};

/// Far more than a pipe holds, if every step is logged.
const QUOTES: usize = 500;

#[test]
fn a_log_that_nobody_reads_stops_neither_quotes_nor_signals() {
    let home = Home::with_fixtures();
    let (mut up, url) = home.up(&["-vvv"]);
    let session = home.piped(
        &["quote", "--client", "AAA", "--output", "ndjson", "--quiet"],
        "P1:2 P3:1\n".repeat(QUOTES),
    );
    assert!(session.status.success(), "{}", text(&session.stderr));
    assert_eq!(text(&session.stdout).lines().count(), QUOTES);

    // This client does not close its connection. Without the second signal, draining takes seconds.
    let _idle = TcpStream::connect(url.strip_prefix("ws://").unwrap()).unwrap();
    while up.is_running() {
        up.signal();
        std::thread::sleep(Duration::from_millis(50));
    }
    let (code, log) = up.end();
    assert!([Some(0), Some(130)].contains(&code), "{code:?}: {log}");
}

#[test]
fn what_was_left_out_of_a_log_is_told_when_it_is_read() {
    let home = Home::with_fixtures();
    let (mut up, _) = home.up(&["-vvv"]);
    let told = "lines of the log were left out";
    // Continues until more has been logged than can wait for a reader.
    for _ in 0..20 {
        let session = home.piped(
            &["quote", "--client", "AAA", "--output", "ndjson", "--quiet"],
            "P1:2 P3:1\n".repeat(QUOTES),
        );
        assert!(session.status.success(), "{}", text(&session.stderr));
    }
    let line = up.stderr_line(told);
    assert!(line.contains("lines="), "{line}");
    let (code, log) = up.interrupt();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.ends_with("drained\n"), "{log}");
}
