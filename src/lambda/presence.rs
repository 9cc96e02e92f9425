//! Presence records of functions. A function writes its record when it runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tracing::debug;

use super::Function;
use crate::meter::{Reason, Scope, Stage};
use crate::ports::{Chain, Clock, Ports, Presence, ProcessRecord, ProcessRole, TickDone};
use crate::runtime::{about, lives_until};

/// How often a function reports what it did and used, at most. It reports at the end of a run: a function
/// that rarely runs reports every run, and a busy one loses at most this much when it is ended.
pub(super) const REPORT_EVERY: Duration = Duration::from_secs(60);
/// How long a report of presence may take. It must not delay the work of the function.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes the presence record of a function. All processes of one function share one record: it does not
/// matter which of them wrote last, and there are never more records than functions.
pub(super) struct FunctionPresence {
    presence: Arc<dyn Presence>,
    clock: Arc<dyn Clock>,
    about: ProcessRecord,
    tick: Mutex<Option<TickDone>>,
}

impl FunctionPresence {
    /// Returns `None` for a function on whose work nobody waits.
    pub(super) fn new(function: Function, ports: &Ports) -> Option<Self> {
        let role = match function {
            Function::Refresh => ProcessRole::Refresh,
            Function::PriceCalc => ProcessRole::PriceCalc,
            Function::QuotationProvider => ProcessRole::QuotationProvider,
            Function::QuotationHandler => ProcessRole::Gateway,
            Function::Authorizer
            | Function::Subscribe
            | Function::HttpApi
            | Function::Load
            | Function::LoadChanges
            | Function::Connect
            | Function::Disconnect => return None,
        };
        let process = format!("function {}", function.name());
        let about = ProcessRecord {
            machine: "AWS Lambda".to_owned(),
            ..about(process, &[role], &*ports.clock)
        };
        let (presence, clock) = (ports.presence.clone(), ports.clock.clone());
        Some(Self { presence, clock, about, tick: Mutex::default() })
    }

    /// Notes that the function has done a tick of the schedule.
    pub(super) fn ticked(&self, tick: TickDone) {
        *self.tick.lock().unwrap_or_else(PoisonError::into_inner) = Some(tick);
    }

    /// Writes the record now. If this fails, it is not tried again before the next time.
    pub(super) async fn announce(&self) {
        let now = self.clock.now();
        let record = ProcessRecord {
            seen_at: now,
            lives_until: lives_until(now, REPORT_EVERY),
            tick: *self.tick.lock().unwrap_or_else(PoisonError::into_inner),
            ..self.about.clone()
        };
        let saying = self.presence.record_process(&record);
        let saying = Scope::new(Stage::Presence, Reason::Scheduled).of(saying);
        match timeout(PATIENCE, saying).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                debug!(error = %Chain(&error), "that it is there was not written down")
            }
            Err(_) => debug!("writing down that it is there takes too long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Memory, TokioClock};
    use crate::model::Timestamp;
    use crate::ports::{SystemRandomness, living_processes};

    #[tokio::test(start_paused = true)]
    async fn all_that_run_one_function_are_one_process_with_its_last_tick() {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        let functions = [Function::Refresh, Function::Refresh, Function::PriceCalc];
        let here = functions.map(|function| FunctionPresence::new(function, &ports).unwrap());
        let tick = TickDone { at: ports.clock.now(), active_users: 5 };
        here[1].ticked(tick);
        for presence in &here {
            presence.announce().await;
        }
        here[1].announce().await;
        let living = living_processes(&*ports.presence, &*ports.clock).await.unwrap();
        let seen = living.iter().map(|one| (&*one.process, &*one.roles, one.tick));
        assert_eq!(
            seen.collect::<Vec<_>>(),
            [
                ("function price-calc", &[ProcessRole::PriceCalc][..], None),
                ("function refresh", &[ProcessRole::Refresh][..], Some(tick)),
            ]
        );
        // A function that reports once a minute may miss one report, but not two.
        tokio::time::sleep(REPORT_EVERY * 2).await;
        assert_eq!(living_processes(&*ports.presence, &*ports.clock).await.unwrap().len(), 2);
        tokio::time::sleep(REPORT_EVERY).await;
        assert_eq!(living_processes(&*ports.presence, &*ports.clock).await.unwrap(), []);
    }

    #[test]
    fn nobody_waits_for_the_others() {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        let said = Function::ALL.map(|function| FunctionPresence::new(function, &ports));
        assert_eq!(said.iter().flatten().count(), ProcessRole::ALL.len());
    }
}
