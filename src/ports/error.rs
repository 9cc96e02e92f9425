//! The errors of ports.

use std::error::Error as StdError;
use std::fmt;

use thiserror::Error;

type Source = Box<dyn StdError + Send + Sync>;

/// A failure behind a port. The variant says how to react; the text names what failed.
#[derive(Debug, Error)]
pub enum PortError {
    /// The service did not answer, refused, or failed. A later try may succeed.
    #[error("{what} is unavailable")]
    Unavailable {
        /// What was called.
        what: String,
        /// The cause.
        #[source]
        source: Source,
    },
    /// The service was called too often. A later try will succeed.
    #[error("{what} is throttled")]
    Throttled {
        /// What was called.
        what: String,
    },
    /// A table, queue, topic or store does not exist, or not as expected.
    #[error("{what} is missing")]
    Missing {
        /// The name of what is missing.
        what: String,
    },
    /// The caller has no right to do this.
    #[error("{what} was denied")]
    Denied {
        /// The action and its object.
        what: String,
        /// The cause.
        #[source]
        source: Source,
    },
    /// The service refused this for a reason that is neither the caller's rights nor the data that was sent.
    /// It does not know the operation, or is in no state for it.
    #[error("{what} was refused")]
    Refused {
        /// The action and its object.
        what: String,
        /// The cause.
        #[source]
        source: Source,
    },
    /// This item can never be handled, for example because it is too large or malformed.
    #[error("{what}: {why}")]
    Rejected {
        /// The item or message.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something stored cannot be read back.
    #[error("{what} cannot be read")]
    Corrupt {
        /// The record.
        what: String,
        /// The cause.
        #[source]
        source: Source,
    },
}

impl PortError {
    /// Creates [`Self::Unavailable`].
    pub fn unavailable(what: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Unavailable { what: what.into(), source: source.into() }
    }

    /// Creates [`Self::Corrupt`].
    pub fn corrupt(what: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Corrupt { what: what.into(), source: source.into() }
    }

    /// Creates [`Self::Rejected`].
    pub fn rejected(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Rejected { what: what.into(), why: why.into() }
    }

    /// Whether the failure concerns the whole service, not this message or item alone. Only such errors open
    /// the breaker.
    #[must_use]
    pub const fn is_downstream(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Throttled { .. }
                | Self::Missing { .. }
                | Self::Denied { .. }
                | Self::Refused { .. }
        )
    }
}

/// An error and all its sources on one line, for logs: `the store is unavailable: disk full`.
pub struct Chain<'a>(pub &'a dyn StdError);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_every_source() {
        let error = PortError::unavailable("the store", std::io::Error::other("disk full"));
        assert_eq!(Chain(&error).to_string(), "the store is unavailable: disk full");
    }
}
