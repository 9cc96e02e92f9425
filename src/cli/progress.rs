//! Shows the progress of a command to the person who waits for it.

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanFloatCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::output::Output;
use super::terminal::{Terminal, can_draw};

/// A command that takes less time than this shows no progress, because it would only flicker.
const NOTICED_AFTER: Duration = Duration::from_millis(500);

/// Counts what a command has read. It is shown on a terminal if the command takes long.
pub(super) struct Progress {
    bar: ProgressBar,
    /// When it becomes visible; `None` if it is visible already or never will be.
    due: Option<Instant>,
}

impl Output {
    /// Starts a count of what is read, up to a total if it is known.
    pub(super) fn count(&self, what: &'static str, total: Option<u64>) -> Progress {
        Progress::new(what, total, self.is_watched())
    }

    /// Starts a count while rows are printed. It is hidden on a terminal that shows the rows themselves.
    pub(super) fn count_rows(&self, what: &'static str, total: Option<u64>) -> Progress {
        Progress::new(what, total, self.is_watched() && !io::stdout().is_terminal())
    }

    /// Starts a progress bar with this many steps. It is hidden if nobody would see it.
    pub(super) fn progress(&self, what: &'static str, steps: u64) -> ProgressBar {
        let target = match self.is_watched() {
            true => ProgressDrawTarget::term_like(Box::<Terminal>::default()),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        bar.with_style(style(Some(steps))).with_prefix(what)
    }

    /// Whether somebody watches stderr.
    fn is_watched(&self) -> bool {
        !self.is_quiet() && io::stderr().is_terminal() && can_draw()
    }
}

impl Progress {
    fn new(what: &'static str, total: Option<u64>, is_seen: bool) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let bar = bar.with_style(style(total)).with_prefix(what);
        Self { bar, due: is_seen.then(|| Instant::now() + NOTICED_AFTER) }
    }

    /// Adds to the count.
    pub(super) fn add(&mut self, count: u64) {
        self.bar.inc(count);
        if self.due.take_if(|due| *due <= Instant::now()).is_some() {
            self.bar.set_draw_target(ProgressDrawTarget::term_like(Box::<Terminal>::default()));
        }
    }

    /// Prints something while the count is hidden.
    pub(super) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

/// Returns the style of a progress bar, with or without a total.
pub(super) fn style(total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => "{prefix:>12} {wide_bar} {human_pos}/{human_len} {rate} {eta}",
        None => "{prefix:>12} {human_pos} {rate}",
    };
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, line: &mut dyn fmt::Write| {
        // Writing to a string does not fail.
        let _ = line.write_str(&rate(state.per_sec()));
    })
}

/// Formats a rate for people. Only slow rates have decimals.
fn rate(per_sec: f64) -> String {
    let decimals = if per_sec < 10.0 { 1 } else { 0 };
    format!("{:.decimals$}/s", HumanFloatCount(per_sec))
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_decimals_only_where_it_is_slow() {
        let shown = [0.0, 0.333_333, 9.94, 10.4, 12_345.678_9].map(rate);
        assert_eq!(shown, ["0/s", "0.3/s", "9.9/s", "10/s", "12,346/s"]);
    }
}
