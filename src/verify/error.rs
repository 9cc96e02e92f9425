//! Why a verification fails, and why a stored table cannot be read.

use thiserror::Error;

use crate::ports::PortError;

/// Why a verification has no result.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A port failed, or a stored record cannot be read at all.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The products kept changing.
    #[error("loads kept coming into force while the store was verified")]
    Loading,
}

/// Why a table cannot be shown.
pub(super) enum Failure {
    Port(PortError),
    /// The table is wrong. The text says how.
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
