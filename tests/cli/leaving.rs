//! Tests of a person at a terminal, and of readers who leave before a command has ended.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::process::Home;

/// A wait that ends only if the test has failed.
const HANG: Duration = Duration::from_secs(60);

pub fn ended(mut child: Child) -> Option<i32> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if begun.elapsed() > HANG {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn started(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Reads a line of stdout, and leaves.
fn read_a_line_of(child: &mut Child) {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_ne!(line, "");
}

#[cfg(unix)]
#[test]
fn a_watched_status_ends_when_its_reader_leaves_and_not_at_the_next_interval() {
    let home = Home::with_fixtures();
    for format in ["table", "json", "ndjson"] {
        let mut child = started(home.command(&["status", "--watch", "1h", "--output", format]));
        read_a_line_of(&mut child);
        assert_eq!(ended(child), Some(0), "{format}");
    }
}

#[cfg(unix)]
#[test]
fn a_session_ends_when_its_reader_leaves_though_more_could_be_asked() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let mut child = started(home.command(&["quote", "--client", "AAA"]));
    let mut lines = child.stdin.take().unwrap();
    lines.write_all(b"P1:2\n").unwrap();
    read_a_line_of(&mut child);
    assert_eq!(ended(child), Some(0));
    drop(lines);
}

/// Types lines into a session on a terminal of its own. Returns what is seen there, what is printed to
/// stdout, and the exit code.
#[cfg(target_os = "linux")]
fn typed(home: &Home, args: &[&str], lines: &str) -> (String, String, Option<i32>) {
    let mut terminal = super::pty::Terminal::new(80, 24);
    let mut command = home.command(args);
    command.stdin(terminal.far()).stderr(terminal.far()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The command holds handles of the terminal, which would keep the read below from ending.
    drop(command);
    terminal.types(lines);
    let seen = terminal.rest();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    (seen, stdout, ended(child))
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_has_a_prompt_and_help_and_is_forgiven_typing_errors() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let lines = "help\nP1:x\nP1:2\nexit\n";
    let (seen, stdout, code) = typed(&home, &["quote", "--client", "AAA"], lines);
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("AAA> "), "{seen}");
    assert!(seen.contains("a product with a blank in its id"), "{seen}");
    assert!(seen.contains("error:") && seen.contains("`x` is not a decimal"), "{seen}");
    assert!(!seen.contains("line 2"), "{seen}");
    assert!(stdout.contains("900.00"), "{stdout}");
}
