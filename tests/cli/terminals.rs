//! Tests of tables, of `status --watch` and of questions on a terminal of a certain size.

use rustix::process::{Pid, Signal, kill_process};

use super::leaving::ended;
use super::process::Home;
use super::pty::Terminal;

const LONG: &str = "a-customer-with-an-id-that-no-narrow-terminal-has-room-for";
const COLUMNS: u16 = 60;

/// Returns how wide lines are on a terminal.
fn widest<'a>(lines: impl IntoIterator<Item = &'a str>) -> usize {
    lines.into_iter().map(|line| line.trim_end().chars().count()).max().unwrap()
}

fn table_of<'a>(status: &'a str, title: &str) -> Vec<&'a str> {
    status
        .lines()
        .skip_while(|line| !line.contains(title))
        .take_while(|line| line.trim() != "")
        .collect()
}

#[test]
fn tables_fit_the_terminal_and_are_whole_in_a_pipe() {
    let home = Home::with_fixtures();
    home.ok(&["subscribe", LONG]);
    let terminal = Terminal::new(COLUMNS, 24);
    let child = terminal.start(home.command(&["status"]));
    let shown = terminal.rest();
    assert_eq!(ended(child), Some(0), "{shown}");
    let customers = table_of(&shown, "time left");
    assert!(
        customers.iter().any(|line| line.contains("a-customer-") && line.contains('…')),
        "{shown}"
    );
    for title in ["time left", "queue"] {
        assert!(widest(table_of(&shown, title)) <= COLUMNS.into(), "{shown}");
    }
    let piped = home.ok(&["status"]);
    assert!(piped.contains(LONG) && !piped.contains('…'), "{piped}");
}

#[test]
fn a_table_that_cannot_fit_has_a_line_for_each_cell_and_ids_are_whole() {
    let home = Home::with_fixtures();
    let (up, _) = home.up(&[]);
    let id = home.json(&["quote", "--client", "AAA", "P1:2", "P3:1"])["request_id"].clone();
    let id = id.as_str().unwrap();
    for args in
        [&["list", "quotations"][..], &["quotation", id], &["list", "products"], &["status"]]
    {
        let terminal = Terminal::new(40, 24);
        let child = terminal.start(home.command(args));
        let shown = terminal.rest();
        assert_eq!(ended(child), Some(0), "{args:?}: {shown}");
        let rows = shown.lines().filter(|line| line.starts_with(' ') || line.starts_with('─'));
        assert!(widest(rows) <= 40, "{args:?}: {shown}");
        assert!(args[1..] != ["quotations"] || shown.contains(id), "{shown}");
    }
    assert_eq!(up.interrupt().0, Some(0));
}

/// Returns a text without the frame of its table: its words, each separated by one space.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_to_do_and_why_is_whole_on_a_narrow_terminal() {
    let home = Home::with_fixtures();
    home.ok(&["subscribe", "AAA"]);
    let lists = home.file(
        "lists.json",
        r#"[{"price_list": "gold", "priority": 5, "everyone": true},
            {"price_list": "autumn-promotion", "currency": "USD", "everyone": true},
            {"price_list": "gold", "percentage": 10},
            {"price_list": "gold", "product_id": "P1", "percentage": 15},
            {"price_list": "autumn-promotion", "product_id": "P1", "price": "1.00"}]"#,
    );
    home.ok(&["load", &lists]);
    let on_terminal = |args: &[&str], columns, code| {
        let terminal = Terminal::new(columns, 24);
        let child = terminal.start(home.command(args));
        let shown = terminal.rest();
        assert_eq!(ended(child), Some(code), "{args:?}: {shown}");
        assert!(!shown.contains('…'), "{args:?}: {shown}");
        shown
    };
    let shown = on_terminal(&["doctor"], COLUMNS, 1);
    let checks = home.run(&["doctor", "--output", "json"]).stdout;
    let checks: serde_json::Value = serde_json::from_slice(&checks).unwrap();
    for check in checks.as_array().unwrap() {
        for field in ["what", "found", "mend"] {
            let Some(text) = check[field].as_str() else { continue };
            assert!(words(&shown).contains(&words(text)), "no `{text}` in {shown}");
            // A command can be copied from its line.
            for command in text.split('`').skip(1).step_by(2) {
                assert!(
                    shown.lines().any(|line| line.contains(command)),
                    "no `{command}` in {shown}"
                );
            }
        }
    }
    let explain = ["prices", "AAA", "--product", "P1", "--explain"];
    let shown = on_terminal(&explain, 80, 0);
    assert!(widest(shown.lines()) <= 80, "{shown}");
    let explained = home.json(&explain);
    let rows = explained["products"][0]["rows"].as_array().unwrap();
    assert!(rows.len() >= 3, "{explained}");
    for row in rows {
        let why = row["why"].as_str().unwrap();
        assert!(words(&shown).contains(why), "no `{why}` in {shown}");
    }
}

/// Returns the lines of the last frame, and how many columns the widest has.
fn frame(shown: &str) -> (Vec<&str>, usize) {
    let (_, last) = shown.rsplit_once("\x1b[H").unwrap();
    let last = last.split_once("\x1b[J").map_or(last, |(last, _)| last);
    let lines: Vec<&str> = last.split("\x1b[2K").skip(1).map(str::trim_end).collect();
    let widest = widest(lines.iter().copied());
    (lines, widest)
}

#[test]
fn a_watched_status_has_a_screen_of_its_own_and_fits_it() {
    let home = Home::with_fixtures();
    let customers: Vec<String> = (0..40).map(|number| format!("{LONG}-{number}")).collect();
    let customers: Vec<&str> = customers.iter().map(String::as_str).collect();
    home.ok(&[&["subscribe"], &customers[..]].concat());
    let mut terminal = Terminal::new(COLUMNS, 22);
    let child = terminal.start(home.command(&["status", "--watch", "1h"]));
    // The last line has a queue.
    let shown = terminal.shows("dead letters");
    let (lines, widest) = frame(&shown);
    assert!(shown.contains("\x1b[?1049h\x1b[?25l\x1b[H"), "{shown:?}");
    assert!(lines.len() <= 22 && widest <= COLUMNS.into(), "{lines:#?}");
    assert!(shown.contains("more (see --output json)"), "{lines:#?}");
    // A new size gives a new frame at once.
    terminal.resize(40, 10);
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::WINCH).unwrap();
    let shown = terminal.shows("\x1b[H");
    kill_process(pid, Signal::INT).unwrap();
    let shown = shown + &terminal.rest();
    assert_eq!(ended(child), Some(0), "{shown}");
    // The previous screen is back.
    let shown = shown.strip_suffix("\x1b[?25h\x1b[?1049l").expect(&shown);
    let (lines, widest) = frame(shown);
    assert!(lines.len() <= 10 && widest <= 40, "{lines:#?}");
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_is_not_told_to() {
    let home = Home::with_fixtures();
    let dumb = |args: &[&str]| {
        let mut command = home.command(args);
        command.env("TERM", "dumb");
        command
    };
    let mut terminal = Terminal::new(80, 24);
    let child = terminal.start(dumb(&["status", "--watch", "1h"]));
    let shown = terminal.shows("dead letters");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let shown = shown + &terminal.rest();
    assert_eq!(ended(child), Some(0), "{shown}");
    assert!(!shown.contains('\x1b'), "{shown:?}");
    let terminal = Terminal::new(80, 24);
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
    let child = terminal.start(dumb(&["load", fixtures]));
    let shown = terminal.rest();
    assert_eq!(ended(child), Some(0), "{shown}");
    assert!(!shown.contains(['\x1b', '█', '░']), "{shown:?}");
}

#[test]
fn a_person_is_asked_before_a_store_is_emptied() {
    let home = Home::with_fixtures();
    let fresh = ["up", "--port", "0", "--fresh"];
    let mut terminal = Terminal::new(80, 24);
    let child = terminal.start(home.command(&fresh));
    terminal.shows("delete everything in the store in");
    terminal.types("n\n");
    let shown = terminal.rest();
    assert_ne!(ended(child), Some(0), "{shown}");
    assert_eq!(home.json(&["status"])["catalogue"]["version"], 1);

    let emptied = Home::with_empty_store();
    let mut terminal = Terminal::new(80, 24);
    let child = terminal.start(emptied.command(&fresh));
    terminal.shows("delete everything");
    terminal.types("y\n");
    terminal.shows("ready");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let shown = terminal.rest();
    assert_eq!(ended(child), Some(0), "{shown}");
}
