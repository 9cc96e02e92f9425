//! Opens the file, creates it if it does not exist, and migrates an older one.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::files::{create_dir, create_private};
use super::migrate::migrate;
use super::open_error::OpenError;
use super::schema::{APPLICATION_ID, TABLES, VERSION};
use super::wal_index::WalIndex;

/// How long to wait for another process that holds the file.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);
/// How long to sleep between two attempts at a lock. SQLite's own pauses grow to 100 ms, and a process that
/// writes without a break would keep such a waiter out for seconds.
const BUSY_NAP: Duration = Duration::from_micros(500);
/// How often to try again when SQLite does not wait by itself.
const RETRY: Duration = Duration::from_millis(10);
/// The name of the file in its directory.
pub(super) const FILE: &str = "store.db";
/// More statements than any thread uses.
const STATEMENTS: usize = 128;
/// The size to which an empty log is truncated.
const LOG_BYTES: i64 = 64 << 20;
/// The cache of the writing connection, in KiB. It is large enough for the inner pages of large indexes. A
/// larger one costs time, because SQLite goes through all of it after every commit that split a page.
const WRITER_CACHE_KIB: i64 = 8 << 10;

/// A store with all its connections.
pub(super) struct Opened {
    pub(super) file: PathBuf,
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    /// For reads on the calling thread, which never wait for a lock.
    pub(super) at_hand: Vec<Connection>,
    pub(super) watcher: Connection,
    pub(super) index: WalIndex,
    /// Copies the log into the file. Declared last, so that it is dropped last: the last connection to close
    /// copies the log, which one that only reads cannot do.
    pub(super) copier: Connection,
}

/// Opens the store in a directory.
pub(super) fn open(dir: &Path, busy_wait: Duration) -> Result<Opened, OpenError> {
    let file = dir.join(FILE);
    create_dir(dir)
        .and_then(|()| create_private(&file, false))
        .map_err(|error| OpenError::inaccessible(&file, error))?;
    let end = Instant::now() + busy_wait;
    let writer = loop {
        match open_writer(&file, busy_wait) {
            // SQLite does not wait for a lock if waiting could be for ever, such as when two processes
            // switch to write-ahead logging at once.
            Err(OpenError::Locked { .. }) if Instant::now() < end => thread::sleep(RETRY),
            writer => break writer?,
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let failed = |error| OpenError::from_sqlite(&file, error);
    let reader = || connect(&file, Access::Read, busy_wait).map_err(failed);
    let readers = (0..cores.max(2)).map(|_| reader()).collect::<Result<_, _>>()?;
    let at_hand = (0..cores.max(2)).map(|_| patient_with_nobody(reader()?, &file));
    let at_hand = at_hand.collect::<Result<_, _>>()?;
    let watcher = reader()?;
    let copier = connect(&file, Access::Write, busy_wait).map_err(failed)?;
    prepare(&copier).map_err(failed)?;
    let index = WalIndex::of(reader()?).map_err(failed)?;
    Ok(Opened { file, writer, readers, at_hand, watcher, index, copier })
}

pub(super) fn open_writer(file: &Path, busy_wait: Duration) -> Result<Connection, OpenError> {
    let failed = |error| OpenError::from_sqlite(file, error);
    // The first read does not wait for a lock. A restore may hold that lock, and what is open meanwhile is the
    // file that it replaces. So the caller opens the file again.
    let mut connection = connect(file, Access::Write, Duration::ZERO).map_err(failed)?;
    // This comes before anything is written, because the file may belong to another program.
    check_identity(file, &connection)?;
    configure(&mut connection, busy_wait).map_err(failed)?;
    prepare(&connection).map_err(failed)?;
    migrate(file, &mut connection)?;
    probe(&connection).map_err(failed)?;
    Ok(connection)
}

fn check_identity(file: &Path, connection: &Connection) -> Result<(), OpenError> {
    let failed = |error| OpenError::from_sqlite(file, error);
    // A transaction, so that all reads are of one moment. Another process may be creating the store right
    // now.
    let connection = connection.unchecked_transaction().map_err(failed)?;
    let application = application_id(&connection).map_err(failed)?;
    let found = number(&connection, "user_version").map_err(failed)?;
    let is_used = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";
    let is_used: bool = connection.query_one(is_used, [], |row| row.get(0)).map_err(failed)?;
    match application {
        APPLICATION_ID if found > VERSION => Err(OpenError::Newer { file: file.to_owned(), found }),
        APPLICATION_ID => Ok(()),
        0 if !is_used && found == 0 => Ok(()),
        _ => Err(OpenError::Foreign { file: file.to_owned() }),
    }
}

/// Returns the id of the program that owns the file, or 0 if there is none.
pub(super) fn application_id(connection: &Connection) -> rusqlite::Result<i32> {
    number(connection, "application_id")
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

/// What a connection may do.
enum Access {
    Read,
    Write,
}

fn connect(file: &Path, access: Access, busy_wait: Duration) -> rusqlite::Result<Connection> {
    let access = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags)?;
    configure(&mut connection, busy_wait)?;
    Ok(connection)
}

/// Sets what every connection needs.
fn configure(connection: &mut Connection, busy_wait: Duration) -> rusqlite::Result<()> {
    let mut begun = Instant::now();
    connection.busy_handler(Some(move |tries| {
        if tries == 0 {
            begun = Instant::now();
        }
        thread::sleep(BUSY_NAP);
        begun.elapsed() < busy_wait
    }))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without this, SQLite plans a query again whenever another limit is bound: a third of all work.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)
}

/// Reads from every table, so that a truncated file is noticed now.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    for table in TABLES {
        connection.prepare(&format!("SELECT 1 FROM {table} LIMIT 1"))?.exists([])?;
    }
    Ok(())
}

/// Returns a reader that fails at once instead of waiting for a lock.
fn patient_with_nobody(mut reader: Connection, file: &Path) -> Result<Connection, OpenError> {
    let unset = reader.busy_handler(None::<fn(i32) -> bool>);
    unset.map_err(|error| OpenError::from_sqlite(file, error))?;
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};

    use super::super::testing::{open as open_store, user};
    use super::*;
    use crate::model::Timestamp;
    use crate::ports::ActiveUsers as _;

    fn error_of(dir: &Path) -> OpenError {
        let error = open(dir, Duration::from_millis(20)).map(drop).unwrap_err();
        assert!(error.to_string().contains(&dir.join(FILE).display().to_string()), "{error}");
        assert!(!error.hint().is_empty());
        error
    }

    fn raw(dir: &Path) -> Connection {
        Connection::open(dir.join(FILE)).unwrap()
    }

    #[test]
    fn all_tables_are_known_by_name() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path(), BUSY_WAIT).unwrap());
        let store = raw(dir.path());
        let mut names = store
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
            )
            .unwrap();
        let names = names.query_map([], |row| row.get(0)).unwrap();
        let mut there: Vec<String> = names.map(Result::unwrap).collect();
        let mut known = TABLES.to_vec();
        there.sort();
        known.sort_unstable();
        assert_eq!(there, known);
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let error = error_of(&dir.path().join("file"));
        assert!(matches!(error, OpenError::Inaccessible { .. }), "{error:?}");
    }

    #[test]
    fn what_is_not_ours_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        raw(dir.path()).execute_batch("CREATE TABLE theirs (x)").unwrap();
        let before = fs::read(dir.path().join(FILE)).unwrap();
        assert!(matches!(error_of(dir.path()), OpenError::Foreign { .. }));
        assert_eq!(fs::read(dir.path().join(FILE)).unwrap(), before);

        fs::write(dir.path().join(FILE), "a letter to my grandmother, quite long ".repeat(99))
            .unwrap();
        assert!(matches!(error_of(dir.path()), OpenError::Foreign { .. }));
    }

    #[test]
    fn a_newer_store_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path(), BUSY_WAIT).unwrap());
        raw(dir.path()).pragma_update(None, "user_version", VERSION + 1).unwrap();
        let error = error_of(dir.path());
        assert!(matches!(error, OpenError::Newer { found, .. } if found == VERSION + 1));
    }

    #[test]
    fn a_truncated_store_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path(), BUSY_WAIT).unwrap());
        let file = OpenOptions::new().write(true).open(dir.path().join(FILE)).unwrap();
        file.set_len(3 * 4096).unwrap();
        let error = error_of(dir.path());
        assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    }

    #[test]
    fn a_lock_that_stays_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let other = raw(dir.path());
        other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
        assert!(matches!(error_of(dir.path()), OpenError::Locked { .. }));
    }

    #[test]
    fn many_open_a_new_store_at_once() {
        let dir = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            let open = || open(dir.path(), BUSY_WAIT).map(drop);
            let all: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            for opened in all {
                opened.join().unwrap().unwrap();
            }
        });
        assert!(check_identity(&dir.path().join(FILE), &raw(dir.path())).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_look() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a").join("b");
        let _store = open_store(&dir);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        for file in [FILE.to_owned(), format!("{FILE}-wal"), format!("{FILE}-shm")] {
            assert_eq!(mode(&dir.join(&file)), 0o600, "{file}");
        }
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_an_end_without_notice() {
        let dir = tempfile::tempdir().unwrap();
        let (now, until) = (Timestamp::from_secs(1), Timestamp::from_secs(2));
        let store = open_store(dir.path());
        store.record_visit(&user("ann"), now, until).await.unwrap();
        // Copies the files while they are open, which is what a killed process leaves.
        let copy = tempfile::tempdir().unwrap();
        for file in [FILE.to_owned(), format!("{FILE}-wal")] {
            fs::copy(dir.path().join(&file), copy.path().join(&file)).unwrap();
        }
        let found = open_store(copy.path()).active_user(&user("ann")).await.unwrap();
        assert_eq!(found.unwrap().expires_at, until);
        drop(store);
        let found = open_store(dir.path()).active_user(&user("ann")).await.unwrap();
        assert_eq!(found.unwrap().last_seen, now);
    }

    #[tokio::test]
    async fn a_store_that_was_closed_is_one_file() {
        let dir = tempfile::tempdir().unwrap();
        let (now, until) = (Timestamp::from_secs(1), Timestamp::from_secs(2));
        let store = open_store(dir.path());
        store.record_visit(&user("ann"), now, until).await.unwrap();
        store.close().await;
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), [FILE]);
        let found = open_store(dir.path()).active_user(&user("ann")).await.unwrap();
        assert_eq!(found.unwrap().expires_at, until);
    }
}
