//! CSV: a header row, then the other rows.
//!
//! If the layout says so, a quoted field may contain line breaks. No field of ocache does, but a column that is
//! left out may.
//!
//! Spreadsheets pad tables with empty rows and columns, which are skipped. A first line such as `sep=;`
//! names the delimiter.

use std::io::BufRead;

use super::collect::Sink;
use super::csv_columns::{Column, columns, other_delimiter_of_quoted};
use super::csv_fields::{CsvFields, column_at, is_blank};
use super::csv_rows::CsvRows;
use super::dataset::{Notice, SeveralLines};
use super::error::{Fault, Problem};
use super::kinds::Expected;
use super::layout::{Delimiter, Layout};
use super::lines::{FileLines, line_ends};
use super::record::record;
use super::row::{FileCell, FileRow};
use super::spreadsheet;

/// Reads a file whose current line is the first that is not blank.
pub(super) fn read<R: BufRead>(lines: FileLines<R>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let mut layout = sink.layout().clone();
    let mut rows = CsvRows::new(lines, layout.line_breaks);
    let Some(columns) = header(&mut rows, &mut layout)? else { return Ok(()) };
    let ignored = columns.iter().filter(|column| column.is_ignored());
    sink.ignored(ignored.map(Column::name));
    let mut several = SeveralLines::default();
    several.count(rows.current()?.0, rows.lines());
    while rows.next(layout.delimiter, sink)?.is_some() {
        let (number, text) = rows.current()?;
        if is_blank(text, layout.delimiter) {
            continue;
        }
        several.count(number, rows.lines());
        let amounts = sink.amounts();
        match row(text, &columns, &layout) {
            Ok(mut row) => match record(&mut row, Expected::Any, amounts, &layout.columns) {
                Ok(record) => sink.row(number, record),
                Err(problem) => {
                    sink.fault(fault_of(number, text, &row, &columns, &layout, problem))
                }
            },
            Err((Some(start), problem)) => sink.fault(fault_at(number, text, start, problem)),
            Err((None, problem)) => sink.fault(Fault::at(number, problem)),
        }
    }
    if several.count > 0 {
        sink.notice(|path| Notice::SeveralLines { path, rows: several });
    }
    Ok(())
}

/// Reads the columns from the first row that is neither padding nor `sep=`. Returns `None` if there is no
/// such row.
fn header<R: BufRead>(
    rows: &mut CsvRows<R>,
    layout: &mut Layout,
) -> Result<Option<Vec<Column>>, Fault> {
    loop {
        let (number, line) = rows.current()?;
        if let Some(delimiter) = separator(line) {
            if layout.delimiter_is_given && delimiter != layout.delimiter {
                let problem = Problem::TwoDelimiters(delimiter.name(), layout.delimiter.name());
                return Err(Fault::at(number, problem));
            }
            layout.delimiter = delimiter;
        } else if let Some(fault) = rows.complete(layout.delimiter)? {
            let (number, text) = rows.current()?;
            let other = other_delimiter_of_quoted(text, layout);
            return Err(other.map_or(fault, |problem| Fault::at(number, problem)));
        } else {
            let (number, text) = rows.current()?;
            if !is_blank(text, layout.delimiter) {
                let columns = columns(text, layout);
                return columns.map(Some).map_err(|problem| Fault::at(number, problem));
            }
        }
        if !rows.advance()? {
            return Ok(None);
        }
    }
}

/// Returns the delimiter that a line such as `sep=;` names. Spreadsheets write it before the header, and
/// may quote it.
fn separator(line: &str) -> Option<Delimiter> {
    let line = line.trim_matches([' ', '"']);
    let said = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep="))?;
    line[said.len()..].parse().ok()
}

/// Reads a row whose quotes are right. An error has the byte of the row at which it is, if it is at one.
fn row<'a>(
    text: &'a str,
    columns: &[Column],
    layout: &Layout,
) -> Result<FileRow<'a>, (Option<usize>, Problem)> {
    let mut row = FileRow::default();
    let mut found = 0;
    let mut surplus = None;
    for (start, text) in CsvFields::of(text, layout.delimiter).map_while(Result::ok) {
        let at = |problem| (Some(start), problem);
        match columns.get(found) {
            Some(Column::Of { target, name }) => {
                let text = spreadsheet::value(text, *target, layout)
                    .map_err(|problem| at(Problem::in_column(name, target.field(), problem)))?;
                row.set_target(*target, FileCell::Column(text));
            }
            Some(Column::Ignored { .. }) => {}
            Some(Column::Nameless) if text.is_empty() => {}
            Some(Column::Nameless) => {
                let (number, text) = (found + 1, text.into_owned());
                return Err(at(Problem::Nameless { number, text }));
            }
            // An empty field beyond the header is padding.
            None if text.is_empty() => continue,
            None => drop(surplus.get_or_insert(start)),
        }
        found += 1;
    }
    let is_padding = |column: &Column| matches!(column, Column::Nameless);
    let are_missing = columns.get(found..).is_some_and(|rest| !rest.iter().all(is_padding));
    if surplus.is_none() && !are_missing {
        return Ok(row);
    }
    let expected = columns.iter().filter(|column| !is_padding(column)).count();
    Err((surplus, Problem::FieldCount { expected, found }))
}

/// Returns the fault of a row, with the place of the field that is wrong.
fn fault_of(
    number: u32,
    row_text: &str,
    row: &FileRow<'_>,
    columns: &[Column],
    layout: &Layout,
    problem: Problem,
) -> Fault {
    let last = row.last.filter(|_| problem.is_of_value());
    let place = last.and_then(|last| columns.iter().position(|column| column.is(last)));
    let field = place.and_then(|place| CsvFields::of(row_text, layout.delimiter).nth(place)?.ok());
    let (Some(last), Some(place), Some((start, text))) = (last, place, field) else {
        return Fault::at(number, problem);
    };
    let problem = match last.field().is_number() && text.contains(',') && !layout.decimal_comma {
        true => Problem::DecimalComma { problem: Box::new(problem) },
        false => problem,
    };
    let problem = Problem::in_column(columns[place].name(), last.field(), problem);
    fault_at(number, row_text, start, problem)
}

/// Returns the fault of a field that starts at a byte of a row. Its place is that of the field: the row may
/// have several lines.
fn fault_at(number: u32, row_text: &str, start: usize, problem: Problem) -> Fault {
    let before = row_text.get(..start).unwrap_or_default();
    let line_start = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    let line = number.saturating_add(line_ends(before.as_bytes()));
    let column = column_at(&row_text[line_start..], start - line_start);
    Fault { line: Some(line), column: Some(column), problem }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn a_line_may_name_the_delimiter() {
        for (line, expected) in [
            ("sep=;", Some(Delimiter::Semicolon)),
            ("SEP=,", Some(Delimiter::Comma)),
            ("\"sep=|\"", Some(Delimiter::Pipe)),
            ("sep=\t", Some(Delimiter::Tab)),
            ("sep=", None),
            ("sep=x", None),
            ("separator", None),
            ("süp=;", None),
        ] {
            assert_eq!(separator(line), expected, "{line:?}");
        }
    }

    #[test]
    fn borrowed_fields_are_not_copied() {
        let columns = columns("id,name,price", &Layout::default()).unwrap();
        let row = row("P1,Desk,5", &columns, &Layout::default());
        let cell = row.unwrap().take(super::super::field::Field::Name);
        assert!(matches!(cell, Some(FileCell::Column(Cow::Borrowed("Desk")))));
    }
}
