//! A terminal for progress bars that never blocks the work, because it draws through the same queue as
//! all messages on stderr.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;

use super::stderr::Stderr;

/// The width of a terminal that does not report it.
const WIDTH: u16 = 80;

/// Whether this kind of terminal understands sequences that move the cursor.
pub(super) fn can_draw() -> bool {
    std::env::var_os("TERM").is_none_or(|kind| kind != "dumb")
}

/// The drawing, until it is flushed as a whole.
#[derive(Debug, Default)]
pub(super) struct Terminal(Mutex<Vec<u8>>);

impl Terminal {
    fn drawn(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the cursor by an ANSI sequence. The sequence would treat 0 as 1, so 0 moves nothing.
    fn move_cursor(&self, by: usize, direction: char) -> io::Result<()> {
        if by == 0 {
            return Ok(());
        }
        write!(self.drawn(), "\x1b[{by}{direction}")
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        terminal_size::terminal_size_of(io::stderr()).map_or(WIDTH, |(width, _)| width.0)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.move_cursor(lines, 'A')
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.move_cursor(lines, 'B')
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.move_cursor(columns, 'C')
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.move_cursor(columns, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        writeln!(self.drawn(), "{text}")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.drawn().write_all(text.as_bytes())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.drawn().write_all(b"\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        Stderr.write_all(&std::mem::take(&mut *self.drawn()))
    }
}
