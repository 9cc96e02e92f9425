//! The formats in which data and failures are printed.

use clap::ValueEnum;

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Table,
    /// For programs: one JSON value, indented
    Json,
    /// For programs that read lines: one JSON value a line, one for each item of a list
    Ndjson,
}
