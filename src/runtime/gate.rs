//! Urgent work goes first, also inside one process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Scheduled work never waits longer than this for urgent work to pause, so that a steady stream
/// of cold quotes cannot let every warm table go stale.
const LONGEST_YIELD: Duration = Duration::from_secs(1);

/// Counts the urgent messages in hand. Scheduled work begins nothing while there are any.
#[derive(Clone, Debug)]
pub struct UrgentGate(Arc<watch::Sender<usize>>);

/// Holds the gate while it lives.
#[derive(Debug)]
pub struct UrgentWork(Arc<watch::Sender<usize>>);

impl UrgentGate {
    /// An open gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Closes the gate for scheduled work until the guard is dropped.
    #[must_use]
    pub fn enter(&self) -> UrgentWork {
        self.0.send_modify(|count| *count += 1);
        UrgentWork(self.0.clone())
    }

    /// Waits until no urgent message is in hand, or long enough.
    pub async fn yield_to_urgent(&self) {
        let mut count = self.0.subscribe();
        // The sender lives in `self`, and having waited long enough is as good as an open gate.
        let _ = timeout(LONGEST_YIELD, count.wait_for(|count| *count == 0)).await;
    }
}

impl Default for UrgentGate {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for UrgentWork {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
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
        let started = tokio::time::Instant::now();
        gate.yield_to_urgent().await;
        assert_eq!(started.elapsed(), LONGEST_YIELD);

        let waiting = gate.clone();
        let waiting = tokio::spawn(async move { waiting.yield_to_urgent().await });
        tokio::task::yield_now().await;
        let started = tokio::time::Instant::now();
        drop(work);
        waiting.await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
