//! What processes have used, by window of time.

use bytes::Bytes;

use super::{PortError, port};
use crate::model::Timestamp;

/// What one process has used in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    /// The number of the window.
    pub window: u64,
    /// A name that no other process has.
    pub process: String,
    /// What was used; only the meter can read it.
    pub body: Bytes,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

port!(
    /// The table that meters write to.
    pub trait UsageLog: Send + Sync {
        /// Writes a record, in place of the one that the process wrote for the window before.
        async fn record_usage(&self, record: &UsageRecord) -> Result<(), PortError>;

        /// All records of some windows, in any order.
        async fn usage_records(&self, windows: &[u64]) -> Result<Vec<UsageRecord>, PortError>;
    }
);
