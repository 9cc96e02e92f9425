//! What is found of a table or an answer that is not simply right.

use std::fmt;

use crate::model::{RequestId, UserId};

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// No inputs that there were explain it: damaged, incomplete, or miscalculated.
    Wrong,
    /// It is by another version of the pricing rules, which this ocache does not know.
    OtherRules,
    /// It is right by the inputs it was made from; they have changed since.
    Outdated,
    /// It is past its freshness although its user is active.
    Stale,
}

impl Kind {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::Wrong, Self::OtherRules, Self::Outdated, Self::Stale];

    /// The word for it.
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

/// What something was found of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The table of a user.
    Table(UserId),
    /// An answer to a user.
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

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: Kind,
    /// Of what.
    pub subject: Subject,
    /// What exactly.
    pub what: String,
}
