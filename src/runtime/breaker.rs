//! A circuit breaker that stops receiving while the downstream fails.
//!
//! Messages that cannot be handled would only use up their receive counts and become dead letters. An
//! error of one message says nothing about the downstream and never counts.
//!
//! After a pause, one batch is let through as a try. The others follow when it has succeeded.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::ports::Randomness;
use crate::supervisor::lock;

/// This many failures in a row open the breaker.
const THRESHOLD: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Counts consecutive failures of the downstream. Clones share the count.
#[derive(Clone)]
pub struct Breaker(Arc<Inner>);

struct Inner {
    state: Mutex<BreakerState>,
    changed: Notify,
    randomness: Arc<dyn Randomness>,
}

#[derive(Debug, Default)]
struct BreakerState {
    failures: u32,
    /// Until when nobody is let through. It is set while the breaker is open.
    open_until: Option<Instant>,
    /// Whether a try of the downstream is under way.
    tried: bool,
}

/// The permission to use the downstream once. If it is dropped without a result, it says nothing about
/// the downstream.
#[must_use]
pub struct Pass {
    breaker: Breaker,
    is_try: bool,
}

impl Breaker {
    /// Creates a closed breaker. Its pauses are random, so that many workers do not come back at once.
    #[must_use]
    pub fn new(randomness: Arc<dyn Randomness>) -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), changed: Notify::new(), randomness }))
    }

    /// Waits while the breaker is open, and after the pause while another try is under way.
    pub async fn pass(&self) -> Pass {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            // Subscribe before reading the state, so that a change in between is not missed.
            changed.as_mut().enable();
            let until = {
                let mut state = lock(&self.0.state);
                match state.open_until {
                    None => return Pass { breaker: self.clone(), is_try: false },
                    Some(until) if until > Instant::now() => Some(until),
                    Some(_) if state.tried => None,
                    Some(_) => {
                        state.tried = true;
                        return Pass { breaker: self.clone(), is_try: true };
                    }
                }
            };
            match until {
                Some(until) => tokio::select! {
                    biased;
                    () = changed => {}
                    () = sleep_until(until) => {}
                },
                None => changed.await,
            }
        }
    }

    /// Whether the breaker is open: from the failure that opened it until the downstream answers again.
    #[must_use]
    pub fn is_open(&self) -> bool {
        lock(&self.0.state).open_until.is_some()
    }

    fn succeeded(&self) {
        let mut state = lock(&self.0.state);
        let was_open = state.open_until.is_some();
        *state = BreakerState::default();
        drop(state);
        if was_open {
            info!("the downstream answers again");
            self.0.changed.notify_waiters();
        }
    }

    /// Counts a failure. Each failure past the threshold doubles the pause, up to half a minute. Work
    /// that began before the pause fails for the same cause, so its failures do not make the pause
    /// longer.
    fn failed(&self) {
        let mut state = lock(&self.0.state);
        if state.open_until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures < THRESHOLD {
            return;
        }
        let doublings = (state.failures - THRESHOLD).min(16);
        let pause = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
        let chance = u32::from(self.0.randomness.bits()[0]);
        let pause = pause / 2 + pause / 2 * chance / u32::from(u8::MAX);
        warn!(failures = state.failures, ?pause, "the downstream fails; receiving pauses");
        state.open_until = Some(Instant::now() + pause);
    }
}

impl Pass {
    /// Reports that the downstream answered.
    pub fn succeeded(self) {
        self.breaker.succeeded();
    }

    /// Reports that the downstream failed.
    pub fn failed(self) {
        self.breaker.failed();
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.is_try {
            lock(&self.breaker.0.state).tried = false;
            self.breaker.0.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::ports::SystemRandomness;

    fn breaker() -> Breaker {
        Breaker::new(Arc::new(SystemRandomness))
    }

    async fn fail(breaker: &Breaker) {
        breaker.pass().await.failed();
    }

    /// Returns how long the breaker lets nobody through.
    async fn waited(breaker: &Breaker) -> Duration {
        let started = Instant::now();
        drop(breaker.pass().await);
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn opens_at_the_threshold_and_closes_on_success() {
        let breaker = breaker();
        fail(&breaker).await;
        fail(&breaker).await;
        assert_eq!(waited(&breaker).await, Duration::ZERO);
        assert!(!breaker.is_open());
        fail(&breaker).await;
        assert!(waited(&breaker).await >= FIRST_PAUSE / 2);
        assert!(breaker.is_open(), "until the downstream answers");
        for _ in 0..40 {
            fail(&breaker).await;
        }
        let longest = waited(&breaker).await;
        assert!(longest >= LONGEST_PAUSE / 2 && longest <= LONGEST_PAUSE);
        breaker.pass().await.succeeded();
        assert!(!breaker.is_open());
        assert_eq!(waited(&breaker).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_together_counts_as_one_trouble() {
        let breaker = breaker();
        let mut in_hand = vec![];
        for _ in 0..40 {
            in_hand.push(breaker.pass().await);
        }
        for pass in in_hand {
            pass.failed();
        }
        let waited = waited(&breaker).await;
        assert!(waited >= FIRST_PAUSE / 2 && waited <= FIRST_PAUSE, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_one_tries_for_all() {
        let breaker = breaker();
        for _ in 0..THRESHOLD {
            fail(&breaker).await;
        }
        let first = breaker.pass().await;
        assert!(breaker.pass().now_or_never().is_none(), "somebody tries already");
        // The first try ended without a result, so the next one may try.
        drop(first);
        let second = breaker.pass().now_or_never().unwrap();
        let waiting = tokio::spawn({
            let breaker = breaker.clone();
            async move { drop(breaker.pass().await) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        second.succeeded();
        waiting.await.unwrap();
        let passes = [breaker.pass().now_or_never(), breaker.pass().now_or_never()];
        assert!(passes.iter().all(Option::is_some), "closed for good");
    }
}
