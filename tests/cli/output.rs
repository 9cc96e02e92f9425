//! Tests of how things are printed: for people, for programs, and in colour only where it is wanted.

use serde_json::Value;

use super::process::{Home, text};

#[test]
fn errors_are_json_when_json_was_asked_for() {
    let home = Home::with_fixtures();
    for (args, code, kind) in [
        (&["prices", "Nobody", "--output", "json"][..], 4, "not_found"),
        (&["quotation", "none", "--client", "AAA", "--output=ndjson"], 4, "not_found"),
        (&["--output", "json", "stauts"], 2, "usage"),
        (&["quote", "--client", "AAA", "P1:x", "--output", "json"], 2, "usage"),
        (&["load", "/no/such/file", "--output", "json"], 4, "not_found"),
    ] {
        let stderr = home.fails(code, args);
        let last = stderr.lines().last().unwrap();
        let error: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{stderr}"));
        assert_eq!(error["error"]["exit_code"], code, "{args:?}");
        assert_eq!(error["error"]["kind"], kind, "{args:?}");
        assert!(!error["error"]["message"].as_str().unwrap().is_empty());
    }
    let typo = home.fails(2, &["stauts", "--output", "json"]);
    assert!(typo.contains("a similar subcommand exists: 'status'"), "{typo}");
}

#[test]
fn a_list_is_a_line_an_item_and_an_empty_one_is_none() {
    let home = Home::with_fixtures();
    assert_eq!(home.ok(&["dead-letters", "list", "--output", "ndjson"]), "");
    let lines = home.ok(&["subscribe", "AAA", "BBB", "--output", "ndjson"]);
    let users: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&users[0]["user"], &users[1]["user"]), (&"AAA".into(), &"BBB".into()));
    assert_eq!(home.ok(&["status", "--output", "ndjson"]).lines().count(), 1);
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let home = Home::with_fixtures();
    let colored = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = home.command(args);
        command.envs(variables.iter().copied());
        text(&command.output().unwrap().stderr).contains('\u{1b}')
    };
    let wrong = ["prices", "Nobody"];
    assert!(!colored(&wrong, &[]));
    assert!(colored(&["prices", "Nobody", "--color", "always"], &[]));
    assert!(colored(&wrong, &[("CLICOLOR_FORCE", "1")]));
    assert!(colored(&wrong, &[("OCACHE_COLOR", "always")]));
    assert!(!colored(&["prices", "Nobody", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&wrong, &[("NO_COLOR", "1")]));
    // The same holds for errors of the command line itself.
    assert!(colored(&["stauts", "--color", "always"], &[]));
    assert!(!colored(&["stauts"], &[]));
}

#[test]
fn logs_are_json_when_that_is_asked_for() {
    let home = Home::with_fixtures();
    let mut worker = home.start(&["worker", "price-calc", "--log-format", "json"]);
    worker.stderr_line("working");
    home.ok(&["subscribe", "AAA"]);
    let line = worker.stderr_line("URGENT");
    let log: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&log["level"], &log["spans"][0]["user"]), (&"INFO".into(), &"AAA".into()));
}

#[test]
fn what_was_meant_is_suggested() {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let unknown = home.run(&["quote", "--client", "AAA", "P1:2", "P11"]);
    assert!(unknown.status.success());
    let (stdout, stderr) = (text(&unknown.stdout), text(&unknown.stderr));
    assert!(stdout.contains("no price for: P11"), "{stdout}");
    assert!(stderr.contains("did you mean P1?"), "{stderr}");
    let table = home.fails(4, &["prices", "AAB"]);
    assert!(table.contains("did you mean `AAA`?"), "{table}");
    let unsubscribed = text(&home.run(&["unsubscribe", "aaa"]).stderr);
    assert!(unsubscribed.contains("did you mean `AAA`?"), "{unsubscribed}");
    let page = home.fails(4, &["man", "qoute"]);
    assert!(page.contains("did you mean `quote`?"), "{page}");
}
