//! Tests of the help: a screen for each command, and everything on request.

use super::process::{Home, text};

#[test]
fn help_fits_a_screen_and_says_where_the_rest_is() {
    let home = Home::new();
    let list = home.ok(&["--help"]);
    let listed = list.lines().filter_map(|line| line.strip_prefix("  "));
    let commands: Vec<&str> = listed.filter_map(|line| line.split(' ').next()).collect();
    assert!(commands.len() > 20 && commands.contains(&"simulate"), "{list}");
    for command in commands {
        let narrow = home.command(&[command, "--help"]).env("COLUMNS", "80").output().unwrap();
        let narrow = text(&narrow.stdout);
        assert!(narrow.lines().count() <= 45 && narrow.lines().count() > 5, "{narrow}");
        let screen = home.ok(&[command, "--help"]);
        assert!(screen.lines().count() <= 45, "{screen}");
        assert!(screen.contains(&format!("Usage: ocache {command}")), "{screen}");
        // Options of all commands are not listed. An example may have one.
        let lists_globals = screen.lines().any(|line| line.trim_start().starts_with("--data-dir"));
        assert!(!lists_globals && !screen.contains("OCACHE_"), "{screen}");
        assert_eq!(home.ok(&[command, "-h"]), screen);
        // The commands that the screen names can be typed.
        let last = screen.lines().last().unwrap();
        for line in last.split(". ") {
            let (_, typed) = line.split_once(": ocache ").unwrap();
            let words: Vec<&str> = typed.split(' ').collect();
            let all = home.ok(&words);
            assert!(all.contains("--data-dir") && all.contains("OCACHE_DATA_DIR"), "{all}");
        }
    }
    let settings = home.ok(&["help", "settings"]);
    for flag in ["--ttl", "OCACHE_TTL", "--require-token", "--max-active-users"] {
        assert!(settings.contains(flag), "no {flag} in {settings}");
    }
    assert!(!settings.contains("--port"), "{settings}");
    // These have no room on the screen.
    assert!(home.ok(&["help", "simulate"]).contains("--lists-per-user"));
    assert!(home.ok(&["help", "serve"]).contains("--max-frames-per-address"));
    assert!(home.ok(&["help", "cost", "forecast"]).contains("Usage: ocache cost forecast"));
}

#[test]
fn commands_are_listed_in_groups() {
    let home = Home::new();
    let list = home.ok(&["--help"]);
    assert_eq!(home.ok(&["help"]), list);
    for line in ["Run:", "  up            Run the whole system in one process"] {
        assert!(list.lines().any(|shown| shown == line), "no `{line}` in {list}");
    }
    assert!(list.contains("\nStart here: ocache up"), "{list}");
    assert!(list.lines().count() <= 45, "{list}");
    assert!(home.ok(&["help", "exit-codes"]).contains("5 timed out"));
    // Without a command the list is the error. A setting in the environment would count as an argument.
    let output = home.command(&[]).env_remove("OCACHE_DATA_DIR").output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output.stdout), text(&output.stderr)),
        (Some(2), String::new(), list)
    );
}

#[test]
fn a_topic_that_is_not_there_is_named() {
    let home = Home::new();
    assert!(home.fails(4, &["help", "qoute"]).contains("did you mean `quote`?"));
    assert!(home.fails(4, &["help", "global"]).contains("did you mean `globals`?"));
    assert!(home.fails(4, &["help", "cost", "zzzz"]).contains("`ocache help`"));
}

#[test]
fn help_has_colours_only_where_they_are_wanted() {
    let home = Home::new();
    for topic in [&["help"][..], &["help", "load"], &["help", "globals"]] {
        let plain = home.ok(topic);
        assert!(!plain.contains('\x1b'), "{plain:?}");
        for format in ["json", "ndjson", "table"] {
            let formatted = [topic, &["--output", format]].concat();
            assert_eq!(home.ok(&formatted), plain, "{formatted:?}");
            assert_eq!(home.ok(&[&formatted[..], &["--color", "never"]].concat()), plain);
            let coloured = home.ok(&[&formatted[..], &["--color", "always"]].concat());
            assert!(coloured.contains('\x1b'), "{formatted:?}: {coloured}");
        }
        let mut command = home.command(topic);
        let output = command.envs([("OCACHE_OUTPUT", "json"), ("NO_COLOR", "1")]).output().unwrap();
        // The help of a flag shows the variable's value.
        assert!(output.status.success() && !text(&output.stdout).contains('\x1b'), "{topic:?}");
    }
}

#[test]
fn the_version_says_what_it_was_built_from() {
    let home = Home::new();
    let short = home.ok(&["--version"]);
    assert_eq!(short, format!("ocache {}\n", env!("CARGO_PKG_VERSION")));
    let long = home.ok(&["--version", "--verbose"]);
    assert_eq!(home.ok(&["-vV"]), long);
    let rest = long.strip_prefix(&short).unwrap();
    let names: Vec<&str> = rest.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(names, ["commit", "features", "platform", "build"]);
    assert_eq!(rest.contains("aws"), cfg!(feature = "aws"), "{rest}");
}

#[cfg(not(feature = "aws"))]
#[test]
fn commands_that_only_aws_builds_have_say_so() {
    let home = Home::new();
    for args in [&["provision", "--dry-run"][..], &["destroy", "--yes"], &["help", "provision"]] {
        let error = home.fails(2, args);
        let name = args.iter().find(|word| ["provision", "destroy"].contains(word)).unwrap();
        let said = format!("error: `{name}` needs AWS, and this build has no AWS support");
        assert!(error.starts_with(&said) && error.contains("hint: build ocache with"), "{error}");
    }
    let error = home.fails(2, &["status", "--backend", "aws"]);
    assert!(error.contains("this build has no AWS support"), "{error}");
    // Another unknown command is reported as unknown.
    assert!(home.fails(2, &["provison"]).contains("unrecognized subcommand"));
}
