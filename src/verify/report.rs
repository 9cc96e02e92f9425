//! What a verification found, in all.

use std::time::Duration;

use super::{Finding, Kind};

/// How old the tables of active users are, by when they were last found to be right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// Half of them are so old or younger.
    pub p50: Duration,
    /// Of a hundred, 90.
    pub p90: Duration,
    /// Of a hundred, 99.
    pub p99: Duration,
    /// The oldest.
    pub oldest: Duration,
}

impl Ages {
    pub(super) fn of(mut ages: Vec<Duration>) -> Self {
        ages.sort_unstable();
        let at = |percent: usize| {
            let rank = (ages.len() * percent).div_ceil(100);
            ages.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { p50: at(50), p90: at(90), p99: at(99), oldest: at(100) }
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The version of the catalogue that everything was compared with.
    pub catalogue_version: u64,
    /// Users who are active.
    pub active_users: u64,
    /// Tables stored, and those of them that were checked.
    pub tables: u64,
    /// See above.
    pub tables_checked: u64,
    /// Tables of active users, which the schedule keeps fresh.
    pub active_tables: u64,
    /// Those of them that are past their freshness.
    pub stale: u64,
    /// How old those of active users are.
    pub ages: Ages,
    /// Answers stored, and those of them that were checked: the last ones.
    pub answers: u64,
    /// See above.
    pub answers_checked: u64,
    /// Everything that is not simply right.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many findings of a kind there are.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.findings.iter().filter(|finding| finding.kind == kind).count()
    }

    /// The share of active users' tables that are past their freshness.
    #[must_use]
    pub fn stale_share(&self) -> f64 {
        if self.active_tables == 0 { 0.0 } else { self.stale as f64 / self.active_tables as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_ages_that_occurred() {
        let ages = Ages::of((1..=200).rev().map(Duration::from_secs).collect());
        let secs = [ages.p50, ages.p90, ages.p99, ages.oldest].map(|age| age.as_secs());
        assert_eq!(secs, [100, 180, 198, 200]);
        assert_eq!(Ages::of(vec![]), Ages::default());
    }
}
