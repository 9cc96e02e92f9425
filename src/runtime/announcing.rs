//! Presence records: a process announces at intervals that it is alive, and removes its record when it
//! ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tracing::debug;

use super::metrics::Metrics;
use crate::meter::{Reason, Scope, Stage};
use crate::model::Timestamp;
use crate::ports::{Chain, Clock, PortError, Ports, Presence, ProcessRecord, ProcessRole};

/// A process counts as dead this long after two intervals without an announcement.
const GRACE: Duration = Duration::from_secs(5);
/// The most time for removing the record at the end. A store that cannot be reached must not keep a
/// process from ending.
const FAREWELL: Duration = Duration::from_secs(2);

/// Writes the presence record of a process: what it does, and when it did its last tick.
pub struct Announcer {
    presence: Arc<dyn Presence>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// The part of the record that stays the same.
    about: ProcessRecord,
    every: Duration,
}

impl Announcer {
    /// Creates an announcer for a process with these roles. The last tick is read from the metrics.
    #[must_use]
    pub fn new(ports: &Ports, metrics: Metrics, roles: &[ProcessRole], every: Duration) -> Self {
        let bits = u128::from_be_bytes(ports.randomness.bits());
        let about = about(format!("{bits:032x}"), roles, &*ports.clock);
        let (presence, clock) = (ports.presence.clone(), ports.clock.clone());
        Self { presence, clock, metrics, about, every }
    }

    /// Writes the presence record now. A process does so before it takes on work, so that a client that
    /// waits for that work finds the process.
    ///
    /// # Errors
    /// Returns the errors of the port.
    pub async fn announce(&self) -> Result<(), PortError> {
        let now = self.clock.now();
        let record = ProcessRecord {
            seen_at: now,
            lives_until: lives_until(now, self.every),
            tick: self.metrics.last_tick(),
            ..self.about.clone()
        };
        let saying = self.presence.record_process(&record);
        Scope::new(Stage::Presence, Reason::Scheduled).of(saying).await
    }

    /// Writes the presence record every interval, for as long as the future is polled.
    pub async fn run(&self) {
        loop {
            sleep(self.every).await;
            if let Err(error) = self.announce().await {
                debug!(error = %Chain(&error), "that this process lives was not written down");
            }
        }
    }

    /// Removes the presence record, because the process ends.
    pub async fn leave(&self) {
        let leaving = self.presence.remove_process(&self.about.process);
        let leaving = Scope::new(Stage::Presence, Reason::Scheduled).of(leaving);
        match timeout(FAREWELL, leaving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                debug!(error = %Chain(&error), "the end of this process was not recorded")
            }
            Err(_) => debug!("telling that it ends takes too long"),
        }
    }
}

/// Returns the time from which a process counts as dead if it announces at this interval. It may miss one
/// announcement.
pub(crate) fn lives_until(now: Timestamp, every: Duration) -> Timestamp {
    now.plus(every * 2 + GRACE)
}

/// Returns the record of a process of this release on this machine.
pub(crate) fn about(process: String, roles: &[ProcessRole], clock: &dyn Clock) -> ProcessRecord {
    let now = clock.now();
    ProcessRecord {
        process,
        roles: roles.into(),
        machine: machine(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: now,
        seen_at: now,
        lives_until: now,
        tick: None,
    }
}

/// Returns the name of this machine.
fn machine() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Memory, TokioClock};
    use crate::ports::{SystemRandomness, TickDone, living_processes};

    #[tokio::test(start_paused = true)]
    async fn a_process_lives_until_it_leaves_or_falls_silent() {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        let (metrics, every) = (Metrics::new(), Duration::from_secs(60));
        let roles = [ProcessRole::Refresh, ProcessRole::Gateway];
        let one = Announcer::new(&ports, metrics.clone(), &roles, every);
        let other = Announcer::new(&ports, metrics.clone(), &roles, every);
        let living = async || living_processes(&*ports.presence, &*ports.clock).await.unwrap();

        one.announce().await.unwrap();
        other.announce().await.unwrap();
        assert_eq!(living().await.len(), 2);
        other.leave().await;
        let found = living().await;
        assert_eq!((found.len(), &*found[0].roles, found[0].tick), (1, &roles[..], None));
        assert_eq!(found[0].version, env!("CARGO_PKG_VERSION"));
        assert_ne!(found[0].machine, "");

        // The process stays alive with its last tick, and counts as dead when the announcements stop.
        let tick = TickDone { at: ports.clock.now(), active_users: 3 };
        metrics.ticked(tick);
        let announcing = tokio::spawn(async move { one.run().await });
        tokio::time::sleep(every * 10).await;
        assert_eq!(living().await[0].tick, Some(tick));
        announcing.abort();
        tokio::time::sleep(every).await;
        assert_eq!(living().await.len(), 1, "it may have missed one");
        tokio::time::sleep(every * 2).await;
        assert_eq!(living().await, []);
    }
}
