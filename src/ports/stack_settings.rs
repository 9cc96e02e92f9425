//! The settings of the stack: one record that all processes follow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PortError, port};

/// The settings that were set for the stack. All others have their defaults.
///
/// Engines do not interpret the values; `stages::StackSettings` does. So a process of an older release keeps
/// the settings of a later release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRecord {
    /// Grows by one with every change; 0 if nothing was ever set.
    pub revision: u64,
    /// The values as users type them, by the names of their flags.
    pub values: BTreeMap<String, String>,
}

impl SettingsRecord {
    /// Returns the next record, with these values set.
    #[must_use]
    pub fn with(&self, values: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut next = Self { revision: self.revision + 1, values: self.values.clone() };
        next.values.extend(values);
        next
    }
}

port!(
    /// The record of the stack's settings. It is stored with the catalogue's head, so one read returns both.
    /// But they are independent: loads do not change the settings, and setting changes neither the
    /// catalogue's version nor whether a load can be committed.
    pub trait SettingsStore: Send + Sync {
        /// Returns the record. It may have been read with the head up to two seconds ago.
        async fn settings(&self) -> Result<SettingsRecord, PortError>;

        /// Writes a record, if the stored one has the preceding revision. Returns whether it was written.
        async fn put_settings(&self, record: &SettingsRecord) -> Result<bool, PortError>;
    }
);
