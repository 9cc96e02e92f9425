//! The findings of a verification.

use std::fmt;

use crate::model::{RequestId, UserId};

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// No possible inputs explain it: it is damaged, incomplete, or miscalculated.
    Wrong,
    /// It was made by a version of the pricing rules that this ocache does not have.
    OtherRules,
    /// It is right for its inputs, which have changed since.
    Outdated,
    /// It is past its freshness although its customer is active.
    Stale,
}

impl Kind {
    /// All kinds, the worst first.
    pub const ALL: [Self; 4] = [Self::Wrong, Self::OtherRules, Self::Outdated, Self::Stale];

    /// Returns the name of the kind.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::OtherRules => "other_rules",
            Self::Outdated => "outdated",
            Self::Stale => "stale",
        }
    }
}

/// The subject of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The table of a customer.
    Table(UserId),
    /// An answer to a customer.
    Answer(UserId, RequestId),
}

impl fmt::Display for Subject {
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
    pub kind: Kind,
    /// The subject.
    pub subject: Subject,
    /// What exactly was found.
    pub what: String,
}
