//! A table for people that is printed in pieces, because it may be larger than memory.

use comfy_table::{Cell, ColumnConstraint, Table, Width};

use super::failure::Failure;
use super::output::{Output, table, trimmed};

/// The spaces around the content of a column.
const PADDING: u16 = 2;

/// The pieces look like one table, unless a later one has something wider than all before it.
pub(super) struct Pieces<'a> {
    output: &'a Output,
    header: &'static [&'static str],
    /// Of the pieces so far; none before the first.
    widths: Vec<u16>,
    is_heard: bool,
}

impl<'a> Pieces<'a> {
    pub(super) const fn new(output: &'a Output, header: &'static [&'static str]) -> Self {
        Self { output, header, widths: vec![], is_heard: true }
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
        self.widths.is_empty()
    }

    /// Prints rows; the header before the first ones.
    pub(super) fn rows(
        &mut self,
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Result<(), Failure> {
        let header =
            if self.is_empty() { self.header.to_vec() } else { vec![""; self.header.len()] };
        let mut piece = table(header);
        for row in rows {
            piece.add_row(row);
        }
        self.align(&mut piece.0);
        self.print(&piece.to_string())
    }

    /// Prints a line that belongs to no column.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        let mut text = trimmed(text);
        text.push('\n');
        self.is_heard = self.output.print(text.as_bytes())?;
        Ok(())
    }

    /// Makes the columns at least as wide as those of the pieces before.
    fn align(&mut self, piece: &mut Table) {
        let widths = piece.column_max_content_widths();
        for (place, width) in widths.iter().enumerate() {
            let width = (*width).max(self.widths.get(place).copied().unwrap_or_default());
            if let Some(column) = piece.column_mut(place) {
                let least = Width::Fixed(width.saturating_add(PADDING));
                column.set_constraint(ColumnConstraint::LowerBoundary(least));
            }
            match self.widths.get_mut(place) {
                Some(known) => *known = width,
                None => self.widths.push(width),
            }
        }
    }
}
