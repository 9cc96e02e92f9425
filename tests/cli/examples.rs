//! Runs every example in the help, and checks that every command that prints data can print it for
//! programs.

use std::process::{Output, Stdio};

use clap::{Command, CommandFactory as _};
use ocache::cli::Cli;
use serde_json::Value;

use super::process::{Home, Running, text};

/// Commands that print only logs.
const LOGS: [&str; 1] = ["worker"];
/// Commands that need an account or a local AWS.
const ON_AWS: [&str; 2] = ["provision", "destroy"];

/// Commands that refuse to run while another process has the store open.
const ALONE: [&str; 1] = ["restore"];

/// A command without subcommands, and the lines that its help shows.
struct Documented {
    /// The command's name. Of `dead-letters list` it is `dead-letters`.
    command: String,
    lines: Vec<String>,
}

fn documented() -> Vec<Documented> {
    fn collect(command: &Command, into: &mut Vec<Documented>) {
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines = help.lines().filter_map(example).collect();
            into.push(Documented { command: command.get_name().to_owned(), lines });
            collect(command, into);
        }
    }
    let mut all = Vec::new();
    collect(&Cli::command(), &mut all);
    all
}

/// Returns a line as it is typed, without its explanation. Returns `None` if it is not a command.
fn example(line: &str) -> Option<String> {
    let typed = line.strip_prefix("  ")?;
    let typed = typed.split_once("  ").map_or(typed, |(typed, _)| typed);
    typed.contains("ocache ").then(|| typed.to_owned())
}

fn goes_on(line: &str) -> bool {
    ["ocache up", "ocache worker", "ocache serve"].iter().any(|begin| line.starts_with(begin))
        || line.contains("--watch")
}

/// Returns a home in whose folder the lines can be typed.
fn home() -> Home {
    let home = Home::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    std::os::unix::fs::symlink(fixtures, home.path().join("fixtures")).unwrap();
    home
}

fn shell(home: &Home, line: &str) -> std::process::Command {
    let mut shell = home.program("sh");
    // Another program may use the default port on this machine.
    shell.current_dir(home.path()).env("OCACHE_PORT", "0").args(["-c", line]);
    shell
}

fn run(home: &Home, line: &str) -> Output {
    let output = shell(home, line).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    output
}

fn start(home: &Home, line: &str) -> Running {
    Running::of(shell(home, &format!("exec {line}")))
}

#[test]
fn every_command_shows_how_it_is_used() {
    for command in Cli::command().get_subcommands() {
        let shown = |command: &Command| command.get_after_help().is_some();
        let has_examples = shown(command) || command.get_subcommands().any(shown);
        assert!(has_examples, "{} has no example", command.get_name());
    }
    for Documented { lines, .. } in documented() {
        for line in lines {
            let words = line.rsplit_once("| ").map_or(line.as_str(), |(_, last)| last);
            let words = words.split(" > ").next().unwrap().split_whitespace();
            if let Err(error) = Cli::command().try_get_matches_from(words) {
                panic!("{line}: {error}");
            }
        }
    }
}

#[test]
fn examples_work_and_print_for_programs_too() {
    let home = home();
    run(&home, "ocache load fixtures/");
    let mut worker = start(&home, "ocache worker all");
    worker.stderr_line("working");
    // The worker logs much, and would block if nobody read it.
    let _log = worker.read_log();
    run(&home, "ocache quote --client AAA P1:2 P3:1 --quiet");
    let once = documented().into_iter().filter(|of| {
        !of.lines.iter().any(|line| goes_on(line)) && !ON_AWS.contains(&of.command.as_str())
    });
    let again = |line: &str| {
        // An earlier example may have removed what this one needs.
        run(&home, "ocache subscribe AAA BBB");
        run(&home, line)
    };
    let show = |Documented { lines, .. }: Documented| {
        for line in &lines {
            again(line);
        }
        // A script, a page or a trace is not data.
        if lines.first().is_some_and(|line| line.contains(" > ")) {
            return;
        }
        if let Some(line) = lines.first() {
            // Commands that write files do not overwrite them.
            let line = line.replace("data/", "data-json/").replace("backup.db", "backup-json.db");
            let json = again(&format!("{line} --output json")).stdout;
            let value: Value = serde_json::from_slice(&json).unwrap();
            assert!(value.is_object() || value.is_array(), "{line}: {value}");
            let line = line.replace("-json", "-ndjson");
            let lines = text(&again(&format!("{line} --output ndjson")).stdout);
            for line in lines.lines() {
                let _: Value = serde_json::from_str(line).unwrap();
            }
        }
    };
    let (alone, beside): (Vec<_>, Vec<_>) =
        once.partition(|of| ALONE.contains(&of.command.as_str()));
    beside.into_iter().for_each(show);
    assert_eq!(worker.interrupt().0, Some(0));
    alone.into_iter().for_each(show);
}

#[test]
fn examples_that_go_on_work_until_they_are_stopped() {
    for Documented { command, lines } in documented() {
        for line in lines.into_iter().filter(|line| goes_on(line)) {
            let home = home();
            run(&home, "ocache load fixtures/");
            let mut running = start(&home, &format!("{line} --output json"));
            if LOGS.contains(&command.as_str()) {
                running.stderr_line("working");
            } else if line.contains("ndjson") {
                running = start(&home, &line);
                let status = running.stdout_json();
                assert_eq!(status["catalogue"]["version"], 1, "{line}");
            } else {
                assert!(running.stdout_json().is_object(), "{line}");
            }
            let (code, stderr) = running.interrupt();
            assert_eq!(code, Some(0), "{line}: {stderr}");
        }
    }
}
