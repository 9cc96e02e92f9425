//! The state that all processes of a simulation share: one engine, one time, one ledger.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chance::Chance;
use super::ledger::Ledger;
use super::plan::RunPlan;
use super::report::Breach;
use super::{FaultKind, PlantedBug};
use crate::memory::{Memory, MemoryConnections, TokioClock};
use crate::model::{ConnectionId, ConnectionRef, Timestamp};
use crate::ports::{Clock, Ports, Queue, Received};
use crate::runtime::metrics::Metrics;
use crate::supervisor::Supervisor;

/// The time at which every simulation begins.
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The most characters of an event in the story.
const LONGEST_EVENT: usize = 320;

/// The shared state of a run.
pub(super) struct World {
    pub(super) chance: Arc<Chance>,
    pub(super) plan: RunPlan,
    pub(super) bug: Option<PlantedBug>,
    /// The right clock.
    pub(super) clock: Arc<TokioClock>,
    /// The engine below all faults.
    pub(super) engine: Ports,
    connections: Arc<MemoryConnections>,
    /// Learns of every task of a worker that dies.
    pub(super) supervisor: Supervisor,
    /// The metrics of all workers.
    pub(super) metrics: Metrics,
    faulty: AtomicBool,
    kills: AtomicU64,
    calls: AtomicU64,
    state: Mutex<WorldState>,
}

struct WorldState {
    ledger: Ledger,
    breach: Option<Breach>,
    faults: BTreeMap<FaultKind, u64>,
    outage_until: Option<Timestamp>,
    /// Messages that will be delivered once more.
    echoes: Vec<(Queue, Received)>,
    lost: BTreeSet<ConnectionId>,
    story: VecDeque<String>,
    story_lines: usize,
}

impl World {
    pub(super) fn new(seed: u64, bug: Option<PlantedBug>, story_lines: usize) -> Arc<Self> {
        let chance = Arc::new(Chance::new(seed));
        let plan = RunPlan::draw(&chance);
        let clock = Arc::new(TokioClock::new(START));
        let memory = Memory::new(clock.clone(), chance.clone());
        let ledger = Ledger::new(START, &plan);
        let state = WorldState {
            ledger,
            breach: None,
            faults: BTreeMap::new(),
            outage_until: None,
            echoes: vec![],
            lost: BTreeSet::new(),
            story: VecDeque::new(),
            story_lines,
        };
        Arc::new(Self {
            kills: AtomicU64::new(plan.most_kills),
            chance,
            plan,
            bug,
            clock,
            engine: memory.ports(),
            connections: memory.connections(),
            supervisor: Supervisor::new(),
            metrics: Metrics::new(),
            faulty: AtomicBool::new(true),
            calls: AtomicU64::new(0),
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, WorldState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an effect that breaks nothing.
    pub(super) fn record(&self, act: impl FnOnce(&mut Ledger, Timestamp)) {
        let now = self.clock.now();
        act(&mut self.state().ledger, now);
    }

    /// Records an effect in the ledger and checks it. Only the first breach is kept.
    pub(super) fn note(&self, act: impl FnOnce(&mut Ledger, Timestamp) -> Result<(), Breach>) {
        let now = self.clock.now();
        let mut state = self.state();
        if let Err(breach) = act(&mut state.ledger, now) {
            state.breach.get_or_insert(breach);
        }
    }

    /// Reads the ledger.
    pub(super) fn look<T>(&self, at: impl FnOnce(&Ledger) -> T) -> T {
        at(&self.state().ledger)
    }

    /// Checks that no invariant was broken so far.
    pub(super) fn check(&self) -> Result<(), Breach> {
        self.state().breach.clone().map_or(Ok(()), Err)
    }

    /// Counts a call. Returns the number of calls before it.
    pub(super) fn count_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Whether faults are injected.
    pub(super) fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }

    /// Stops all faults.
    pub(super) fn stop_faults(&self) {
        self.faulty.store(false, Ordering::Relaxed);
        let mut state = self.state();
        state.ledger.faults_stop(self.clock.now());
        state.outage_until = None;
        state.echoes.clear();
    }

    pub(super) fn count_fault(&self, kind: FaultKind) {
        *self.state().faults.entry(kind).or_default() += 1;
    }

    pub(super) fn faults(&self) -> BTreeMap<FaultKind, u64> {
        self.state().faults.clone()
    }

    /// Whether one more process may be killed.
    pub(super) fn may_kill(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        self.kills.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    pub(super) fn begin_outage(&self, until: Timestamp) {
        self.state().outage_until = Some(until);
    }

    pub(super) fn is_out(&self) -> bool {
        let until = self.state().outage_until;
        until.is_some_and(|until| self.clock.now() < until)
    }

    /// Delivers a message once more.
    pub(super) fn echo(&self, queue: Queue, message: Received) {
        self.state().echoes.push((queue, message));
    }

    pub(super) fn next_echo(&self, queue: Queue) -> Option<Received> {
        let mut state = self.state();
        let at = state.echoes.iter().position(|(of, _)| *of == queue)?;
        Some(state.echoes.swap_remove(at).1)
    }

    /// Breaks a client's connection.
    pub(super) fn close(&self, connection: &ConnectionRef) {
        self.connections.close(connection);
        self.state().lost.insert(connection.id.clone());
    }

    /// Returns all connections that broke or were closed.
    pub(super) fn lost(&self) -> BTreeSet<ConnectionId> {
        self.state().lost.clone()
    }

    pub(super) fn is_closed(&self, connection: &ConnectionRef) -> bool {
        self.state().lost.contains(&connection.id)
    }

    /// Adds an event to the story, if one is kept.
    pub(super) fn tell(&self, who: &str, what: impl FnOnce() -> String) {
        let mut state = self.state();
        if state.story_lines == 0 {
            return;
        }
        if state.story.len() == state.story_lines {
            state.story.pop_front();
        }
        let at = self.clock.now().since(START).as_millis();
        let what: String = what().chars().take(LONGEST_EVENT).collect();
        state.story.push_back(format!("{at:>9} ms  {who:<12} {what}"));
    }

    pub(super) fn story(&self) -> Vec<String> {
        self.state().story.iter().cloned().collect()
    }

    pub(super) fn seconds(&self) -> u64 {
        self.clock.now().since(START).as_secs()
    }
}
