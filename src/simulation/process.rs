//! A simulated process: it has a name and a clock of its own, and can be killed at any call.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio_util::sync::CancellationToken;

use crate::memory::TokioClock;
use crate::model::Timestamp;
use crate::ports::Clock;

/// The kind of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProcessKind {
    /// Runs roles.
    Worker,
    /// Accepts quotes.
    Gateway,
    /// Loads data. Its calls are never so slow that its mark could expire during one of them; the time
    /// limits of the real stores ensure this.
    Loader,
}

/// A process that can be killed at any of its calls.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) clock: Arc<ProcessClock>,
    death: CancellationToken,
}

/// The clock of one process, which may be wrong.
#[derive(Debug)]
pub(super) struct ProcessClock {
    right: Arc<TokioClock>,
    skew_ms: AtomicI64,
    first_skew_ms: i64,
}

impl Process {
    pub(super) fn new(name: String, right: Arc<TokioClock>, skew_ms: i64) -> Arc<Self> {
        let clock =
            ProcessClock { right, skew_ms: AtomicI64::new(skew_ms), first_skew_ms: skew_ms };
        Arc::new(Self { name, clock: Arc::new(clock), death: CancellationToken::new() })
    }

    /// Kills the process. Nothing that it does from now on has any effect.
    pub(super) fn kill(&self) {
        self.death.cancel();
    }

    pub(super) fn is_dead(&self) -> bool {
        self.death.is_cancelled()
    }

    /// Waits until the process is killed.
    pub(super) async fn killed(&self) {
        self.death.cancelled().await;
    }

    /// Does something as long as the process lives. Returns `None` if it is killed before the end.
    pub(super) async fn while_alive<T>(&self, act: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.killed() => None,
            outcome = act => Some(outcome),
        }
    }

    /// Returns at once while the process lives, and never after that.
    pub(super) async fn live(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}

impl ProcessClock {
    /// Sets the clock right.
    pub(super) fn set_right(&self) {
        self.skew_ms.store(0, Ordering::Relaxed);
    }

    /// Returns the latest time that the process may have seen up to now.
    pub(super) fn furthest(&self) -> Timestamp {
        self.furthest_at(self.right.now())
    }

    /// Returns the latest time that the process may have seen at `right`.
    pub(super) fn furthest_at(&self, right: Timestamp) -> Timestamp {
        shifted(right, self.first_skew_ms.max(0))
    }

    /// Returns the earliest time that the process may see now.
    pub(super) fn earliest(&self) -> Timestamp {
        shifted(self.right.now(), self.first_skew_ms.min(0))
    }
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        shifted(self.right.now(), self.skew_ms.load(Ordering::Relaxed))
    }
}

const fn shifted(time: Timestamp, by_ms: i64) -> Timestamp {
    Timestamp::from_millis(time.millis() + by_ms)
}
