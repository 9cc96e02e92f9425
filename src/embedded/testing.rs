//! What the tests of this engine share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::Embedded;
use super::open::FILE;
use super::schema::{APPLICATION_ID, MIGRATIONS};
use crate::memory::ManualClock;
use crate::model::{Timestamp, UserId};
use crate::ports::{Clock, Outgoing, Randomness as _, SystemClock, SystemRandomness, testing};
use crate::supervisor::Supervisor;

/// Returns a clock that stands still until it is moved.
pub(super) fn stopped_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)))
}

pub(super) fn open_with(dir: &Path, clock: Arc<dyn Clock>) -> Embedded {
    Embedded::open(dir, clock, Arc::new(SystemRandomness), &Supervisor::new()).unwrap()
}

pub(super) fn open(dir: &Path) -> Embedded {
    open_with(dir, Arc::new(SystemClock))
}

/// Returns a new store, with the directory that holds it.
pub(super) fn fresh() -> (Embedded, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (open(dir.path()), dir)
}

/// Returns a new store whose clock stands still.
pub(super) fn stopped() -> (Embedded, Arc<ManualClock>, TempDir) {
    let (dir, clock) = (tempfile::tempdir().unwrap(), stopped_clock());
    (open_with(dir.path(), clock.clone()), clock, dir)
}

/// Makes a store as the program of an earlier version did.
pub(super) fn old_store(dir: &Path, version: usize) -> Connection {
    let old = Connection::open(dir.join(FILE)).unwrap();
    for step in &MIGRATIONS[..version] {
        old.execute_batch(step).unwrap();
    }
    old.pragma_update(None, "user_version", version).unwrap();
    old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    old
}

pub(super) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(super) fn fifo(group: &str, body: &str) -> Outgoing {
    testing::fifo(group, body, SystemRandomness.bits())
}

pub(super) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
