//! Tests of the commands that read or change the store.

use serde_json::{Value, json};

use super::process::{Home, text};
use super::schema::Schemas;

#[test]
fn loading_twice_changes_nothing_and_says_so() {
    let home = Home::with_fixtures();
    let output = home.run(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")]);
    assert!(text(&output.stderr).contains("nothing changed"));
    let report = home.json(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")]);
    let unchanged = json!({ "added": 0, "changed": 0, "unchanged": 5, "removed": 0 });
    assert_eq!((&report["products"], &report["catalogue_version"]), (&unchanged, &json!(1)));
}

#[test]
fn generated_data_loads_and_is_the_same_for_the_same_seed() {
    let home = Home::new();
    let dirs = ["a", "b"].map(|name| home.path().join(name).to_str().unwrap().to_owned());
    for (dir, format) in dirs.iter().zip(["ndjson", "ndjson"]) {
        let args = ["generate", dir, "--products", "3000", "--users", "20", "--format", format];
        assert_eq!(home.json(&args)["products"], 3000);
    }
    let read = |dir: &str| std::fs::read(format!("{dir}/products.ndjson")).unwrap();
    assert!(read(&dirs[0]) == read(&dirs[1]), "the same seed made other data");
    home.fails(1, &["generate", &dirs[0]]);
    let left = home.fails(1, &["generate", &dirs[0], "--force", "--format", "csv"]);
    assert!(left.contains("products.ndjson, ") && left.contains("discounts.ndjson would stay"));
    let report = home.json(&["load", &dirs[0]]);
    assert_eq!(
        (&report["products"]["added"], &report["users"]["added"]),
        (&json!(3000), &json!(20))
    );
}

#[cfg(unix)]
#[test]
fn a_load_that_still_reads_can_be_interrupted() {
    let home = Home::new();
    let pipe = home.path().join("endless.ndjson");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let load = home.start(&["load", pipe.to_str().unwrap()]);
    // This opens when the other side reads.
    let _writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let (code, stderr) = load.interrupt();
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("interrupted"), "{stderr}");
}

#[test]
fn a_table_is_shown_whole_and_by_product() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    home.json(&["quote", "--client", "AAA", "P1"]);
    let table = home.json(&["prices", "AAA"]);
    assert_eq!(table["prices"].as_array().unwrap().len(), 5);
    assert_eq!((&table["fresh"], &table["products"]), (&json!(true), &json!(5)));
    let one = home.json(&["prices", "AAA", "--product", "P3"]);
    assert_eq!(one["prices"][0]["unit_price"], "905.52");
    let missing = home.run(&["prices", "AAA", "--product", "P9"]);
    assert_eq!(missing.status.code(), Some(4));
}

#[test]
fn an_unsubscribed_user_is_no_longer_active() {
    let home = Home::with_fixtures();
    assert_eq!(home.json(&["subscribe", "AAA", "BBB"])[1]["visit"], "new");
    let again = home.json(&["subscribe", "AAA"]);
    assert_eq!(again[0]["visit"], "active");
    Schemas::read().check("subscribe", &again);
    assert_eq!(home.json(&["status"])["queues"]["quotation"]["waiting"], 2);
    let once = home.ok(&["unsubscribe", "AAA", "AAA"]);
    assert!(once.ends_with(" AAA        active\n") && once.matches("AAA").count() == 1, "{once}");
    let again = home.run(&["unsubscribe", "AAA", "Nobody"]);
    let (stdout, stderr) = (text(&again.stdout), text(&again.stderr));
    assert_eq!(again.status.code(), Some(4), "{stderr}");
    assert!(stdout.contains(" AAA        not active\n"), "{stdout}");
    assert!(stderr.contains("customers `AAA`, `Nobody` were not active"), "{stderr}");
    let status = home.json(&["status"]);
    assert_eq!(status["active_users"].as_array().unwrap().len(), 1);
    assert_eq!(status["active_users"][0]["user"], "BBB");
}

#[cfg(unix)]
#[test]
fn generating_that_is_interrupted_leaves_no_partial_file() {
    use std::process::Stdio;

    use rustix::process::{Pid, Signal, kill_process};

    let home = Home::new();
    let folder = home.path().join("made");
    for signal in [Signal::INT, Signal::TERM] {
        // So many that it takes far longer than to see the file.
        let args = ["generate", folder.to_str().unwrap(), "--products", "20000000"];
        let mut command = home.command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !folder.join(".products.partial").exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("interrupted; "), "{said}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    }
}

#[test]
fn an_expired_user_is_not_unsubscribed_as_active() {
    let home = Home::with_fixtures();
    home.ok(&["subscribe", "AAA", "--ttl", "1s"]);
    while !home.json(&["status"])["active_users"].as_array().unwrap().is_empty() {}
    let expired = home.run(&["unsubscribe", "Nobody", "AAA", "--output", "json"]);
    assert_eq!(expired.status.code(), Some(4), "{expired:?}");
    let rows: Value = serde_json::from_slice(&expired.stdout).unwrap();
    assert_eq!(rows[1], json!({ "user": "AAA", "removed": false, "was": "expired" }));
    let stderr = text(&expired.stderr);
    let each = "customer `AAA` had already expired; customer `Nobody` was not active";
    assert!(stderr.contains(each), "{stderr}");
    let again = home.run(&["unsubscribe", "AAA", "--output", "json"]);
    assert_eq!(again.status.code(), Some(4), "{again:?}");
    let rows: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(
        rows,
        json!([{ "user": "AAA", "removed": false, "was": "not_active" }]),
        "the row is gone"
    );
    assert!(text(&again.stderr).contains("customer `AAA` was not active"), "{again:?}");
}

#[test]
fn a_table_of_many_parts_is_printed_in_pieces_that_look_like_one() {
    const PRODUCTS: usize = 20_000;
    let home = Home::new();
    let made = home.path().join("made").to_str().unwrap().to_owned();
    let products = PRODUCTS.to_string();
    home.ok(&["generate", &made, "--products", &products, "--users", "1"]);
    home.ok(&["load", &made]);
    let _worker = home.worker("price-calc");
    home.ok(&["subscribe", "Ann"]);
    let prices = loop {
        let output = home.run(&["prices", "Ann", "--output", "json"]);
        if output.status.success() {
            break serde_json::from_slice::<Value>(&output.stdout).unwrap();
        }
    };
    let rows = prices["prices"].as_array().unwrap();
    assert_eq!((rows.len(), &prices["products"]), (PRODUCTS, &json!(PRODUCTS)));
    assert!(rows.is_sorted_by_key(|row| row["product"].as_str().unwrap().to_owned()));
    assert!(rows.iter().all(|row| row["name"] != ""), "every product has a name");
    let line = home.ok(&["prices", "Ann", "--output", "ndjson"]);
    assert_eq!(line.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["prices"], prices["prices"]);

    let text = home.ok(&["prices", "Ann"]);
    let lines: Vec<&str> = text.lines().collect();
    // A header, its rule, the rows, and a summary.
    assert_eq!(lines.len(), PRODUCTS + 3);
    assert!(lines[PRODUCTS + 2].starts_with("20000 products in USD"), "{}", lines[PRODUCTS + 2]);
    // The last column is aligned to the right, and the rule has one more space.
    let width = lines[1].chars().count() - 1;
    let others = lines[2..PRODUCTS + 2].iter().find(|line| line.chars().count() != width);
    assert_eq!(others, None, "columns of all pieces are as wide");
}

#[test]
fn a_backup_is_a_store_of_its_own() {
    let home = Home::with_fixtures();
    let copy = home.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    let file = copy.join("store.db");
    home.ok(&["backup", file.to_str().unwrap()]);
    home.fails(1, &["backup", file.to_str().unwrap()]);
    let status = home.json(&["status", "--data-dir", copy.to_str().unwrap()]);
    assert_eq!(status["catalogue"]["version"], 1);
}

#[test]
fn there_are_no_dead_letters() {
    let home = Home::with_fixtures();
    assert_eq!(home.json(&["dead-letters", "list"]), json!([]));
    assert_eq!(home.json(&["dead-letters", "redrive", "--all"]), json!({ "redriven": 0 }));
    assert_eq!(home.json(&["dead-letters", "drop", "--all"]), json!({ "dropped": 0 }));
}

#[test]
fn quiet_is_quiet_and_a_reader_that_leaves_is_no_failure() {
    let home = Home::with_fixtures();
    let output = home.run(&["status", "--quiet"]);
    assert_eq!(text(&output.stderr), "");
    let mut child = home
        .command(&["completions", "bash"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_flag_that_a_command_lacks_is_taken_for_another_only_if_it_is_a_typing_error_of_it() {
    let home = Home::new();
    let lacks = home.fails(2, &["list", "products", "--client", "AAA"]);
    assert!(lacks.contains("'--client'"), "{lacks}");
    assert!(!lacks.contains("--quiet") && !lacks.contains("tip"), "{lacks}");
    assert!(home.fails(2, &["list", "products", "--limt", "1"]).contains("'--limit'"));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure_that_says_so() {
    let home = Home::with_fixtures();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in [&["status"][..], &["--version"], &["--help"], &["quote", "--help"]] {
        let full = full.try_clone().unwrap();
        let output = home.command(args).stdout(full).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert!(stderr.contains("the output cannot be written"), "{args:?}: {stderr}");
    }
}

#[test]
fn commands_in_hints_are_about_the_same_stack() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    home.ok(&["quote", "--client", "AAA", "P1"]);
    let folder = home.path().join("data");
    let flags = format!("--data-dir {}", folder.display());
    for (args, hint) in [
        (&["prices", "NEW"][..], "`ocache subscribe NEW FLAGS` while"),
        (&["prices", "AAA", "--product", "NOPE"], "`ocache prices AAA FLAGS` lists its products"),
        (&["unsubscribe", "NEW"], "`ocache status FLAGS` lists"),
        (&["dead-letters", "show", "x"], "`ocache dead-letters list FLAGS` shows"),
        (&["quote", "--client", "AAA", "NOPE"], "`ocache prices FLAGS AAA` lists"),
    ] {
        let output = home.run(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{args:?}: {said}");
        assert!(said.contains(&hint.replace("FLAGS", &flags)), "{args:?}: {said}");
    }
    // The same holds for a session and a check.
    let said = text(&home.piped(&["quote", "--client", "AAA"], "NOPE\n").stderr);
    assert!(said.contains(&format!("`ocache prices {flags} AAA`")), "{said}");
    let empty = Home::with_empty_store();
    let checks = text(&empty.run(&["doctor"]).stdout);
    let flags = format!("--data-dir {}", empty.path().join("data").display());
    assert!(checks.contains(&format!("`ocache load PATH {flags}`")), "{checks}");
    // If there is no row, no table is printed.
    assert_eq!(text(&home.run(&["prices", "AAA", "--product", "NOPE"]).stdout), "");
}
