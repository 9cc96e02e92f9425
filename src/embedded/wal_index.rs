//! The index of the log, which SQLite keeps in memory that all processes share.
//!
//! Its header changes with every commit of every process. So it tells whether something was committed since
//! the last look, without a lock on the file, a system call or a page that is read. To ask SQLite instead
//! takes a transaction, which locks the file twice and reads the first page again.
//!
//! This is the only unsafe code of ocache. The header is laid out as in <https://sqlite.org/walformat.html>.

#![expect(unsafe_code, reason = "SQLite hands out the shared memory as a pointer")]

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::{Connection, Error, ffi};

/// The size of the first region of the index, which has the header, in bytes.
const REGION: i32 = 32 * 1024;
/// The place of the number of transactions, in words of 32 bits.
const TRANSACTIONS: usize = 2;
/// The place of the number of frames in the log.
const FRAMES: usize = 4;
/// The place of the first half of the checksum of the last frame.
const CHECKSUM: usize = 6;

/// The header of the index of a store's log.
pub(super) struct WalIndex {
    header: NonNull<AtomicU32>,
    /// The memory is mapped while this connection is open. It is used for nothing else.
    _connection: Connection,
}

/// Which commit was the last one. Two are equal only if nothing was committed in between, but for a chance of
/// one in four billion after the number has started over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastCommit {
    /// Grows by one with each commit that writes something. Wraps around, and starts over if the index is
    /// built anew after a crash.
    number: u32,
    /// The number of frames in the log.
    pub(super) frames: u32,
    checksum: u32,
}

// SAFETY: SQLite writes the memory at any time, in this and in other processes, without atomic operations. It
// is only read here, in aligned words, which are not torn on the platforms that SQLite's log supports. It is
// valid as long as the connection is open, and the connection is not used.
unsafe impl Send for WalIndex {}
// SAFETY: The same.
unsafe impl Sync for WalIndex {}

impl WalIndex {
    /// Finds the header through a connection to a store that has a log.
    pub(super) fn of(connection: Connection) -> rusqlite::Result<Self> {
        // SQLite maps the index when the log is first read. Without a log, asking for the index would make one.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        if mode != "wal" {
            return Err(failure(ffi::SQLITE_CANTOPEN));
        }
        let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
        let mut region: *mut c_void = ptr::null_mut();
        // SAFETY: The connection is open, the name ends with a zero, and this operation writes one pointer.
        let found = unsafe {
            ffi::sqlite3_file_control(
                connection.handle(),
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_FILE_POINTER,
                (&raw mut file).cast(),
            )
        };
        check(found)?;
        // SAFETY: SQLite has just returned the pointer, and its methods live as long as the file is open. A
        // log needs methods of version 2, which has this one.
        let methods = unsafe { file.as_ref().and_then(|file| file.pMethods.as_ref()) };
        let map = methods.and_then(|methods| methods.xShmMap);
        let map = map.ok_or_else(|| failure(ffi::SQLITE_CANTOPEN))?;
        // SAFETY: The first region exists since the read above, so it is neither made nor made longer here.
        check(unsafe { map(file, 0, REGION, 0, &raw mut region) })?;
        let header = NonNull::new(region.cast()).ok_or_else(|| failure(ffi::SQLITE_CANTOPEN))?;
        Ok(Self { header, _connection: connection })
    }

    /// Returns which commit was the last one.
    pub(super) fn last_commit(&self) -> LastCommit {
        // SAFETY: The region has room for the header, begins at a page, and is mapped until the connection is
        // closed. All its words are valid numbers.
        let word = |at| unsafe { self.header.add(at).as_ref() }.load(Ordering::SeqCst);
        LastCommit { number: word(TRANSACTIONS), frames: word(FRAMES), checksum: word(CHECKSUM) }
    }
}

impl LastCommit {
    /// Whether this is the commit after another one, and the log has this many frames since.
    pub(super) const fn follows(self, other: Self, frames: u32) -> bool {
        self.number == other.number.wrapping_add(1) && self.frames == frames
    }

    /// Returns its number and its checksum as one number, for atomic operations.
    pub(super) fn to_bits(self) -> u64 {
        u64::from(self.number) << 32 | u64::from(self.checksum)
    }
}

fn check(code: i32) -> rusqlite::Result<()> {
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(failure(code)) }
}

fn failure(code: i32) -> Error {
    Error::SqliteFailure(ffi::Error::new(code), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_and_nothing_else_changes_the_header() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Connection::open(dir.path().join("store.db")).unwrap();
        let writer = open();
        writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)").unwrap();
        let index = WalIndex::of(open()).unwrap();
        let mut last = index.last_commit();
        let mut run = |sql: &str, commits: bool| {
            let done = open().execute_batch(sql);
            let now = index.last_commit();
            assert_eq!(now.to_bits() != last.to_bits(), commits, "{sql}: {done:?}");
            assert_eq!(now.follows(last, now.frames), commits, "{sql}");
            assert!(!now.follows(last, now.frames + 1));
            last = now;
        };
        run("INSERT INTO t VALUES (1)", true);
        run("SELECT * FROM t", false);
        run("BEGIN; INSERT INTO t VALUES (2); INSERT INTO t VALUES (3); COMMIT", true);
        run("BEGIN; INSERT INTO t VALUES (4); ROLLBACK", false);
        run("BEGIN IMMEDIATE; DELETE FROM t WHERE x > 9; COMMIT", false);
        run("PRAGMA wal_checkpoint(PASSIVE)", false);
        run("UPDATE t SET x = 5 WHERE x = 1", true);
        // SQLite counts this row as changed, but writes nothing.
        run("UPDATE t SET x = 5 WHERE x = 5", false);
        run("PRAGMA wal_checkpoint(TRUNCATE)", false);
        run("DELETE FROM t", true);
    }

    #[test]
    fn a_store_without_a_log_has_no_index() {
        assert!(WalIndex::of(Connection::open_in_memory().unwrap()).is_err());
        let dir = tempfile::tempdir().unwrap();
        let store = Connection::open(dir.path().join("store.db")).unwrap();
        store.execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(WalIndex::of(store).is_err());
        let files = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name());
        assert_eq!(files.collect::<Vec<_>>(), ["store.db"], "none was made");
    }
}
