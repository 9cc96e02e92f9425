//! Time and randomness, injected so that tests and simulations control them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rand::Rng as _;

use crate::model::Timestamp;

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Tells the clock that this time has passed by the clock of another process that works on the same data.
    /// Most clocks ignore it.
    fn has_passed(&self, _: Timestamp) {}
}

/// A source of ids that nobody can guess.
pub trait Randomness: Send + Sync {
    /// Returns 128 bits that are never returned again.
    fn bits(&self) -> [u8; 16];
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::default().plus(elapsed)
    }
}

/// A clock that never goes back. If the clock that it follows is set back, it continues from its own time. So
/// stored times keep their meaning: a hidden message, for example, becomes visible when it is due.
pub struct SteadyClock {
    followed: Arc<dyn Clock>,
    started: Instant,
    /// The milliseconds to add to the time since the start. It only grows.
    ahead: AtomicI64,
}

impl SteadyClock {
    /// Creates a clock that follows another one as long as that goes forward.
    #[must_use]
    pub fn new(followed: Arc<dyn Clock>) -> Self {
        let ahead = AtomicI64::new(followed.now().millis());
        Self { followed, started: Instant::now(), ahead }
    }

    fn at_least(&self, time: Timestamp) -> Timestamp {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let wanted = time.millis().saturating_sub(elapsed);
        let mut ahead = self.ahead.load(Ordering::Relaxed);
        // Read first, because this is rarely true, and a write would make threads wait for each other.
        if wanted > ahead {
            ahead = self.ahead.fetch_max(wanted, Ordering::Relaxed).max(wanted);
        }
        Timestamp::from_millis(ahead.saturating_add(elapsed))
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        self.at_least(self.followed.now())
    }

    fn has_passed(&self, time: Timestamp) {
        self.at_least(time);
    }
}

/// The cryptographic generator of the thread, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn bits(&self) -> [u8; 16] {
        let mut bits = [0; 16];
        rand::rng().fill_bytes(&mut bits);
        bits
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::memory::ManualClock;

    #[test]
    fn a_steady_clock_goes_forward_only() {
        const HOUR: Duration = Duration::from_secs(3600);
        let wall = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
        let steady = SteadyClock::new(wall.clone());
        let start = steady.now();
        assert!(start >= wall.now());
        wall.set(start.minus(HOUR));
        assert!(steady.now() >= start);
        wall.set(start.plus(HOUR));
        assert!(steady.now() >= start.plus(HOUR));
        // Another process knows of a later time.
        steady.has_passed(start.plus(HOUR * 2));
        assert!(steady.now() >= start.plus(HOUR * 2));
        steady.has_passed(start);
        assert!(steady.now() >= start.plus(HOUR * 2));
    }
}
