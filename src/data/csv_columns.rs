//! The header of a CSV file: what its columns are.

use std::borrow::Cow;

use super::csv_fields::{CsvFields, QuoteFlaw};
use super::error::Problem;
use super::field::Field;
use super::kinds::KnownColumns;
use super::layout::{Delimiter, Layout, Meaning};
use super::row::{FileCell, FileRow};
use super::shape::{check_columns, columns_for};
use super::target::Target;

/// What a column contains.
#[derive(Clone, Debug)]
pub(super) enum Column {
    /// The values of a field.
    Of { target: Target, name: String },
    /// Values that the layout says to leave out.
    Ignored { name: String },
    /// Nothing. The column is padding of a spreadsheet.
    Nameless,
}

impl Column {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Of { name, .. } | Self::Ignored { name } => name,
            Self::Nameless => "",
        }
    }

    pub(super) const fn is_ignored(&self) -> bool {
        matches!(self, Self::Ignored { .. })
    }

    pub(super) fn is(&self, wanted: Target) -> bool {
        matches!(self, Self::Of { target, .. } if *target == wanted)
    }
}

/// Reads the columns that a header names, whose quotes are right.
pub(super) fn columns(header: &str, layout: &Layout) -> Result<Vec<Column>, Problem> {
    let mut row = FileRow::default();
    let mut columns = vec![];
    let mut unknown = vec![];
    for (_, name) in CsvFields::of(header, layout.delimiter).map_while(Result::ok) {
        let name = on_one_line(name);
        let column = match meaning(&name, layout)? {
            _ if name.is_empty() => Column::Nameless,
            Meaning::Is(target) => {
                row.set_target(target, FileCell::Column(Cow::Borrowed("")));
                Column::Of { target, name: name.into_owned() }
            }
            Meaning::Ignored => Column::Ignored { name: name.into_owned() },
            Meaning::Unknown => {
                unknown.push(name.into_owned());
                continue;
            }
        };
        columns.push(column);
    }
    if unknown.is_empty() {
        check_columns(&row)?;
        return Ok(columns);
    }
    match other_delimiter(&unknown, columns.len(), layout) {
        Some(problem) => Err(problem),
        None => Err(Problem::unknown_columns(&unknown, columns_for(&row))),
    }
}

/// Returns the name of a column as flags can name it, with a blank for each line break. Spreadsheets have line breaks
/// in wide names.
fn on_one_line(name: Cow<'_, str>) -> Cow<'_, str> {
    match name.contains(['\n', '\r']) {
        true => Cow::Owned(name.split_whitespace().collect::<Vec<_>>().join(" ")),
        false => name,
    }
}

fn meaning(name: &str, layout: &Layout) -> Result<Meaning, Problem> {
    let meaning = layout.columns.meaning(name);
    let is_said = layout.columns.says(name);
    match Target::named(name) {
        Ok(Some(target)) if !is_said => Ok(Meaning::Is(target)),
        Err(problem) if !is_said && !layout.columns.ignore_unknown => Err(problem),
        _ => Ok(meaning),
    }
}

/// Returns the problem of a header that is one column because the file has another delimiter.
fn other_delimiter(unknown: &[String], known: usize, layout: &Layout) -> Option<Problem> {
    let [header] = unknown else { return None };
    let is_other =
        |delimiter: &Delimiter| *delimiter != layout.delimiter && header.contains(delimiter.char());
    let delimiter = Delimiter::ALL.into_iter().find(is_other).filter(|_| known == 0)?;
    Some(Problem::OtherDelimiter {
        header: header.clone(),
        in_force: layout.delimiter.name(),
        other: delimiter.name(),
        columns: known_columns(header, delimiter),
    })
}

/// Returns the problem of a header with quoted names, of which one is followed by another delimiter.
pub(super) fn other_delimiter_of_quoted(header: &str, layout: &Layout) -> Option<Problem> {
    let (start, QuoteFlaw::Followed) = CsvFields::of(header, layout.delimiter).flaw()? else {
        return None;
    };
    let quoted = header.get(start..)?;
    let ends_name = |delimiter: &Delimiter| {
        let mut fields = CsvFields::of(quoted, *delimiter);
        *delimiter != layout.delimiter
            && matches!(fields.next(), Some(Ok(_)))
            && fields.next().is_some()
    };
    let other = Delimiter::ALL.into_iter().find(ends_name)?;
    Some(Problem::QuotedDelimiter {
        in_force: layout.delimiter.name(),
        sign: other.char(),
        other: other.name(),
        columns: known_columns(header, other),
    })
}

/// Returns the columns of the kind of rows that a header seems to be of.
fn known_columns(header: &str, delimiter: Delimiter) -> KnownColumns {
    let mut row = FileRow::default();
    for name in header.split(delimiter.char()) {
        if let Some(field) = Field::named(name.trim_matches(['"', ' '])) {
            row.set(field, FileCell::Column(Cow::Borrowed("")));
        }
    }
    columns_for(&row)
}
