//! Formats tables. They are as wide as their content, but on a terminal no wider than the terminal. There
//! texts are wrapped and names are cut. If the columns still do not fit, each row becomes a block of
//! lines.

use std::borrow::Cow;
use std::fmt;
use std::io;

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width,
};
use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::model::escape_but;

/// A name is never cut, and a text never wrapped, to less than this.
const SHORTEST_TEXT: usize = 8;
/// The space and padding between two columns.
const GAP: usize = 3;
/// The spaces around the content of a column.
const PADDING: usize = 2;
/// What a cut text ends with.
const CUT: char = '…';

/// A table for people.
pub(super) struct PrintedTable {
    header: Vec<String>,
    has_titles: bool,
    rows: Vec<Vec<TableCell>>,
    before: TableWidths,
}

/// The column widths of the pieces printed so far, so that the next piece lines up with them.
#[derive(Clone, Default)]
pub(super) struct TableWidths(Vec<ColumnWidths>);

/// The widths of the parts of a column.
#[derive(Clone, Copy, Default)]
struct ColumnWidths {
    title: usize,
    /// The longest word of the title.
    title_word: usize,
    body: usize,
    /// The least width that the body needs. Texts can be wrapped, and names cut.
    narrowest: usize,
}

/// A cell. Its kind decides how it is shown on a narrow terminal.
pub(super) struct TableCell {
    text: String,
    kind: CellKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CellKind {
    /// Wrapped between words.
    Text,
    /// Cut at its end.
    Name,
    /// Never changed, and aligned to the right.
    Number,
    /// Never changed.
    Whole,
}

/// Creates an empty table with a header.
pub(super) fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> PrintedTable {
    let header = header.into_iter().map(str::to_owned).collect();
    PrintedTable { header, has_titles: true, rows: vec![], before: TableWidths::default() }
}

/// Creates a cell for a number.
pub(super) fn number(text: impl ToString) -> TableCell {
    TableCell { text: text.to_string(), kind: CellKind::Number }
}

/// Creates a cell for a name or an id that its beginning identifies. It may be cut.
pub(super) fn name(text: impl Into<String>) -> TableCell {
    TableCell { text: text.into(), kind: CellKind::Name }
}

/// Creates a cell for a text that is useless if it is cut or wrapped, such as an id to copy.
pub(super) fn whole(text: impl Into<String>) -> TableCell {
    TableCell { text: text.into(), kind: CellKind::Whole }
}

impl<T: Into<String>> From<T> for TableCell {
    fn from(text: T) -> Self {
        Self { text: text.into(), kind: CellKind::Text }
    }
}

impl PrintedTable {
    /// Adds a row. Cells are escaped before their width is measured.
    pub(super) fn add_row(&mut self, cells: impl IntoIterator<Item = impl Into<TableCell>>) {
        let cells = cells.into_iter().map(|cell| {
            let mut cell = cell.into();
            if let Cow::Owned(text) = escape_but(&cell.text, &['\n']) {
                cell.text = text;
            }
            cell
        });
        self.rows.push(cells.collect());
    }

    /// Adds rows.
    pub(super) fn with<R: IntoIterator<Item: Into<TableCell>>>(
        mut self,
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        rows.into_iter().for_each(|row| self.add_row(row));
        self
    }

    /// Lines this piece up with the pieces before it. Returns the widths for the next piece.
    pub(super) fn go_on(&mut self, before: TableWidths) -> TableWidths {
        self.before = before;
        self.columns()
    }

    /// Omits the titles, because an earlier piece has them.
    pub(super) fn without_titles(mut self) -> Self {
        self.has_titles = false;
        self
    }

    /// Formats the table for this many columns of a terminal. If numbers and ids do not fit beside each
    /// other, they are put below each other.
    fn within(&self, room: usize) -> String {
        let widths = self.columns().widths(room);
        match taken(&widths) <= room || self.header.len() < 2 {
            true => self.render(&widths),
            false => self.stacked(room),
        }
    }

    /// Formats each row as a block, with a line for each cell that is not empty and its title, if there
    /// is one, before it.
    fn stacked(&self, room: usize) -> String {
        let titles = self.header.iter().map(|title| title.width()).max().unwrap_or(0);
        let rest = room.saturating_sub(1 + titles + GAP).max(SHORTEST_TEXT);
        let blocks = self.rows.iter().map(|row| {
            let cells = self.header.iter().zip(row).filter(|(_, cell)| !cell.text.is_empty());
            let lines = cells.map(|(title, cell)| {
                let shown = cell.within(rest);
                if title.is_empty() {
                    return format!(" {}", shown.replace('\n', "\n "));
                }
                // Text that is too wide for the space beside its title is put below the title.
                if width(&shown) > rest {
                    let below = format!("\n{:GAP$}", "");
                    return format!(" {title}{below}{}", shown.replace('\n', &below));
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

    fn columns(&self) -> TableWidths {
        let columns = self.header.iter().enumerate().map(|(index, title)| {
            let cells = || self.rows.iter().filter_map(move |row| row.get(index));
            let before = self.before.0.get(index).copied().unwrap_or_default();
            ColumnWidths {
                title: width(title).max(before.title),
                title_word: longest_word(title).max(before.title_word),
                body: cells().map(|cell| width(&cell.text)).fold(before.body, usize::max),
                narrowest: cells().map(TableCell::narrowest).fold(before.narrowest, usize::max),
            }
        });
        TableWidths(columns.collect())
    }

    fn render(&self, widths: &[usize]) -> String {
        let mut table = comfy_table::Table::new();
        let rule = LineStyle::none().fill('─').junction('─');
        table.load_style(TableStyle::new().header_separator(rule));
        table.set_content_arrangement(ContentArrangement::Disabled);
        if self.has_titles && self.header.iter().any(|title| !title.is_empty()) {
            table.set_header(
                self.header.iter().zip(widths).map(|(title, width)| wrapped(title, *width)),
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

impl fmt::Display for PrintedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Piped output is never cut.
        let terminal = terminal_size::terminal_size_of(io::stdout());
        f.write_str(&self.within(terminal.map_or(usize::MAX, |(width, _)| width.0.into())))
    }
}

impl TableCell {
    fn shown(&self, width: usize) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(self.within(width));
        match self.kind {
            CellKind::Number => cell.set_alignment(CellAlignment::Right),
            CellKind::Text | CellKind::Name | CellKind::Whole => cell,
        }
    }

    /// Returns the text of the cell for this many columns. It may still be wider.
    fn within(&self, columns: usize) -> Cow<'_, str> {
        match self.kind {
            CellKind::Text => wrapped(&self.text, columns),
            CellKind::Name => cut(&self.text, columns),
            CellKind::Number | CellKind::Whole => Cow::Borrowed(&self.text),
        }
    }

    fn narrowest(&self) -> usize {
        let natural = width(&self.text);
        match self.kind {
            CellKind::Text => natural.min(SHORTEST_TEXT.max(longest_word(&self.text))),
            CellKind::Name => natural.min(SHORTEST_TEXT),
            CellKind::Number | CellKind::Whole => natural,
        }
    }
}

impl TableWidths {
    /// Returns the widths of the columns. The widest are narrowed first. Titles are wrapped.
    fn widths(&self, room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.0.iter().map(ColumnWidths::natural).collect();
        let narrowest = self.0.iter().map(|column| column.title_word.max(column.narrowest));
        narrow(&mut widths, &narrowest.collect::<Vec<_>>(), room);
        widths
    }
}

impl ColumnWidths {
    fn natural(&self) -> usize {
        self.title.max(self.body)
    }
}

/// Narrows the widest columns until all fit, or each has its least width.
fn narrow(widths: &mut [usize], narrowest: &[usize], room: usize) {
    loop {
        let taken = taken(widths);
        let can =
            widths.iter_mut().zip(narrowest).filter(|(width, narrowest)| **width > **narrowest);
        match can.map(|(width, _)| width).max() {
            Some(widest) if taken > room => *widest -= 1,
            _ => return,
        }
    }
}

/// Returns the width of a table with columns of these widths.
fn taken(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1) + PADDING
}

/// Returns the width of the longest line of a text.
fn width(text: &str) -> usize {
    text.lines().map(|line| line.width()).max().unwrap_or(0)
}

fn longest_word(text: &str) -> usize {
    text.lines().flat_map(words).map(|word| word.word.width()).max().unwrap_or(0)
}

/// Splits a line into words. A command between backticks is one word, so that it can be copied.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let has_commands = line.matches('`').count().is_multiple_of(2);
    let mut is_command = false;
    let ends_word = move |char: char| {
        is_command ^= has_commands && char == '`';
        char == ' ' && !is_command
    };
    Box::new(line.split_inclusive(ends_word).map(Word::from))
}

/// Wraps a text at this width. A longer word stays whole, so that a command or a path in it can be
/// copied.
fn wrapped(text: &str, at_most: usize) -> Cow<'_, str> {
    if width(text) <= at_most {
        return Cow::Borrowed(text);
    }
    let options = Options::new(at_most)
        .break_words(false)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation);
    Cow::Owned(textwrap::fill(text, options))
}

/// Cuts the lines of a text at this width. A line that was longer ends with an ellipsis.
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
    fn names_are_cut_before_titles_and_numbers_never() {
        let mut table = table(["product", "name", "unit price"]);
        table.add_row([
            "P1".into(),
            name("Cordless drill, 18 volts, two batteries"),
            number("1234567.89"),
        ]);
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
    fn texts_are_wrapped_and_never_cut() {
        let mut table = table(["what", "to fix it"]);
        let fix = "run `ocache dead-letters list --data-dir /srv/ocache`";
        table.add_row(["dead letters of quotations".into(), TableCell::from(fix)]);
        let narrow = table.within(40);
        // A command stays on one line, even if the line is wider than the terminal.
        let lines = [
            " what        dead letters of quotations",
            " to fix it",
            "   run",
            "   `ocache dead-letters list --data-dir /srv/ocache`",
        ];
        assert_eq!(narrow.lines().map(str::trim_end).collect::<Vec<_>>(), lines);
    }

    #[test]
    fn a_block_begins_with_what_has_no_title() {
        let mut table = table(["", "what"]);
        table.add_row(["wrong".into(), name("dead letters of quotations")]);
        assert_eq!(table.within(12), " wrong\n what   dead le…");
    }

    #[test]
    fn the_title_of_a_number_is_wrapped_and_never_cut() {
        let mut table = table(["id", "a long description of it"]);
        table.add_row(["P1".into(), number(7)]);
        let narrow = table.within(18);
        assert!(narrow.contains("\n      description"), "{narrow}");
        assert!(widest(&narrow) <= 18, "{narrow}");
        let lines = [" id                         P1", " a long description of it   7"];
        assert_eq!(table.within(17), lines.join("\n"));
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
        fn a_wrapped_text_has_all_its_words(text in "[a-z-]{1,9}( [a-z-]{1,9}){0,9}", at_most in 9_usize..40) {
            let lines = wrapped(&text, at_most);
            prop_assert!(width(&lines) <= at_most, "{lines:?}");
            prop_assert_eq!(lines.replace('\n', " "), text);
        }

        #[test]
        fn a_table_of_names_fits(cells in prop::collection::vec("[a-z ]{0,60}", 3), room in 40_usize..120) {
            let mut table = table(["one", "two", "three"]);
            table.add_row(cells.into_iter().map(name));
            let shown = table.within(room);
            prop_assert!(widest(&shown) <= room, "{shown}");
        }
    }
}
