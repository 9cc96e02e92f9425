//! A table for people that is printed in pieces, because it may be larger than memory.

use super::failure::Result;
use super::output::{Output, table, trimmed};
use super::table::{TableCell, TableWidths};

/// Prints a table in pieces. They look like one table, unless a later piece has a wider cell than all
/// before.
pub(super) struct TablePieces<'a> {
    output: &'a Output,
    header: &'static [&'static str],
    /// The column widths of the pieces so far; `None` before the first piece.
    columns: Option<TableWidths>,
    is_heard: bool,
}

impl<'a> TablePieces<'a> {
    pub(super) const fn new(output: &'a Output, header: &'static [&'static str]) -> Self {
        Self { output, header, columns: None, is_heard: true }
    }

    pub(super) const fn header(&self) -> &'static [&'static str] {
        self.header
    }

    /// Whether anybody still reads what is printed.
    pub(super) const fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// Whether nothing is printed yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.columns.is_none()
    }

    /// Prints rows, with the header before the first ones.
    pub(super) fn rows(&mut self, rows: impl IntoIterator<Item = Vec<TableCell>>) -> Result<()> {
        let piece = table(self.header.iter().copied());
        let mut piece = if self.is_empty() { piece } else { piece.without_titles() };
        for row in rows {
            piece.add_row(row);
        }
        let before = self.columns.take().unwrap_or_default();
        self.columns = Some(piece.go_on(before));
        self.print(&piece.to_string())
    }

    /// Prints a line that is not part of the table.
    pub(super) fn print(&mut self, text: &str) -> Result<()> {
        let mut text = trimmed(text);
        text.push('\n');
        self.is_heard = self.output.print(text.as_bytes())?;
        Ok(())
    }
}
