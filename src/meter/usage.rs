//! A reading of the meter: usage, line by line.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::operation::{Action, Operation, Resource, Unit};
use super::scope::{Reason, Scope, Stage};
use super::used::Used;
use crate::ports::PortError;

/// The compression level. A reading is written every minute, and repeats a few words.
const LEVEL: i32 = 3;
/// The largest reading that is accepted, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Usage by scope and operation. Operations that were not used are not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<UsageLine>", from = "Vec<UsageLine>")]
pub struct Usage(BTreeMap<(Stage, Reason, Operation), Used>);

/// One line of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageLine {
    /// The stage that used it.
    pub stage: Stage,
    /// The reason.
    pub reason: Reason,
    /// The resource.
    pub resource: Resource,
    /// The action on the resource.
    pub action: Action,
    /// The unit that AWS bills.
    pub unit: Unit,
    /// The amount.
    #[serde(flatten)]
    pub used: Used,
}

impl Usage {
    /// Adds usage to a line.
    pub fn add(&mut self, scope: Scope, operation: Operation, used: &Used) {
        if !used.is_nothing() {
            let line = self.0.entry((scope.stage, scope.reason, operation)).or_default();
            *line = line.plus(used);
        }
    }

    /// Adds another reading.
    pub fn merge(&mut self, other: &Self) {
        for (&(stage, reason, operation), used) in &other.0 {
            self.add(Scope::new(stage, reason), operation, used);
        }
    }

    /// Returns the usage since an earlier reading of the same meter.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut later = Self::default();
        for (key, used) in &self.0 {
            let before = earlier.0.get(key).copied().unwrap_or_default();
            later.add(Scope::new(key.0, key.1), key.2, &used.minus(&before));
        }
        later
    }

    /// Multiplies the usage by a count.
    #[must_use]
    pub fn times(&self, count: f64) -> Self {
        let lines = self.0.iter().map(|(key, used)| (*key, used.times(count)));
        Self(lines.filter(|(_, used)| !used.is_nothing()).collect())
    }

    /// All lines, sorted by stage, reason and operation.
    pub fn lines(&self) -> impl Iterator<Item = UsageLine> {
        self.0.iter().map(|(&(stage, reason, operation), &used)| UsageLine {
            stage,
            reason,
            resource: operation.resource(),
            action: operation.action(),
            unit: operation.unit(),
            used,
        })
    }

    /// Returns the usage of one scope by one operation.
    #[must_use]
    pub fn of(&self, scope: Scope, operation: Operation) -> Used {
        self.0.get(&(scope.stage, scope.reason, operation)).copied().unwrap_or_default()
    }

    /// Returns the selected lines.
    #[must_use]
    pub fn only(&self, is_meant: impl Fn(&UsageLine) -> bool) -> Self {
        self.lines().filter(is_meant).collect::<Vec<_>>().into()
    }

    /// Returns the sum of the selected lines.
    #[must_use]
    pub fn total(&self, is_meant: impl Fn(&UsageLine) -> bool) -> Used {
        let meant = self.lines().filter(is_meant);
        meant.fold(Used::default(), |sum, line| sum.plus(&line.used))
    }

    /// Whether nothing was used.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// Packs the reading as it is stored: compressed JSON of a few hundred bytes.
    ///
    /// # Errors
    /// [`PortError::Corrupt`]; no reading is known that causes one.
    pub fn to_bytes(&self) -> Result<Bytes, PortError> {
        let unreadable = |error: io::Error| PortError::corrupt("a reading of the meter", error);
        let json = serde_json::to_vec(self).map_err(|error| unreadable(error.into()))?;
        zstd::bulk::compress(&json, LEVEL).map(Bytes::from).map_err(unreadable)
    }

    /// Unpacks a stored reading.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] if the bytes are not a reading, or of a later version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PortError> {
        let unreadable = |error: io::Error| PortError::corrupt("a reading of the meter", error);
        let json = zstd::bulk::decompress(bytes, MAX_BYTES).map_err(unreadable)?;
        serde_json::from_slice(&json).map_err(|error| unreadable(error.into()))
    }
}

impl From<Usage> for Vec<UsageLine> {
    fn from(usage: Usage) -> Self {
        usage.lines().collect()
    }
}

impl From<Vec<UsageLine>> for Usage {
    fn from(lines: Vec<UsageLine>) -> Self {
        let mut usage = Self::default();
        for UsageLine { stage, reason, resource, action, used, .. } in lines {
            if let Some(operation) = Operation::new(resource, action) {
                usage.add(Scope::new(stage, reason), operation, &used);
            }
        }
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(calls: u64) -> Usage {
        let mut usage = Usage::default();
        for (stage, operation) in [
            (Stage::Refresh, Operation::scan(Resource::ActiveUsers)),
            (Stage::Meter, Operation::write(Resource::Meter)),
        ] {
            let scope = Scope::new(stage, Reason::Scheduled);
            usage.add(scope, operation, &Used::derived(calls, 2, 3, 1500));
        }
        usage
    }

    #[test]
    fn a_reading_comes_back_as_it_was_written() {
        let usage = reading(7);
        assert_eq!(Usage::from_bytes(&usage.to_bytes().unwrap()).unwrap(), usage);
        assert!(matches!(Usage::from_bytes(b"{}"), Err(PortError::Corrupt { .. })));
        let json = serde_json::to_value(&usage).unwrap();
        assert_eq!(json[0]["unit"], "read_unit");
        assert_eq!(json[0]["derived_milliunits"], 1500);
    }

    #[test]
    fn readings_add_up_and_subtract() {
        let mut sum = reading(1);
        sum.merge(&reading(2));
        assert_eq!(sum.total(|_| true).calls, 6);
        let later = sum.since(&reading(1));
        assert_eq!(later.total(|line| line.stage == Stage::Refresh).calls, 2);
        assert!(sum.since(&sum).is_nothing());
    }
}
