//! A circuit breaker that stops receiving while the downstream fails.
//!
//! Receiving messages that cannot be handled would only burn their receive counts until they are
//! dead letters. One message's own error says nothing about the downstream and never counts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::ports::Randomness;

/// So many failures in a row open it.
const THRESHOLD: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Counts failures of the downstream in a row.
pub struct Breaker {
    state: Mutex<State>,
    randomness: Arc<dyn Randomness>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// A closed breaker. Its pauses vary by chance, so that many workers do not come back at once.
    #[must_use]
    pub fn new(randomness: Arc<dyn Randomness>) -> Self {
        Self { state: Mutex::default(), randomness }
    }

    /// Waits while it is open.
    pub async fn closed(&self) {
        let open_until = self.lock().open_until;
        if let Some(until) = open_until {
            sleep_until(until).await;
        }
    }

    /// Whether it is open: from the failure that opened it until the downstream answers again.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.lock().open_until.is_some()
    }

    /// The downstream answered.
    pub fn succeeded(&self) {
        let mut state = self.lock();
        if state.open_until.is_some() {
            info!("the downstream answers again");
        }
        *state = State::default();
    }

    /// The downstream failed. Each failure past the threshold doubles the pause, up to half a
    /// minute.
    pub fn failed(&self) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures < THRESHOLD {
            return;
        }
        let doublings = (state.failures - THRESHOLD).min(16);
        let pause = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
        let chance = u32::from(self.randomness.bits()[0]);
        let pause = pause / 2 + pause / 2 * chance / u32::from(u8::MAX);
        warn!(failures = state.failures, ?pause, "the downstream fails; receiving pauses");
        state.open_until = Some(Instant::now() + pause);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRandomness;

    #[tokio::test(start_paused = true)]
    async fn opens_at_the_threshold_and_closes_on_success() {
        let breaker = Breaker::new(Arc::new(SystemRandomness));
        let waited = async || {
            let started = Instant::now();
            breaker.closed().await;
            started.elapsed()
        };
        breaker.failed();
        breaker.failed();
        assert_eq!(waited().await, Duration::ZERO);
        assert!(!breaker.is_open());
        breaker.failed();
        assert!(waited().await >= FIRST_PAUSE / 2);
        assert!(breaker.is_open(), "until the downstream answers");
        for _ in 0..40 {
            breaker.failed();
        }
        let longest = waited().await;
        assert!(longest >= LONGEST_PAUSE / 2 && longest <= LONGEST_PAUSE);
        breaker.succeeded();
        assert!(!breaker.is_open());
        assert_eq!(waited().await, Duration::ZERO);
    }
}
