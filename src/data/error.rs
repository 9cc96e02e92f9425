//! What can be wrong with data files, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::model::{IdError, ProductId, UserId, escape};
use crate::pricing::{MoneyError, PercentageError};

/// How many errors are listed; the others are only counted.
pub const MAX_LISTED_ERRORS: usize = 20;

/// Everything that is wrong with a set of files. Displayed one per line.
#[derive(Debug, Error, Serialize)]
#[error("{}", self.list())]
pub struct DataErrors {
    /// The first errors, at most [`MAX_LISTED_ERRORS`], in the order of files and lines.
    pub errors: Vec<RowError>,
    /// How many more there are.
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

/// One thing that is wrong, and its place. Displayed as `file:line:column: what is wrong`.
#[derive(Debug, Error)]
#[error("{}: {problem}", Spot { path, line: *line, column: *column })]
pub struct RowError {
    /// The file, as it was given.
    pub path: PathBuf,
    /// The line on which the bad row starts, counted from 1; none when it is about the whole file.
    pub line: Option<u32>,
    /// The column, counted in bytes from 1, where it is known: for broken JSON.
    pub column: Option<u32>,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

struct Spot<'a> {
    path: &'a std::path::Path,
    line: Option<u32>,
    column: Option<u32>,
}

impl fmt::Display for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// `path`, `line`, `column`, `code` and `problem`; scripts go by the code.
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

/// What is wrong with a row, a file or a folder.
#[derive(Debug, Error)]
pub enum Problem {
    /// The file or folder is not there, or reading failed.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// A folder without a single data file.
    #[error("has no data files (.json, .ndjson, .jsonl or .csv)")]
    EmptyFolder,
    /// All the files together have no row.
    #[error("has no products and no discounts")]
    NoRows,
    /// Not UTF-8, or with NUL in it.
    #[error("is not a text file in UTF-8")]
    NotText,
    /// The JSON ends before it is complete.
    #[error("the JSON is cut off")]
    Truncated(#[source] serde_json::Error),
    /// The JSON is broken.
    #[error("is not JSON: {}", without_place(.0))]
    NotJson(#[source] serde_json::Error),
    /// A row, or a discount in a list, that is no JSON object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// A field that nothing knows.
    #[error("unknown field `{field}`{}", did_you_mean(*.near))]
    UnknownField {
        /// What was given.
        field: String,
        /// The one that was probably meant.
        near: Option<&'static str>,
    },
    /// A table of a batch write that is neither products nor discounts.
    #[error("unknown table `{table}`{}", did_you_mean(*.near))]
    UnknownTable {
        /// What was given.
        table: String,
        /// The one that was probably meant.
        near: Option<&'static str>,
    },
    /// A field that must be there.
    #[error("`{field}` is missing")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A field given twice, by one name or by two names of the same thing.
    #[error("`{field}` is given twice")]
    Repeated {
        /// Which.
        field: &'static str,
    },
    /// A value of the wrong kind.
    #[error("`{field}` is {found}, not {expected}")]
    WrongKind {
        /// Which.
        field: &'static str,
        /// What must be there, with its article.
        expected: &'static str,
        /// What is there, with its article.
        found: &'static str,
    },
    /// A product without a name.
    #[error("`name` is empty")]
    EmptyName,
    /// A line break or another control character in a product's name.
    #[error("`name` has a control character")]
    ControlCharacter,
    /// A bad user or product id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A bad price.
    #[error(transparent)]
    Price(#[from] MoneyError),
    /// A bad discount.
    #[error(transparent)]
    Percentage(#[from] PercentageError),
    /// One entry of a user's list of discounts.
    #[error("discount {number}: {problem}")]
    InList {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        problem: Box<Problem>,
    },
    /// A CSV row with more or fewer fields than the header.
    #[error("has {found} fields, the header has {expected}")]
    FieldCount {
        /// How many columns there are.
        expected: usize,
        /// How many fields the row has.
        found: usize,
    },
    /// A CSV quote that is not closed on its line, or is followed by more than a comma.
    #[error("a quoted field does not end in `\"` and a comma or the end of the line")]
    Quote,
    /// A product that an earlier row has named already.
    #[error("product `{id}` is already given at {first}")]
    DuplicateProduct {
        /// Which.
        id: ProductId,
        /// Where it was first: `file:line`.
        first: String,
    },
    /// A user's list of discounts when there are already discounts of that user.
    #[error("discounts of user `{user}` are already given at {first}")]
    DuplicateUser {
        /// Whose.
        user: UserId,
        /// Where they were first: `file:line`.
        first: String,
    },
    /// A second discount of one user for one product.
    #[error("user `{user}` already has a discount for product `{product}` at {first}")]
    DuplicateDiscount {
        /// Whose.
        user: UserId,
        /// For which product.
        product: ProductId,
        /// Where it was first: `file:line`.
        first: String,
    },
}

impl Problem {
    /// A stable word for the kind of problem.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::EmptyFolder => "empty_folder",
            Self::NoRows => "no_rows",
            Self::NotText => "not_text",
            Self::Truncated(_) => "truncated",
            Self::NotJson(_) => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::UnknownField { .. } => "unknown_field",
            Self::UnknownTable { .. } => "unknown_table",
            Self::Missing { .. } => "missing_field",
            Self::Repeated { .. } => "repeated_field",
            Self::WrongKind { .. } => "wrong_kind",
            Self::EmptyName => "empty_name",
            Self::ControlCharacter => "control_character",
            Self::Id(_) => "bad_id",
            Self::Price(_) => "bad_price",
            Self::Percentage(_) => "bad_percentage",
            Self::InList { problem, .. } => problem.code(),
            Self::FieldCount { .. } => "field_count",
            Self::Quote => "bad_quote",
            Self::DuplicateProduct { .. } => "duplicate_product",
            Self::DuplicateUser { .. } => "duplicate_user",
            Self::DuplicateDiscount { .. } => "duplicate_discount",
        }
    }

    /// An unknown field, with the candidate that it resembles.
    pub(super) fn unknown_field(
        field: &str,
        candidates: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self::UnknownField { field: shown(field), near: nearest(field, candidates) }
    }

    /// An unknown table, with the candidate that it resembles.
    pub(super) fn unknown_table(table: &str, candidates: &[&'static str]) -> Self {
        Self::UnknownTable { table: shown(table), near: nearest(table, candidates.iter().copied()) }
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Eof => Self::Truncated(error),
            // Syntax is always right where a row is looked at again, so only its shape can be wrong.
            serde_json::error::Category::Data => Self::NotAnObject,
            _ => Self::NotJson(error),
        }
    }
}

/// A problem that knows its line but not its file.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) problem: Problem,
}

impl Fault {
    pub(super) const fn at(line: u32, problem: Problem) -> Self {
        Self { line: Some(line), column: None, problem }
    }

    pub(super) const fn of_file(problem: Problem) -> Self {
        Self { line: None, column: None, problem }
    }

    /// An error in a JSON text that starts on `first_line`.
    pub(super) fn json(first_line: u32, error: serde_json::Error) -> Self {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX).saturating_sub(1);
        // At the very start of a line the reader has not yet counted a column.
        let column = u32::try_from(error.column()).ok().map(|column| column.max(1));
        Self { line: Some(first_line.saturating_add(line)), column, problem: error.into() }
    }
}

/// The message of a JSON error without the place, which counts from the start of a row.
fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}

/// Something of a file for a message: short, and harmless to a terminal.
fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    let start: String = text.chars().take(MAX_CHARS).collect();
    let end = if text.chars().nth(MAX_CHARS).is_some() { "…" } else { "" };
    format!("{}{end}", escape(&start))
}

/// The candidate that a name was probably meant to be.
fn nearest(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    const MAX_EDITS: usize = 2;
    const MAX_BYTES: usize = 32;
    if name.len() > MAX_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    candidates
        .map(|candidate| {
            let is_start = candidate.split('_').next() == Some(&name);
            (if is_start { 0 } else { strsim::osa_distance(&name, candidate) }, candidate)
        })
        .filter(|(edits, candidate)| *edits <= MAX_EDITS && *edits < candidate.len())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = || ["id", "name", "price", "product_id"].into_iter();
        for (given, near) in [
            ("prize", Some("price")),
            ("ID", Some("id")),
            ("productId", Some("product_id")),
            ("nmae", Some("name")),
            ("product", Some("product_id")),
            ("colour", None),
            ("x", None),
            (&*"price".repeat(100), None),
        ] {
            assert_eq!(nearest(given, names()), near, "{given}");
        }
    }

    #[test]
    fn names_from_files_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown(&"x".repeat(41)), "x".repeat(40) + "…");
    }

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
