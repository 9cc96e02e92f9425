//! The commands in the README and in the first guide are run as they stand there.

use clap::CommandFactory as _;
use ocache::cli::Cli;

use super::process::{Home, Running, text};

const README: &str = include_str!("../../README.md");
const FIRST_QUOTE: &str = include_str!("../../docs/first-quote.md");

/// The lines of the blocks of shell commands.
fn commands(guide: &str) -> Vec<&str> {
    let blocks = guide.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.flat_map(|(block, _)| block.lines()).collect()
}

#[test]
fn the_first_guide_leads_to_a_quote() {
    let home = Home::new();
    let shell = |line: &str| {
        let mut shell = home.program("sh");
        // The port that is the default may be somebody else's here.
        shell.current_dir(home.path()).env("OCACHE_PORT", "0").args(["-c", line]);
        shell
    };
    let mut up = None;
    let mut printed = String::new();
    for line in commands(FIRST_QUOTE) {
        match line {
            // What is on the path of this test was built from here.
            "cargo install --path ." => {
                assert!(shell("command -v ocache").status().unwrap().success())
            }
            "ocache up" => {
                let mut running = Running::of(shell("exec ocache up"));
                running.stderr_line("ready");
                up = Some(running);
            }
            line => {
                let output = shell(line).output().unwrap();
                assert!(output.status.success(), "{line}: {}", text(&output.stderr));
                printed.push_str(&text(&output.stdout));
            }
        }
    }
    for promised in ["900.00", "905.52", "total 1805.52 USD for AAA", "USD for Foo", "10000"] {
        assert!(printed.contains(promised), "no {promised} in {printed}");
    }
    assert_eq!(up.expect("the guide starts the system").interrupt().0, Some(0));
}

/// `$ ocache …` in a transcript, and lines that stand alone.
#[test]
fn the_readme_shows_commands_that_there_are() {
    let alone = README.lines().filter_map(|line| line.strip_prefix("    ocache "));
    let transcript = README.lines().filter_map(|line| line.strip_prefix("$ ocache "));
    let run = README.lines().filter_map(|line| line.strip_prefix("    cargo run --release -- "));
    let mut count = 0;
    for line in alone.chain(transcript).chain(run) {
        let words = std::iter::once("ocache").chain(line.split_whitespace());
        if let Err(error) = Cli::command().try_get_matches_from(words) {
            panic!("{line}: {error}");
        }
        count += 1;
    }
    assert!(count >= 9, "{count} commands were found");
    let table = README.lines().filter_map(|line| line.strip_prefix("| `ocache "));
    let names: Vec<&str> = table.filter_map(|row| row.split([' ', '`']).next()).collect();
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        let named = names.contains(&name) || README.contains(&format!("`{name}"));
        assert!(named || name == "help", "the README's table has no `{name}`");
    }
}
