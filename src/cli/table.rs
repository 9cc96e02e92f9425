//! Tables: as wide as their content, but on a terminal no wider than the terminal. If the columns do not fit there, each
//! row becomes a block of lines.

use std::borrow::Cow;
use std::fmt;
use std::io;

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width,
};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::model::escape_but;

/// A text is never cut to less than this.
const SHORTEST_TEXT: usize = 8;
/// The title of a number is never cut to less than this.
const SHORTEST_TITLE: usize = 4;
/// The space and padding between two columns.
const GAP: usize = 3;
/// The spaces around the content of a column.
const PADDING: usize = 2;
/// What a cut text ends with.
const CUT: char = '…';

/// Rows and columns as people read them.
pub(super) struct Table {
    header: Vec<String>,
    has_titles: bool,
    rows: Vec<Vec<Cell>>,
    before: Columns,
}

/// The column widths of the pieces printed so far, so that the next piece lines up with them.
#[derive(Clone, Default)]
pub(super) struct Columns(Vec<Column>);

/// How wide the parts of a column are.
#[derive(Clone, Copy, Default)]
struct Column {
    title: usize,
    body: usize,
    is_text: bool,
}

/// A text, which may be cut where the terminal is narrow, or a number or an id, which never is.
pub(super) struct Cell {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Whole,
}

/// An empty table with a header.
pub(super) fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let header = header.into_iter().map(str::to_owned).collect();
    Table { header, has_titles: true, rows: vec![], before: Columns::default() }
}

/// A cell for a number.
pub(super) fn number(text: impl ToString) -> Cell {
    Cell { text: text.to_string(), kind: Kind::Number }
}

/// A cell for a text that is of no use if it is cut, such as an id to copy.
pub(super) fn whole(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), kind: Kind::Whole }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), kind: Kind::Text }
    }
}

impl Table {
    /// Adds a row. Cells are escaped here, before their width is measured.
    pub(super) fn add_row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        let cells = cells.into_iter().map(|cell| {
            let mut cell = cell.into();
            if let Cow::Owned(text) = escape_but(&cell.text, &['\n']) {
                cell.text = text;
            }
            cell
        });
        self.rows.push(cells.collect());
    }

    /// Lines this piece up with the pieces before it. Returns the widths for the next one.
    pub(super) fn go_on(&mut self, before: Columns) -> Columns {
        self.before = before;
        self.columns()
    }

    /// Leaves the titles out, because a piece before has them.
    pub(super) fn without_titles(mut self) -> Self {
        self.has_titles = false;
        self
    }

    /// The table in at most so many columns of a terminal. If numbers and ids do not fit beside each
    /// other, they stand below each other.
    fn within(&self, room: usize) -> String {
        let widths = self.columns().widths(room);
        match taken(&widths) <= room || self.header.len() < 2 {
            true => self.render(&widths),
            false => self.stacked(room),
        }
    }

    /// Each row as a block: a line for each cell that is not empty, with the title before it.
    fn stacked(&self, room: usize) -> String {
        let titles = self.header.iter().map(|title| title.width()).max().unwrap_or(0);
        let rest = room.saturating_sub(1 + titles + GAP).max(SHORTEST_TEXT);
        let blocks = self.rows.iter().map(|row| {
            let cells = self.header.iter().zip(row).filter(|(_, cell)| !cell.text.is_empty());
            let lines = cells.map(|(title, cell)| {
                let shown = match cell.kind {
                    Kind::Text => cut(&cell.text, rest),
                    Kind::Number | Kind::Whole => Cow::Borrowed(&*cell.text),
                };
                // Under its title, what is too wide for the room beside it.
                if width(&shown) > rest {
                    return format!(" {title}\n{:GAP$}{shown}", "");
                }
                let space = titles - title.width() + GAP;
                let below = format!("\n{:indent$}", "", indent = 1 + titles + GAP);
                format!(" {title}{:space$}{}", "", shown.replace('\n', &below))
            });
            lines.collect::<Vec<_>>().join("\n")
        });
        let text = blocks.collect::<Vec<_>>().join("\n\n");
        if self.has_titles { text } else { format!("\n{text}") }
    }

    fn columns(&self) -> Columns {
        let columns = self.header.iter().enumerate().map(|(index, title)| {
            let cells = || self.rows.iter().filter_map(move |row| row.get(index));
            let before = self.before.0.get(index).copied().unwrap_or_default();
            Column {
                title: width(title).max(before.title),
                body: cells().map(|cell| width(&cell.text)).fold(before.body, usize::max),
                is_text: before.is_text || cells().any(|cell| cell.kind == Kind::Text),
            }
        });
        Columns(columns.collect())
    }

    fn render(&self, widths: &[usize]) -> String {
        let mut table = comfy_table::Table::new();
        let rule = LineStyle::none().fill('─').junction('─');
        table.load_style(TableStyle::new().header_separator(rule));
        table.set_content_arrangement(ContentArrangement::Disabled);
        if self.has_titles && self.header.iter().any(|title| !title.is_empty()) {
            table.set_header(
                self.header.iter().zip(widths).map(|(title, width)| cut(title, *width)),
            );
        }
        for row in &self.rows {
            table.add_row(row.iter().zip(widths).map(|(cell, width)| cell.shown(*width)));
        }
        for (column, width) in table.column_iter_mut().zip(widths) {
            let least = u16::try_from(width + PADDING).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
        table.to_string()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is piped is never cut.
        let terminal = terminal_size::terminal_size_of(io::stdout());
        f.write_str(&self.within(terminal.map_or(usize::MAX, |(width, _)| width.0.into())))
    }
}

impl Cell {
    fn shown(&self, width: usize) -> comfy_table::Cell {
        match self.kind {
            Kind::Number => comfy_table::Cell::new(&self.text).set_alignment(CellAlignment::Right),
            Kind::Whole => comfy_table::Cell::new(&self.text),
            Kind::Text => comfy_table::Cell::new(cut(&self.text, width)),
        }
    }
}

impl Columns {
    /// The widths of the columns: texts are shortened first, the longest before the others, then the
    /// titles of numbers.
    fn widths(&self, room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.0.iter().map(Column::natural).collect();
        let texts = self.0.iter().map(|column| match column.is_text {
            true => column.natural().min(SHORTEST_TEXT),
            false => column.natural(),
        });
        let titles = self.0.iter().map(|column| match column.is_text {
            true => column.natural().min(SHORTEST_TEXT),
            false => column.natural().min(SHORTEST_TITLE.max(column.body)),
        });
        for shortest in [texts.collect::<Vec<_>>(), titles.collect()] {
            shorten(&mut widths, &shortest, room);
        }
        widths
    }
}

impl Column {
    fn natural(&self) -> usize {
        self.title.max(self.body)
    }
}

/// Shortens the widest columns until all fit, or each is at its shortest.
fn shorten(widths: &mut [usize], shortest: &[usize], room: usize) {
    loop {
        let taken = taken(widths);
        let can = widths.iter_mut().zip(shortest).filter(|(width, shortest)| **width > **shortest);
        match can.map(|(width, _)| width).max() {
            Some(widest) if taken > room => *widest -= 1,
            _ => return,
        }
    }
}

/// The width of a table whose columns have these widths.
fn taken(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1) + PADDING
}

/// The width of the longest line of a text.
fn width(text: &str) -> usize {
    text.lines().map(|line| line.width()).max().unwrap_or(0)
}

/// A text whose lines are at most so wide. One that was longer ends with an ellipsis.
pub(super) fn cut(text: &str, at_most: usize) -> Cow<'_, str> {
    if width(text) <= at_most {
        return Cow::Borrowed(text);
    }
    let lines = text.lines().map(|line| cut_line(line, at_most));
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

fn cut_line(line: &str, at_most: usize) -> Cow<'_, str> {
    if line.width() <= at_most {
        return Cow::Borrowed(line);
    }
    let (mut taken, mut kept) = (CUT.width().unwrap_or(1), String::new());
    for char in line.chars() {
        taken += char.width().unwrap_or(0);
        if taken > at_most {
            break;
        }
        kept.push(char);
    }
    kept.truncate(kept.trim_end().len());
    kept.push(CUT);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.trim_end().width()).max().unwrap_or(0)
    }

    #[test]
    fn texts_are_cut_before_titles_and_numbers_never() {
        let mut table = table(["product", "name", "unit price"]);
        let name = "Cordless drill, 18 volts, two batteries";
        table.add_row(["P1".into(), name.into(), number("1234567.89")]);
        let whole = table.within(usize::MAX);
        assert!(whole.contains("two batteries"), "{whole}");
        assert_eq!(table.within(widest(&whole) + 1), whole);
        let narrow = table.within(40);
        assert!(widest(&narrow) <= 40, "{narrow}");
        assert!(narrow.contains("Cordless drill…"), "{narrow}");
        let tiny = table.within(24);
        let lines = [" product      P1", " name         Cordless…", " unit price   1234567.89"];
        assert_eq!(tiny, lines.join("\n"));
    }

    #[test]
    fn the_title_of_a_number_is_cut_when_nothing_else_can_be() {
        let mut table = table(["id", "a long title of a number"]);
        table.add_row(["P1".into(), number(7)]);
        let narrow = table.within(15);
        assert!(
            narrow.contains("a lon") && narrow.contains(CUT) && narrow.contains('7'),
            "{narrow}"
        );
        assert!(widest(&narrow) <= 15, "{narrow}");
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_begins_as_the_whole(text in "\\PC{0,40}", at_most in 1_usize..40) {
            let short = cut(&text, at_most);
            prop_assert!(short.width() <= at_most, "{short:?}");
            match short.strip_suffix(CUT) {
                Some(kept) if short.as_ref() != text => prop_assert!(text.starts_with(kept)),
                _ => prop_assert_eq!(short.as_ref(), text.as_str()),
            }
        }

        #[test]
        fn a_table_of_texts_fits(cells in prop::collection::vec("[a-z ]{0,60}", 3), room in 40_usize..120) {
            let mut table = table(["one", "two", "three"]);
            table.add_row(cells);
            let shown = table.within(room);
            prop_assert!(widest(&shown) <= room, "{shown}");
        }
    }
}
