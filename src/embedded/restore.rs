//! Replaces the store by a backup.
//!
//! The backup is first copied beside the store, and the copy is checked, so that a bad backup is found
//! before the store is touched. Then one rename replaces the store. The store must not be open meanwhile,
//! because a process that has the replaced file open would go on writing to a file without a name.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use thiserror::Error;

use super::files::{beside, bytes, create_dir, create_private, log_of};
use super::open::{BUSY_WAIT, FILE, application_id, open_writer};
use super::open_error::OpenError;
use super::schema::APPLICATION_ID;

/// The name of the copy until it becomes the store.
const COPY: &str = "store.db.restoring";
/// The name of the file whose lock a restore holds. SQLite never opens it, so it never waits for this lock.
const LOCK: &str = "restore.lock";

/// Why a backup was not restored. The store is unchanged.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// The backup does not exist.
    #[error("there is no file `{}`", file.display())]
    NoFile {
        /// The backup.
        file: PathBuf,
    },
    /// The backup is the store itself.
    #[error("`{}` is the store itself", file.display())]
    Same {
        /// The backup.
        file: PathBuf,
    },
    /// There is a log beside the backup, so the file alone is not the whole store.
    #[error("`{}` has a log beside it, `{}`, so it is not a whole backup", file.display(), log.display())]
    HasLog {
        /// The backup.
        file: PathBuf,
        /// Its log.
        log: PathBuf,
    },
    /// The file is not a store.
    #[error("`{}` is not a backup of an ocache store", file.display())]
    Foreign {
        /// The backup.
        file: PathBuf,
    },
    /// The file is a store, but a damaged one.
    #[error("the backup `{}` is damaged: {reason}", file.display())]
    Damaged {
        /// The backup.
        file: PathBuf,
        /// What SQLite found.
        reason: String,
    },
    /// A newer ocache wrote the file.
    #[error("the backup `{}` has version {found}, which is newer than this ocache", file.display())]
    Newer {
        /// The backup.
        file: PathBuf,
        /// Its version.
        found: i32,
    },
    /// A process has the store open.
    #[error("the store `{}` is in use", store.display())]
    InUse {
        /// The store.
        store: PathBuf,
    },
    /// Another restore has not ended yet.
    #[error("another restore of the store `{}` is under way", store.display())]
    UnderWay {
        /// The store.
        store: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot restore to `{}`", store.display())]
    Io {
        /// The store.
        store: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// A backup that is copied beside the store and checked. If it is dropped before it is committed, it leaves
/// nothing behind.
#[derive(Debug)]
pub struct Restore {
    copy: PathBuf,
    store: PathBuf,
    /// Dropped after the copy is removed.
    _only: Only,
}

impl Restore {
    /// Copies a backup into the folder of the store, migrates it and checks it.
    ///
    /// # Errors
    /// [`RestoreError`]. A store in use is reported here too, so that nobody waits for a copy in vain.
    pub fn prepare(dir: &Path, backup: &Path) -> Result<Self, RestoreError> {
        let store = dir.join(FILE);
        check_source(&store, backup)?;
        drop(Exclusive::of(&store)?);
        let failed = |source| RestoreError::Io { store: store.clone(), source };
        create_dir(dir).map_err(failed)?;
        let Some(only) = Only::of(dir.join(LOCK)).map_err(failed)? else {
            return Err(RestoreError::UnderWay { store });
        };
        // A restore that was killed has left its copy.
        let restore = Self { copy: dir.join(COPY), store: store.clone(), _only: only };
        restore.remove_copy();
        create_private(&restore.copy, true).map_err(failed)?;
        copy_contents(backup, &restore.copy).map_err(failed)?;
        check(&restore.copy, backup, &store)?;
        File::open(&restore.copy).and_then(|copy| copy.sync_all()).map_err(failed)?;
        Ok(restore)
    }

    /// Returns the file that this restore makes or replaces.
    #[must_use]
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// Whether there is a store that this restore would replace.
    #[must_use]
    pub fn replaces(&self) -> bool {
        self.store.exists()
    }

    /// Makes the copy the store.
    ///
    /// # Errors
    /// [`RestoreError::InUse`] if a process opened the store in the meantime, and [`RestoreError::Io`].
    pub fn commit(self) -> Result<(), RestoreError> {
        let store = &self.store;
        let failed = |source| RestoreError::Io { store: store.clone(), source };
        // From here on nobody can open the store until the rename is done.
        fold_log(store)?;
        let _exclusive = Exclusive::of(store)?;
        // A log belongs to the file beside which it was written. If it stayed, it would be applied to the
        // restored store.
        for file in [log_of(store), beside(store, "-shm")] {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        fs::rename(&self.copy, store).map_err(failed)?;
        sync_folder(store).map_err(failed)
    }

    fn remove_copy(&self) {
        for suffix in ["", "-wal", "-shm"] {
            // SQLite makes these files only sometimes.
            let _ = fs::remove_file(beside(&self.copy, suffix));
        }
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        // A committed copy has another name by now.
        self.remove_copy();
    }
}

/// The lock of the only restore of a store. All restores use the same name for their copies.
#[derive(Debug)]
struct Only {
    path: PathBuf,
    /// Locked while it is open.
    _file: File,
}

impl Only {
    /// Takes the lock; returns `None` if another restore has it.
    fn of(path: PathBuf) -> io::Result<Option<Self>> {
        create_private(&path, false)?;
        let file = match File::options().read(true).write(true).open(&path) {
            // The other restore has just ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            // On such a file system SQLite has no locks either, so no other process can share the store.
            Err(fs::TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
                return Err(error);
            }
            _ => {}
        }
        // Another restore may have removed the file when it ended, before this one locked it.
        Ok(has_name(&file, &path)?.then_some(Self { path, _file: file }))
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns why a backup is refused whose copy cannot be opened. The error names the backup, not the copy.
fn refusal(error: OpenError, backup: &Path, store: &Path) -> RestoreError {
    let file = backup.to_owned();
    match error {
        OpenError::Foreign { .. } => RestoreError::Foreign { file },
        OpenError::Newer { found, .. } => RestoreError::Newer { file, found },
        OpenError::Damaged { source, .. } => {
            RestoreError::Damaged { file, reason: source.to_string() }
        }
        OpenError::Inaccessible { .. } | OpenError::Locked { .. } => {
            RestoreError::Io { store: store.to_owned(), source: io::Error::other(error) }
        }
    }
}

fn check_source(store: &Path, backup: &Path) -> Result<(), RestoreError> {
    let file = backup.to_owned();
    let failed = |source| RestoreError::Io { store: store.to_owned(), source };
    let found = match fs::canonicalize(backup) {
        Ok(found) if found.is_file() => found,
        Ok(_) => return Err(RestoreError::Foreign { file }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(RestoreError::NoFile { file });
        }
        Err(error) => return Err(failed(error)),
    };
    if fs::canonicalize(store).is_ok_and(|store| store == found) {
        return Err(RestoreError::Same { file });
    }
    let log = log_of(backup);
    match bytes(&log) {
        0 => Ok(()),
        _ => Err(RestoreError::HasLog { file, log }),
    }
}

/// Copies only the content. The permissions stay those of a store.
fn copy_contents(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = File::options().write(true).open(to)?;
    io::copy(&mut File::open(from)?, &mut target).map(drop)
}

/// Reads the whole copy, and opens it as a store is opened. When the last connection closes, one file is
/// left.
fn check(copy: &Path, backup: &Path, store: &Path) -> Result<(), RestoreError> {
    let refused = |error| refusal(error, backup, store);
    let sqlite = |error| refused(OpenError::from_sqlite(copy, error));
    let connection = Connection::open(copy).map_err(sqlite)?;
    // A new store may begin as an empty file, but a backup is never empty.
    if application_id(&connection).map_err(sqlite)? != APPLICATION_ID {
        return Err(RestoreError::Foreign { file: backup.to_owned() });
    }
    let sound = connection.query_one("PRAGMA integrity_check(1)", [], |row| row.get(0));
    match sound.map_err(sqlite)? {
        sound if sound == "ok" => {}
        reason => return Err(RestoreError::Damaged { file: backup.to_owned(), reason }),
    }
    drop(connection);
    drop(open_writer(copy, BUSY_WAIT).map_err(refused)?);
    Ok(())
}

/// Copies the log of a killed store into its file, so that the store is complete without it if this process
/// ends before the rename. A store that cannot be opened is left as it is.
fn fold_log(store: &Path) -> Result<(), RestoreError> {
    drop(Exclusive::of(store)?);
    if bytes(&log_of(store)) > 0
        && let Ok(connection) = Connection::open(store)
    {
        // The result does not matter, because a backup may be restored over a damaged store.
        let _ = connection.query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    Ok(())
}

/// An exclusive lock on a store that is not open.
///
/// SQLite holds a shared lock on a store while a process has it open. A lock on the whole file conflicts
/// with that one, whether or not SQLite can read the file.
#[derive(Debug)]
struct Exclusive {
    _file: Option<File>,
}

impl Exclusive {
    fn of(store: &Path) -> Result<Self, RestoreError> {
        let failed = |source| RestoreError::Io { store: store.to_owned(), source };
        let file = match File::options().read(true).write(true).open(store) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { _file: None });
            }
            Err(error) => return Err(failed(error)),
        };
        match lock(&file) {
            Ok(true) => Ok(Self { _file: Some(file) }),
            Ok(false) => Err(RestoreError::InUse { store: store.to_owned() }),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Locks a file without waiting. Returns whether it could.
#[cfg(unix)]
fn lock(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, fcntl_lock};
    use rustix::io::Errno;
    // This is the kind of lock that SQLite takes. `File::try_lock` takes another kind, which does not
    // conflict with it.
    match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Checks that a file can be locked. On systems other than Unix an open file cannot be replaced, so the
/// lock is not kept.
#[cfg(not(unix))]
fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => file.unlock().map(|()| true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a path still names an open file.
#[cfg(unix)]
fn has_name(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns true: on systems other than Unix an open file keeps its name.
#[cfg(not(unix))]
const fn has_name(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Waits until the rename is on the disk.
#[cfg(unix)]
fn sync_folder(store: &Path) -> io::Result<()> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Does nothing: on systems other than Unix a folder cannot be synced.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
