//! The settings of the stack: one record that every process keeps to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PortError, port};

/// What has been set for the stack. What has not been set has its default.
///
/// An engine does not know what the values mean: `stages::StackSettings` does. So a process
/// of an older release keeps what a later one has set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRecord {
    /// Grows by one with every change; 0 when nothing was ever set.
    pub revision: u64,
    /// Values as they would be typed, by the names of their flags.
    pub values: BTreeMap<String, String>,
}

impl SettingsRecord {
    /// The next record, with one more value set.
    #[must_use]
    pub fn with(&self, values: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut next = Self { revision: self.revision + 1, values: self.values.clone() };
        next.values.extend(values);
        next
    }
}

port!(
    /// The record of the stack's settings. It is kept where the catalogue's head is, so that who reads
    /// the one has read the other. A load changes nothing of it, and setting changes nothing of the
    /// catalogue, neither its version nor whether a load may be committed.
    pub trait SettingsStore: Send + Sync {
        /// The record. It may have been read up to two seconds ago, with the head.
        async fn settings(&self) -> Result<SettingsRecord, PortError>;

        /// Writes a record, if the one that is stored has the revision before it. Returns whether it
        /// is written.
        async fn put_settings(&self, record: &SettingsRecord) -> Result<bool, PortError>;
    }
);
