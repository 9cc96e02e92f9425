//! What can go wrong behind a port.

use std::error::Error as StdError;
use std::fmt;

use thiserror::Error;

type Source = Box<dyn StdError + Send + Sync>;

/// A failure behind a port. The variant says what to do about it; the text names the thing.
#[derive(Debug, Error)]
pub enum PortError {
    /// The downstream did not answer, refused, or failed; trying later may help.
    #[error("{what} is unavailable")]
    Unavailable {
        /// What was called.
        what: String,
        /// Why.
        #[source]
        source: Source,
    },
    /// The downstream answered that it is asked too much; trying later will help.
    #[error("{what} is throttled")]
    Throttled {
        /// What was called.
        what: String,
    },
    /// A table, queue, topic or store is not there, or not as expected.
    #[error("{what} is missing")]
    Missing {
        /// Which.
        what: String,
    },
    /// The caller may not do this.
    #[error("{what} was denied")]
    Denied {
        /// The action and its object.
        what: String,
        /// Why.
        #[source]
        source: Source,
    },
    /// The downstream answered that it does not do this, for a reason that is neither the caller's
    /// rights nor what was sent: it does not know the operation, or is in no state for it.
    #[error("{what} was refused")]
    Refused {
        /// The action and its object.
        what: String,
        /// Why.
        #[source]
        source: Source,
    },
    /// This one thing cannot be done, however often it is tried: too large, malformed.
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
        /// Which record.
        what: String,
        /// Why.
        #[source]
        source: Source,
    },
}

impl PortError {
    /// For [`Self::Unavailable`].
    pub fn unavailable(what: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Unavailable { what: what.into(), source: source.into() }
    }

    /// For [`Self::Corrupt`].
    pub fn corrupt(what: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Corrupt { what: what.into(), source: source.into() }
    }

    /// For [`Self::Rejected`].
    pub fn rejected(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Rejected { what: what.into(), why: why.into() }
    }

    /// Whether the downstream as a whole is in trouble, rather than this one message or item.
    /// Only such errors open a circuit breaker.
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
