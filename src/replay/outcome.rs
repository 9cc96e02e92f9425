//! The outcome of a replay.

use std::time::Duration;

use super::Candidate;
use super::bill_ledger::{BillLedger, StorageUse, millis};
use crate::meter::billing::{BilledUsage, HOURS_A_MONTH, Line, Usd};
use crate::meter::{self, billed};

/// A month, as AWS bills it.
const MONTH: Duration = Duration::from_secs(HOURS_A_MONTH as u64 * 3600);

/// The figures of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayOutcome {
    /// The policy.
    pub candidate: Candidate,
    /// The time that was replayed.
    pub span: Duration,
    /// The number of answered quotations.
    pub answered: u64,
    /// The number of failed quotations.
    pub failed: u64,
    /// The number of answers that were given at once, from an existing table.
    pub warm: u64,
    /// The number of answers that were marked stale.
    pub stale: u64,
    /// The number of answers with prices that a load had changed.
    pub outdated: u64,
    /// The average time between the change of the prices and an outdated answer.
    pub outdated_by: Duration,
    /// The median time of the answers that were not given at once.
    pub cold_p50: Duration,
    /// The 99th percentile of this time.
    pub cold_p99: Duration,
    /// The number of tables that were calculated.
    pub calculated: u64,
    /// The number of tables that were found still right.
    pub validated: u64,
    /// The number of both that no quote read before the next one.
    pub wasted: u64,
    /// The average time until a change reached the table of a user who stayed active.
    pub reached_after: Duration,
    /// The longest such time.
    pub reached_last: Duration,
    /// What was stored.
    pub stored: StorageUse,
    /// What the stages used, by stage and reason.
    pub metered: meter::Usage,
    /// What AWS would bill for the usage and the storage.
    pub usage: BilledUsage,
}

impl ReplayOutcome {
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

    /// Scales an amount of this replay to a month.
    #[must_use]
    pub fn monthly(&self, usd: Usd) -> Usd {
        usd.times(millis(MONTH)).per(millis(self.span))
    }

    /// Returns the number of tables that were calculated or validated.
    #[must_use]
    pub const fn prepared(&self) -> u64 {
        self.calculated + self.validated
    }

    /// Returns the share of answers that were given at once.
    #[must_use]
    pub fn hit_ratio(&self) -> f64 {
        share(self.warm, self.answered)
    }

    /// Returns the share of prepared tables that were never read.
    #[must_use]
    pub fn wasted_share(&self) -> f64 {
        share(self.wasted, self.prepared())
    }

    /// Returns the share of answers with prices that had changed.
    #[must_use]
    pub fn outdated_share(&self) -> f64 {
        share(self.outdated, self.answered)
    }

    /// Returns the number of tables prepared for each answer.
    #[must_use]
    pub fn prepared_per_answer(&self) -> f64 {
        share(self.prepared(), self.answered)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn mean(sum: u128, count: u64) -> Duration {
    let mean = sum.checked_div(u128::from(count)).unwrap_or(0);
    Duration::from_millis(u64::try_from(mean).unwrap_or(u64::MAX))
}

/// Returns the smallest value that `percent` percent of the sorted values do not exceed.
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
