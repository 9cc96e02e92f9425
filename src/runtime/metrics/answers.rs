//! How quotations were answered in the last minutes: at once or later, how fast, and how old the prices
//! were.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::history::{SLOTS, slot_of};
use crate::model::Timestamp;
use crate::stages::Warmth;
use crate::supervisor::lock;

/// Histograms keep two significant digits, so figures are exact to one percent.
const DIGITS: u8 = 2;

/// The answers of a period.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Quotations that found a usable table and so were answered at once.
    pub at_once: u64,
    /// Quotations that waited for the calculation of their table.
    pub waited: u64,
    /// Quotations that failed.
    pub failed: u64,
    /// Milliseconds from acceptance to answer.
    times: Option<Histogram<u32>>,
    /// The same for quotations that waited.
    waits: Option<Histogram<u32>>,
    /// Seconds since the prices were last checked, when they were served.
    ages: Option<Histogram<u32>>,
}

/// A quotation that was settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    pub(super) warmth: Warmth,
    pub(super) after: Duration,
    /// The age of its prices; `None` if it has no answer.
    pub(super) age: Option<Duration>,
}

impl Answers {
    fn add(&mut self, settled: Settled) {
        let Settled { warmth, after, age } = settled;
        let Some(age) = age else {
            self.failed += 1;
            return;
        };
        record(&mut self.times, after.as_millis());
        record(&mut self.ages, age.as_secs().into());
        match warmth {
            Warmth::Warm => self.at_once += 1,
            Warmth::Cold => {
                self.waited += 1;
                record(&mut self.waits, after.as_millis());
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.at_once += other.at_once;
        self.waited += other.waited;
        self.failed += other.failed;
        merge(&mut self.times, other.times.as_ref());
        merge(&mut self.waits, other.waits.as_ref());
        merge(&mut self.ages, other.ages.as_ref());
    }

    /// Adds up several periods.
    #[must_use]
    pub fn all<'a>(steps: impl IntoIterator<Item = &'a Self>) -> Self {
        steps.into_iter().fold(Self::default(), |mut all, step| {
            all.merge(step);
            all
        })
    }

    /// Returns the share of answers that were given at once; `None` without answers.
    #[must_use]
    pub fn share_at_once(&self) -> Option<f64> {
        let answers = self.at_once + self.waited;
        (answers > 0).then(|| self.at_once as f64 / answers as f64)
    }

    /// Returns the milliseconds within which this share of the answers was given.
    #[must_use]
    pub fn millis_at(&self, quantile: f64) -> Option<u64> {
        self.times.as_ref().map(|times| times.value_at_quantile(quantile))
    }

    /// Returns the same for answers that waited for their table.
    #[must_use]
    pub fn wait_millis_at(&self, quantile: f64) -> Option<u64> {
        self.waits.as_ref().map(|waits| waits.value_at_quantile(quantile))
    }

    /// Returns the age in seconds that the prices of this share of the answers did not exceed.
    #[must_use]
    pub fn age_secs_at(&self, quantile: f64) -> Option<u64> {
        self.ages.as_ref().map(|ages| ages.value_at_quantile(quantile))
    }
}

fn record(histogram: &mut Option<Histogram<u32>>, value: u128) {
    if histogram.is_none() {
        // The histogram grows with its values. The crate refuses only numbers of digits that it does not
        // support.
        *histogram = Histogram::new(DIGITS).ok();
    }
    if let Some(histogram) = histogram {
        // Values are capped at a day in milliseconds, which is about 1,000 days in seconds.
        const MOST: u64 = 24 * 3600 * 1000;
        let value = u64::try_from(value).unwrap_or(MOST).min(MOST);
        // A growing histogram accepts every value up to this cap.
        let _ = histogram.record(value);
    }
}

fn merge(to: &mut Option<Histogram<u32>>, from: Option<&Histogram<u32>>) {
    let Some(from) = from else { return };
    match to {
        // Both histograms grow, so every value of one fits the other.
        Some(to) => drop(to.add(from)),
        None => *to = Some(from.clone()),
    }
}

/// The answers of each slot in the last minutes.
#[derive(Debug, Default)]
pub(super) struct AnswerHistory(Mutex<VecDeque<(Timestamp, Answers)>>);

impl AnswerHistory {
    pub(super) fn add(&self, now: Timestamp, settled: Settled) {
        let slot = slot_of(now);
        let mut slots = lock(&self.0);
        if slots.back().is_none_or(|(last, _)| *last < slot) {
            if slots.len() == SLOTS {
                slots.pop_front();
            }
            slots.push_back((slot, Answers::default()));
        }
        if let Some((_, answers)) = slots.back_mut() {
            answers.add(settled);
        }
    }

    /// Returns the slots in which quotations were settled, the oldest first.
    pub(super) fn course(&self, now: Timestamp) -> Vec<(Timestamp, Answers)> {
        let slots = lock(&self.0);
        let oldest = slot_of(now).millis() - (SLOTS as i64 - 1) * super::SLOT.as_millis() as i64;
        slots.iter().filter(|(from, _)| from.millis() >= oldest).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(warmth: Warmth, millis: u64, age: Option<u64>) -> Settled {
        let after = Duration::from_millis(millis);
        Settled { warmth, after, age: age.map(Duration::from_secs) }
    }

    #[test]
    fn shares_times_and_ages_are_those_of_their_slot() {
        let history = AnswerHistory::default();
        let at = Timestamp::from_secs;
        for number in 0..98 {
            history.add(at(100), settled(Warmth::Warm, number % 3, Some(30)));
        }
        history.add(at(109), settled(Warmth::Cold, 700, Some(0)));
        history.add(at(110), settled(Warmth::Cold, 900, None));
        let course = history.course(at(115));
        let [(first, busy), (second, failed)] = &course[..] else { panic!("{course:?}") };
        assert_eq!((*first, *second), (at(100), at(110)));
        assert_eq!((busy.at_once, busy.waited, busy.failed), (98, 1, 0));
        assert_eq!(busy.share_at_once(), Some(98.0 / 99.0));
        assert_eq!((busy.millis_at(0.5), busy.age_secs_at(0.5)), (Some(1), Some(30)));
        let slowest = busy.millis_at(1.0).unwrap();
        assert!((693..=707).contains(&slowest), "{slowest}");
        assert_eq!(busy.wait_millis_at(0.5), Some(slowest), "the others did not wait");
        assert_eq!((failed.failed, failed.share_at_once(), failed.millis_at(0.5)), (1, None, None));
        let all = Answers::all(course.iter().map(|(_, answers)| answers));
        assert_eq!((all.at_once, all.waited, all.failed), (98, 1, 1));
        assert_eq!(all.millis_at(1.0), Some(slowest));
    }

    #[test]
    fn only_the_last_minutes_are_told() {
        let history = AnswerHistory::default();
        for secs in 0..2_000 {
            history.add(Timestamp::from_secs(secs), settled(Warmth::Warm, 1, Some(1)));
        }
        let course = history.course(Timestamp::from_secs(1_999));
        assert_eq!((course.len(), course[0].0), (SLOTS, Timestamp::from_secs(1_400)));
        assert!(history.course(Timestamp::from_secs(9_000)).is_empty(), "nobody has asked since");
    }
}
