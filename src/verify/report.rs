//! What a verification found, in all.

use super::{Ages, Finding, Kind, Subject};

/// How many findings of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Kind::ALL.len()]);

impl Counts {
    /// How many of a kind.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> u64 {
        self.0[kind as usize]
    }

    const fn add(&mut self, kind: Kind) {
        self.0[kind as usize] += 1;
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
    /// What is not simply right of tables.
    pub table_findings: Counts,
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
    /// What is not simply right of answers.
    pub answer_findings: Counts,
}

impl Report {
    /// How many findings of a kind there are.
    #[must_use]
    pub const fn count(&self, kind: Kind) -> u64 {
        self.table_findings.of(kind) + self.answer_findings.of(kind)
    }

    pub(super) const fn add(&mut self, finding: &Finding) {
        match finding.subject {
            Subject::Table(_) => self.table_findings.add(finding.kind),
            Subject::Answer(..) => self.answer_findings.add(finding.kind),
        }
    }

    /// The share of active users' tables that are past their freshness.
    #[must_use]
    pub fn stale_share(&self) -> f64 {
        if self.active_tables == 0 { 0.0 } else { self.stale as f64 / self.active_tables as f64 }
    }
}
