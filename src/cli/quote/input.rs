//! The lines of a session's input.

use std::collections::VecDeque;
use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, Split};

/// Lines that end in LF, in CR and LF, or in CR alone, as those of some spreadsheets do.
pub(super) struct InputLines<R> {
    segments: Split<R>,
    /// The lines between the CRs of the last segment that are not returned yet.
    ahead: VecDeque<Vec<u8>>,
}

impl<R: AsyncBufRead + Unpin> InputLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { segments: input.split(b'\n'), ahead: VecDeque::new() }
    }

    /// Returns the next line without its end. Nothing is lost if the future is dropped early.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.ahead.is_empty() {
            let Some(segment) = self.segments.next_segment().await? else { return Ok(None) };
            let lines = segment.strip_suffix(b"\r").unwrap_or(&segment);
            self.ahead.extend(lines.split(|byte| *byte == b'\r').map(<[u8]>::to_vec));
        }
        Ok(self.ahead.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_ends_in_cr_or_lf_or_both() {
        for (input, expected) in [
            ("a\nb\n", &["a", "b"][..]),
            ("a\r\nb\r\n", &["a", "b"]),
            ("a\rb\r", &["a", "b"]),
            ("a\rb", &["a", "b"]),
            ("a\n\nb", &["a", "", "b"]),
            ("a\r\n\r\nb", &["a", "", "b"]),
            ("a\r\rb", &["a", "", "b"]),
            ("", &[]),
        ] {
            let mut lines = InputLines::new(input.as_bytes());
            let mut found = vec![];
            while let Some(line) = lines.next().await.unwrap() {
                found.push(String::from_utf8(line).unwrap());
            }
            assert_eq!(found, expected, "{input:?}");
        }
    }
}
