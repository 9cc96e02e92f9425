//! Where things are printed: data to stdout, everything else to stderr.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::AutoStream;
use serde::Serialize;
use serde_json::Value;

use super::args::{Format, Global, LogFormat};
use super::failure::{ExitCode, Failure};
use super::reader;
use super::stderr::Stderr;
pub(super) use super::table::{Table, name, number, table};
use crate::model::{escape_but, escape_json};

/// How this run prints.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: Format,
    quiet: bool,
    logs: LogFormat,
}

impl Output {
    pub(super) const fn new(global: &Global) -> Self {
        Self { format: global.output, quiet: global.quiet, logs: global.log_format }
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

    /// Prints data: as JSON when that was asked for, else as the text that `table` makes. A name
    /// in it that could deceive a reader, or steer a terminal, is printed escaped.
    pub(super) fn data<T: Serialize>(
        &self,
        data: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text = match self.format {
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
        let mut text = match self.is_json() {
            true => escape_json(&text),
            false => escape_but(&text, &['\n']),
        }
        .into_owned();
        text.push('\n');
        self.raw(text.as_bytes())
    }

    /// Prints bytes as they are. A reader that has left is not a failure.
    pub(super) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.print(bytes).map(drop)
    }

    /// Prints bytes as they are. Returns whether anybody still reads them.
    pub(super) fn print(&self, bytes: &[u8]) -> Result<bool, Failure> {
        // On a terminal, what was said before comes before.
        Stderr::settle();
        let stdout = io::stdout().lock();
        let printed = match self.format {
            // Looking for colours to leave out takes longer than all else, and JSON has none.
            Format::Json | Format::Ndjson => write_all(stdout, bytes),
            Format::Table => write_all(AutoStream::auto(stdout), bytes),
        };
        is_read(printed)
    }

    /// Writes control sequences to the terminal. They are not colours, so --color does not remove them.
    pub(super) fn draw(&self, bytes: &[u8]) -> Result<(), Failure> {
        Stderr::settle();
        is_read(write_all(io::stdout().lock(), bytes)).map(drop)
    }

    /// The same output, with only data and errors.
    pub(super) const fn quietly(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// The same output, for a command that prints again and again: JSON is one line each time.
    pub(super) const fn line_by_line(self) -> Self {
        match self.format {
            Format::Json => Self { format: Format::Ndjson, ..self },
            Format::Table | Format::Ndjson => self,
        }
    }

    /// Whether data is printed for a person at a terminal.
    pub(super) fn is_on_terminal(&self) -> bool {
        !self.is_json() && io::stdout().is_terminal()
    }

    /// Tells the person at the terminal something that is not data.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            Stderr::say(&escape_but(text, &['\n']));
        }
    }

    /// Reports an error that does not end the run.
    pub(super) fn error(&self, failure: &Failure) {
        Stderr::say(&failure.render(self.format));
    }

    /// Whether events are printed. Logs as JSON are for programs, and have the same facts.
    pub(super) const fn tells_events(&self) -> bool {
        !self.quiet && matches!(self.logs, LogFormat::Text)
    }

    /// Asks for input, on a terminal. What was printed before comes before.
    pub(super) fn prompt(&self, text: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            // Memory takes everything, and the thread of stderr whatever it can.
            let _ = Stderr.write_all(escape_but(text, &[]).as_bytes());
        }
    }
}

/// Prints what clap says in place of a run: help, the version, or what is wrong with the command line.
/// Returns the exit code.
///
/// # Errors
/// If it cannot be written. A reader that has left is not a failure.
pub fn print_said(said: &clap::Error) -> Result<u8, Failure> {
    let printed = said.print().and_then(|()| io::stdout().flush());
    // The exit code says enough where stderr cannot be written.
    if !said.use_stderr() {
        is_read(printed)?;
    }
    Ok(u8::try_from(said.exit_code()).unwrap_or(1))
}

/// Whether the output is still read. A reader that has left is not a failure.
fn is_read(printed: io::Result<()>) -> Result<bool, Failure> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            reader::has_left();
            Ok(false)
        }
        printed => printed.map(|()| true).map_err(|error| {
            let message = format!("the output cannot be written: {error}");
            match error.kind() {
                ErrorKind::FileTooLarge => Failure::new(ExitCode::Unreachable, message)
                    .hint("lift the limit on the size of files with `ulimit -f unlimited`"),
                _ => Failure::new(ExitCode::Failure, message),
            }
        }),
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
