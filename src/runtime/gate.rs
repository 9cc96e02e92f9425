//! Gives urgent work precedence over scheduled work within one process.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::supervisor::lock;

/// Scheduled work waits at most this long for urgent work to pause, so that a steady stream of cold
/// quotes cannot make every warm table stale.
const LONGEST_YIELD: Duration = Duration::from_secs(1);

/// Urgent work keeps its precedence this long after its table is written. The answer must still be looked
/// up and pushed, in this process or in another one on the same disk.
const LINGER: Duration = Duration::from_millis(25);

/// Counts the urgent batches in hand. Scheduled work does not begin while there are any.
///
/// Waiters are woken in the order in which they came, so that a simulation is repeatable.
#[derive(Clone, Debug, Default)]
pub struct UrgentGate(Arc<Gate>);

#[derive(Debug, Default)]
struct Gate {
    urgency: Mutex<Urgency>,
    opened: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Urgency {
    in_hand: usize,
    ended_at: Option<Instant>,
}

/// A guard that holds the gate.
#[derive(Debug)]
pub struct UrgentWork(Arc<Gate>);

impl UrgentGate {
    /// Closes the gate for scheduled work until the guard is dropped.
    #[must_use]
    pub fn enter(&self) -> UrgentWork {
        lock(&self.0.urgency).in_hand += 1;
        UrgentWork(self.0.clone())
    }

    /// Waits until no urgent work is in hand or has just ended, but not longer than the longest yield.
    pub async fn yield_to_urgent(&self) {
        // After the longest wait, scheduled work goes on as if the gate were open.
        let _ = timeout(LONGEST_YIELD, self.open()).await;
    }

    async fn open(&self) {
        loop {
            let mut opened = pin!(self.0.opened.notified());
            // From here on no notification is missed.
            opened.as_mut().enable();
            let Urgency { in_hand, ended_at } = *lock(&self.0.urgency);
            let open_at = ended_at.map(|ended_at| ended_at + LINGER);
            match open_at.filter(|open_at| *open_at > Instant::now()) {
                _ if in_hand > 0 => opened.await,
                Some(open_at) => sleep_until(open_at).await,
                None => return,
            }
        }
    }
}

impl Drop for UrgentWork {
    fn drop(&mut self) {
        let mut urgency = lock(&self.0.urgency);
        urgency.in_hand -= 1;
        urgency.ended_at = Some(Instant::now());
        let is_open = urgency.in_hand == 0;
        drop(urgency);
        if is_open {
            self.0.opened.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn scheduled_work_waits_for_urgent_work_but_not_for_ever() {
        let gate = UrgentGate::default();
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
