//! The findings of a verification.

use std::fmt;

use crate::model::{RequestId, UserId, named};

named! {
    /// The kind of a finding, the worst first.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum FindingKind {
        /// No possible inputs explain it: it is damaged, incomplete, or miscalculated.
        Wrong => "wrong",
        /// It was made by a version of the pricing rules that this ocache does not have.
        OtherRules => "other_rules",
        /// It is right for its inputs, which have changed since.
        Outdated => "outdated",
        /// It is past its freshness although its customer is active.
        Stale => "stale",
    }
}

/// The subject of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingSubject {
    /// The table of a customer.
    Table(UserId),
    /// An answer to a customer.
    Answer(UserId, RequestId),
}

impl fmt::Display for FindingSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(user) => write!(f, "table of `{user}`"),
            Self::Answer(user, request) => write!(f, "answer `{request}` to `{user}`"),
        }
    }
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind.
    pub kind: FindingKind,
    /// The subject.
    pub subject: FindingSubject,
    /// What exactly was found.
    pub what: String,
}
