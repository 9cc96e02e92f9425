//! Where things are printed: data to stdout, everything else to stderr.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::AutoStream;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

use super::args::{Format, Global};
use super::failure::{ExitCode, Failure};

/// To the first place of a screen, and everything after it deleted.
const CLEARED: &[u8] = b"\x1b[H\x1b[J";

/// How this run prints.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: Format,
    quiet: bool,
}

impl Output {
    pub(super) const fn new(global: &Global) -> Self {
        Self { format: global.output, quiet: global.quiet }
    }

    /// Whether data is printed for programs.
    pub(super) const fn is_json(&self) -> bool {
        !matches!(self.format, Format::Table)
    }

    /// Whether JSON is written for people to read as well.
    pub(super) const fn is_indented(&self) -> bool {
        matches!(self.format, Format::Json)
    }

    /// Whether only data and errors are printed.
    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints data: as JSON when that was asked for, else as the text that `table` makes.
    pub(super) fn data<T: Serialize>(
        &self,
        data: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let mut text = match self.format {
            Format::Json => serde_json::to_string_pretty(data).map_err(Failure::internal)?,
            Format::Ndjson => match serde_json::to_value(data).map_err(Failure::internal)? {
                // An empty list is no line at all.
                Value::Array(items) if items.is_empty() => return Ok(()),
                Value::Array(items) => {
                    items.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
                }
                value => value.to_string(),
            },
            Format::Table => trimmed(&table(data)),
        };
        text.push('\n');
        self.raw(text.as_bytes())
    }

    /// Prints bytes as they are. A reader that has left is not a failure.
    pub(super) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.print(bytes).map(drop)
    }

    /// Prints bytes as they are. Returns whether anybody still reads them.
    pub(super) fn print(&self, bytes: &[u8]) -> Result<bool, Failure> {
        let stdout = io::stdout().lock();
        let printed = match self.format {
            // Looking for colours to leave out takes longer than all else, and JSON has none.
            Format::Json | Format::Ndjson => write_all(stdout, bytes),
            Format::Table => write_all(AutoStream::auto(stdout), bytes),
        };
        match printed {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            printed => printed.map(|()| true).map_err(|error| {
                Failure::new(ExitCode::Failure, format!("the output cannot be written: {error}"))
            }),
        }
    }

    /// Makes room for what is printed next to replace what was printed before, on a terminal.
    pub(super) fn begin_anew(&self) -> Result<(), Failure> {
        match self.format {
            Format::Table if io::stdout().is_terminal() => self.raw(CLEARED),
            _ => Ok(()),
        }
    }

    /// Tells the person at the terminal something that is not data.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            // If stderr is closed, there is nobody to tell.
            let _ = writeln!(AutoStream::auto(io::stderr().lock()), "{text}");
        }
    }

    /// A progress bar of so many steps; hidden where nobody would see it.
    pub(super) fn progress(&self, what: &'static str, steps: u64) -> ProgressBar {
        let shown = !self.quiet && io::stderr().is_terminal();
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = "{prefix:>12} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}";
        let style =
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(Some(steps), target).with_style(style).with_prefix(what)
    }
}

fn write_all(mut to: impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

/// Without the spaces that pad the last column of a table.
pub(super) fn trimmed(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// An empty table with a header, as wide as its content: nothing is ever cut.
pub(super) fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let header: Vec<&str> = header.into_iter().collect();
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(rule));
    table.set_content_arrangement(ContentArrangement::Disabled);
    if header.iter().any(|title| !title.is_empty()) {
        table.set_header(header);
    }
    table
}

/// A cell for a number.
pub(super) fn number(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
