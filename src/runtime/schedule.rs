//! The schedule: one refresh for every tick.

use std::time::Duration;

use tracing::warn;

use super::Shutdown;
use super::metrics::Metrics;
use crate::ports::{Chain, Ports};
use crate::stages::PolicyInForce;
use crate::stages::folding::fold_left;
use crate::stages::refresh::{Shares, Tick, refresh};

/// Refreshes at once and then at every tick, until the shutdown begins. A failed refresh is not repeated,
/// because the next tick orders the same calculations. A changed interval takes effect at once.
pub async fn run_schedule(
    ports: Ports,
    policy: PolicyInForce,
    segments: u32,
    metrics: Metrics,
    shutdown: Shutdown,
) {
    while !shutdown.has_begun() {
        let (now, every) = (ports.clock.now(), policy.now().refresh_every);
        let tick = Tick::at(now, every);
        match refresh(&*ports.store, &*ports.queues, tick, segments, now).await {
            Ok(refreshed) => {
                if let Some(done) = refreshed.done_at(now, Shares::all(segments)) {
                    metrics.ticked(done);
                }
            }
            Err(error) => {
                warn!(tick = tick.number, error = %Chain(&error), "refresh failed; the next tick makes up for it");
            }
        }
        if let Err(error) = fold_left(&*ports.store, &*ports.clock).await {
            warn!(error = %Chain(&error), "what a load left is not folded; the next tick tries again");
        }
        let wait = tick.next_due().since(ports.clock.now());
        // A clock that was set back must not stop the schedule for longer than a tick.
        let wait = wait.clamp(Duration::from_millis(1), every.max(Duration::from_millis(1)));
        let other = policy.other_interval_than(every);
        shutdown.unless_begun(tokio::time::timeout(wait, other)).await;
    }
}
