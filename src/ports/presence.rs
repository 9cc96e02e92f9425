//! Which processes of the stack live.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Clock, PortError, port};
use crate::model::Timestamp;

/// Something that a process does for the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessRole {
    /// Orders a calculation for every active user at every tick.
    Refresh,
    /// Calculates price tables.
    PriceCalc,
    /// Answers quotations that could not be answered where they came in.
    QuotationProvider,
    /// Takes quotations in.
    Gateway,
    /// Something that a later release does.
    #[serde(other)]
    Other,
}

impl ProcessRole {
    /// Those of this release.
    pub const ALL: [Self; 4] =
        [Self::Refresh, Self::PriceCalc, Self::QuotationProvider, Self::Gateway];

    /// The word for it; that of a worker is what `ocache worker` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::PriceCalc => "price-calc",
            Self::QuotationProvider => "quotation-provider",
            Self::Gateway => "gateway",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ProcessRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A tick of the schedule that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickDone {
    /// When it began.
    pub at: Timestamp,
    /// How many users were active then.
    pub active_users: u64,
}

/// What a process says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// A name that no other process has. All that run one function of Lambda have one together.
    pub process: String,
    /// What it does.
    pub roles: Vec<ProcessRole>,
    /// The machine that it runs on.
    pub machine: String,
    /// Its release.
    pub version: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it wrote this down.
    pub seen_at: Timestamp,
    /// From when on it counts as dead, unless it has written again.
    pub lives_until: Timestamp,
    /// The last tick that it did, if the schedule is one of its roles.
    pub tick: Option<TickDone>,
}

port!(
    /// Who is there. What is told is what processes have said of themselves lately: one that was killed may
    /// be among them until its time is over.
    pub trait Presence: Send + Sync {
        /// Writes down that a process lives, in place of what it wrote before.
        async fn record_process(&self, record: &ProcessRecord) -> Result<(), PortError>;

        /// A process ends. It is no error if it was not known.
        async fn remove_process(&self, process: &str) -> Result<(), PortError>;

        /// All that is known, in any order. Those whose time is over may be among them.
        async fn process_records(&self) -> Result<Vec<ProcessRecord>, PortError>;
    }
);

/// The processes that live, by name.
///
/// # Errors
/// As [`Presence::process_records`].
pub async fn living_processes(
    presence: &dyn Presence,
    clock: &dyn Clock,
) -> Result<Vec<ProcessRecord>, PortError> {
    let mut records = presence.process_records().await?;
    let now = clock.now();
    records.retain(|record| record.lives_until > now);
    records.sort_by(|a, b| a.process.cmp(&b.process));
    Ok(records)
}
