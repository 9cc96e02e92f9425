//! The distribution of the ages of any number of tables.

use std::collections::BTreeMap;
use std::time::Duration;

/// Ages below this are counted by the millisecond, older ones by the second.
const EXACT_BELOW: Duration = Duration::from_secs(60);

/// The ages of the tables of active customers, counted from when each was last checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// The age that 50 % of the tables do not exceed.
    pub p50: Duration,
    /// The age that 90 % of the tables do not exceed.
    pub p90: Duration,
    /// The age that 99 % of the tables do not exceed.
    pub p99: Duration,
    /// The age of the oldest table.
    pub oldest: Duration,
}

/// The number of tables of each age. Tables are not kept for ever, so the number of different ages is
/// limited, however many tables there are.
#[derive(Debug, Default)]
pub(super) struct AgeCounts {
    counts: BTreeMap<Duration, u64>,
    total: u64,
}

impl AgeCounts {
    pub(super) fn add(&mut self, age: Duration) {
        let age = match age < EXACT_BELOW {
            true => Duration::from_millis(age.as_millis() as u64),
            false => Duration::from_secs(age.as_secs()),
        };
        *self.counts.entry(age).or_default() += 1;
        self.total += 1;
    }

    pub(super) fn ages(&self) -> Ages {
        Ages { p50: self.at(50), p90: self.at(90), p99: self.at(99), oldest: self.at(100) }
    }

    /// Returns the age that this percentage of the tables does not exceed.
    fn at(&self, percent: u64) -> Duration {
        let rank = (self.total * percent).div_ceil(100);
        let mut passed = 0;
        let ages = self.counts.iter().map(|(age, count)| {
            passed += count;
            (*age, passed)
        });
        let mut ages = ages.skip_while(|(_, passed)| *passed < rank);
        ages.next().map_or(Duration::ZERO, |(age, _)| age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_ages_that_occurred() {
        let mut counts = AgeCounts::default();
        (1..=200).rev().map(Duration::from_secs).for_each(|age| counts.add(age));
        let ages = counts.ages();
        let secs = [ages.p50, ages.p90, ages.p99, ages.oldest].map(|age| age.as_secs());
        assert_eq!(secs, [100, 180, 198, 200]);
        assert_eq!(AgeCounts::default().ages(), Ages::default());
        let mut one = AgeCounts::default();
        one.add(Duration::from_micros(1_234_567));
        assert_eq!(one.ages().p50, Duration::from_millis(1_234));
    }
}
