//! Errors in data files, with their places.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use thiserror::Error;

pub use super::duplicate::Duplicate;
use super::given::Position;
pub use super::problem::Problem;

/// How many errors are listed; the others are only counted.
pub const MAX_LISTED_ERRORS: usize = 20;

/// All errors of a set of files. Displayed one per line.
#[derive(Debug, Error, Serialize)]
#[error("{}", self.list())]
pub struct DataErrors {
    /// The first errors, at most [`MAX_LISTED_ERRORS`], in the order of files and lines.
    pub errors: Vec<RowError>,
    /// How many further errors there are.
    pub more: usize,
}

impl DataErrors {
    fn list(&self) -> String {
        let mut text = self.errors.iter().map(RowError::to_string).collect::<Vec<_>>().join("\n");
        if self.more > 0 {
            text.push_str(&format!("\nand {} more", self.more));
        }
        text
    }
}

impl From<RowError> for DataErrors {
    fn from(error: RowError) -> Self {
        Self { errors: vec![error], more: 0 }
    }
}

/// One error and its place. Displayed as `file:line:column: what is wrong`.
#[derive(Debug, Error)]
#[error("{}: {problem}", Spot { path, line: *line, column: *column })]
pub struct RowError {
    /// The file, as it was given.
    pub path: PathBuf,
    /// The line on which the bad row starts, counted from 1, or of CSV the line on which the bad field
    /// starts. None if the error is about the whole file.
    pub line: Option<u32>,
    /// The column, counted from 1, where it is known: for broken JSON, for fields of CSV, and for rows of
    /// JSON that share their line.
    pub column: Option<u32>,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

/// A place as people read it.
pub(super) struct Spot<'a> {
    pub(super) path: &'a std::path::Path,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
}

impl fmt::Display for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// Serializes `path`, `line`, `column`, `code` and `problem`. Scripts rely on the code.
impl Serialize for RowError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("RowError", 5)?;
        row.serialize_field("path", &self.path.to_string_lossy())?;
        row.serialize_field("line", &self.line)?;
        row.serialize_field("column", &self.column)?;
        row.serialize_field("code", self.problem.code())?;
        row.serialize_field("problem", &self.problem.to_string())?;
        row.end()
    }
}

/// A problem whose line is known, but not yet its file.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) problem: Problem,
}

impl Fault {
    pub(super) fn at(position: impl Into<Position>, problem: Problem) -> Self {
        let Position { line, column } = position.into();
        Self { line: Some(line), column: column.map(NonZeroU32::get), problem }
    }

    pub(super) const fn of_file(problem: Problem) -> Self {
        Self { line: None, column: None, problem }
    }

    /// Returns the fault for an error in a JSON text that starts on `first_line`.
    pub(super) fn json(first_line: u32, error: serde_json::Error) -> Self {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX).saturating_sub(1);
        // At the very start of a line, serde_json reports column 0.
        let column = u32::try_from(error.column()).ok().map(|column| column.max(1));
        Self { line: Some(first_line.saturating_add(line)), column, problem: error.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_listed_and_the_rest_counted() {
        let error = |line| RowError {
            path: "a.csv".into(),
            line: Some(line),
            column: None,
            problem: Problem::EmptyName,
        };
        let errors = DataErrors { errors: vec![error(2), error(3)], more: 7 };
        assert_eq!(
            errors.to_string(),
            "a.csv:2: `name` is empty\na.csv:3: `name` is empty\nand 7 more"
        );
        assert_eq!(
            serde_json::to_value(&errors).unwrap()["errors"][0],
            serde_json::json!({"path": "a.csv", "line": 2, "column": null,
                "code": "empty_name", "problem": "`name` is empty"})
        );
    }
}
