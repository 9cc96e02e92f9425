//! Why a store cannot be opened, and what to do about it.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

use super::file_limit::FileTooLarge;
use super::schema::VERSION;

/// Why a store cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory or the file cannot be created, read or written.
    #[error("cannot open the store `{}`", file.display())]
    Inaccessible {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Another process holds the file and does not release it.
    #[error("the store `{}` is locked by another process", file.display())]
    Locked {
        /// The file.
        file: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The file is something else. It was not touched.
    #[error("`{}` is not a store of ocache", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// The file is a store, but it cannot be read.
    #[error("the store `{}` is damaged", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// A newer ocache wrote the file. It was not touched.
    #[error("the store `{}` has version {found}, this ocache knows up to {VERSION}", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: i32,
    },
}

impl OpenError {
    /// Returns what to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Inaccessible { .. } => {
                "make the directory writable and see that the disk is not full, \
                 or choose another with --data-dir"
            }
            Self::Locked { .. } => {
                "end the program that holds it, such as a database browser, and try again"
            }
            Self::Foreign { .. } => "choose another directory with --data-dir",
            Self::Damaged { .. } => {
                "replace it with a backup (`ocache restore FILE`), or move the directory away to \
                 start with an empty store"
            }
            Self::Newer { .. } => {
                "use the newer ocache, or choose another directory with --data-dir"
            }
        }
    }

    pub(super) fn inaccessible(
        file: &Path,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Inaccessible { file: file.to_owned(), source: source.into() }
    }

    pub(super) fn from_sqlite(file: &Path, source: rusqlite::Error) -> Self {
        let file = file.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Locked { file, source }
            }
            Some(ErrorCode::NotADatabase) => Self::Foreign { file },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { file, source },
            Some(ErrorCode::SystemIoFailure) => match FileTooLarge::of(&file) {
                Some(reason) => Self::inaccessible(&file, reason),
                None => Self::inaccessible(&file, source),
            },
            _ => Self::inaccessible(&file, source),
        }
    }
}
