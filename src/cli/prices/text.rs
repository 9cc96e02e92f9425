//! A price table for people, printed in pieces.

use super::super::failure::Result;
use super::super::output::{Output, name, number};
use super::super::pieces::TablePieces;
use super::super::view;
use super::{At, entry_at};
use crate::data::Amounts;
use crate::model::{Timestamp, escape, plural, show_duration};
use crate::ports::{OwnStorage, TableHead, TableRow};
use crate::pricing::{InvalidItem, MinQuantity, Rate, Rule, Step};
use crate::protocol::{InvalidFrame, RuleFrame};

const HEADER: [&str; 5] = ["product", "name", "list price", "discount", "unit price"];
/// The header of a table that has prices from price lists or ladders.
const WITH_RULES: [&str; 7] =
    ["product", "name", "list price", "discount", "unit price", "rule", "ladder"];
/// The printed table and its head.
pub(super) struct TextTable<'a> {
    pieces: TablePieces<'a>,
    head: &'a TableHead,
    now: Timestamp,
    at: At,
    shown: u64,
    /// The named products that are not sold in the quantity.
    invalid: Vec<InvalidItem>,
}

impl<'a> TextTable<'a> {
    pub(super) fn new(output: &'a Output, (head, now): (&'a TableHead, Timestamp), at: At) -> Self {
        let prices = head.prices_at(now);
        let has_ladders = !matches!(&prices.ladders, OwnStorage::Inline(rows) if rows.is_empty());
        let has_rules = prices.terms.is_some() || has_ladders;
        let header: &'static [&str] = if has_rules { &WITH_RULES } else { &HEADER };
        let pieces = TablePieces::new(output, header);
        Self { pieces, head, now, at, shown: 0, invalid: vec![] }
    }

    pub(super) const fn is_heard(&self) -> bool {
        self.pieces.is_heard()
    }

    /// Prints some rows.
    pub(super) fn rows(&mut self, rows: &[TableRow]) -> Result<()> {
        let TableHead { currency, rounding, .. } = *self.head;
        let amounts = Amounts { currency, unit_decimals: rounding.unit_decimals };
        let columns = self.pieces.header().len();
        self.shown += rows.len() as u64;
        self.invalid.extend(rows.iter().filter_map(|row| self.at.invalid(row)));
        let row = |row: &TableRow| {
            let entry = entry_at(row, self.at.quantity);
            let entry = entry.as_ref();
            let discount = entry.filter(|entry| entry.discount != Rate::ZERO);
            let discount = discount.map_or_else(String::new, |it| format!("{} %", it.discount));
            let list_price = entry.and_then(|entry| entry.list_price);
            let [list_price, unit_price] = [list_price, entry.map(|entry| entry.unit_price)]
                .map(|price| price.map_or_else(String::new, |price| amounts.shown(price)));
            let cells = [
                name(row.product.as_str()),
                name(row.name.as_str()),
                number(list_price),
                number(discount),
                number(unit_price),
            ];
            let rule = entry.and_then(|entry| entry.rule.as_deref());
            let rule = rule.map_or_else(String::new, |rule| view::rule(&RuleFrame::new(rule)));
            let with_rules = [rule.into(), ladder(row, amounts).into()];
            cells.into_iter().chain(with_rules).take(columns).collect()
        };
        self.pieces.rows(rows.iter().map(row))
    }

    /// Ends the table with a line about it as a whole.
    pub(super) fn end(mut self, is_whole: bool) -> Result<()> {
        if self.pieces.is_empty() {
            self.pieces.rows([])?;
        }
        let TableHead { currency, products, .. } = *self.head;
        let state = match (self.head.is_fresh(self.now), self.head.is_usable(self.now)) {
            (true, _) => "fresh",
            (false, true) => "stale",
            (false, false) => "too old for quotes",
        };
        let age = show_duration(self.now.since(self.head.validated_at));
        let products = match self.shown {
            shown if is_whole && shown < products => {
                format!("{shown} of {products} products with a price in {currency}")
            }
            _ => format!("{products} {} in {currency}", plural(products, "product", "products")),
        };
        let invalid = self.invalid.iter().map(|item| {
            let said = view::invalid(&InvalidFrame::new(item));
            escape(&said).into_owned()
        });
        let state = format!("{products}, checked {age} ago, {state}");
        let lines: Vec<String> = std::iter::once(state).chain(invalid).collect();
        self.pieces.print(&lines.join("\n"))
    }
}

/// Formats the steps of a ladder, such as `9.00, 8.50 from 10`. Returns nothing for a single price.
fn ladder(row: &TableRow, amounts: Amounts) -> String {
    if row.ladder.iter().all(|(step, _)| step.from == MinQuantity::ZERO) {
        return String::new();
    }
    let step = |(step, _): &(Step, Rule)| {
        let price = amounts.shown(step.price);
        match step.from {
            MinQuantity::ZERO => price,
            from => format!("{price} from {from}"),
        }
    };
    row.ladder.iter().map(step).collect::<Vec<_>>().join(", ")
}
