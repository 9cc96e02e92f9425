//! Copies the whole store while it is in use.
//!
//! The copy is of one moment. SQLite cannot reset the log beside the store while a copy runs, so writes
//! make the log longer. So a copy is given up when the log has grown by the size of the store, and the
//! caller can end it after every step.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, Error, OpenFlags, ffi};
use thiserror::Error;

use super::engine::Embedded;
use super::failure::Failure;
use super::files::{bytes, create_private, log_of};
use crate::ports::PortError;

/// How many pages are copied in a step: 1 MiB.
const PAGES: i32 = 256;
/// The log may always grow by this many bytes during a copy, even if the store is smaller.
const LOG_GROWTH: u64 = 1 << 30;

/// Why there is no copy.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The file exists, and stays untouched.
    #[error("`{}` exists", file.display())]
    Exists {
        /// The file of the copy.
        file: PathBuf,
    },
    /// The file cannot be created.
    #[error("cannot create `{}`", file.display())]
    Create {
        /// The file of the copy.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file could not be filled. It is removed again.
    #[error("cannot copy the store to `{}`", file.display())]
    Copy {
        /// The file of the copy.
        file: PathBuf,
        /// The cause.
        source: PortError,
    },
    /// The copy could not be synced to its disk. It is removed again.
    #[error("cannot write `{}` to its disk", file.display())]
    Sync {
        /// The file of the copy.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Writes to the store were faster than the copy. The file is removed again.
    #[error("the store changes faster than it can be copied to `{}`", file.display())]
    Outpaced {
        /// The file of the copy.
        file: PathBuf,
    },
    /// The caller ended the copy. The file is removed again.
    #[error("the copy to `{}` was ended", file.display())]
    Ended {
        /// The file of the copy.
        file: PathBuf,
    },
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The number of pages that are copied.
    pub pages: u64,
    /// The number of pages that the store has.
    pub total: u64,
}

/// How a copy ended.
enum Copy {
    Done,
    Outpaced,
    Ended,
}

impl Embedded {
    /// Copies the store, as it is at one moment, to a new file that only its owner may read. Others can
    /// read and write meanwhile. `watch` is called when the file is created, after every step, and when all
    /// pages are copied; it may end the copy.
    ///
    /// # Errors
    /// [`BackupError`]. An existing file is never overwritten.
    pub async fn backup(
        &self,
        to: &Path,
        watch: impl FnMut(Copied) -> ControlFlow<()> + Send + 'static,
    ) -> Result<(), BackupError> {
        let file = to.to_owned();
        create_private(to, true).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists { file: file.clone() },
            _ => BackupError::Create { file: file.clone(), source },
        })?;
        let (target, log) = (file.clone(), log_of(self.file()));
        let most_log = bytes(&log) + LOG_GROWTH.max(bytes(self.file()));
        let has_room = move || bytes(&log) <= most_log;
        let copied = self.read(move |connection| copy(connection, &target, has_room, watch)).await;
        let outcome = match copied {
            Ok(Copy::Done) => synced(&file).await,
            Ok(Copy::Outpaced) => Err(BackupError::Outpaced { file: file.clone() }),
            Ok(Copy::Ended) => Err(BackupError::Ended { file: file.clone() }),
            Err(source) => Err(BackupError::Copy { file: file.clone(), source }),
        };
        outcome.inspect_err(|_| {
            // The file is empty or incomplete, and this call created it.
            let _ = fs::remove_file(&file);
        })
    }
}

/// Waits until a file is on its disk. The store is not being read by then, because this may take long.
async fn synced(file: &Path) -> Result<(), BackupError> {
    let copy = file.to_owned();
    let synced = tokio::task::spawn_blocking(move || File::open(copy)?.sync_all()).await;
    let synced = synced.map_err(io::Error::other).and_then(|synced| synced);
    synced.map_err(|source| BackupError::Sync { file: file.to_owned(), source })
}

fn copy(
    from: &Connection,
    to: &Path,
    has_room: impl Fn() -> bool,
    mut watch: impl FnMut(Copied) -> ControlFlow<()>,
) -> Result<Copy, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)?;
    // A copy that fails is removed, so it needs no rollback, and it is synced when it is complete.
    target.pragma_update(None, "journal_mode", "OFF")?;
    target.pragma_update(None, "synchronous", "OFF")?;
    // The transaction keeps all reads at one moment. Without it each step would be at its own moment, and
    // the copy would start again whenever somebody writes.
    let pages: u64 = from.query_one("PRAGMA page_count", [], |row| row.get(0))?;
    from.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    if watch(Copied { pages: 0, total: pages }).is_break() {
        return Ok(Copy::Ended);
    }
    let outcome = {
        let backup = Backup::new(from, &mut target)?;
        loop {
            match backup.step(PAGES)? {
                StepResult::Done => break Copy::Done,
                StepResult::More => {}
                // Another program holds an exclusive lock on the store.
                _ => {
                    return Err(
                        Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None).into()
                    );
                }
            }
            if !has_room() {
                break Copy::Outpaced;
            }
            let progress = backup.progress();
            let count = |pages| u64::try_from(pages).unwrap_or_default();
            let copied = count(progress.pagecount).saturating_sub(count(progress.remaining));
            let copied = Copied { pages: copied, total: count(progress.pagecount) };
            if watch(copied).is_break() {
                break Copy::Ended;
            }
        }
    };
    target.close().map_err(|(_, error)| error)?;
    if matches!(outcome, Copy::Done) {
        // Everything is copied, so there is nothing left to end.
        let _ = watch(Copied { pages, total: pages });
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{fifo, fresh, open};
    use super::*;
    use crate::ports::{Outgoing, Queue, Queues as _};

    fn unwatched(_: Copied) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[tokio::test]
    async fn a_copy_is_a_store_of_its_own() {
        let (store, _dir) = fresh();
        store.send(Queue::Quotation, &[fifo("ann", "1")]).await.unwrap();
        let copies = tempfile::tempdir().unwrap();
        store.backup(&copies.path().join("store.db"), unwatched).await.unwrap();
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
        let refused = store.backup(&target, unwatched).await;
        assert!(matches!(refused, Err(BackupError::Exists { .. })));
        assert_eq!(fs::read(&target).unwrap(), b"precious");

        let nowhere = dir.path().join("none").join("copy");
        let refused = store.backup(&nowhere, unwatched).await;
        assert!(matches!(refused, Err(BackupError::Create { .. })));

        store.close().await;
        let target = dir.path().join("late");
        let refused = store.backup(&target, unwatched).await;
        assert!(matches!(refused, Err(BackupError::Copy { .. })));
        assert!(!target.exists());
    }

    #[tokio::test]
    async fn writes_between_two_steps_are_not_in_the_copy_and_do_not_begin_it_again() {
        let (store, dir) = fresh();
        let large = [Outgoing::standard("x".repeat(200_000))];
        for _ in 0..20 {
            store.send(Queue::Provider, &large).await.unwrap();
        }
        let copies = tempfile::tempdir().unwrap();
        let (writer, mut steps) = (open(dir.path()), 0);
        let runtime = tokio::runtime::Handle::current();
        let watch = move |copied: Copied| {
            steps += 1;
            assert!(copied.pages <= copied.total && steps <= copied.total, "{copied:?}");
            let later = [Outgoing::standard("later")];
            let send = || runtime.block_on(writer.send(Queue::Provider, &later)).unwrap();
            std::thread::scope(|scope| scope.spawn(send).join().unwrap());
            ControlFlow::Continue(())
        };
        store.backup(&copies.path().join("store.db"), watch).await.unwrap();
        let copy = open(copies.path());
        assert_eq!(copy.depth(Queue::Provider).await.unwrap().waiting, 20);
        assert!(store.depth(Queue::Provider).await.unwrap().waiting > 22, "it had several steps");
    }

    #[tokio::test]
    async fn a_copy_that_is_ended_or_outpaced_leaves_nothing() {
        let (store, dir) = fresh();
        let target = dir.path().join("copy");
        let ended = store.backup(&target, |_| ControlFlow::Break(())).await;
        assert!(matches!(ended, Err(BackupError::Ended { .. })) && !target.exists());

        let large = [Outgoing::standard("x".repeat(200_000))];
        for _ in 0..20 {
            store.send(Queue::Provider, &large).await.unwrap();
        }
        create_private(&target, true).unwrap();
        let to = target.clone();
        let copied = store.read(move |from| copy(from, &to, || false, unwatched)).await.unwrap();
        assert!(matches!(copied, Copy::Outpaced));
    }
}
