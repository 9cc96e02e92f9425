//! What the tests of this engine share.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::Embedded;
use crate::model::{DeduplicationId, GroupId, Timestamp, UserId};
use crate::ports::{Clock, Outgoing, Posting, Randomness as _, SystemClock, SystemRandomness};
use crate::supervisor::Supervisor;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(super) struct StoppedClock(AtomicI64);

impl StoppedClock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_800_000_000_000)))
    }

    pub(super) fn set_back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(super) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
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
pub(super) fn stopped() -> (Embedded, Arc<StoppedClock>, TempDir) {
    let (dir, clock) = (tempfile::tempdir().unwrap(), StoppedClock::new());
    (open_with(dir.path(), clock.clone()), clock, dir)
}

pub(super) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(super) fn fifo(group: &str, body: &str) -> Outgoing {
    let deduplication = DeduplicationId::from_random(SystemRandomness.bits());
    let posting = Posting::Fifo { group: GroupId::of(&user(group)), deduplication };
    Outgoing { body: body.to_owned(), posting }
}

pub(super) fn standard(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), posting: Posting::Standard { delay: Duration::ZERO } }
}

pub(super) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
