//! A person at a terminal, and readers who leave before a command has ended.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::process::{Home, text};

/// Waiting that ends only when the test has failed.
const HANG: Duration = Duration::from_secs(60);

fn ended(mut child: Child) -> Option<i32> {
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
/// stdout, and how it ends.
#[cfg(target_os = "linux")]
fn typed(home: &Home, args: &[&str], lines: &str) -> (String, String, Option<i32>) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::fs::File;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&near).unwrap();
    unlockpt(&near).unwrap();
    let name = ptsname(&near, vec![]).unwrap();
    let mut options = File::options();
    let not_mine = rustix::fs::OFlags::NOCTTY.bits().try_into().unwrap();
    options.read(true).write(true).custom_flags(not_mine);
    let far = options.open(std::ffi::OsStr::from_bytes(name.as_bytes())).unwrap();
    let mut command = home.command(args);
    command.stdin(far.try_clone().unwrap()).stderr(far).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // With it go this side's handles of the far end: reading ends when the child does.
    drop(command);
    let mut near = File::from(near);
    near.write_all(lines.as_bytes()).unwrap();
    let (mut seen, mut buffer) = (vec![], [0; 4096]);
    while let Ok(length @ 1..) = near.read(&mut buffer) {
        seen.extend(&buffer[..length]);
    }
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    (text(&seen), stdout, ended(child))
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
