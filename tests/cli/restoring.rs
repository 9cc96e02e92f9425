//! Tests of `ocache restore`: all of a backup or nothing of it, and never while a process has the store
//! open.

use std::fs;
use std::path::{Path, PathBuf};

use ocache::embedded::Restore;
use rusqlite::Connection;

use super::process::Home;

fn store(home: &Home) -> PathBuf {
    home.path().join("data/store.db")
}

/// Returns a home with a backup of the fixtures, and a store that has another customer since then.
fn home_with_backup() -> (Home, String) {
    let home = Home::with_fixtures();
    let backup = home.path().join("backup.db").to_str().unwrap().to_owned();
    home.ok(&["backup", &backup]);
    home.ok(&["subscribe", "LATER"]);
    (home, backup)
}

fn active_users(home: &Home) -> usize {
    home.json(&["status"])["active_users"].as_array().unwrap().len()
}

/// Returns the names in the data folder that show that a restore was left half done.
fn leftovers(home: &Home) -> Vec<String> {
    let names = fs::read_dir(home.path().join("data")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("restor")).collect()
}

#[test]
fn a_backup_takes_the_place_of_the_store() {
    let (home, backup) = home_with_backup();
    assert_eq!(active_users(&home), 1);
    let restored = home.json(&["restore", &backup, "--yes"]);
    assert_eq!(restored["replaced"], true);
    assert_eq!(restored["store"], store(&home).to_str().unwrap());
    assert_eq!(active_users(&home), 0, "what came after the backup is gone");
    assert_eq!(home.json(&["status"])["catalogue"]["version"], 1);
    home.ok(&["subscribe", "AAA"]);
    assert_eq!(leftovers(&home), [""; 0]);
}

#[test]
fn a_backup_makes_a_store_where_there_is_none() {
    let (home, backup) = home_with_backup();
    let other = home.path().join("other");
    let args = ["--data-dir", other.to_str().unwrap()];
    let restored = home.json(&[&["restore", &backup], &args[..]].concat());
    assert_eq!(restored["replaced"], false);
    assert_eq!(home.json(&[&["status"], &args[..]].concat())["catalogue"]["version"], 1);
    assert_eq!(active_users(&home), 1, "the store of the other folder stays");
}

#[test]
fn a_store_is_not_replaced_unasked() {
    let (home, backup) = home_with_backup();
    let stderr = home.fails(2, &["restore", &backup]);
    assert!(stderr.contains("replace the store") && stderr.contains("--yes"), "{stderr}");
    assert_eq!(active_users(&home), 1);
    assert_eq!(leftovers(&home), [""; 0]);
}

#[test]
fn a_store_in_use_is_not_replaced() {
    let (home, backup) = home_with_backup();
    let in_use = |stderr: &str| assert!(stderr.contains("store.db` is in use"), "{stderr}");
    let worker = home.worker("all");
    in_use(&home.fails(1, &["restore", &backup, "--yes"]));
    assert_eq!(active_users(&home), 1);
    assert_eq!(worker.interrupt().0, Some(0));

    // Stands for a database browser.
    let other = Connection::open(store(&home)).unwrap();
    other.query_row("SELECT count(*) FROM product", [], |_| Ok(())).unwrap();
    in_use(&home.fails(1, &["restore", &backup, "--yes"]));
    drop(other);
    home.ok(&["restore", &backup, "--yes"]);
    assert_eq!(active_users(&home), 0);
}

#[test]
fn what_is_no_sound_backup_leaves_the_store_as_it_is() {
    let (home, backup) = home_with_backup();
    let before = fs::read(store(&home)).unwrap();
    let whole = fs::read(&backup).unwrap();
    let refused = |code: i32, file: &str, wanted: &str| {
        let stderr = home.fails(code, &["restore", file, "--yes"]);
        assert!(stderr.contains(wanted) && stderr.contains("hint"), "{stderr}");
        assert_eq!(fs::read(store(&home)).unwrap(), before, "{wanted}");
        assert_eq!(leftovers(&home), [""; 0]);
    };
    refused(4, "nowhere.db", "there is no file `nowhere.db`");
    refused(2, store(&home).to_str().unwrap(), "is the store itself");
    refused(3, home.path().to_str().unwrap(), "is not a backup");
    refused(3, &home.file("empty.db", ""), "is not a backup");
    refused(3, &home.file("letter.db", "quite a long letter ".repeat(999)), "is not a backup");
    for length in [4096, 5000, whole.len() / 2, whole.len() - 4096] {
        refused(3, &home.file("cut.db", &whole[..length]), "is damaged");
    }
    let mut torn = whole.clone();
    for page in torn.chunks_mut(4096).skip(2) {
        page[..64].fill(0xff);
    }
    refused(3, &home.file("torn.db", &torn), "is damaged");

    let newer = home.file("newer.db", &whole);
    let connection = Connection::open(&newer).unwrap();
    connection.pragma_update(None, "user_version", 9999).unwrap();
    drop(connection);
    refused(3, &newer, "has version 9999");

    let with_log = home.file("live.db", &whole);
    home.file("live.db-wal", "the last writes");
    refused(3, &with_log, "has a log beside it");
    std::fs::create_dir(home.path().join("copied store")).unwrap();
    let copied = home.file("copied store/store.db", &whole);
    home.file("copied store/store.db-wal", "the last writes");
    // The store to copy is not that of the data folder.
    let folder = home.path().join("copied store");
    refused(3, &copied, &format!("`ocache backup FILE --data-dir '{}'`", folder.display()));
}

#[test]
fn a_store_that_is_damaged_is_replaced() {
    let (home, backup) = home_with_backup();
    let whole = fs::read(store(&home)).unwrap();
    for length in [0, 100, 5000, whole.len() / 2] {
        fs::write(store(&home), &whole[..length]).unwrap();
        home.ok(&["restore", &backup, "--yes"]);
        assert_eq!(home.json(&["status"])["catalogue"]["version"], 1, "{length} bytes");
    }
}

/// Tests that the log of a killed process, which belongs to the replaced store, is not applied to the
/// restored one.
#[test]
fn the_log_of_the_replaced_store_is_not_read_into_the_backup() {
    let (home, backup) = home_with_backup();
    let data = home.path().join("data");
    let up = home.worker("all");
    home.ok(&["subscribe", "KILLED"]);
    let log = data.join("store.db-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0);
    up.kill();
    home.ok(&["restore", &backup, "--yes"]);
    assert!(!log.exists());
    assert_eq!(active_users(&home), 0);
    let integrity = Connection::open(store(&home)).unwrap();
    let integrity =
        integrity.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    assert_eq!(integrity.unwrap(), "ok");
}

/// Tests that a killed restore leaves only a file, which the next one removes.
#[test]
fn a_copy_that_was_left_is_no_hindrance() {
    let (home, backup) = home_with_backup();
    home.file("data/store.db.restoring", "half a copy");
    assert_eq!(active_users(&home), 1);
    home.ok(&["restore", &backup, "--yes"]);
    assert_eq!(leftovers(&home), [""; 0]);
    assert_eq!(active_users(&home), 0);
}

/// Tests that of two restores at once one is refused, and does not touch the copy of the other.
#[test]
fn a_copy_is_one_restores_alone() {
    let (home, backup) = home_with_backup();
    let dir = home.path().join("data");
    let first = Restore::prepare(&dir, Path::new(&backup)).unwrap();
    let stderr = home.fails(1, &["restore", &backup, "--yes"]);
    assert!(stderr.contains("another restore") && stderr.contains("under way"), "{stderr}");
    first.commit().unwrap();
    assert_eq!(active_users(&home), 0, "it is the checked copy");
    home.ok(&["subscribe", "LATER"]);
    home.ok(&["restore", &backup, "--yes"]);
    assert_eq!((active_users(&home), leftovers(&home)), (0, vec![]));
}

#[test]
#[cfg(unix)]
fn only_the_owner_may_read_what_is_restored() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, backup) = home_with_backup();
    fs::set_permissions(&backup, fs::Permissions::from_mode(0o644)).unwrap();
    home.ok(&["restore", &backup, "--yes"]);
    assert_eq!(fs::metadata(store(&home)).unwrap().permissions().mode() & 0o777, 0o600);
}
