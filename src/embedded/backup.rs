//! A copy of the whole store while it is in use.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, Error, OpenFlags, ffi};
use thiserror::Error;

use super::engine::Embedded;
use super::failure::Failure;
use super::open::create_private;
use crate::ports::PortError;

/// Why there is no copy.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Something is there already, and stays untouched.
    #[error("`{}` exists", file.display())]
    Exists {
        /// Where the copy should have been.
        file: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot create `{}`", file.display())]
    Create {
        /// Where the copy should have been.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file could not be filled; it is removed again.
    #[error("cannot copy the store to `{}`", file.display())]
    Copy {
        /// Where the copy should have been.
        file: PathBuf,
        /// Why.
        source: PortError,
    },
}

impl Embedded {
    /// Copies the store, as it is at one moment, to a new file that only its owner may read.
    /// Others go on reading and writing meanwhile.
    ///
    /// # Errors
    /// [`BackupError`]; nothing that exists is ever overwritten.
    pub async fn backup(&self, to: &Path) -> Result<(), BackupError> {
        let file = to.to_owned();
        create_private(to, true).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists { file: file.clone() },
            _ => BackupError::Create { file: file.clone(), source },
        })?;
        let target = file.clone();
        let copied = self.read(move |connection| copy(connection, &target)).await;
        copied.map_err(|source| {
            // It is empty or half full, and this call made it.
            let _ = fs::remove_file(&file);
            BackupError::Copy { file, source }
        })
    }
}

fn copy(from: &Connection, to: &Path) -> Result<(), Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)?;
    // All pages in one step: writers add to the log beside the file, so nobody waits for it.
    match Backup::new(from, &mut target)?.step(-1)? {
        StepResult::Done => {}
        // Another program holds the store for itself.
        _ => return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None).into()),
    }
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{fifo, fresh, open};
    use super::*;
    use crate::ports::{Queue, Queues as _};

    #[tokio::test]
    async fn a_copy_is_a_store_of_its_own() {
        let (store, _dir) = fresh();
        store.send(Queue::Quotation, &[fifo("ann", "1")]).await.unwrap();
        let copies = tempfile::tempdir().unwrap();
        store.backup(&copies.path().join("store.db")).await.unwrap();
        store.send(Queue::Quotation, &[fifo("ann", "2")]).await.unwrap();

        let copy = open(copies.path());
        let received =
            copy.receive(Queue::Quotation, 10, Duration::ZERO, Duration::MAX).await.unwrap();
        assert_eq!(received.into_iter().map(|m| m.body).collect::<Vec<_>>(), ["1"]);
        assert_eq!(store.depth(Queue::Quotation).await.unwrap().waiting, 2);
    }

    #[tokio::test]
    async fn nothing_is_overwritten_and_nothing_half_done_is_left() {
        let (store, dir) = fresh();
        let target = dir.path().join("precious");
        fs::write(&target, "precious").unwrap();
        assert!(matches!(store.backup(&target).await, Err(BackupError::Exists { .. })));
        assert_eq!(fs::read(&target).unwrap(), b"precious");

        let nowhere = dir.path().join("none").join("copy");
        assert!(matches!(store.backup(&nowhere).await, Err(BackupError::Create { .. })));

        store.close().await;
        let target = dir.path().join("late");
        assert!(matches!(store.backup(&target).await, Err(BackupError::Copy { .. })));
        assert!(!target.exists());
    }
}
