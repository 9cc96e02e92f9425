//! Tests of settings of the stack: one value holds for all processes, even if one of them is told another.

use serde_json::Value;

use super::gateway::http_status;
use super::process::{Home, Running, text};

/// Returns the value of a setting, its origin, and what was printed to stderr.
fn shown(home: &Home, name: &str, more: &[&str]) -> (String, String, String) {
    let args = [&["config", "show", "--output", "json"], more].concat();
    let output = home.run(&args);
    let stderr = text(&output.stderr);
    let has_store = home.path().join("data/store.db").exists();
    assert_eq!(output.status.code(), Some(if has_store { 0 } else { 4 }), "{stderr}");
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found = all.iter().find(|setting| setting["setting"] == name).unwrap();
    let word = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (word("value"), word("origin"), stderr)
}

fn is_shown(home: &Home, name: &str, value: &str, origin: &str) {
    let (is, from, _) = shown(home, name, &[]);
    assert_eq!((&*is, &*from), (value, origin), "{name}");
}

#[test]
fn what_up_is_told_is_in_force_for_all() {
    let home = Home::new();
    let (up, _) = home.up(&["--ttl", "1h"]);
    is_shown(&home, "ttl", "1h", "stack");
    is_shown(&home, "quote-within", "30s", "default");
    // The same value, or none, gives no warning.
    let (_, _, said) = shown(&home, "ttl", &["--ttl", "60m"]);
    assert!(!said.contains("warning"), "{said}");
    for args in [
        &["config", "show", "--ttl", "9m"][..],
        &["cost", "--ttl", "9m"],
        &["quote", "--client", "AAA", "--ttl", "9m", "P1"],
    ] {
        let output = home.run(args);
        let stderr = text(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
        assert!(stderr.contains("--ttl 9m") && stderr.contains("ttl is 1h"), "{args:?}: {stderr}");
    }
    for args in [&["worker", "refresh", "--ttl", "9m"][..], &["up", "--port", "0", "--ttl", "9m"]] {
        let mut other = home.start(args);
        let said = other.stderr_line("warning");
        assert!(said.contains("--ttl 9m") && said.contains("ttl is 1h"), "{args:?}: {said}");
    }
    // A visit may have another TTL. A setting that does not concern one visit gives a warning.
    assert!(home.ok(&["subscribe", "AAA"]).contains("1h"));
    assert!(home.ok(&["subscribe", "BBB", "--ttl", "9m"]).contains("9m"));
    let output = home.command(&["subscribe", "CCC"]).env("OCACHE_TTL", "9m").output().unwrap();
    assert!(text(&output.stderr).contains("OCACHE_TTL 9m"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1h"), "{}", text(&output.stdout));
    is_shown(&home, "ttl", "1h", "stack");
    assert_eq!(up.interrupt().0, Some(0));
    // If it runs alone again, it sets the value.
    let (_up, _) = home.up(&["--ttl", "9m"]);
    is_shown(&home, "ttl", "9m", "stack");
}

/// Tests that before there is a store, the settings shown are those that it will have.
#[test]
fn a_store_is_made_with_the_settings_that_were_shown_before() {
    let home = Home::new();
    let file = home.file("ocache.toml", "ttl = \"9m\"\nrefresh-every = \"10m\"\n");
    let config = ["--config", &file];
    let (ttl, origin, said) = shown(&home, "ttl", &config);
    assert_eq!((&*ttl, &*origin), ("9m", "file"), "{said}");
    assert!(!said.contains("warning") && !said.contains("defaults"), "{said}");
    assert!(said.contains("makes one with these settings"), "{said}");
    // Raised by the interval in the file.
    let before = shown(&home, "fresh-for", &config);
    assert_eq!((&*before.0, &*before.1), ("20m", "default"));
    let (_up, _) = home.up(&config);
    is_shown(&home, "ttl", "9m", "stack");
    assert_eq!(shown(&home, "fresh-for", &[]).0, before.0);
}

#[test]
fn a_change_is_followed_while_processes_run() {
    let home = Home::with_fixtures();
    home.set("refresh-every", "1h");
    let mut worker = home.start(&["worker", "all"]);
    worker.stderr_line("working");
    home.ok(&["subscribe", "AAA"]);
    home.set("refresh-every", "100ms");
    worker.stderr_line("refresh-every");
    // The schedule does not wait until the hour is over.
    worker.stderr_line("ordered=1");
}

#[test]
fn what_follows_from_another_setting_is_shown() {
    let home = Home::with_fixtures();
    home.set("refresh-every", "20m");
    is_shown(&home, "usable-for", "1h", "default");
    is_shown(&home, "fresh-for", "40m", "default");
    let output = home.run(&["config", "set", "usable-for", "30m"]);
    assert!(text(&output.stderr).contains("1h is in force"), "{}", text(&output.stderr));
    is_shown(&home, "usable-for", "1h", "stack");
}

#[test]
fn only_settings_of_the_stack_and_values_of_theirs_can_be_set() {
    let home = Home::with_fixtures();
    for args in [["port", "7070"], ["ttl", "soon"], ["answer", "slowly"], ["keep-tables", "1s"]] {
        let stderr = home.fails(2, &[&["config", "set"], &args[..]].concat());
        assert!(args.iter().any(|arg| stderr.contains(arg)), "{args:?}: {stderr}");
    }
    is_shown(&home, "ttl", "5m", "default");
    home.set("answer", "topic");
    is_shown(&home, "answer", "topic", "stack");
}

#[cfg(feature = "aws")]
#[test]
fn the_interval_on_aws_is_the_schedules() {
    let home = Home::new();
    let args = ["config", "set", "refresh-every", "2m", "--endpoint-url", "http://127.0.0.1:1"];
    let stderr = home.fails(2, &args);
    assert!(stderr.contains("schedule") && stderr.contains("refresh_every_mins"), "{stderr}");
}

const SUBSCRIBE: &str = "PUT /subscribe HTTP/1.1\r\ncontent-length: 0\r\n";

/// Starts a gateway beside others. Returns its address.
fn gateway(home: &Home, args: &[&str]) -> (Running, String) {
    let mut serve = home.start(&[&["serve", "--port", "0", "--output", "json"], args].concat());
    let url = serve.stdout_json()["websocket"].as_str().unwrap().to_owned();
    (serve, url)
}

#[test]
fn a_second_gateway_never_opens_what_the_first_has_closed() {
    let home = Home::new();
    let (_up, _) = home.up(&["--require-token"]);
    let (_serve, url) = gateway(&home, &[]);
    assert_eq!(http_status(&url, SUBSCRIBE), 401);
}

#[test]
fn gateways_that_run_close_and_open_with_the_stack() {
    let home = Home::with_fixtures();
    let (_serve, url) = gateway(&home, &[]);
    // The request is let in. It is wrong only because it names no user.
    assert_eq!(http_status(&url, SUBSCRIBE), 400);
    home.set("require-token", "true");
    while http_status(&url, SUBSCRIBE) != 401 {}
    // A client that may read the keys still gets in, and so does the token of a client.
    let _worker = home.worker("all");
    assert_eq!(home.json(&["quote", "--client", "AAA", "P1:2"])["total"], "900.00");
    home.set("require-token", "false");
    while http_status(&url, SUBSCRIBE) != 400 {}
    let stderr = home.fails(2, &["serve", "--port", "0", "--require-token"]);
    assert!(stderr.contains("config set --data-dir"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn the_hint_of_up_works_as_it_stands() {
    use std::process::Command;

    for (flag, value) in
        [("--data-dir", "our data"), ("--stack", "shop"), ("--config", "our shop.toml")]
    {
        let home = Home::new();
        home.file("our shop.toml", "data-dir = \"of the shop\"\n");
        let mut command = home.command(&["up", "--port", "0", "--output", "json", flag, value]);
        command.current_dir(home.path()).env_remove("OCACHE_DATA_DIR");
        let mut up = Running::of(command);
        up.stdout_json();
        let hint = up.stderr_line(" quote --");
        let value = match flag {
            "--stack" => value.to_owned(),
            _ => format!("'{}'", home.path().join(value).display()),
        };
        assert!(hint.contains(&format!("{flag} {value}")), "{hint}");
        // Pasted in another folder, without variables.
        let mut pasted = home.program("sh");
        pasted.args(["-c", hint.trim()]).current_dir("/").env_remove("OCACHE_DATA_DIR");
        let output = Command::output(&mut pasted).unwrap();
        assert!(text(&output.stdout).contains("1805.52"), "{hint}: {}", text(&output.stderr));
    }
}

#[test]
fn commands_that_read_make_no_store() {
    let home = Home::new();
    let dir = home.path().join("mistyped");
    let dir = dir.to_str().unwrap();
    for args in [
        &["status"][..],
        &["prices", "AAA"],
        &["quotation", "7", "--client", "AAA"],
        &["quote", "--client", "AAA", "P1"],
        &["unsubscribe", "AAA"],
        &["verify"],
        &["cost"],
        &["meter"],
        &["doctor"],
        &["dead-letters", "list"],
        &["token", "--client", "AAA"],
        &["keys", "list"],
        &["backup", "copy.db"],
    ] {
        let stderr = home.fails(4, &[args, &["--data-dir", dir]].concat());
        assert!(stderr.contains(dir), "{args:?}: {stderr}");
        assert!(!std::path::Path::new(dir).exists(), "{args:?} makes a folder");
    }
}

#[test]
fn settings_without_a_store_are_shown_and_the_store_is_told_to_be_missing() {
    let home = Home::new();
    let dir = home.path().join("mistyped");
    let dir = dir.to_str().unwrap();
    let settings = home.file("ocache.toml", format!("data-dir = \"{dir}\"\n"));
    for (args, variable) in
        [(&["--data-dir", dir][..], ""), (&["--config", &settings], ""), (&[], dir)]
    {
        let args = [&["config", "show", "--output", "json"], args].concat();
        let mut command = home.command(&args);
        let output = command.env("OCACHE_DATA_DIR", variable).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{args:?}: {stderr}");
        assert!(stderr.contains(&format!("there is no store in `{dir}`")), "{args:?}: {stderr}");
        let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let shown = all.iter().find(|setting| setting["setting"] == "data-dir").unwrap();
        assert_eq!(shown["value"], dir, "{args:?}");
        assert!(!std::path::Path::new(dir).exists(), "{args:?} makes a folder");
    }
}

#[test]
fn paths_of_a_settings_file_are_of_that_file() {
    let home = Home::new();
    let below = home.path().join("shop/sub");
    std::fs::create_dir_all(&below).unwrap();
    home.file("shop/ocache.toml", "data-dir = \"store\"\n");
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
    let load = |dir: &std::path::Path| {
        let mut command = home.command(&["load", fixtures]);
        command.current_dir(dir).env_remove("OCACHE_DATA_DIR").output().unwrap()
    };
    assert!(load(&below).status.success());
    assert!(home.path().join("shop/store/store.db").is_file());
    assert!(!below.join("store").exists());
    // `~` is the home folder in a file, in a variable, and in a flag that no shell has expanded.
    home.file("shop/ocache.toml", "data-dir = \"~/own\"\n");
    assert!(load(&below).status.success());
    assert!(home.path().join("own/store.db").is_file() && !below.join("~").exists());
    for (args, variable) in [(&["--data-dir=~/own"][..], ""), (&[], "~/own")] {
        let args = [&["status"], args].concat();
        let mut command = home.command(&args);
        let output =
            command.current_dir(home.path()).env("OCACHE_DATA_DIR", variable).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn an_empty_variable_is_not_set_and_a_wrong_one_is_named() {
    let home = Home::with_fixtures();
    for variable in [
        "OCACHE_PORT",
        "OCACHE_TTL",
        "OCACHE_OUTPUT",
        "OCACHE_KEYS",
        "OCACHE_REQUIRE_TOKEN",
        "OCACHE_ALLOW_ORIGIN",
        "OCACHE_CONFIG",
        "OCACHE_QUIET",
        "OCACHE_BACKEND",
    ] {
        let mut command = home.command(&["config", "show", "--output", "json"]);
        let output = command.env(variable, "").output().unwrap();
        assert!(output.status.success(), "{variable}: {}", text(&output.stderr));
        let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let from = |setting: &Value| setting["from"] == variable;
        assert!(!all.iter().any(from), "{variable}");
        assert!(all.iter().any(|setting| setting["setting"] == "port"), "all are shown");
    }
    for (variable, value) in [
        ("OCACHE_TTL", "soon"),
        ("OCACHE_PORT", "port"),
        ("OCACHE_REQUIRE_TOKEN", "perhaps"),
        ("OCACHE_OUTPUT", "yaml"),
        ("OCACHE_ALLOW_ORIGIN", "shop.example.com"),
        ("OCACHE_ALLOW_HOST", "https://x"),
        ("OCACHE_STACK", "a b"),
    ] {
        let output = home.command(&["config", "show"]).env(variable, value).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(variable) && stderr.contains(value), "{stderr}");
    }
    // So is a file that does not exist.
    for (args, flag, variable) in [
        (&["config", "show"][..], "--config", "OCACHE_CONFIG"),
        (&["keys", "list"], "--keys", "OCACHE_KEYS"),
        (&["serve", "--port", "0", "--issuer", "x"], "--jwks", "OCACHE_JWKS"),
    ] {
        let output = home.command(args).env(variable, "/nope").output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{stderr}");
        assert!(stderr.contains(&format!("{variable}: ")) && stderr.contains("/nope"), "{stderr}");
        let typed = [args, &[flag, "/typed"]].concat();
        let output = home.command(&typed).env(variable, "/nope").output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{stderr}");
        assert!(!stderr.contains(variable) && stderr.contains("/typed"), "{stderr}");
    }
    // A flag is named as it was typed.
    let mut command = home.command(&["config", "show", "--ttl", "soon"]);
    let stderr = text(&command.env("OCACHE_TTL", "soon").output().unwrap().stderr);
    assert!(stderr.contains("--ttl"), "{stderr}");
}
