//! The processes of the stack that are alive.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Clock, PortError, port};
use crate::model::Timestamp;

/// A task that a process does for the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessRole {
    /// Orders a calculation for every active customer at every tick.
    Refresh,
    /// Calculates price tables.
    PriceCalc,
    /// Answers quotations that were not answered where they arrived.
    QuotationProvider,
    /// Accepts quotations.
    Gateway,
    /// A role that only a later release knows.
    #[serde(other)]
    Other,
}

impl ProcessRole {
    /// The roles of this release.
    pub const ALL: [Self; 4] =
        [Self::Refresh, Self::PriceCalc, Self::QuotationProvider, Self::Gateway];

    /// The name of the role. For a worker it is the one that `ocache worker` uses.
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

/// A finished tick of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickDone {
    /// When the tick began.
    pub at: Timestamp,
    /// How many customers were active then.
    pub active_users: u64,
}

/// The presence record that a process writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// The unique name of the process. All processes of one Lambda function share a name.
    pub process: String,
    /// What the process does.
    pub roles: Vec<ProcessRole>,
    /// The machine that it runs on.
    pub machine: String,
    /// Its version of ocache.
    pub version: String,
    /// When the process started.
    pub started_at: Timestamp,
    /// When it wrote this record.
    pub seen_at: Timestamp,
    /// When it counts as dead, unless it has written again.
    pub lives_until: Timestamp,
    /// Its last finished tick, if the schedule is one of its roles.
    pub tick: Option<TickDone>,
}

port!(
    /// The presence records of processes. A killed process may be among them until its record expires.
    pub trait Presence: Send + Sync {
        /// Writes the record of a live process, replacing its previous one.
        async fn record_process(&self, record: &ProcessRecord) -> Result<(), PortError>;

        /// Deletes the record of a process that ends. An unknown process is no error.
        async fn remove_process(&self, process: &str) -> Result<(), PortError>;

        /// Returns all records, in any order. Expired ones may be among them.
        async fn process_records(&self) -> Result<Vec<ProcessRecord>, PortError>;
    }
);

/// Returns the records of live processes, sorted by name.
///
/// # Errors
/// The same as [`Presence::process_records`].
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
