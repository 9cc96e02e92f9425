//! Why a verification ends, and why a stored table cannot be read.

use thiserror::Error;

use crate::ports::PortError;

/// Why nothing can be said.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A port failed, or something stored cannot be read at all.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The products kept changing.
    #[error("loads kept coming into force while the store was verified")]
    Loading,
}

/// Why a table cannot be shown.
pub(super) enum Failure {
    Port(PortError),
    /// It is wrong: this is how.
    Wrong(String),
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}
