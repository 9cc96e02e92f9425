//! Why a verification fails, and why a stored table cannot be read.

use thiserror::Error;

use crate::ports::{AtHead, PortError};

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

/// Returns what was read, or [`VerifyError::Loading`] if a later load is in force.
pub(super) fn still<T>(read: AtHead<T>) -> Result<T, VerifyError> {
    match read {
        AtHead::Read(value) => Ok(value),
        AtHead::Moved => Err(VerifyError::Loading),
    }
}

/// Why a table cannot be shown.
pub(super) enum TableFailure {
    Port(PortError),
    /// The table is wrong. The text says how.
    Wrong(String),
}

impl From<PortError> for TableFailure {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<String> for TableFailure {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}
