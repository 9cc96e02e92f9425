//! The fields of a row of CSV.

use std::borrow::Cow;

use super::layout::Delimiter;

/// Iterates over the fields of a row, each with the byte of the row at which it starts. White space around
/// an unquoted field is not part of it. A tab is white space unless it separates fields.
pub(super) struct CsvFields<'a> {
    line: &'a str,
    rest: Option<&'a str>,
    delimiter: char,
    /// Whether the rest begins inside a quoted field.
    is_inside: bool,
}

/// Why a quoted field cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuoteFlaw {
    /// The text ends inside the field.
    Open,
    /// Something other than a delimiter follows the field.
    Followed,
}

/// Returns the column of a byte in a line, counted in characters from 1.
pub(super) fn column_at(line: &str, byte: usize) -> u32 {
    let before = line.get(..byte).map_or(byte, |before| before.chars().count());
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

/// Whether all fields of a line are empty.
pub(super) fn is_blank(line: &str, delimiter: Delimiter) -> bool {
    line.starts_with([delimiter.char(), '"', ' ', '\t'])
        && CsvFields::of(line, delimiter)
            .all(|field| field.is_ok_and(|(_, text)| text.trim().is_empty()))
}

impl<'a> CsvFields<'a> {
    pub(super) const fn of(line: &'a str, delimiter: Delimiter) -> Self {
        Self { line, rest: Some(line), delimiter: delimiter.char(), is_inside: false }
    }

    /// Returns the fields of a line that begins inside a quoted field of an earlier line. The rest of that
    /// field is the first one.
    pub(super) const fn inside(line: &'a str, delimiter: Delimiter) -> Self {
        Self { line, rest: Some(line), delimiter: delimiter.char(), is_inside: true }
    }

    /// Returns the first flaw, with the byte at which its field starts.
    pub(super) fn flaw(mut self) -> Option<(usize, QuoteFlaw)> {
        self.find_map(Result::err)
    }

    fn trim_start(&self, text: &'a str) -> &'a str {
        text.trim_start_matches(|c: char| c.is_whitespace() && c != self.delimiter)
    }

    const fn start_of(&self, rest: &str) -> usize {
        self.line.len() - rest.len()
    }
}

impl<'a> Iterator for CsvFields<'a> {
    type Item = Result<(usize, Cow<'a, str>), (usize, QuoteFlaw)>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if std::mem::take(&mut self.is_inside) {
            return Some(self.quoted(0, rest));
        }
        let rest = self.trim_start(rest);
        let start = self.start_of(rest);
        // A spreadsheet writes ="00123" for text that it would otherwise take for a number.
        if let Some(quoted) = rest.strip_prefix('"').or_else(|| rest.strip_prefix("=\"")) {
            return Some(self.quoted(start, quoted));
        }
        let (field, rest) = match rest.split_once(self.delimiter) {
            Some((field, rest)) => (field, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        Some(Ok((start, Cow::Borrowed(field.trim()))))
    }
}

impl<'a> CsvFields<'a> {
    /// Takes a quoted field that starts at a byte of the row, and whose content follows.
    fn quoted(&mut self, start: usize, quoted: &'a str) -> <Self as Iterator>::Item {
        let (field, rest) = self.unquote(quoted).map_err(|flaw| (start, flaw))?;
        self.rest = rest;
        Ok((start, text_of_formula(field)))
    }

    /// Returns the content of a quoted field, and the rest of the row after the next delimiter.
    fn unquote(&self, quoted: &'a str) -> Result<(Cow<'a, str>, Option<&'a str>), QuoteFlaw> {
        let mut field = Cow::Borrowed("");
        let mut rest = quoted;
        loop {
            let (piece, behind) = rest.split_once('"').ok_or(QuoteFlaw::Open)?;
            if field.is_empty() {
                field = Cow::Borrowed(piece);
            } else {
                field.to_mut().push_str(piece);
            }
            if let Some(more) = behind.strip_prefix('"') {
                field.to_mut().push('"');
                rest = more;
            } else {
                let behind = self.trim_start(behind);
                return match behind.strip_prefix(self.delimiter) {
                    Some(next) => Ok((field, Some(next))),
                    None if behind.is_empty() => Ok((field, None)),
                    None => Err(QuoteFlaw::Followed),
                };
            }
        }
    }
}

/// Returns the text of a formula that is only a quoted text: `="00123"`.
fn text_of_formula(field: Cow<'_, str>) -> Cow<'_, str> {
    let inner = field.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.replace("\"\"", "").contains('"') => {
            Cow::Owned(inner.replace("\"\"", "\""))
        }
        _ => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str, delimiter: Delimiter) -> Option<Vec<String>> {
        CsvFields::of(line, delimiter)
            .map(|field| field.ok().map(|(_, text)| text.into_owned()))
            .collect()
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
            ("\"a\r\n\"\"b\"\"\n\" ,c", &["a\r\n\"b\"\n", "c"]),
            (r#"5" nail,x"#, &[r#"5" nail"#, "x"]),
            (r#"="00123",x"#, &["00123", "x"]),
            (r#"="a,""b""",x"#, &["a,\"b\"", "x"]),
            (r#""=""00123""",x"#, &["00123", "x"]),
            ("=A1*2,x", &["=A1*2", "x"]),
        ] {
            let expected: Vec<_> = expected.iter().map(|&field| field.to_owned()).collect();
            assert_eq!(fields(line, Delimiter::Comma), Some(expected), "{line}");
        }
        for (line, delimiter) in [
            ("a;1,5;\"b;c\"", Delimiter::Semicolon),
            ("a\t1,5\t\"b;c\"", Delimiter::Tab),
            ("a|1,5|\"b;c\"", Delimiter::Pipe),
        ] {
            let expected = ["a", "1,5", "b;c"].map(str::to_owned).to_vec();
            assert_eq!(fields(line, delimiter), Some(expected), "{line}");
        }
        assert_eq!(fields("\t\ta\t", Delimiter::Tab).map(|fields| fields.len()), Some(4));
    }

    #[test]
    fn a_quote_ends_in_front_of_a_delimiter() {
        for (line, flaw) in [
            (r#""a"#, (0, QuoteFlaw::Open)),
            (r#"x,"a,b"#, (2, QuoteFlaw::Open)),
            (r#""a"b,c"#, (0, QuoteFlaw::Followed)),
            (r#""a"""#, (0, QuoteFlaw::Open)),
            (r#"="a"&b"#, (0, QuoteFlaw::Followed)),
        ] {
            assert_eq!(fields(line, Delimiter::Comma), None, "{line}");
            assert_eq!(CsvFields::of(line, Delimiter::Comma).flaw(), Some(flaw), "{line}");
        }
    }

    #[test]
    fn a_line_may_begin_inside_a_field() {
        for (line, flaw) in [
            (r#"a",b"#, None),
            (r#"" "#, None),
            (r#"a"",b"#, Some((0, QuoteFlaw::Open))),
            ("", Some((0, QuoteFlaw::Open))),
            (r#"a"b"#, Some((0, QuoteFlaw::Followed))),
            (r#"a", "b"#, Some((4, QuoteFlaw::Open))),
            (r#"a","b"c"#, Some((3, QuoteFlaw::Followed))),
        ] {
            assert_eq!(CsvFields::inside(line, Delimiter::Comma).flaw(), flaw, "{line}");
        }
    }

    #[test]
    fn a_field_knows_where_it_starts() {
        let line = "é, \"b\",c";
        let starts = CsvFields::of(line, Delimiter::Comma).map(|field| field.unwrap().0);
        let columns: Vec<_> = starts.map(|start| column_at(line, start)).collect();
        assert_eq!(columns, [1, 4, 8], "characters, not bytes");
    }

    #[test]
    fn rows_of_nothing_are_blank() {
        for (line, expected) in
            [(",,", true), (" , \"\",", true), ("\"\"", true), (",a", false), ("0,,", false)]
        {
            assert_eq!(is_blank(line, Delimiter::Comma), expected, "{line}");
        }
        assert!(is_blank("\t\t", Delimiter::Tab) && !is_blank(";;", Delimiter::Comma));
    }
}
