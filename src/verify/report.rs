//! The totals of a verification.

use super::{Ages, Finding, FindingKind, FindingSubject};

/// The number of findings of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FindingCounts([u64; FindingKind::ALL.len()]);

impl FindingCounts {
    /// Returns the number of findings of a kind.
    #[must_use]
    pub const fn of(&self, kind: FindingKind) -> u64 {
        self.0[kind as usize]
    }

    const fn add(&mut self, kind: FindingKind) {
        self.0[kind as usize] += 1;
    }
}

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The catalogue version with which everything was compared.
    pub catalogue_version: u64,
    /// The number of active customers.
    pub active_users: u64,
    /// The number of stored tables.
    pub tables: u64,
    /// The number of tables that were checked.
    pub tables_checked: u64,
    /// The findings about tables.
    pub table_findings: FindingCounts,
    /// The number of tables of active customers, which the schedule keeps fresh.
    pub active_tables: u64,
    /// How many of these are stale.
    pub stale: u64,
    /// The ages of the tables of active customers.
    pub ages: Ages,
    /// The number of stored answers.
    pub answers: u64,
    /// The number of answers that were checked, the latest first.
    pub answers_checked: u64,
    /// The findings about answers.
    pub answer_findings: FindingCounts,
}

impl VerifyReport {
    /// Returns the number of findings of a kind, about tables and wrong answers. Any other answer was right by
    /// the rules of its time, and nothing corrects it.
    #[must_use]
    pub const fn count(&self, kind: FindingKind) -> u64 {
        let answers =
            if matches!(kind, FindingKind::Wrong) { self.answer_findings.of(kind) } else { 0 };
        self.table_findings.of(kind) + answers
    }

    pub(super) const fn add(&mut self, finding: &Finding) {
        match finding.subject {
            FindingSubject::Table(_) => self.table_findings.add(finding.kind),
            FindingSubject::Answer(..) => self.answer_findings.add(finding.kind),
        }
    }

    /// Returns the share of active customers' tables that are stale.
    #[must_use]
    pub fn stale_share(&self) -> f64 {
        if self.active_tables == 0 { 0.0 } else { self.stale as f64 / self.active_tables as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_other_rules_do_not_count() {
        let mut report = VerifyReport::default();
        for kind in [FindingKind::Wrong, FindingKind::OtherRules] {
            report.answer_findings.add(kind);
            report.table_findings.add(kind);
        }
        assert_eq!(
            (report.count(FindingKind::Wrong), report.count(FindingKind::OtherRules)),
            (2, 1)
        );
    }
}
