//! Windows: the spans of time by which usage is written.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// A window of five minutes, as its number since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Window(u64);

impl Window {
    /// The length of a window.
    pub const LENGTH: Duration = Duration::from_secs(5 * 60);
    /// How long the usage of a window is kept.
    pub const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Returns the window that contains a time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let millis = u64::try_from(now.millis()).unwrap_or_default();
        Self(millis / (Self::LENGTH.as_secs() * 1000))
    }

    /// Returns the window with a number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number of the window.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Returns when the window begins.
    #[must_use]
    pub fn begin(self) -> Timestamp {
        Timestamp::from_secs(i64::try_from(self.0 * Self::LENGTH.as_secs()).unwrap_or(i64::MAX))
    }

    /// The windows that cover the last `over` before `now`, the oldest first, within the retention.
    pub fn back_from(now: Timestamp, over: Duration) -> impl Iterator<Item = Self> {
        let first = Self::at(now.minus(over.min(Self::RETENTION)));
        (first.0..=Self::at(now).0).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_the_time() {
        let now = Timestamp::from_secs(3_000);
        assert_eq!(Window::at(now).begin(), now);
        let hour: Vec<_> = Window::back_from(now, Duration::from_secs(600)).collect();
        assert_eq!(hour, [8, 9, 10].map(Window));
        let all = Window::back_from(Timestamp::from_secs(10_000_000), Duration::MAX).count();
        assert_eq!(all, 7 * 24 * 12 + 1);
    }
}
