//! Tests of what can happen to the store's files between two runs, and how the store opens afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::Connection;

use super::process::{Home, text};

/// How often a process is killed in the middle of something.
const KILLS: u64 = 10;

fn folder(home: &Home) -> PathBuf {
    home.path().join("data")
}

fn store(home: &Home) -> PathBuf {
    folder(home).join("store.db")
}

fn log_of(store: &Path) -> PathBuf {
    store.with_extension("db-wal")
}

/// Returns what SQLite finds wrong in a file, read page by page.
fn integrity(store: &Path) -> String {
    let connection = Connection::open(store).unwrap();
    connection.query_one("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// Returns data that takes a load some time.
fn products(home: &Home, price: u64) -> String {
    let lines: String = (0..2_000)
        .map(|n| format!("{{\"id\":\"P{n}\",\"name\":\"product\",\"price\":{}}}\n", price + n))
        .collect();
    home.file("products.ndjson", lines)
}

/// Leaves a store with a log beside it, as a killed process does.
fn killed(home: &Home) {
    home.ok(&["load", &products(home, 1)]);
    // Its connection keeps the log from being copied into the file.
    let (up, _) = home.up(&[]);
    home.ok(&["load", &products(home, 2)]);
    home.ok(&["subscribe", "AAA", "BBB"]);
    up.kill();
    assert!(fs::metadata(log_of(&store(home))).unwrap().len() > 100_000);
}

#[test]
fn a_store_killed_in_the_middle_of_commits_opens() {
    let home = Home::new();
    home.ok(&["load", &products(&home, 1)]);
    let mut chance = StdRng::seed_from_u64(1);
    for kill in 0..KILLS {
        let file = products(&home, 10 + kill);
        let mut load = home.command(&["load", &file]);
        let load = load.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut load = load.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(chance.random_range(20..200)));
        load.kill().unwrap();
        load.wait().unwrap();
        let status = home.json(&["status"]);
        assert!(status["catalogue"]["version"].as_u64() >= Some(1), "kill {kill}: {status}");
        assert_eq!(integrity(&store(&home)), "ok", "kill {kill}");
    }
}

#[test]
fn a_damaged_log_costs_its_end_and_nothing_else() {
    let home = Home::new();
    killed(&home);
    let (file, log) = (fs::read(store(&home)).unwrap(), fs::read(log_of(&store(&home))).unwrap());
    let mut chance = StdRng::seed_from_u64(2);
    let noise: Vec<u8> = (0..50_000).map(|_| chance.random()).collect();
    let mut logs = vec![vec![], noise.clone()];
    for _ in 0..6 {
        let cut = chance.random_range(0..log.len());
        logs.push(log[..cut].to_vec());
        // The log is as long as before, and different from there on.
        let rest = log.len() - cut;
        let other = noise.iter().copied().cycle().take(rest);
        logs.push(log[..cut].iter().copied().chain(other).collect());
    }
    for damaged in logs {
        let length = damaged.len();
        fs::remove_dir_all(folder(&home)).unwrap();
        fs::create_dir(folder(&home)).unwrap();
        fs::write(store(&home), &file).unwrap();
        fs::write(log_of(&store(&home)), damaged).unwrap();
        // The catalogue is one or the other as a whole, and the store can be written.
        let status = home.json(&["status"]);
        let version = status["catalogue"]["version"].as_u64().unwrap();
        assert!((1..=2).contains(&version), "{length} bytes of log: {status}");
        home.ok(&["subscribe", "CCC"]);
        assert_eq!(integrity(&store(&home)), "ok", "{length} bytes of log");
    }
}

#[test]
fn a_truncated_store_is_named_left_alone_and_replaced_by_a_backup() {
    let home = Home::new();
    home.ok(&["load", &products(&home, 1)]);
    let backup = home.path().join("backup.db");
    home.ok(&["backup", backup.to_str().unwrap()]);
    let whole = fs::read(store(&home)).unwrap();
    for length in [100, 512, 4096, 5000, whole.len() / 2, whole.len() - 4096] {
        fs::write(store(&home), &whole[..length]).unwrap();
        for command in [&["status"][..], &["subscribe", "AAA"], &["up", "--port", "0"]] {
            let stderr = home.fails(6, command);
            assert!(stderr.contains("store.db` is damaged"), "{length} bytes: {stderr}");
            assert!(stderr.contains("replace it with a backup"), "{stderr}");
        }
        assert!(fs::read(store(&home)).unwrap() == whole[..length], "{length} bytes were touched");
    }
    fs::copy(&backup, store(&home)).unwrap();
    assert_eq!(home.json(&["status"])["catalogue"]["version"], 1);
}

#[test]
fn a_load_that_an_earlier_release_left_half_done_is_named_until_all_is_loaded_again() {
    let home = Home::new();
    home.ok(&["load", &products(&home, 1)]);
    let mark = "UPDATE catalogue_head SET half_loaded = 1";
    Connection::open(store(&home)).unwrap().execute(mark, []).unwrap();
    let target = format!(" --data-dir {}", folder(&home).display());
    let dir = folder(&home);
    let named = ["--data-dir", dir.to_str().unwrap()];
    let said = |args: &[&str]| text(&home.run(&[&named[..], args].concat()).stderr);

    let warning = said(&["status"]);
    assert!(warning.contains("ended in the middle of a load"), "{warning}");
    assert!(warning.contains(&format!("`ocache load{target} PATH`")), "{warning}");
    let doctor = home.run(&["doctor", "--output", "json"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(text(&doctor.stdout).contains("ended in the middle of a load"));

    home.ok(&["load", &products(&home, 2)]);
    let after = said(&["status"]);
    assert!(!after.contains("in the middle of a load"), "{after}");
    home.ok(&["doctor"]);
}

/// Runs a shell script with a command of ocache as `"$@"`.
fn script(home: &Home, script: &str, args: &[&str]) -> Output {
    let ocache = home.command(args);
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(ocache.get_program()).args(ocache.get_args());
    for (name, value) in ocache.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::null()).output().unwrap()
}

/// Tests a file that may not grow, which is the one limit that every user can set.
#[cfg(unix)]
#[test]
fn a_store_that_may_not_grow_says_so_and_goes_on_later() {
    let home = Home::new();
    home.ok(&["load", &products(&home, 1)]);
    // The unit is 512 bytes.
    let limited = r#"ulimit -f 64; exec "$@""#;
    let output = script(&home, limited, &["load", &products(&home, 2)]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("store.db` is unavailable"), "{stderr}");
    assert!(stderr.contains("ulimit -f"), "{stderr}");

    assert_eq!(integrity(&store(&home)), "ok");
    // A failed load keeps other loads out for half a minute, and nobody else.
    home.ok(&["subscribe", "AAA"]);
    assert_eq!(home.json(&["status"])["catalogue"]["version"], 1);
    assert_eq!(integrity(&store(&home)), "ok");
}

/// Tests a full disk.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a disk of its own: .ci/tools"]
fn needs_a_disk_a_full_one_is_named_and_room_is_all_it_takes() {
    let home = Home::new();
    fs::create_dir(folder(&home)).unwrap();
    let run = |inside: &str, args: &[&str]| {
        // What is mounted in a namespace of its own is not visible outside, and ends by itself.
        let script_in = format!(
            r#"exec unshare --user --map-root-user --mount sh -c '
                mount -t tmpfs -o size=1500k,mode=700 none "$OCACHE_DATA_DIR" || exit 99
                {inside}' sh "$@""#
        );
        script(&home, &script_in, args)
    };
    let inside = r#"
        dd if=/dev/zero of="$OCACHE_DATA_DIR/filler" bs=1024 count=1250 2>/dev/null || exit 98
        "$@"; test $? = 6 || exit 97
        rm "$OCACHE_DATA_DIR/filler"
        "$1" subscribe AAA || exit 96"#;
    let output = run(inside, &["load", &products(&home, 1)]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("full"), "{stderr}");
}

/// Tests a user who may read the store, but not write it.
#[cfg(unix)]
#[test]
#[ignore = "needs a user without rights who may run the program: .ci/tools"]
fn needs_nobody_a_store_that_cannot_be_written_is_named() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;
    let home = Home::new();
    home.ok(&["load", &products(&home, 1)]);
    let is_root = chown(home.path(), Some(0), None).is_ok();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let run = |args: &[&str]| {
        let mut command = home.command(args);
        if is_root {
            // Permissions do not restrict root.
            command.uid(NOBODY).gid(NOBODY);
        }
        command.stdin(Stdio::null()).output()
    };
    mode(home.path(), 0o755);
    let before = fs::read(store(&home)).unwrap();
    let mut modes = vec![(0o777, 0o444), (0o555, 0o444), (0o555, 0o666)];
    if is_root {
        // As ocache makes it: others do not even see whether there is a store.
        modes.push((0o700, 0o600));
    }
    for (folder_mode, file_mode) in modes {
        mode(&store(&home), file_mode);
        mode(&folder(&home), folder_mode);
        for args in [&["status"][..], &["subscribe", "AAA"]] {
            let output = run(args).unwrap();
            let stderr = text(&output.stderr);
            let case = format!("{folder_mode:o} {file_mode:o} {args:?}: {stderr}");
            assert_eq!(output.status.code(), Some(6), "{case}");
            assert!(stderr.contains("store.db`") && stderr.contains("hint: "), "{case}");
        }
        mode(&folder(&home), 0o700);
        mode(&store(&home), 0o600);
        assert!(fs::read(store(&home)).unwrap() == before, "it was touched");
    }
    home.ok(&["subscribe", "AAA"]);
}
