//! A price table for people, printed in pieces.

use comfy_table::{ColumnConstraint, Table, Width};

use super::super::failure::Failure;
use super::super::output::{Output, number, table, trimmed};
use crate::model::{Timestamp, show_duration};
use crate::ports::{TableHead, TableRow};

const HEADER: [&str; 5] = ["product", "name", "list price", "discount", "unit price"];
/// The spaces around the content of a column.
const PADDING: u16 = 2;

/// The pieces look like one table, unless a later one has something wider than all before it.
pub(super) struct TextTable<'a> {
    output: &'a Output,
    head: &'a TableHead,
    now: Timestamp,
    /// Of the pieces so far; none before the first.
    widths: Vec<u16>,
    is_heard: bool,
}

impl<'a> TextTable<'a> {
    pub(super) const fn new(output: &'a Output, head: &'a TableHead, now: Timestamp) -> Self {
        Self { output, head, now, widths: vec![], is_heard: true }
    }

    pub(super) const fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// Prints a piece.
    pub(super) fn rows(&mut self, rows: &[TableRow]) -> Result<(), Failure> {
        let currency = self.head.currency;
        let is_first = self.widths.is_empty();
        let mut piece = table(if is_first { HEADER } else { [""; 5] });
        for TableRow { product, name, entry } in rows {
            let discount = match entry.discount.millionths() {
                0 => String::new(),
                _ => format!("{} %", entry.discount),
            };
            piece.add_row([
                product.as_str().into(),
                name.as_str().into(),
                number(entry.list_price.format(currency)),
                number(discount),
                number(entry.unit_price.format(currency)),
            ]);
        }
        self.align(&mut piece.0);
        self.print(&piece.to_string())
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

    /// Prints what is to be known of the whole table.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        if self.widths.is_empty() {
            self.print(&table(HEADER).to_string())?;
        }
        let TableHead { currency, products, .. } = self.head;
        let state = match (self.head.is_fresh(self.now), self.head.is_usable(self.now)) {
            (true, _) => "fresh",
            (false, true) => "stale",
            (false, false) => "too old for quotes",
        };
        let age = show_duration(self.now.since(self.head.validated_at));
        self.print(&format!("{products} products in {currency}, validated {age} ago, {state}"))
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        let mut text = trimmed(text);
        text.push('\n');
        self.is_heard = self.output.print(text.as_bytes())?;
        Ok(())
    }
}
