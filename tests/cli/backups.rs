//! Tests of an `ocache backup` that is stopped: the store is not affected.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use super::process::{Home, Running};

/// Returns a store that takes some time to copy.
fn large() -> Home {
    let home = Home::with_fixtures();
    let mut store = Connection::open(home.path().join("data/store.db")).unwrap();
    let store = store.transaction().unwrap();
    let filler = "
        INSERT INTO usage (window, process, expires_at, body)
        VALUES (?1, 'filler', 9000000000000, randomblob(1000000))";
    for window in 0..150 {
        store.execute(filler, [window]).unwrap();
    }
    store.commit().unwrap();
    home
}

fn send(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

/// Returns the process that copies for a command.
fn copier(backup: &Running) -> String {
    let pid = backup.process().id();
    loop {
        let children = format!("/proc/{pid}/task/{pid}/children");
        let children = std::fs::read_to_string(children).unwrap();
        // Until it has become another program, the child is this one.
        if let Some(child) = children.split_whitespace().next() {
            return child.to_owned();
        }
        std::thread::yield_now();
    }
}

/// Waits until the whole log can be copied into the store. A copy in progress prevents this.
fn wait_until_log_begins_anew(home: &Home) {
    let store = Connection::open(home.path().join("data/store.db")).unwrap();
    store.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
    let product = "UPDATE product SET name = name || '.' WHERE id = 'P1'";
    assert_eq!(store.execute(product, []).unwrap(), 1);
    let busy = store.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, i64>(0));
    assert_eq!(busy.unwrap(), 0, "a reader keeps the log from starting over");
}

fn is_store(file: &Path) {
    let copy = Connection::open(file).unwrap();
    let products = copy.query_row("SELECT count(*) FROM product", [], |row| row.get::<_, i64>(0));
    assert_eq!(products.unwrap(), 5);
}

#[test]
#[cfg(target_os = "linux")]
fn a_stopped_backup_copies_on_and_the_log_begins_anew() {
    let home = large();
    let file = home.path().join("copy.db");
    let mut backup = home.start(&["backup", file.to_str().unwrap()]);
    backup.stderr_line("engine: ");
    let pid = backup.process().id().to_string();
    send("-STOP", &pid);
    wait_until_log_begins_anew(&home);
    send("-CONT", &pid);
    assert_eq!(backup.end(), (Some(0), String::new()));
    is_store(&file);
}

#[test]
#[cfg(target_os = "linux")]
fn a_copy_that_comes_to_a_standstill_is_ended() {
    let home = large();
    let file = home.path().join("copy.db");
    let backup = home.start(&["backup", file.to_str().unwrap()]);
    while !file.exists() {
        std::thread::yield_now();
    }
    send("-STOP", &copier(&backup));
    let (code, stderr) = backup.end();
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("made no progress for 10 s"), "{stderr}");
    assert!(!file.exists(), "what is half copied is removed");
    wait_until_log_begins_anew(&home);
}

#[test]
#[cfg(target_os = "linux")]
fn a_copy_ends_with_its_command() {
    for signal in ["-INT", "-KILL"] {
        let home = large();
        let file = home.path().join("copy.db");
        let backup = home.start(&["backup", file.to_str().unwrap()]);
        while !file.exists() {
            std::thread::yield_now();
        }
        send(signal, &backup.process().id().to_string());
        let (code, stderr) = backup.end();
        assert_eq!(code, (signal == "-INT").then_some(130), "{stderr}");
        // The copying process notices that its command is gone.
        wait_until_log_begins_anew(&home);
        while file.exists() {
            std::thread::yield_now();
        }
    }
}
