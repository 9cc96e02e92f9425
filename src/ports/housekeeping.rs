//! The backlog of an engine that deletes expired records itself.

use std::time::Duration;

use async_trait::async_trait;

use super::PortError;

/// Expired records of one kind that are still stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The kind of record.
    pub kind: &'static str,
    /// The number of these records.
    pub records: u64,
    /// How long ago the oldest of them expired.
    pub late: Duration,
}

/// The upkeep of a store on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// The backlog of each kind, also if it is empty.
    pub backlog: Vec<Backlog>,
    /// The size of the store's file.
    pub file_bytes: u64,
    /// The size of the log beside it.
    pub log_bytes: u64,
}

/// An engine that deletes expired records itself. On AWS the services do that.
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Returns how far the deletion is behind, and how much room the store takes.
    async fn upkeep(&self) -> Result<Upkeep, PortError>;
}
