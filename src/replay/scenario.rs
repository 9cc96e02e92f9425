//! What is replayed, and against which policy.

use std::time::Duration;

use thiserror::Error;

use super::{Arrival, TermsSpec};
use crate::data::LoadError;
use crate::meter::Stage;
use crate::ports::PortError;
use crate::stages::{Policy, StageError};

/// The part of a replay that does not depend on the policy.
///
/// Assumptions: a calculation, or the validation of an unchanged table, takes [`Self::calculation`]. 20
/// urgent and 20 scheduled orders are in hand at once, ten in a batch. Every other step takes no time.
/// The bill has the units of every call that the stages make, by the documented rules, and Lambda
/// functions on arm64 with the memory that `infra/` gives them, for the time of the calculation or
/// [`Self::CALL`]. The bill leaves out what no policy changes: loads, minutes of open websockets, polls
/// of empty queues, logs.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The arrivals, sorted by time.
    pub arrivals: Vec<Arrival>,
    /// The number of products.
    pub products: u64,
    /// The number of discounts of each user.
    pub discounts: u64,
    /// The price lists of the users.
    pub terms: TermsSpec,
    /// How often a load changes the prices of one percent of the products.
    pub prices_every: Option<Duration>,
    /// How often a load changes the discounts of one user in thirty.
    pub discounts_every: Option<Duration>,
    /// How often a load changes one percent of the ladders of one price list.
    pub lists_every: Option<Duration>,
    /// How long a batch of calculations takes.
    pub calculation: Duration,
    /// The seed of goods, changes and ids.
    pub seed: u64,
    /// The settings that no candidate changes.
    pub policy: Policy,
}

impl Scenario {
    /// How long a function runs that calculates nothing: a few calls of other services.
    pub const CALL: Duration = Duration::from_millis(20);
    /// The most orders of each queue in hand.
    pub(super) const SLOTS: usize = 20;
}

/// Returns the memory of the function that runs a stage, in MB, as in `infra/`.
#[must_use]
pub const fn function_mb(stage: Stage) -> u64 {
    match stage {
        Stage::PriceCalc => 1024,
        Stage::QuotationProvider | Stage::Refresh => 512,
        _ => 256,
    }
}

/// A policy to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// How long a user stays active after a visit.
    pub ttl: Duration,
    /// The time between two scheduled calculations.
    pub refresh_every: Duration,
    /// Whether a load orders the tables of active users at once.
    pub on_change: bool,
    /// Whether users whose tables do not change are refreshed less often. This is an experiment, which
    /// the product's schedule does not have.
    pub adaptive: Option<Adaptive>,
}

/// How intervals adapt. An interval doubles while a table stays the same, and starts again at the
/// shortest when one changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adaptive {
    /// The longest interval. Tables stay fresh and usable according to it.
    pub longest: Duration,
    /// The most calculations that are ordered in an hour. The latest visitors get them.
    pub orders_an_hour: Option<u64>,
}

/// Why a replay has no result.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// A stage failed, although nothing should fail on this engine.
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
