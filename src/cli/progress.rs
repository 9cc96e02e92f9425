//! How far a command has come, for the person who waits for it.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;
use super::terminal::Terminal;

/// What takes less time than this shows no progress: it would only flicker.
const NOTICED_AFTER: Duration = Duration::from_millis(500);

/// Counts what a command has read. Shown on a terminal, once the command takes long.
pub(super) struct Progress {
    bar: ProgressBar,
    /// When it is shown; `None` when it is, or never will be.
    due: Option<Instant>,
}

impl Output {
    /// A count of what is read, up to a total if that is known.
    pub(super) fn count(&self, what: &'static str, total: Option<u64>) -> Progress {
        Progress::new(what, total, self.is_watched())
    }

    /// The same while rows are printed. On a terminal that shows the rows, they say how far it is.
    pub(super) fn count_rows(&self, what: &'static str, total: Option<u64>) -> Progress {
        Progress::new(what, total, self.is_watched() && !io::stdout().is_terminal())
    }

    /// Whether anybody sees what goes to stderr as it goes there.
    fn is_watched(&self) -> bool {
        !self.is_quiet() && io::stderr().is_terminal()
    }
}

impl Progress {
    fn new(what: &'static str, total: Option<u64>, is_seen: bool) -> Self {
        let style = match total {
            Some(_) => "{prefix:>12} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}",
            None => "{prefix:>12} {human_pos} {per_sec}",
        };
        let style =
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let bar = bar.with_style(style).with_prefix(what);
        Self { bar, due: is_seen.then(|| Instant::now() + NOTICED_AFTER) }
    }

    /// So many more were read.
    pub(super) fn add(&mut self, count: u64) {
        self.bar.inc(count);
        if self.due.take_if(|due| *due <= Instant::now()).is_some() {
            self.bar.set_draw_target(ProgressDrawTarget::term_like(Box::<Terminal>::default()));
        }
    }

    /// Prints something while the count is out of the way.
    pub(super) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
