//! What is replayed, and against which policy.

use std::time::Duration;

use thiserror::Error;

use super::{Arrival, TermsSpec};
use crate::data::LoadError;
use crate::meter::Stage;
use crate::ports::PortError;
use crate::stages::{Policy, StageError};

/// Everything about a replay that no policy changes.
///
/// Taken for granted: a calculation, and the validation of an unchanged table too, takes
/// [`Self::calculation`]; 20 urgent and 20 scheduled orders are in hand at once, ten in a batch;
/// every other step takes no time. On the bill are the units of every call that the stages make,
/// by the documented rules, and Lambda functions on arm64 with the memory that `infra/` gives them,
/// for the time of the calculation or [`Self::CALL`]. Not on it, because no policy changes them:
/// loading, minutes of open websockets, polls of empty queues, logs.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Who came when, in order of time.
    pub arrivals: Vec<Arrival>,
    /// How many products there are.
    pub products: u64,
    /// How many discounts each user has.
    pub discounts: u64,
    /// The price lists that users have.
    pub terms: TermsSpec,
    /// How often a load changes the prices of one product in a hundred.
    pub prices_every: Option<Duration>,
    /// How often a load changes the discounts of one user in thirty.
    pub discounts_every: Option<Duration>,
    /// How often a load changes one ladder in a hundred of one price list.
    pub lists_every: Option<Duration>,
    /// How long the calculation of a table takes.
    pub calculation: Duration,
    /// Where goods, changes and ids come from.
    pub seed: u64,
    /// The times that no candidate changes.
    pub policy: Policy,
}

impl Scenario {
    /// So long a function takes that calculates nothing: a few calls of other services.
    pub const CALL: Duration = Duration::from_millis(20);
    /// So many orders of each queue are in hand at most.
    pub(super) const SLOTS: usize = 20;
}

/// Memory of the function that runs a stage, in MB, as `infra/` gives it.
#[must_use]
pub const fn function_mb(stage: Stage) -> u64 {
    match stage {
        Stage::PriceCalc => 1024,
        Stage::QuotationProvider | Stage::Refresh => 512,
        _ => 256,
    }
}

/// A policy that is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// How long a user stays active after a visit.
    pub ttl: Duration,
    /// The time between two scheduled calculations.
    pub refresh_every: Duration,
    /// Whether a load has the tables of active users calculated at once.
    pub on_change: bool,
    /// Whether users whose tables do not change are refreshed less often. An experiment: the
    /// schedule of the product knows nothing of it.
    pub adaptive: Option<Adaptive>,
}

/// How far an interval adapts: it doubles while a table stays the same, and begins anew when one
/// changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adaptive {
    /// No interval becomes longer. Tables stay fresh and usable by this one.
    pub longest: Duration,
    /// So many calculations are ordered in an hour at most, those of the users who came last.
    pub orders_an_hour: Option<u64>,
}

/// Why a replay has no result.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// A stage failed, on an engine on which nothing fails.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A load failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A thread of the sweep could not run.
    #[error("a replay could not be run")]
    Thread(#[source] std::io::Error),
    /// A thread of the sweep died.
    #[error("a replay ended without a result")]
    Died,
}
