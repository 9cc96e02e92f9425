//! CSV: a header row, then one row per line.
//!
//! No field of ours may contain a line break, so a row never goes beyond its line. That makes a
//! quote that is not closed an error of that line; a reader of general CSV would take all the rows
//! up to the next quote for one field.

use std::borrow::Cow;
use std::io::BufRead;

use super::collect::Sink;
use super::error::{Fault, Problem};
use super::lines::Lines;
use super::record::record;
use super::row::{Cell, Field, Row};
use super::shape::{Expected, check_columns};
use super::values::currency;
use crate::pricing::Currency;

/// Reads a file whose present line is the header.
pub(super) fn read<R: BufRead>(mut lines: Lines<R>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let (line, names) = lines.current()?;
    let columns = columns(names).map_err(|problem| Fault::at(line, problem))?;
    while let Some((number, line)) = lines.next()? {
        let amounts = sink.amounts();
        let record = row(line, &columns).and_then(|row| record(row, Expected::Any, amounts));
        sink.row(number, record);
    }
    Ok(())
}

/// What a column has.
#[derive(Clone, Copy)]
enum Column {
    Field(Field),
    /// The amounts of one currency, as in `price.EUR`.
    In(Field, Currency),
}

fn columns(header: &str) -> Result<Vec<Column>, Problem> {
    let mut row = Row::default();
    let mut columns = vec![];
    for name in Fields::of(header) {
        let name = name?;
        match Column::named(&name)? {
            Some(column) => {
                column.set(&mut row, Cow::Borrowed(""));
                columns.push(column);
            }
            None => {
                row.unknown.get_or_insert_with(|| name.into_owned());
            }
        }
    }
    check_columns(&row)?;
    Ok(columns)
}

fn row<'a>(line: &'a str, columns: &[Column]) -> Result<Row<'a>, Problem> {
    let mut row = Row::default();
    let mut found = 0;
    for text in Fields::of(line) {
        let text = text?;
        if let Some(column) = columns.get(found) {
            column.set(&mut row, text);
        }
        found += 1;
    }
    if found == columns.len() {
        Ok(row)
    } else {
        Err(Problem::FieldCount { expected: columns.len(), found })
    }
}

impl Column {
    fn named(name: &str) -> Result<Option<Self>, Problem> {
        let Some((field, code)) = name.split_once('.') else {
            return Ok(Field::named(name).map(Self::Field));
        };
        let field = match field {
            "price" => Field::Price,
            "floor" => Field::Floor,
            _ => return Ok(None),
        };
        Ok(Some(Self::In(field, currency(code)?)))
    }

    fn set<'a>(self, row: &mut Row<'a>, text: Cow<'a, str>) {
        match self {
            Self::Field(field) => row.set(field, Cell::Column(text)),
            Self::In(field, currency) => {
                row.by_currency.push((field, currency, Cell::Column(text)));
            }
        }
    }
}

/// The fields of a line. White space around a field that is not quoted is not part of it.
struct Fields<'a> {
    rest: Option<&'a str>,
}

impl<'a> Fields<'a> {
    const fn of(line: &'a str) -> Self {
        Self { rest: Some(line) }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Cow<'a, str>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if let Some(quoted) = rest.trim_start().strip_prefix('"') {
            let field = unquote(quoted).ok_or(Problem::Quote);
            return Some(field.map(|(field, rest)| {
                self.rest = rest;
                field
            }));
        }
        let (field, rest) = match rest.split_once(',') {
            Some((field, rest)) => (field, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        Some(Ok(Cow::Borrowed(field.trim())))
    }
}

/// What a field says, up to its closing quote, and what comes after the comma behind it.
fn unquote(quoted: &str) -> Option<(Cow<'_, str>, Option<&str>)> {
    let mut field = Cow::Borrowed("");
    let mut rest = quoted;
    loop {
        let (piece, behind) = rest.split_once('"')?;
        if field.is_empty() {
            field = Cow::Borrowed(piece);
        } else {
            field.to_mut().push_str(piece);
        }
        if let Some(more) = behind.strip_prefix('"') {
            field.to_mut().push('"');
            rest = more;
        } else if behind.trim().is_empty() {
            return Some((field, None));
        } else {
            return behind.trim_start().strip_prefix(',').map(|next| (field, Some(next)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Option<Vec<String>> {
        Fields::of(line).map(|field| field.ok().map(Cow::into_owned)).collect()
    }

    #[test]
    fn splits_quotes_and_blanks() {
        for (line, expected) in [
            ("a,b,c", &["a", "b", "c"][..]),
            (" a , b ,", &["a", "b", ""]),
            (r#""a,1"," b ","#, &["a,1", " b ", ""]),
            (r#""say ""hi""",x"#, &[r#"say "hi""#, "x"]),
            (r#""""","""""""#, &["\"", "\"\""]),
            (r#""", "a" , b"#, &["", "a", "b"]),
            (r#"5" nail,x"#, &[r#"5" nail"#, "x"]),
        ] {
            let expected: Vec<_> = expected.iter().map(|&field| field.to_owned()).collect();
            assert_eq!(fields(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn a_quote_ends_on_its_line() {
        for line in [r#""a"#, r#"x,"a,b"#, r#""a"b,c"#, r#""a"""#] {
            assert_eq!(fields(line), None, "{line}");
        }
    }
}
