//! The limit on the size of files with which a process was started (`ulimit -f`).

use std::path::Path;

use thiserror::Error;

use super::files::{beside, bytes};

/// How many bytes beyond the end of a file SQLite writes at once, at most.
const REACH: u64 = 64 * 1024;

/// A write that failed because of the limit.
#[derive(Debug, Error)]
#[error(
    "a file may have {limit} bytes at most here (`ulimit -f`); `ulimit -f unlimited` lifts the limit"
)]
pub(super) struct FileTooLarge {
    limit: u64,
}

impl FileTooLarge {
    /// Returns the limit, if it may be why a write to a store failed. SQLite itself only says that writing
    /// failed.
    pub(super) fn of(store: &Path) -> Option<Self> {
        let limit = limit()?;
        let sizes = ["", "-wal", "-shm"].map(|end| bytes(&beside(store, end)));
        let reached = sizes.into_iter().max().unwrap_or_default().saturating_add(REACH);
        (reached > limit).then_some(Self { limit })
    }
}

#[cfg(unix)]
fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current
}

/// Returns none, because only Unix has such a limit.
#[cfg(not(unix))]
const fn limit() -> Option<u64> {
    None
}
