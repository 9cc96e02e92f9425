//! The rows of a CSV file. A row is a line, and, if the layout says that fields may have line breaks, further lines
//! while a quoted field is open.
//!
//! If a quoted field does not end, its row is an error, and the lines behind the one on which it starts are
//! rows of their own. So an unclosed quote hides no error of another row. But if fields may have line breaks, a
//! later quote ends its field, and the rows between become part of it. Therefore the layout must say so.

use std::io::BufRead;

use super::collect::Sink;
use super::csv_fields::{CsvFields, QuoteFlaw, column_at};
use super::error::{Fault, Problem};
use super::layout::Delimiter;
use super::limits::MAX_ROW_BYTES;
use super::lines::FileLines;

/// Reads the rows of a file, one at a time.
pub(super) struct CsvRows<R> {
    lines: FileLines<R>,
    /// Whether fields may have line breaks.
    line_breaks: bool,
}

impl<R: BufRead> CsvRows<R> {
    /// Returns the rows from the current line on.
    pub(super) const fn new(lines: FileLines<R>, line_breaks: bool) -> Self {
        Self { lines, line_breaks }
    }

    /// Returns the next row that is not blank, with the number of its first line. Rows with a quoted field
    /// that does not end are errors of the file.
    pub(super) fn next(
        &mut self,
        delimiter: Delimiter,
        sink: &mut Sink<'_>,
    ) -> Result<Option<(u32, &str)>, Fault> {
        while self.lines.advance()? {
            match self.complete(delimiter)? {
                None => return self.lines.current().map(Some),
                Some(fault) => sink.fault(fault),
            }
        }
        Ok(None)
    }

    /// Makes the next line that is not blank the current row. Returns whether there is one.
    pub(super) fn advance(&mut self) -> Result<bool, Fault> {
        self.lines.advance()
    }

    /// Returns the current row, with the number of its first line.
    pub(super) fn current(&self) -> Result<(u32, &str), Fault> {
        self.lines.current()
    }

    /// Adds lines to the current row until all its quoted fields end. Returns the fault of a field that does
    /// not end; then the row ends with the line on which that field starts.
    pub(super) fn complete(&mut self, delimiter: Delimiter) -> Result<Option<Fault>, Fault> {
        // Most rows have no quote, so their fields need not be looked at.
        if !self.lines.bytes().contains(&b'"') {
            return Ok(None);
        }
        let (mut number, line) = self.lines.current()?;
        let Some((start, mut flaw)) = CsvFields::of(line, delimiter).flaw() else {
            return Ok(None);
        };
        let mut column = column_at(line, start);
        let mut end = self.lines.extent();
        let may_go_on = |flaw, bytes| flaw == QuoteFlaw::Open && bytes <= MAX_ROW_BYTES;
        while self.line_breaks && may_go_on(flaw, self.lines.extent().bytes) {
            let (added, line) = match self.lines.extend() {
                Ok(Some(next)) => next,
                Ok(None) => break,
                // Once the row is shortened, the line is read again, and reported at its own place.
                Err(Fault { problem: Problem::NotText, .. }) => break,
                Err(fault) => return Err(fault),
            };
            let Some((start, found)) = CsvFields::inside(line, delimiter).flaw() else {
                return Ok(None);
            };
            flaw = found;
            // At the start of the line, it is still the field of an earlier line.
            if start > 0 {
                (number, column) = (added, column_at(line, start));
                end = self.lines.extent();
            }
        }
        self.lines.shorten(end);
        let problem = match flaw {
            QuoteFlaw::Open if self.line_breaks => Problem::EndlessQuote,
            QuoteFlaw::Open => Problem::OpenQuote,
            QuoteFlaw::Followed => Problem::Quote,
        };
        Ok(Some(Fault { line: Some(number), column: Some(column), problem }))
    }

    /// Returns how many lines the current row has.
    pub(super) const fn lines(&self) -> u32 {
        self.lines.extent().added.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::collect::Collector;
    use crate::data::layout::Layout;
    use crate::pricing::Currency;

    /// Returns the rows of a file, and its errors.
    fn rows(text: impl AsRef<[u8]>) -> (Vec<(u32, String)>, String) {
        let mut collector = Collector::new(Currency::USD.into(), Layout::default(), vec![]);
        let mut sink = collector.file("f".into());
        let mut rows = CsvRows::new(FileLines::new(text.as_ref()), true);
        let mut read = vec![];
        loop {
            match rows.next(Delimiter::Comma, &mut sink) {
                Ok(Some((number, row))) => read.push((number, row.to_owned())),
                Ok(None) => break,
                Err(fault) => break sink.fault(fault),
            }
        }
        sink.close();
        (read, collector.finish().unwrap_err().to_string())
    }

    fn numbers(rows: &[(u32, String)]) -> Vec<u32> {
        rows.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn a_row_ends_outside_of_quotes() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "a,\"b\n\n\"\"c\"\"\",\"\n\"\nd\n\n\"e\n\"\n5\" f\n".replace('\n', end);
            let (rows, _) = rows(&text);
            let row = |number, row: &str| (number, row.replace('\n', end));
            let first = "a,\"b\n\n\"\"c\"\"\",\"\n\"";
            let expected = [row(1, first), row(5, "d"), row(7, "\"e\n\""), row(9, "5\" f")];
            assert_eq!(rows, expected, "{end:?}");
        }
    }

    #[test]
    fn a_quote_that_does_not_end_hides_no_other_row() {
        for (text, places, expected) in [
            ("a\nb,\"c\nd\ne", &["f:2:3"][..], &[1, 3, 4][..]),
            ("a\nb,\"c\nd,\"e\nf", &["f:2:3", "f:3:3"], &[1, 4]),
            ("\"a\",\"b\nc\",\"d\ne", &["f:2:4"], &[3]),
            ("\"a\nb\",\"c\"d\ne", &["f:2:4"], &[3]),
            ("\"a\nb\"c\nd", &["f:1:1"], &[2, 3]),
            ("\"a\"b\nc", &["f:1:1"], &[2]),
        ] {
            let (rows, errors) = rows(text);
            let found: Vec<_> = errors
                .lines()
                .filter_map(|error| error.split(": a quoted field ").next())
                .collect();
            assert_eq!(found, places, "{text:?}: {errors}");
            assert_eq!(numbers(&rows), expected, "{text:?}: {errors}");
        }
    }

    #[test]
    fn a_quote_that_does_not_end_hides_no_line_that_is_not_text() {
        let (rows, errors) = rows(b"a\nb,\"c\nd\ne\xff\n");
        assert_eq!(numbers(&rows), [1, 3]);
        assert!(errors.starts_with("f:2:3: a quoted field is not closed"), "{errors}");
        assert!(errors.contains("\nf:4: is not text"), "{errors}");
    }

    #[test]
    fn the_end_of_a_quote_is_searched_only_so_far() {
        const LINE_BYTES: usize = 64;
        let lines =
            |bytes: usize| format!("{}\n", "x".repeat(LINE_BYTES - 1)).repeat(bytes / LINE_BYTES);
        let (within, _) = rows(format!("\"{}\"\nb\n", lines(MAX_ROW_BYTES - LINE_BYTES)));
        assert_eq!(within.len(), 2);
        let (beyond, errors) = rows(format!("\"{}\"\n", lines(2 * MAX_ROW_BYTES)));
        assert!(errors.starts_with("f:1:1: a quoted field is not closed"), "{errors}");
        let all = 2 * MAX_ROW_BYTES / LINE_BYTES;
        assert_eq!(beyond.len(), all - 1, "all but the line of each quote");
    }

    #[test]
    fn no_line_is_searched_again_and_again() {
        let (rows, errors) = rows("a\",\"b\n".repeat(MAX_ROW_BYTES / 2));
        assert_eq!(rows, []);
        assert!(errors.lines().count() <= 4, "{errors}");
    }
}
