//! The result of a run: its figures, or the invariant that was broken.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use super::PlantedBug;

/// The kinds of injected faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// A call failed, and nothing happened.
    FailedBefore,
    /// A call failed although its effect happened.
    FailedAfter,
    /// A call was refused because there were too many.
    Throttled,
    /// A call took long, before its effect or after it.
    Delayed,
    /// Every call failed for a while.
    Outage,
    /// Some entries of a batch were not sent.
    PartlySent,
    /// A write of several records stopped half-way.
    Torn,
    /// A message was delivered twice.
    Duplicated,
    /// Messages were delivered in another order.
    Reordered,
    /// A message was published and delivered to nobody.
    Dropped,
    /// A client's connection broke.
    ConnectionLost,
    /// A process was killed at a call, as by `kill -9`.
    Killed,
    /// A process drained and ended.
    Drained,
    /// A process started with a wrong clock.
    ClockSkewed,
    /// A message was sent that nobody can read.
    PoisonedMessage,
    /// A stored row could not be read.
    PoisonedRow,
}

/// What must hold, whatever fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// All frames that tell a client the outcome of a request id tell the same one.
    OneOutcome,
    /// An accepted quotation is settled by its deadline, and its client is told.
    EndsByDeadline,
    /// A shown price matches one version of products, names and discounts, which was in force and is not
    /// too old.
    RightPrice,
    /// All parts that a head names exist, and make up one table.
    WholeTable,
    /// A load comes into force whole: its journal contains all that it wrote.
    WholeLoad,
    /// The versions of heads and catalogues, and the inputs of a user's tables, never go backwards.
    NothingGoesBack,
    /// A message is acknowledged only when its effect is durable.
    EffectBeforeAcknowledgement,
    /// An order becomes exactly one message: it is not dropped as a duplicate of another, and not sent
    /// twice.
    OneOrderOneMessage,
    /// The urgent queue contains only orders for which a quote or a new user waits.
    UrgentIsWaitedFor,
    /// Each message is done, or waits, or is a dead letter after all its receives.
    NoMessageLost,
    /// An active user's table is calculated and validated.
    ActiveIsRefreshed,
    /// The schedule orders nothing for an expired user.
    ExpiredIsLeftAlone,
    /// An unreadable message or row delays nobody else, and is given up in the end.
    PoisonBlocksNobody,
    /// No stage and no task of a worker panics.
    NothingPanics,
}

/// An invariant that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) invariant: Invariant,
    pub(super) what: String,
}

/// A run in which an invariant did not hold.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct Violation {
    /// The seed of the run.
    pub seed: u64,
    /// The planted bug, if there was one.
    pub bug: Option<PlantedBug>,
    /// The invariant that was broken.
    pub invariant: Invariant,
    /// How it was broken.
    pub what: String,
    /// The last events before it, up to the requested number.
    pub story: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, invariant, what, .. } = self;
        write!(f, "seed {seed} breaks {invariant:?}: {what}")?;
        if let Some(bug) = self.bug {
            write!(f, " (planted: {bug:?})")?;
        }
        self.story.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// The figures of a run, or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulationReport {
    /// The number of runs.
    pub runs: u64,
    /// The number of calls of ports.
    pub calls: u64,
    /// The number of quotes asked for.
    pub asked: u64,
    /// The number of these that were accepted.
    pub accepted: u64,
    /// The number of quotations that were answered.
    pub answered: u64,
    /// The number of quotations that failed.
    pub failed: u64,
    /// The number of price tables calculated or validated.
    pub flips: u64,
    /// The number of loads that came into force.
    pub loads: u64,
    /// The simulated seconds.
    pub seconds: u64,
    /// The number of injected faults of each kind.
    pub faults: BTreeMap<FaultKind, u64>,
    /// How often each invariant was checked.
    pub checks: BTreeMap<Invariant, u64>,
}

impl SimulationReport {
    /// Adds the figures of another run.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.calls += other.calls;
        self.asked += other.asked;
        self.accepted += other.accepted;
        self.answered += other.answered;
        self.failed += other.failed;
        self.flips += other.flips;
        self.loads += other.loads;
        self.seconds += other.seconds;
        for (kind, count) in &other.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
        for (invariant, count) in &other.checks {
            *self.checks.entry(*invariant).or_default() += count;
        }
    }
}

impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, calls, asked, accepted, answered, failed, flips, loads, seconds, .. } =
            self;
        writeln!(f, "{runs} seeds, {seconds} simulated seconds, {calls} calls of ports")?;
        writeln!(
            f,
            "{asked} quotes asked, {accepted} accepted, {answered} answered, {failed} failed"
        )?;
        writeln!(f, "{flips} heads flipped, {loads} loads finished")?;
        writeln!(f, "{} faults injected:", self.faults.values().sum::<u64>())?;
        for (kind, count) in &self.faults {
            writeln!(f, "  {count:>10} {kind:?}")?;
        }
        writeln!(f, "{} invariants checked:", self.checks.values().sum::<u64>())?;
        for (invariant, count) in &self.checks {
            writeln!(f, "  {count:>10} {invariant:?}")?;
        }
        Ok(())
    }
}
