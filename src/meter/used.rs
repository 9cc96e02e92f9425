//! The usage of calls.

use serde::{Deserialize, Serialize};

/// The usage of calls. Units are in thousandths, because a read may cost half a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The number of calls to the service.
    pub calls: u64,
    /// The number of items, messages or frames in these calls.
    pub items: u64,
    /// The bytes of these, as the service counts them.
    pub bytes: u64,
    /// The units that the service reported, in thousandths.
    pub measured_milliunits: u64,
    /// The units by the service's documented rules, in thousandths.
    pub derived_milliunits: u64,
}

impl Used {
    /// Creates usage whose units are derived from the rules.
    #[must_use]
    pub const fn derived(calls: u64, items: u64, bytes: u64, milliunits: u64) -> Self {
        Self { calls, items, bytes, measured_milliunits: 0, derived_milliunits: milliunits }
    }

    /// All units, reported and derived.
    #[must_use]
    pub const fn milliunits(&self) -> u64 {
        self.measured_milliunits.saturating_add(self.derived_milliunits)
    }

    /// Whether nothing was used.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds other usage.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            items: self.items.saturating_add(other.items),
            bytes: self.bytes.saturating_add(other.bytes),
            measured_milliunits: self.measured_milliunits.saturating_add(other.measured_milliunits),
            derived_milliunits: self.derived_milliunits.saturating_add(other.derived_milliunits),
        }
    }

    /// Multiplies the usage by a count, and rounds each figure.
    #[must_use]
    pub fn times(&self, count: f64) -> Self {
        let times = |figure: u64| (figure as f64 * count).round() as u64;
        Self {
            calls: times(self.calls),
            items: times(self.items),
            bytes: times(self.bytes),
            measured_milliunits: times(self.measured_milliunits),
            derived_milliunits: times(self.derived_milliunits),
        }
    }

    /// Returns the usage since an earlier reading.
    #[must_use]
    pub const fn minus(&self, earlier: &Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(earlier.calls),
            items: self.items.saturating_sub(earlier.items),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            measured_milliunits: self
                .measured_milliunits
                .saturating_sub(earlier.measured_milliunits),
            derived_milliunits: self.derived_milliunits.saturating_sub(earlier.derived_milliunits),
        }
    }
}
