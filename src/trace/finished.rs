//! A span that is over, as it is exported.

use std::time::SystemTime;

use super::TraceContext;

/// What a span stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Work inside a process.
    #[default]
    Internal,
    /// A request that came.
    Server,
    /// A request that was sent.
    Client,
    /// A message that was sent.
    Producer,
    /// A message that came.
    Consumer,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A count.
    Count(i64),
}

/// A span that is over.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    /// Itself.
    pub(super) context: TraceContext,
    /// The span it is a child of, if any.
    pub(super) parent: Option<u64>,
    /// Its name.
    pub(super) name: &'static str,
    /// What it stands for.
    pub(super) kind: Kind,
    /// When it began.
    pub(super) began: SystemTime,
    /// When it ended.
    pub(super) ended: SystemTime,
    /// What it says.
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// Why it failed, if it did.
    pub(super) error: Option<String>,
}
