//! Who hears of a verification while it goes on.

use super::Finding;

/// What a verification is at.
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
    /// What is counted in it.
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

/// Hears of findings as soon as they are certain, and of how far it is.
pub trait Audience: Send {
    /// Something is not simply right.
    fn found(&mut self, finding: Finding);

    /// So many more were done of what a step counts.
    fn progress(&mut self, step: Step, count: u64);

    /// A load came into force, so everything is looked at once more. What was told stays true.
    fn starts_over(&mut self) {}
}

/// Keeps every finding.
impl Audience for Vec<Finding> {
    fn found(&mut self, finding: Finding) {
        self.push(finding);
    }

    fn progress(&mut self, _: Step, _: u64) {}
}
