//! What calls have used.

use serde::{Deserialize, Serialize};

/// What calls have used. Units are in thousandths, because a read can cost half a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Calls to the service.
    pub calls: u64,
    /// Items, messages or frames that they were about.
    pub items: u64,
    /// Bytes of those, as the service counts them.
    pub bytes: u64,
    /// Units that the service reported, in thousandths.
    pub measured_milliunits: u64,
    /// Units by the service's documented rules, in thousandths.
    pub derived_milliunits: u64,
}

impl Used {
    /// Calls whose units follow from the rules.
    #[must_use]
    pub const fn derived(calls: u64, items: u64, bytes: u64, milliunits: u64) -> Self {
        Self { calls, items, bytes, measured_milliunits: 0, derived_milliunits: milliunits }
    }

    /// All units, however they are known.
    #[must_use]
    pub const fn milliunits(&self) -> u64 {
        self.measured_milliunits.saturating_add(self.derived_milliunits)
    }

    /// Whether nothing was used.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The two together.
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

    /// So many times as much, each figure rounded.
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

    /// What was used beyond an earlier reading.
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
