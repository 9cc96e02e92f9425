//! Prints data to stdout, and everything else to stderr.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::AutoStream;
use serde::Serialize;
use serde_json::Value;

use super::args::{Global, LogFormat};
use super::failure::{ExitCode, Failure, Result};
use super::output_format::OutputFormat;
use super::reader;
use super::stderr::Stderr;
pub(super) use super::table::{PrintedTable, name, number, table};
use super::terminal;
use crate::model::{escape_but, escape_json};

/// The output settings of this run.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: OutputFormat,
    quiet: bool,
    logs: LogFormat,
}

impl Output {
    pub(super) const fn new(global: &Global) -> Self {
        Self { format: global.output, quiet: global.quiet, logs: global.log_format }
    }

    /// Returns an output that prints no notes.
    #[cfg(test)]
    pub(super) const fn quiet() -> Self {
        Self { format: OutputFormat::Table, quiet: true, logs: LogFormat::Text }
    }

    /// Whether data is printed for programs.
    pub(super) const fn is_json(&self) -> bool {
        !matches!(self.format, OutputFormat::Table)
    }

    /// Whether JSON is indented, so that people can read it.
    pub(super) const fn is_indented(&self) -> bool {
        matches!(self.format, OutputFormat::Json)
    }

    /// Whether only data and errors are printed.
    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints data as JSON if that is selected, otherwise as the text that `table` makes. Names that
    /// could deceive a reader or control a terminal are escaped.
    pub(super) fn data<T: Serialize>(
        &self,
        data: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        let text = match self.format {
            OutputFormat::Json => serde_json::to_string_pretty(data).map_err(Failure::internal)?,
            OutputFormat::Ndjson => match serde_json::to_value(data).map_err(Failure::internal)? {
                // An empty list has no lines.
                Value::Array(items) if items.is_empty() => return Ok(()),
                Value::Array(items) => {
                    items.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
                }
                value => value.to_string(),
            },
            OutputFormat::Table => trimmed(&table(data)),
        };
        let mut text = match self.is_json() {
            true => escape_json(&text),
            false => escape_but(&text, &['\n']),
        }
        .into_owned();
        text.push('\n');
        self.raw(text.as_bytes())
    }

    /// Prints bytes unchanged. It is no failure if the reader has left.
    pub(super) fn raw(&self, bytes: &[u8]) -> Result<()> {
        self.print(bytes).map(drop)
    }

    /// Prints bytes unchanged. Returns whether anybody still reads them.
    pub(super) fn print(&self, bytes: &[u8]) -> Result<bool> {
        // On a terminal, earlier messages must appear first.
        Stderr::settle();
        let stdout = io::stdout().lock();
        let printed = match self.format {
            // Scanning for colours takes longer than everything else, and JSON has none.
            OutputFormat::Json | OutputFormat::Ndjson => write_all(stdout, bytes),
            OutputFormat::Table => write_all(AutoStream::auto(stdout), bytes),
        };
        is_read(printed)
    }

    /// Prints text that is for people whatever the output format is. Its colours appear only where they
    /// are wanted.
    pub(super) fn styled(&self, text: &str) -> Result<()> {
        Stderr::settle();
        is_read(write_all(AutoStream::auto(io::stdout().lock()), text.as_bytes())).map(drop)
    }

    /// Writes control sequences to the terminal. They are not colours, so --color does not remove them.
    pub(super) fn draw(&self, bytes: &[u8]) -> Result<()> {
        Stderr::settle();
        is_read(write_all(io::stdout().lock(), bytes)).map(drop)
    }

    /// Returns the same output, limited to data and errors.
    pub(super) const fn quietly(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// Returns the same output for a command that prints repeatedly: each JSON value is one line.
    pub(super) const fn line_by_line(self) -> Self {
        match self.format {
            OutputFormat::Json => Self { format: OutputFormat::Ndjson, ..self },
            OutputFormat::Table | OutputFormat::Ndjson => self,
        }
    }

    /// Whether data is printed for a person at a terminal whose cursor can be moved.
    pub(super) fn is_on_terminal(&self) -> bool {
        !self.is_json() && io::stdout().is_terminal() && terminal::can_draw()
    }

    /// Prints a message for the person at the terminal.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            Stderr::say(&escape_but(text, &['\n']));
        }
    }

    /// Reports an error that does not end the run.
    pub(super) fn error(&self, failure: &Failure) {
        Stderr::say(&failure.render(self.format));
    }

    /// Whether events are printed. Logs in JSON are for programs and contain the same facts.
    pub(super) const fn tells_events(&self) -> bool {
        !self.quiet && matches!(self.logs, LogFormat::Text)
    }

    /// Prints a prompt for input on a terminal, after all earlier messages.
    pub(super) fn prompt(&self, text: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            // The write goes to memory, and the thread of stderr prints what it can.
            let _ = Stderr.write_all(escape_but(text, &[]).as_bytes());
        }
    }
}

/// Prints what clap returns instead of a run: help, the version, or an error in the command line. Returns
/// the exit code.
///
/// # Errors
/// Fails if it cannot be written. It is no failure if the reader has left.
pub fn print_said(said: &clap::Error) -> Result<u8> {
    let printed = said.print().and_then(|()| io::stdout().flush());
    // If stderr cannot be written, the exit code is enough.
    if !said.use_stderr() {
        is_read(printed)?;
    }
    Ok(u8::try_from(said.exit_code()).unwrap_or(1))
}

/// Whether the output is still read. It is no failure if the reader has left.
fn is_read(printed: io::Result<()>) -> Result<bool> {
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

/// Removes the spaces that pad the last column of a table.
pub(super) fn trimmed(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
