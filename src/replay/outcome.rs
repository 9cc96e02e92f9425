//! What came of a replay.

use std::time::Duration;

use super::Candidate;
use super::bill_ledger::{BillLedger, Stored};
use crate::meter::billing::{HOURS_A_MONTH, Line, Usage, Usd};
use crate::meter::{self, billed};

/// A month of AWS.
const MONTH: Duration = Duration::from_secs(HOURS_A_MONTH as u64 * 3600);

/// The figures of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which policy.
    pub candidate: Candidate,
    /// How much time was replayed.
    pub span: Duration,
    /// Quotations answered.
    pub answered: u64,
    /// Quotations that failed.
    pub failed: u64,
    /// Of those answered: at once, from a table that was there.
    pub warm: u64,
    /// Of those answered: marked stale.
    pub stale: u64,
    /// Of those answered: by prices that a load had changed.
    pub outdated: u64,
    /// How long before an outdated answer the prices had changed, on average.
    pub outdated_by: Duration,
    /// Half of the answers that were not there at once took so long or less.
    pub cold_p50: Duration,
    /// Of a hundred of them, 99.
    pub cold_p99: Duration,
    /// Tables calculated.
    pub calculated: u64,
    /// Tables found to be still right.
    pub validated: u64,
    /// Of both together: those that no quote read before the next one.
    pub wasted: u64,
    /// How long it took on average until a change reached the table of a user who stayed active.
    pub reached_after: Duration,
    /// The same, of the last of all such users.
    pub reached_last: Duration,
    /// What was stored.
    pub stored: Stored,
    /// What the stages used, by stage and reason.
    pub metered: meter::Usage,
    /// What AWS would bill for that, and for what was stored.
    pub usage: Usage,
}

impl Outcome {
    pub(super) fn new(
        candidate: &Candidate,
        ledger: &BillLedger,
        metered: meter::Usage,
        span: Duration,
    ) -> Self {
        let mut usage = billed(metered.lines());
        let stored = ledger.stored;
        usage.add(Line::Storage, stored.table_byte_hours + stored.other_byte_hours);
        let mut waits = ledger.waits_ms.clone();
        waits.sort_unstable();
        let reached: u64 = ledger.reached_ms.iter().sum();
        Self {
            candidate: candidate.clone(),
            span,
            answered: ledger.answered,
            failed: ledger.failed,
            warm: ledger.warm,
            stale: ledger.stale,
            outdated: ledger.outdated,
            outdated_by: mean(ledger.outdated_ms, ledger.outdated),
            cold_p50: percentile(&waits, 50),
            cold_p99: percentile(&waits, 99),
            calculated: ledger.calculated,
            validated: ledger.validated,
            wasted: ledger.wasted,
            reached_after: mean(reached.into(), ledger.reached_ms.len() as u64),
            reached_last: Duration::from_millis(
                ledger.reached_ms.iter().max().copied().unwrap_or(0),
            ),
            stored,
            metered,
            usage,
        }
    }

    /// What an amount of this replay is a month.
    #[must_use]
    pub fn monthly(&self, usd: Usd) -> Usd {
        usd.times(millis(MONTH)).per(millis(self.span))
    }

    /// Tables calculated or validated.
    #[must_use]
    pub const fn prepared(&self) -> u64 {
        self.calculated + self.validated
    }

    /// The share of answers that were there at once.
    #[must_use]
    pub fn hit_ratio(&self) -> f64 {
        share(self.warm, self.answered)
    }

    /// The share of tables that were prepared and not read.
    #[must_use]
    pub fn wasted_share(&self) -> f64 {
        share(self.wasted, self.prepared())
    }

    /// The share of answers by prices that had changed.
    #[must_use]
    pub fn outdated_share(&self) -> f64 {
        share(self.outdated, self.answered)
    }

    /// Tables prepared for each answer.
    #[must_use]
    pub fn prepared_per_answer(&self) -> f64 {
        share(self.prepared(), self.answered)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn mean(sum: u128, count: u64) -> Duration {
    let mean = sum.checked_div(u128::from(count)).unwrap_or(0);
    Duration::from_millis(u64::try_from(mean).unwrap_or(u64::MAX))
}

/// The smallest value that so many per cent are not above; of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    Duration::from_millis(sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<u64> = (1..=200).collect();
        assert_eq!(percentile(&values, 50), Duration::from_millis(100));
        assert_eq!(percentile(&values, 99), Duration::from_millis(198));
        assert_eq!(percentile(&[7], 99), Duration::from_millis(7));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn shares_of_nothing_are_nothing() {
        assert!(share(0, 0).abs() < f64::EPSILON);
        assert_eq!(mean(10, 0), Duration::ZERO);
    }
}
