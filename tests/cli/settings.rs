//! Settings: flags, then the environment, then a file, then defaults.

use serde_json::Value;

use super::process::{Home, text};

fn shown(home: &Home, args: &[&str], variables: &[(&str, &str)]) -> Vec<Value> {
    let args = [&["config", "show", "--output", "json"], args].concat();
    let mut command = home.command(&args);
    command.current_dir(home.path()).envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn setting<'a>(shown: &'a [Value], name: &str) -> (&'a str, &'a str) {
    let setting = shown.iter().find(|setting| setting["setting"] == name).unwrap();
    (setting["value"].as_str().unwrap_or_default(), setting["origin"].as_str().unwrap())
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let home = Home::new();
    let file = home.file("ocache.toml", "ttl = \"9m\"\nport = 7171\nstack = \"shop\"\n");
    let all = shown(&home, &["--refresh-every", "2m"], &[("OCACHE_STACK", "other")]);
    assert_eq!(setting(&all, "ttl"), ("9m", "file"));
    assert_eq!(setting(&all, "port"), ("7171", "file"));
    assert_eq!(setting(&all, "stack"), ("other", "environment"));
    assert_eq!(setting(&all, "refresh-every"), ("2m", "flag"));
    assert_eq!(setting(&all, "quote-within"), ("30s", "default"));
    assert_eq!(setting(&all, "region"), ("", "default"));
    let ttl = all.iter().find(|setting| setting["setting"] == "ttl").unwrap();
    assert!(ttl["from"].as_str().unwrap().ends_with("ocache.toml"), "{ttl}");

    let named = shown(&home, &["--config", &file], &[("OCACHE_TTL", "1m")]);
    assert_eq!(setting(&named, "ttl"), ("1m", "environment"));
}

#[test]
fn a_file_is_found_above_the_folder_and_then_at_home() {
    let home = Home::new();
    let own = home.path().join(".config/ocache");
    let below = home.path().join("a/b");
    for dir in [&own, &below] {
        std::fs::create_dir_all(dir).unwrap();
    }
    std::fs::write(own.join("ocache.toml"), "ttl = \"11m\"\n").unwrap();
    assert_eq!(setting(&shown(&home, &[], &[]), "ttl"), ("11m", "file"));
    home.file("a/ocache.toml", "ttl = \"12m\"\n");
    let mut command = home.command(&["config", "show", "--output", "json"]);
    let output = command.current_dir(&below).output().unwrap();
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(setting(&all, "ttl"), ("12m", "file"));
}

#[test]
fn a_file_is_obeyed_and_its_mistakes_are_named() {
    let home = Home::new();
    let data = home.path().join("elsewhere");
    home.file("ocache.toml", format!("data-dir = \"{}\"\nquiet = true\n", data.display()));
    let mut command = home.command(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")]);
    let output = command.env_remove("OCACHE_DATA_DIR").current_dir(home.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "quiet");
    assert!(data.join("store.db").exists());

    for (content, named) in [
        ("tll = \"9m\"", "did you mean `ttl`?"),
        ("ttl = \"soon\"", "`soon` is not a time"),
        ("backend = \"oracle\"", "`backend` in settings file"),
        ("[[", "is not TOML"),
    ] {
        let file = home.file("wrong.toml", content);
        let stderr = home.fails(2, &["status", "--config", &file]);
        assert!(stderr.contains(named) && stderr.contains("wrong.toml"), "{content}: {stderr}");
    }
    let missing = home.fails(2, &["status", "--config", "/no/such.toml"]);
    assert!(missing.contains("/no/such.toml"), "{missing}");
}
