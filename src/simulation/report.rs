//! What a run comes to: figures, or the promise that was broken and how.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use super::PlantedBug;

/// What is broken on purpose.
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
    /// A write of several things stopped half-way.
    Torn,
    /// A message was delivered twice.
    Duplicated,
    /// Messages were delivered in another order.
    Reordered,
    /// A message was published and delivered to nobody.
    Dropped,
    /// A client's connection broke.
    ConnectionLost,
    /// A process was stopped at a call, like by `kill -9`.
    Killed,
    /// A process drained and left.
    Drained,
    /// A process started with a wrong clock.
    ClockSkewed,
    /// A message that nobody can read was sent.
    PoisonedMessage,
    /// A stored row could not be read.
    PoisonedRow,
}

/// What must hold, whatever breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Whatever a client is told of a request id, in one or more frames, is one outcome.
    OneOutcome,
    /// An accepted quotation is over by its deadline, and its client is told.
    EndsByDeadline,
    /// A price shown is the price of one version of products, names and discounts, which
    /// was in force and is not too old.
    RightPrice,
    /// A head names parts that are all there, and are one table.
    WholeTable,
    /// A load comes into force whole: its journal is all that it wrote.
    WholeLoad,
    /// Versions of heads and catalogues, and the inputs of a user's tables, never go backwards.
    NothingGoesBack,
    /// A message is acknowledged only when its effect is durable.
    EffectBeforeAcknowledgement,
    /// An order is one message: not dropped as the repetition of another, and not sent twice.
    OneOrderOneMessage,
    /// In the urgent queue are only orders that a quote or a new user waits for.
    UrgentIsWaitedFor,
    /// A message is done, or waits, or is a dead letter after all its receives.
    NoMessageLost,
    /// A user who is active gets a table, and has it validated.
    ActiveIsRefreshed,
    /// For a user who has expired nothing is ordered by the schedule.
    ExpiredIsLeftAlone,
    /// A message or row that cannot be read keeps nobody else waiting, and is given up in the end.
    PoisonBlocksNobody,
    /// No stage and no task of a worker panics.
    NothingPanics,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) invariant: Invariant,
    pub(super) what: String,
}

/// A run in which an invariant did not hold.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// The bug that was planted, if one was.
    pub bug: Option<PlantedBug>,
    /// Which promise was broken.
    pub invariant: Invariant,
    /// In which way.
    pub what: String,
    /// The last events before it, as many as were asked for.
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

/// What happened in a run, or in several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs.
    pub runs: u64,
    /// Calls of ports.
    pub calls: u64,
    /// Quotes asked for.
    pub asked: u64,
    /// Those that were accepted.
    pub accepted: u64,
    /// Quotations that ended in an answer.
    pub answered: u64,
    /// Quotations that ended in a stored failure.
    pub failed: u64,
    /// Price tables made or validated.
    pub flips: u64,
    /// Loads that were finished, by whomever.
    pub loads: u64,
    /// Simulated seconds.
    pub seconds: u64,
    /// Faults injected, by kind.
    pub faults: BTreeMap<FaultKind, u64>,
    /// How often each invariant was checked.
    pub checks: BTreeMap<Invariant, u64>,
}

impl Report {
    /// Takes the figures of another run in.
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

impl fmt::Display for Report {
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
