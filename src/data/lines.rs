//! Reads a text file line by line, and finds the lines of a text in memory. A line ends with a line feed, a
//! carriage return, or both.

use std::io::BufRead;
use std::num::NonZeroU32;

use super::error::{Fault, Problem};
use super::given::Position;

/// Some programs write this byte at the end of a file, as DOS did.
const CONTROL_Z: u8 = 0x1a;

/// Reads the lines of a file that are not blank, one at a time, into one buffer.
pub(super) struct FileLines<R> {
    reader: R,
    /// The bytes up to a line feed, or to the end of the file. They may be several lines.
    buffer: Vec<u8>,
    /// Where the current line starts in the buffer, and where the next one does.
    start: usize,
    next: usize,
    /// The number of the current line, counted from 1.
    number: u32,
    /// How many lines were added to the current one.
    added: u32,
    is_sniffed: bool,
}

/// How far the current line reaches, with the lines that were added to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) bytes: usize,
    pub(super) added: u32,
}

/// A text, and the line of its file on which it starts.
pub(super) struct FileText {
    pub(super) text: String,
    pub(super) first_line: u32,
}

impl<R: BufRead> FileLines<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self::numbered(reader, 1)
    }

    /// Returns the lines of a reader that starts at a later line of its file.
    pub(super) const fn numbered(reader: R, first_line: u32) -> Self {
        let number = first_line.saturating_sub(1);
        Self { reader, buffer: vec![], start: 0, next: 0, number, added: 0, is_sniffed: false }
    }

    /// Refuses a binary file by its first bytes, before an endless line of it fills the memory.
    fn sniff(&mut self) -> Result<(), Fault> {
        if !self.is_sniffed {
            self.is_sniffed = true;
            let ahead = self.reader.fill_buf().map_err(unreadable)?;
            if let Some(offset) = ahead.iter().position(|&byte| byte == 0) {
                let line =
                    self.number.saturating_add(1).saturating_add(line_ends(&ahead[..offset]));
                return Err(Fault::at(line, Problem::NotText));
            }
        }
        Ok(())
    }

    /// Returns the next line that is not blank, with its number and without its end.
    pub(super) fn next(&mut self) -> Result<Option<(u32, &str)>, Fault> {
        match self.advance()? {
            true => self.current().map(Some),
            false => Ok(None),
        }
    }

    /// Makes the next line that is not blank the current one. Returns whether there is one.
    pub(super) fn advance(&mut self) -> Result<bool, Fault> {
        self.sniff()?;
        loop {
            if self.next == self.buffer.len() {
                self.buffer.clear();
                (self.start, self.next) = (0, 0);
                if !self.read_more()? {
                    return Ok(false);
                }
            }
            self.start = self.next;
            self.next = self.start + length_of_line(&self.buffer[self.start..]);
            self.number = self.number.saturating_add(1).saturating_add(self.added);
            self.added = 0;
            if !self.bytes().trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Adds the following line to the current one, also if it is blank. Returns its number, and its text
    /// without its end, or `None` at the end of the file.
    pub(super) fn extend(&mut self) -> Result<Option<(u32, &str)>, Fault> {
        if self.next == self.buffer.len() {
            // Lines that were read ahead stay in the buffer. Without this, a file in which each line is
            // extended and shortened would be in memory as a whole.
            self.buffer.drain(..self.start);
            self.next -= self.start;
            self.start = 0;
            if !self.read_more()? {
                return Ok(None);
            }
        }
        let start = self.next;
        self.next = start + length_of_line(&self.buffer[start..]);
        self.added = self.added.saturating_add(1);
        let number = self.number.saturating_add(self.added);
        Ok(Some((number, without_end(checked(&self.buffer[start..self.next], number)?))))
    }

    /// Returns how far the current line reaches.
    pub(super) const fn extent(&self) -> Extent {
        Extent { bytes: self.next - self.start, added: self.added }
    }

    /// Returns the current line to an extent that it had before. The lines behind are read again.
    pub(super) const fn shorten(&mut self, extent: Extent) {
        self.next = self.start + extent.bytes;
        self.added = extent.added;
    }

    /// Appends to the buffer what is before the end of the next line feed. Returns whether anything was
    /// read.
    fn read_more(&mut self) -> Result<bool, Fault> {
        let before = self.buffer.len();
        self.reader.read_until(b'\n', &mut self.buffer).map_err(unreadable)?;
        if self.buffer[before..].last() == Some(&CONTROL_Z) {
            let is_last = self.reader.fill_buf().map_err(unreadable)?.is_empty();
            self.buffer.truncate(self.buffer.len() - usize::from(is_last));
        }
        Ok(self.buffer.len() > before)
    }

    /// Returns the current line, with its end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.next]
    }

    /// Returns the current line with its number, without its end.
    pub(super) fn current(&self) -> Result<(u32, &str), Fault> {
        Ok((self.number, without_end(checked(self.bytes(), self.number)?)))
    }

    /// Returns the current line and everything after it.
    pub(super) fn rest(mut self) -> Result<FileText, Fault> {
        let first_line = self.number.max(1);
        self.reader.read_to_end(&mut self.buffer).map_err(unreadable)?;
        if self.buffer.last() == Some(&CONTROL_Z) {
            self.buffer.pop();
        }
        self.buffer.drain(..self.start);
        checked(&self.buffer, first_line)?;
        match String::from_utf8(self.buffer) {
            Ok(text) => Ok(FileText { text, first_line }),
            Err(_) => Err(Fault::at(first_line, Problem::NotText)),
        }
    }
}

/// Returns the length of the first line, with its end.
fn length_of_line(text: &[u8]) -> usize {
    match memchr::memchr2(b'\n', b'\r', text) {
        Some(end) if text[end..].starts_with(b"\r\n") => end + 2,
        Some(end) => end + 1,
        None => text.len(),
    }
}

fn without_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

fn unreadable(error: std::io::Error) -> Fault {
    Fault::of_file(Problem::Unreadable(error))
}

/// Returns the bytes as text, or a fault with the line on which they stop being text.
fn checked(bytes: &[u8], first_line: u32) -> Result<&str, Fault> {
    let not_text_at = |offset: usize| {
        let line = first_line.saturating_add(line_ends(&bytes[..offset]));
        Fault::at(line, Problem::NotText)
    };
    let text = std::str::from_utf8(bytes).map_err(|error| not_text_at(error.valid_up_to()))?;
    match text.find('\0') {
        Some(offset) => Err(not_text_at(offset)),
        None => Ok(text),
    }
}

/// Counts the lines that end in a part of a text. A carriage return at the very end of the part is not
/// counted, because it may belong to a line feed behind it.
pub(super) fn line_ends(bytes: &[u8]) -> u32 {
    let feeds = bytes.iter().filter(|&&byte| byte == b'\n').count();
    // Most files have no carriage return, so there are no pairs to look for.
    let returns = match bytes.contains(&b'\r') {
        false => 0,
        true => bytes.windows(2).filter(|pair| pair[0] == b'\r' && pair[1] != b'\n').count(),
    };
    u32::try_from(feeds + returns).unwrap_or(u32::MAX)
}

/// Finds the lines on which parts of a text start. This is quick if the parts come in order.
pub(super) struct LineFinder<'a> {
    text: &'a str,
    first_line: u32,
    offset: usize,
    line: u32,
    /// The offset at which that line starts in the text.
    line_start: usize,
}

impl<'a> LineFinder<'a> {
    pub(super) const fn new(text: &'a str, first_line: u32) -> Self {
        Self { text, first_line, offset: 0, line: first_line, line_start: 0 }
    }

    /// Returns the line on which a part of the text starts. A text from elsewhere gives the first line.
    pub(super) fn line_of(&mut self, part: &str) -> u32 {
        let offset = self.offset_of(part);
        if offset < self.offset {
            (self.offset, self.line, self.line_start) = (0, self.first_line, 0);
        }
        if let Some(between) = self.text.as_bytes().get(self.offset..offset) {
            self.line = self.line.saturating_add(line_ends(between));
            if let Some(end) = between.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')) {
                self.line_start = self.offset + end + 1;
            }
            self.offset = offset;
        }
        self.line
    }

    /// Returns the position of a row. It has a column if the row shares its line.
    pub(super) fn position_of(&mut self, row: &str) -> Position {
        let line = self.line_of(row);
        Position { line, column: self.column_of(row) }
    }

    /// Returns the fault of a row.
    pub(super) fn fault(&mut self, row: &str, problem: Problem) -> Fault {
        Fault::at(self.position_of(row), problem)
    }

    /// Returns the column of a row that shares its line. Looks only at the row's neighbours, because a
    /// large file may have all its rows on one line, and all of them may be wrong.
    fn column_of(&self, row: &str) -> Option<NonZeroU32> {
        const BRACKETS: &str = " \t[{]},";
        let start = self.offset_of(row);
        let before = self.text.get(self.line_start..start)?;
        let after =
            self.text.get(start + row.len()..)?.trim_start_matches(|c| BRACKETS.contains(c));
        let is_alone = before.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'['))
            && (after.is_empty() || after.starts_with(['\n', '\r']));
        let column = u32::try_from(before.len()).unwrap_or(u32::MAX).saturating_add(1);
        NonZeroU32::new(column).filter(|_| !is_alone)
    }

    fn offset_of(&self, part: &str) -> usize {
        (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(u32, String)>, Fault> {
        let mut lines = FileLines::new(bytes);
        let mut all = vec![];
        while let Some((number, line)) = lines.next()? {
            all.push((number, line.to_owned()));
        }
        Ok(all)
    }

    #[test]
    fn lines_end_in_any_way() {
        for text in
            ["a\r\n\r\n  \nb\nc", "a\r\r  \rb\rc\r", "a\n\r\n \rb\rc\n\x1a", "a\r\n\n\rb\nc\x1a"]
        {
            let lines = read(text.as_bytes()).unwrap();
            let expected = [(1, "a"), (4, "b"), (5, "c")].map(|(n, line)| (n, line.to_owned()));
            assert_eq!(lines, expected, "{text:?}");
        }
        assert!(read(b"").unwrap().is_empty() && read(b"\x1a").unwrap().is_empty());
        assert_eq!(read(b"a\x1ab").unwrap(), [(1, "a\x1ab".to_owned())], "not at the end");
    }

    #[test]
    fn a_line_is_extended_and_shortened() {
        for text in ["a\n\nb\nc\nd", "a\r\n\r\nb\r\nc\r\nd\r\n\x1a", "a\r\rb\rc\rd\r"] {
            let end = text.find('b').unwrap();
            let mut lines = FileLines::new(text.as_bytes());
            assert_eq!(lines.next().unwrap(), Some((1, "a")));
            let extent = lines.extent();
            assert_eq!(lines.extend().unwrap(), Some((2, "")), "a blank line too");
            assert_eq!(lines.extend().unwrap(), Some((3, "b")));
            lines.shorten(extent);
            assert_eq!(lines.current().unwrap(), (1, "a"));
            assert_eq!(lines.extend().unwrap(), Some((2, "")));
            let extent = lines.extent();
            assert_eq!(lines.extend().unwrap(), Some((3, "b")));
            lines.shorten(extent);
            assert_eq!(lines.extend().unwrap(), Some((3, "b")));
            assert_eq!(lines.current().unwrap(), (1, &text[..=end]), "{text:?}");
            assert_eq!(lines.next().unwrap(), Some((4, "c")), "{text:?}");
            assert_eq!(lines.extend().unwrap(), Some((5, "d")));
            assert_eq!(lines.extend().unwrap(), None, "{text:?}");
            assert_eq!(lines.extend().unwrap(), None, "again");
            assert_eq!(lines.current().unwrap().0, 4);
            assert_eq!(lines.next().unwrap(), None);
        }
        let mut lines = FileLines::new(&b"a\nb\xff\n"[..]);
        lines.next().unwrap();
        assert_eq!(lines.extend().unwrap_err().line, Some(2));
    }

    #[test]
    fn lines_read_ahead_do_not_stay_in_memory() {
        let text = "abc\n".repeat(1000);
        let mut lines = FileLines::new(text.as_bytes());
        while lines.advance().unwrap() {
            let extent = lines.extent();
            lines.extend().unwrap();
            lines.shorten(extent);
            assert!(lines.buffer.len() <= 8);
        }
        assert_eq!(lines.number, 1000);
    }

    #[test]
    fn the_line_that_is_not_text_is_found() {
        for (bytes, line) in
            [(&b"a\nb\xff\n"[..], 2), (b"a\n\nb\xc3", 3), (b"a\rb\xff", 2), (b"a\n\nb\0\n", 3)]
        {
            let fault = read(bytes).unwrap_err();
            assert!(matches!(fault.problem, Problem::NotText), "{bytes:?}");
            assert_eq!(fault.line, Some(line), "{bytes:?}");
        }
        let mut lines = FileLines::new(&b"[\n\xff]"[..]);
        lines.next().unwrap();
        assert_eq!(lines.rest().err().and_then(|fault| fault.line), Some(2));
    }

    #[test]
    fn an_endless_line_of_nul_is_refused() {
        let endless = std::io::BufReader::new(std::io::repeat(0));
        assert!(matches!(FileLines::new(endless).next().unwrap_err().problem, Problem::NotText));
    }

    #[test]
    fn the_rest_begins_with_the_present_line() {
        let mut lines = FileLines::new(&b"\n[\n1]"[..]);
        lines.next().unwrap();
        let rest = lines.rest().unwrap();
        assert_eq!((rest.text.as_str(), rest.first_line), ("[\n1]", 2));
    }

    #[test]
    fn lines_of_parts_in_any_order() {
        let text = "a\nb\n\nc";
        let mut finder = LineFinder::new(text, 10);
        assert_eq!(finder.line_of(&text[2..]), 11);
        assert_eq!(finder.line_of(&text[5..]), 13);
        assert_eq!(finder.line_of(&text[0..]), 10);
    }

    #[test]
    fn a_row_that_shares_its_line_has_a_column() {
        let text = "[ {1},\n\t{2}, {3},\n{4}]\n";
        let mut finder = LineFinder::new(text, 10);
        let mut place = |row: &str| {
            let start = text.find(row).unwrap();
            let fault = finder.fault(&text[start..start + row.len()], Problem::NotAnObject);
            (fault.line.unwrap(), fault.column)
        };
        assert_eq!(place("{1}"), (10, None));
        assert_eq!(place("{2}"), (11, Some(2)));
        assert_eq!(place("{3}"), (11, Some(7)));
        assert_eq!(place("{4}"), (12, None));
        assert_eq!(place("{2}"), (11, Some(2)));
    }
}
