//! Runs the commands in the README and in guides as they are, and compares what they print. The transcripts
//! of measurements in first-quote.md and data-files.md are not run, because they take minutes.

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use ocache::cli::Cli;

use super::process::{Home, Running, text};

const README: &str = include_str!("../../README.md");
const ERP_EXPORT: &str = include_str!("../../docs/erp-export.md");
const PRICING: &str = include_str!("../../docs/pricing.md");
const FIRST_QUOTE: &str = include_str!("../../docs/first-quote.md");

/// Returns the lines of the blocks of shell commands.
fn commands(guide: &str) -> Vec<&str> {
    let blocks = guide.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.flat_map(|(block, _)| block.lines()).collect()
}

#[test]
fn the_first_guide_leads_to_a_quote() {
    let home = Home::new();
    let shell = |line: &str| {
        let mut shell = home.program("sh");
        // Another program may use the default port on this machine.
        shell.current_dir(home.path()).env("OCACHE_PORT", "0").args(["-c", line]);
        shell
    };
    let mut up = None;
    let mut printed = String::new();
    for line in commands(FIRST_QUOTE) {
        match line {
            // The program on the path of this test was built from this source.
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

/// Returns every command of a page's transcripts, with its output.
fn transcript(guide: &str) -> Vec<(&str, Vec<&str>)> {
    let blocks = guide.split("```console\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let mut commands: Vec<(&str, Vec<&str>)> = vec![];
    for line in blocks.flat_map(|(block, _)| block.lines()) {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, vec![])),
            (None, Some((_, printed))) => printed.push(line),
            (None, None) => panic!("no command has printed {line}"),
        }
    }
    commands
}

/// Returns what a page shows of an output: without the lines that name the store, and with a mark for ids,
/// times and durations, which differ each time.
fn shown<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let lines = lines.into_iter().filter(|line| !line.starts_with("engine: "));
    let mut shown: Vec<String> = lines.map(|line| marked(line.trim_end())).collect();
    while shown.last().is_some_and(String::is_empty) {
        shown.pop();
    }
    shown
}

fn marked(line: &str) -> String {
    let line = match line.split_once(" INFO ") {
        // The time of a log line.
        Some((time, rest)) if time.trim_end().ends_with('Z') => format!("INFO {rest}"),
        _ => line.to_owned(),
    };
    let marks =
        [("under analysis (", ")"), ("(prices checked ", ")"), ("took_us=", " "), (", at ", " ")];
    marks.into_iter().fold(line, |line, (before, after)| match line.split_once(before) {
        Some((start, rest)) => {
            let end = rest.find(after).map_or("", |end| &rest[end..]);
            format!("{start}{before}…{end}")
        }
        None => line,
    })
}

/// Returns what a shell prints for a command, as a terminal shows it: stdout and stderr in their order.
fn printed_by(home: &Home, folder: &std::path::Path, command: &str) -> String {
    let mut shell = home.program("sh");
    let output = shell.current_dir(folder).args(["-c", &format!("{command} 2>&1")]).output();
    text(&output.unwrap().stdout)
}

/// Runs the commands of a page in order, and compares the output line by line. Returns the number of
/// commands.
fn follow(page: &str) -> usize {
    let home = Home::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut running = vec![];
    let commands = transcript(page);
    let count = commands.len();
    for (command, promised) in commands {
        let promised = shown(promised);
        if command.starts_with("ocache worker ") {
            let mut shell = home.program("sh");
            shell.args(["-c", &format!("exec {command}")]);
            let mut worker = Running::of(shell);
            for line in promised {
                let known = line.trim_start_matches("INFO ").split('…').next().unwrap();
                assert_eq!(marked(worker.stderr_line(known).trim_end()), line, "{command}");
            }
            running.push(worker);
            continue;
        }
        // The page says that the whole system runs from here on.
        if command == "ocache load docs/examples/wholesale" {
            running.push(home.worker("all"));
        }
        let printed = printed_by(&home, root, command);
        assert_eq!(shown(printed.lines()), promised, "{command}");
    }
    for worker in running {
        assert_eq!(worker.interrupt().0, Some(0));
    }
    count
}

#[test]
fn the_readme_shows_what_its_commands_print() {
    assert_eq!(follow(README), 7);
}

#[test]
fn the_page_on_prices_shows_what_its_commands_print() {
    assert_eq!(follow(PRICING), 2);
}

#[test]
fn an_export_of_an_erp_leads_to_the_right_quote() {
    let home = Home::new();
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/erp");
    std::fs::create_dir(home.path().join("export")).unwrap();
    for name in ["articles.csv", "conditions.csv"] {
        let name = format!("export/{name}");
        std::fs::copy(example.join(&name), home.path().join(&name)).unwrap();
    }
    let settings = std::fs::read_to_string(example.join("ocache.toml")).unwrap();
    let section = ERP_EXPORT.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(section, settings);
    let mut up = None;
    let commands = transcript(ERP_EXPORT);
    assert_eq!(commands.len(), 10);
    for (number, (command, printed_here)) in commands.into_iter().enumerate() {
        // The first two attempts are made without it.
        if number == 2 {
            home.file("ocache.toml", &settings);
        }
        if command.starts_with("ocache quote") {
            up = Some(home.up(&[]));
        }
        let printed = printed_by(&home, home.path(), command);
        assert_eq!(shown(printed.lines()), shown(printed_here), "{command}");
    }
    let (up, _) = up.expect("the guide asks for a quote");
    assert_eq!(up.interrupt().0, Some(0));
}

/// Tests `$ ocache …` in a transcript, and lines that stand alone.
#[test]
fn the_readme_shows_commands_that_there_are() {
    let alone = README.lines().filter_map(|line| line.strip_prefix("    ocache "));
    let transcript = README.lines().filter_map(|line| line.strip_prefix("$ ocache "));
    let begun = ["    cargo run -- ", "    target/debug/ocache "];
    let begun: Vec<&str> = README
        .lines()
        .filter_map(|line| begun.iter().find_map(|start| line.strip_prefix(start)))
        .collect();
    assert_eq!(begun.len(), 2, "the first two steps: {begun:?}");
    let mut count = 0;
    for line in alone.chain(transcript).chain(begun) {
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

/// Returns every page for people, with its name.
fn pages() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md"), root.join("infra/README.md")];
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    paths.extend(docs.map(|entry| entry.unwrap().path()));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    paths.iter().map(|path| (path.display().to_string(), read(path))).collect()
}

/// Returns the commands of a page: lines of code that begin with one, and code in `…`.
fn commands_of(page: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = vec![];
    for line in page.lines() {
        fenced ^= line.starts_with("```");
        let code = if fenced { Some(line) } else { line.strip_prefix("    ") };
        let code = code.map(|code| code.strip_prefix("$ ").unwrap_or(code));
        match code.filter(|code| code.starts_with("ocache ")) {
            // This is a name in a TOML file.
            Some(code) if code.starts_with("ocache =") => {}
            Some(code) => found.extend(code.split(['|', '>', '#']).next()),
            None => found.extend(line.split('`').skip(1).step_by(2)),
        }
    }
    found.retain(|code| code.starts_with("ocache "));
    found
}

/// Tests that the pages name only commands and flags that exist. A command in a page may leave out parts,
/// and a word may stand for any value.
#[test]
fn no_page_names_a_command_or_flag_that_there_is_not() {
    let mut count = 0;
    for (page, text) in pages() {
        for command in commands_of(&text) {
            count += 1;
            let words = command.split_whitespace();
            let words = words.map(|word| match word.split_once("\\|") {
                // In a table, the first of several alternatives.
                Some((first, _)) => first,
                // Stands for any command.
                None if word == "COMMAND" => "status",
                None => word,
            });
            let parsed = Cli::command().try_get_matches_from(words);
            let wrong = parsed.err().map(|error| error.kind());
            let harmless = [
                ErrorKind::DisplayHelp,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                ErrorKind::DisplayVersion,
                ErrorKind::MissingRequiredArgument,
                ErrorKind::MissingSubcommand,
                ErrorKind::InvalidValue,
                ErrorKind::ValueValidation,
            ];
            assert!(
                wrong.is_none_or(|kind| harmless.contains(&kind)),
                "{page}: `{command}`: {wrong:?}"
            );
        }
    }
    assert!(count > 100, "{count} commands were found");
}

/// Tests that a link to a file of this repository leads to one.
#[test]
fn links_lead_somewhere() {
    for (page, text) in pages() {
        let folder = std::path::Path::new(&page).parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let target = link.0.split('#').next().unwrap();
            let elsewhere = target.is_empty() || target.contains("://");
            assert!(elsewhere || folder.join(target).exists(), "{page}: there is no {target}");
        }
    }
}

/// Tests the counts in the page. `.ci/bench --accept` writes them there.
#[test]
fn the_page_on_speed_has_the_committed_counts_of_instructions() {
    let page = include_str!("../../docs/performance.md");
    let committed = include_str!("../../benches/instructions.txt").lines();
    let committed = committed.map(|line| line.split_once(' ').expect("a name and a count"));
    let shown = page.split("<!-- counts -->").nth(1).and_then(|rest| rest.split("<!--").next());
    let rows = shown.expect("the page has the counts").lines().filter(|line| line.contains('`'));
    let rows = rows.filter_map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        Some((name, cells.get(2)?.replace(',', "")))
    });
    let rows: Vec<(&str, String)> = rows.collect();
    let committed: Vec<(&str, String)> =
        committed.map(|(name, count)| (name, count.into())).collect();
    assert_eq!(rows, committed, "`python3 .ci/performance.py counts < benches/instructions.txt`");
}
