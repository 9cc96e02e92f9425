//! Tests of a limit on the size of files (`ulimit -f`): the error names it, and no signal ends the process.

use std::process::{Command, Output, Stdio};

use super::process::{Home, text};

/// Runs a command whose files may have this many kilobytes.
fn limited(home: &Home, kilobytes: u32, args: &[&str]) -> Output {
    let mut command: Command = home.program("bash");
    let script = format!("ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_ocache")]).args(args);
    command.stdin(Stdio::null()).output().unwrap()
}

fn assert_named(output: &Output) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("ulimit -f"), "{stderr}");
}

#[test]
fn a_store_that_may_not_grow_says_why() {
    let home = Home::new();
    let dir = home.path().join("files");
    let dir = dir.to_str().unwrap();
    home.ok(&["generate", dir, "--products", "20000", "--users", "10", "--discounts", "10"]);
    // The first write fails, or a later one when the file has grown.
    for kilobytes in [0, 1, 40, 400, 1000] {
        assert_named(&limited(&Home::new(), kilobytes, &["load", dir]));
    }
    home.ok(&["load", dir]);
    let copy = home.path().join("copy.db");
    assert_named(&limited(&home, 400, &["backup", copy.to_str().unwrap()]));
    assert!(!copy.exists());
}

#[test]
fn doctor_tries_a_write() {
    let home = Home::with_fixtures();
    let _worker = home.worker("all");
    let found = |output: &Output| -> serde_json::Value {
        let checks: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        checks.into_iter().find(|check| check["what"] == "a write").unwrap()
    };
    let doctor = ["doctor", "--output", "json"];
    let sound = home.run(&doctor);
    assert_eq!(found(&sound)["ok"], true, "{}", text(&sound.stderr));
    let ill = limited(&home, 1, &doctor);
    assert_eq!(ill.status.code(), Some(1), "{}", text(&ill.stderr));
    let check = found(&ill);
    assert_eq!(check["ok"], false);
    assert!(check["found"].as_str().unwrap().contains("ulimit -f"), "{check}");
    // Nothing of it is left.
    assert_eq!(home.json(&["status"])["active_users"], serde_json::json!([]));
}
