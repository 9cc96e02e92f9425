//! The lines that the benchmark prints, which are those of the table in `docs/performance.md`.

use std::fmt;

/// The target of a figure or a ratio.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64, &'static str),
}

/// A line of the table. `print` prints it.
pub struct Line {
    row: &'static str,
    what: String,
    ocache: String,
    beside: String,
    ratio: String,
    target: String,
    reached: &'static str,
}

/// Prints a line without a comparison and without a target.
pub fn line(row: &'static str, what: &str, ocache: &str) {
    Line::new(row, what, ocache).print();
}

impl Line {
    /// Returns a line with a figure of ocache. `row` is the name of the benchmark's row in the command.
    pub fn new(row: &'static str, what: &str, ocache: &str) -> Self {
        let (what, ocache) = (what.to_owned(), ocache.to_owned());
        let [beside, ratio, target] = [const { String::new() }; 3];
        Self { row, what, ocache, beside, ratio, target, reached: "" }
    }

    /// Adds what was measured for comparison, and ocache's figure divided by that.
    pub fn beside(self, beside: &str, ratio: f64) -> Self {
        Self { beside: beside.to_owned(), ratio: format!("{ratio:.2}"), ..self }
    }

    /// Adds the target, and the figure or ratio that must reach it.
    pub fn target(self, target: Target, measured: f64) -> Self {
        let reached = if target.is_reached_by(measured) { "yes" } else { "no" };
        Self { target: target.to_string(), reached, ..self }
    }

    pub fn print(&self) {
        let Self { row, what, ocache, beside, ratio, target, reached } = self;
        println!("| {what} | `{row}` | {ocache} | {beside} | {ratio} | {target} | {reached} |");
    }
}

impl Target {
    fn is_reached_by(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(least) => measured >= least,
            Self::AtMost(most, _) => measured <= most,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most, unit) => write!(f, "≤ {most}{unit}"),
        }
    }
}

/// Returns a whole number with separators, such as 12,345.
pub fn grouped(number: impl Into<f64>) -> String {
    let digits = format!("{:.0}", number.into());
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
