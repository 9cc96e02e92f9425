//! Runs the examples of `docs/clients.md` as they are, with programs that not every machine has.

use std::process::Command;

use super::process::{Home, text};

const PAGE: &str = include_str!("../../docs/clients.md");

/// Returns the one example in a language.
fn example(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// Runs an example beside a system that requires tokens. Returns what it prints.
fn run(language: &str, run: impl Fn(&Home, String) -> Command) -> String {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token"]);
    let token = home.ok(&["token", "--client", "AAA"]);
    let file = home.file(&format!("example.{language}"), example(language));
    let mut command = run(&home, file);
    command.env("OCACHE", url.replacen("ws://", "http://", 1)).env("OCACHE_TOKEN", token.trim());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn prints_what_it_should(printed: &str) {
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "total 1805.52 USD", "{printed}");
    assert_eq!(lines[1], "P1 Notebook stand 450.00", "{printed}");
    assert_eq!(lines[3], "unchanged since", "{printed}");
}

#[test]
#[ignore = "needs Python: .ci/tools"]
fn needs_python_the_example_quotes() {
    prints_what_it_should(&run("python", |home, file| {
        let mut python = home.program("python3");
        python.arg(file);
        python
    }));
}

#[test]
#[ignore = "needs Node.js: .ci/tools"]
fn needs_node_the_example_quotes() {
    prints_what_it_should(&run("js", |home, file| {
        let mut node = home.program("node");
        // Without this extension it would not be a module.
        let module = format!("{file}.mjs");
        std::fs::rename(file, &module).unwrap();
        node.arg(module);
        node
    }));
}

#[test]
#[ignore = "needs curl: .ci/tools"]
fn needs_curl_the_example_quotes() {
    let printed = run("sh", |home, file| {
        let mut shell = home.program("sh");
        shell.args(["-e", &file]);
        shell
    });
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].contains(r#""total":"900.00""#), "{printed}");
    assert_eq!(lines[0], lines[1], "asked for again");
    assert!(lines[2].contains(r#""unit_price":"905.52""#), "{printed}");
    assert!(lines[3].starts_with("product,name,currency"), "{printed}");
    assert_eq!(lines.len(), 4 + 5, "{printed}");
}
