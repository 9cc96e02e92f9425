//! The receiver of findings and progress during a verification.

use super::Finding;
use crate::model::named;

named! {
    /// The current step of a verification, with the name of what the step counts.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum VerifyStep {
        /// Products are read.
        Products => "products",
        /// The tables of active users are looked at.
        ActiveUsers => "active customers",
        /// All tables are listed.
        Listing => "tables",
        /// Tables are recalculated.
        Tables => "verified",
        /// Quotations are read.
        Quotations => "quotations",
        /// Answers are recalculated.
        Answers => "answers",
    }
}

/// Receives findings as soon as they are certain, and the progress.
pub trait Audience: Send {
    /// Receives a finding.
    fn found(&mut self, finding: Finding);

    /// Receives the number of things that a step has just done.
    fn progress(&mut self, step: VerifyStep, count: u64);

    /// Called when a load came into force, so that everything is verified again. Earlier findings stay
    /// true.
    fn starts_over(&mut self) {}
}

/// Keeps every finding, and ignores the progress.
impl Audience for Vec<Finding> {
    fn found(&mut self, finding: Finding) {
        self.push(finding);
    }

    fn progress(&mut self, _: VerifyStep, _: u64) {}
}
