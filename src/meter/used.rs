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
    pub fn plus(&self, other: &Self) -> Self {
        self.combined(other, u64::saturating_add)
    }

    /// Returns the usage since an earlier reading.
    #[must_use]
    pub fn minus(&self, earlier: &Self) -> Self {
        self.combined(earlier, u64::saturating_sub)
    }

    /// Multiplies the usage by a count, and rounds each figure.
    #[must_use]
    pub fn times(&self, count: f64) -> Self {
        self.combined(self, |figure, _| (figure as f64 * count).round() as u64)
    }

    /// Combines each figure with that of other usage.
    fn combined(&self, other: &Self, figure: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            calls: figure(self.calls, other.calls),
            items: figure(self.items, other.items),
            bytes: figure(self.bytes, other.bytes),
            measured_milliunits: figure(self.measured_milliunits, other.measured_milliunits),
            derived_milliunits: figure(self.derived_milliunits, other.derived_milliunits),
        }
    }
}
