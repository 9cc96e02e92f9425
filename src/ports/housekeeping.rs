//! What an engine that deletes by itself still has to delete.

use std::time::Duration;

use async_trait::async_trait;

use super::PortError;

/// Records of one kind that have expired and are still stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// What they are called.
    pub kind: &'static str,
    /// How many there are.
    pub records: u64,
    /// For how long the oldest of them could have been deleted.
    pub late: Duration,
}

/// The state of a store on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Of every kind, also those of which nothing waits.
    pub backlog: Vec<Backlog>,
    /// The size of the store's file.
    pub file_bytes: u64,
    /// The size of the log beside it.
    pub log_bytes: u64,
}

/// An engine that deletes expired records itself. AWS does it for its own.
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// How far behind it is, and how much room it takes.
    async fn upkeep(&self) -> Result<Upkeep, PortError>;
}
