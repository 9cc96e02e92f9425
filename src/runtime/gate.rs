//! Urgent work goes first, also inside one process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// Scheduled work never waits longer than this for urgent work to pause, so that a steady stream
/// of cold quotes cannot let every warm table go stale.
const LONGEST_YIELD: Duration = Duration::from_secs(1);

/// Urgent work is not over when its table is written: the answer has yet to be looked up and
/// pushed, in this process or in another one on the same disk. So long it still has the right of
/// way.
const LINGER: Duration = Duration::from_millis(25);

/// Counts the urgent batches in hand. Scheduled work begins nothing while there are any.
#[derive(Clone, Debug)]
pub struct UrgentGate(Arc<watch::Sender<Urgency>>);

#[derive(Debug, Default)]
struct Urgency {
    in_hand: usize,
    ended_at: Option<Instant>,
}

/// Holds the gate while it lives.
#[derive(Debug)]
pub struct UrgentWork(Arc<watch::Sender<Urgency>>);

impl UrgentGate {
    /// An open gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }

    /// Closes the gate for scheduled work until the guard is dropped.
    #[must_use]
    pub fn enter(&self) -> UrgentWork {
        self.0.send_modify(|urgency| urgency.in_hand += 1);
        UrgentWork(self.0.clone())
    }

    /// Waits until no urgent work is in hand or has just been, or long enough.
    pub async fn yield_to_urgent(&self) {
        // Having waited long enough is as good as an open gate.
        let _ = timeout(LONGEST_YIELD, self.open()).await;
    }

    async fn open(&self) {
        let mut urgency = self.0.subscribe();
        loop {
            // The sender lives in `self`, so the wait cannot fail.
            let Ok(ended_at) =
                urgency.wait_for(|urgency| urgency.in_hand == 0).await.map(|now| now.ended_at)
            else {
                return;
            };
            match ended_at.map(|ended_at| ended_at + LINGER) {
                Some(open_at) if open_at > Instant::now() => sleep_until(open_at).await,
                _ => return,
            }
        }
    }
}

impl Default for UrgentGate {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for UrgentWork {
    fn drop(&mut self) {
        self.0.send_modify(|urgency| {
            urgency.in_hand -= 1;
            urgency.ended_at = Some(Instant::now());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn scheduled_work_waits_for_urgent_work_but_not_for_ever() {
        let gate = UrgentGate::new();
        gate.yield_to_urgent().await;
        let work = gate.enter();
        let started = Instant::now();
        gate.yield_to_urgent().await;
        assert_eq!(started.elapsed(), LONGEST_YIELD);

        let waiting = gate.clone();
        let waiting = tokio::spawn(async move { waiting.yield_to_urgent().await });
        tokio::task::yield_now().await;
        let started = Instant::now();
        drop(work);
        waiting.await.unwrap();
        assert_eq!(started.elapsed(), LINGER);
    }
}
