//! Clocks that are moved by tests and simulations.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::model::Timestamp;
use crate::ports::Clock;

/// A clock that stands still until it is moved.
///
/// Moving it wakes no task: a waiting receive reads it again only when it is woken or its own wait ends. If
/// tasks wait for times, use a [`TokioClock`].
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Creates a clock that shows `start`.
    #[must_use]
    pub const fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.millis()))
    }

    /// Sets the time to `now`, which may be earlier than before.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that follows tokio's timers: it pauses and jumps ahead with them. So under `tokio::time::pause` a
/// task that has waited for a time sees that time on this clock.
#[derive(Debug)]
pub struct TokioClock {
    start: Timestamp,
    started: tokio::time::Instant,
}

impl TokioClock {
    /// Creates a clock that shows `start` now.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { start, started: tokio::time::Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.start.plus(self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(Timestamp::from_secs(100));
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now(), Timestamp::from_millis(101_500));
        clock.set(Timestamp::from_secs(7));
        assert_eq!(clock.now(), Timestamp::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tokio_clock_follows_the_timers() {
        let clock = TokioClock::new(Timestamp::from_secs(100));
        assert_eq!(clock.now(), Timestamp::from_secs(100));
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.now(), Timestamp::from_secs(3700));
    }
}
