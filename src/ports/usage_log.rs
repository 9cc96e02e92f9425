//! The usage of processes in windows of time.

use bytes::Bytes;

use super::{PortError, port};
use crate::model::Timestamp;

/// The usage of one process in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    /// The number of the window.
    pub window: u64,
    /// The unique name of the process.
    pub process: String,
    /// The usage, in a form that only the meter reads.
    pub body: Bytes,
    /// When it may be deleted.
    pub expires_at: Timestamp,
}

port!(
    /// The table that meters write to.
    pub trait UsageLog: Send + Sync {
        /// Writes a record, replacing the process's previous one for the same window.
        async fn record_usage(&self, record: &UsageRecord) -> Result<(), PortError>;

        /// Returns all records of some windows, in any order.
        async fn usage_records(&self, windows: &[u64]) -> Result<Vec<UsageRecord>, PortError>;
    }
);
