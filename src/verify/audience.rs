//! The receiver of findings and progress during a verification.

use super::Finding;

/// The current step of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Products are read.
    Products,
    /// The tables of active users are looked at.
    ActiveUsers,
    /// All tables are listed.
    Listing,
    /// Tables are recalculated.
    Tables,
    /// Quotations are read.
    Quotations,
    /// Answers are recalculated.
    Answers,
}

impl Step {
    /// Returns the name of what the step counts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::ActiveUsers => "active customers",
            Self::Listing => "tables",
            Self::Tables => "verified",
            Self::Quotations => "quotations",
            Self::Answers => "answers",
        }
    }
}

/// Receives findings as soon as they are certain, and the progress.
pub trait Audience: Send {
    /// Receives a finding.
    fn found(&mut self, finding: Finding);

    /// Receives the number of things that a step has just done.
    fn progress(&mut self, step: Step, count: u64);

    /// Called when a load came into force, so that everything is verified again. Earlier findings stay
    /// true.
    fn starts_over(&mut self) {}
}

/// Keeps every finding, and ignores the progress.
impl Audience for Vec<Finding> {
    fn found(&mut self, finding: Finding) {
        self.push(finding);
    }

    fn progress(&mut self, _: Step, _: u64) {}
}
