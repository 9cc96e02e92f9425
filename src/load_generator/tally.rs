//! The results of a run.

use std::time::{Duration, Instant};

use hdrhistogram::{CreationError, Histogram};

/// An hour in microseconds. Longer times are recorded as an hour.
const LONGEST_US: u64 = 60 * 60 * 1_000_000;
/// Times are kept to three significant digits.
const DIGITS: u8 = 3;

/// Times, from which quantiles are read.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

impl Times {
    /// Creates an empty histogram.
    ///
    /// # Errors
    /// Does not fail in practice, because the bounds are constants.
    pub fn new() -> Result<Self, CreationError> {
        Histogram::new_with_bounds(1, LONGEST_US, DIGITS).map(Self)
    }

    /// Adds a time.
    pub fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        self.0.saturating_record(micros.max(1));
    }

    /// Adds all times of another histogram.
    pub fn merge(&mut self, others: &Self) {
        // All histograms have the same bounds, so every value fits.
        let _ = self.0.add(&others.0);
    }

    /// Returns the time in milliseconds within which this share was done.
    #[must_use]
    pub fn millis(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1000.0
    }

    /// Whether there are no times.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The results of a run's quotes.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The number of quotes sent.
    pub asked: u64,
    /// The number of quotes that got a price. Of the checked ones, only those with a right answer count.
    pub answered: u64,
    /// The number of answers that were compared with their quotes.
    pub checked: u64,
    /// The times until quotes were accepted.
    pub until_accepted: Times,
    /// The times until quotes were answered.
    pub until_answered: Times,
    /// The time from the first quote to the last answer.
    pub took: Duration,
    /// The first reason why a quote has no price, or a wrong one.
    pub complaint: Option<String>,
    pub(super) begun: Instant,
}

impl Tally {
    /// Begins a run.
    ///
    /// # Errors
    /// Does not fail in practice: see [`Times::new`].
    pub fn begin() -> Result<Self, CreationError> {
        Ok(Self {
            asked: 0,
            answered: 0,
            checked: 0,
            until_accepted: Times::new()?,
            until_answered: Times::new()?,
            took: Duration::ZERO,
            complaint: None,
            begun: Instant::now(),
        })
    }

    /// Adds the results of another run, which came after this one.
    pub fn merge(&mut self, other: &Self) {
        self.asked += other.asked;
        self.answered += other.answered;
        self.checked += other.checked;
        self.until_accepted.merge(&other.until_accepted);
        self.until_answered.merge(&other.until_answered);
        self.took += other.took;
        if self.complaint.is_none() {
            self.complaint.clone_from(&other.complaint);
        }
    }

    /// Returns the number of quotes answered per second.
    #[must_use]
    pub fn per_sec(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64().max(1e-6)
    }

    /// Counts a call that was answered after this time.
    pub(crate) fn answered(&mut self, after: Duration) {
        self.until_answered.add(after);
        self.count();
    }

    /// Counts a call as answered without the time that it took.
    pub(crate) fn count(&mut self) {
        self.answered += 1;
        self.took = self.begun.elapsed();
    }

    /// Notes why a quote has no right answer. Returns whether it is the first reason.
    pub(super) fn complain(&mut self, why: String) -> bool {
        let is_first = self.complaint.is_none();
        self.complaint.get_or_insert(why);
        is_first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_add_up() {
        let mut all = Tally::begin().unwrap();
        for millis in [10, 30] {
            let mut one = Tally::begin().unwrap();
            one.asked = 2;
            one.answered(Duration::from_millis(millis));
            one.complain(format!("after {millis}"));
            one.took = Duration::from_secs(1);
            all.merge(&one);
        }
        assert_eq!((all.asked, all.answered, all.per_sec()), (4, 2, 1.0));
        assert_eq!(all.complaint.as_deref(), Some("after 10"));
        let shares = [0.5, 1.0].map(|share| all.until_answered.millis(share).round());
        assert_eq!(shares, [10.0, 30.0]);
    }
}
