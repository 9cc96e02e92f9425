//! Errors of the store, in a form of which every job of a failed commit can get a copy.

use std::error::Error as StdError;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;
use thiserror::Error;

use super::file_limit::FileTooLarge;
use crate::ports::PortError;

/// Why a job was not done.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// SQLite returned an error.
    Sqlite(Arc<rusqlite::Error>),
    /// A stored record cannot be read.
    Unreadable { what: String, source: Arc<dyn StdError + Send + Sync> },
    /// The record or message to store is invalid.
    Rejected { what: String, why: String },
    /// The engine was closed.
    Closed,
}

/// The source of errors after the engine was closed.
#[derive(Debug, Error)]
#[error("the store was closed")]
struct Closed;

/// A reason that exists only as text.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct TextError(pub(super) String);

impl Failure {
    /// Returns the failure for a stored record that cannot be read.
    pub(super) fn unreadable<E>(what: impl Into<String>, source: E) -> Self
    where
        E: StdError + Send + Sync + 'static,
    {
        Self::Unreadable { what: what.into(), source: Arc::new(source) }
    }

    /// Returns the failure for a record or message that can never be stored.
    pub(super) fn rejected(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Rejected { what: what.into(), why: why.into() }
    }

    /// Converts the failure to a port error that names the file.
    pub(super) fn into_port(self, file: &Path) -> PortError {
        let store = || format!("the store `{}`", file.display());
        match self {
            Self::Sqlite(error)
                if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) =>
            {
                match FileTooLarge::of(file) {
                    Some(reason) => PortError::unavailable(store(), reason),
                    None => from_sqlite(store(), error),
                }
            }
            Self::Sqlite(error) => from_sqlite(store(), error),
            Self::Unreadable { what, source } => PortError::corrupt(what, source),
            Self::Rejected { what, why } => PortError::rejected(what, why),
            Self::Closed => PortError::unavailable(store(), Closed),
        }
    }
}

impl From<rusqlite::types::FromSqlError> for Failure {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        rusqlite::Error::from(error).into()
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

fn from_sqlite(store: String, error: Arc<rusqlite::Error>) -> PortError {
    use rusqlite::Error as E;
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            PortError::corrupt(store, error)
        }
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            PortError::Denied { what: store, source: Box::new(error) }
        }
        Some(ErrorCode::TooBig) => PortError::rejected(store, "the record is too big for it"),
        Some(_) => PortError::unavailable(store, error),
        None => match *error {
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => PortError::corrupt(store, error),
            E::ToSqlConversionFailure(..) => {
                PortError::rejected(store, "a number is too large for it")
            }
            _ => PortError::unavailable(store, error),
        },
    }
}
