//! A schedule in which every user has a separate interval.

use std::collections::HashMap;
use std::time::Duration;

use super::Adaptive;
use crate::data::Draws;
use crate::model::{Timestamp, UserId};
use crate::ports::ActiveUser;

/// Intervals vary by up to this percentage, so that users who came together drift apart.
const JITTER_PERCENT: u64 = 10;
const HOUR: Duration = Duration::from_secs(3600);

/// The interval of each user, which depends on whether the user's tables change.
pub(super) struct Intervals {
    shortest: Duration,
    adaptive: Adaptive,
    draws: Draws,
    users: HashMap<UserId, (Duration, Timestamp)>,
    /// The orders that may still be given, in thousandths.
    allowance: u64,
}

impl Intervals {
    pub(super) fn new(shortest: Duration, adaptive: Adaptive, seed: u64) -> Self {
        let draws = Draws::new(seed, 0x62, 0);
        Self { shortest, adaptive, draws, users: HashMap::new(), allowance: 0 }
    }

    /// Notes that a table was calculated, or found unchanged.
    pub(super) fn prepared(&mut self, user: &UserId, changed: bool, now: Timestamp) {
        let before = self.users.get(user).map_or(self.shortest, |(interval, _)| *interval);
        let interval = match changed {
            true => self.shortest,
            false => (before * 2).min(self.adaptive.longest),
        };
        let percent = 100 - JITTER_PERCENT + self.draws.below(2 * JITTER_PERCENT + 1);
        let due = now.plus(interval * u32::try_from(percent).unwrap_or(100) / 100);
        self.users.insert(user.clone(), (interval, due));
    }

    /// Returns the users who are due at a tick and fit the budget, the latest visitors first.
    pub(super) fn due(&mut self, mut active: Vec<ActiveUser>, now: Timestamp) -> Vec<ActiveUser> {
        // Half a tick early is closer than half a tick late.
        let soon = now.plus(self.shortest / 2);
        active.retain(|user| self.users.get(&user.user).is_none_or(|(_, due)| *due <= soon));
        active.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.user.cmp(&b.user)));
        if let Some(an_hour) = self.adaptive.orders_an_hour {
            let share = self.shortest.as_millis() * 1000 / HOUR.as_millis().max(1);
            let more = an_hour.saturating_mul(u64::try_from(share).unwrap_or(u64::MAX));
            // The allowance is capped, so that a quiet time does not save up orders for a busy one.
            self.allowance = (self.allowance + more).min(an_hour.saturating_mul(1000).max(more));
            active.truncate(usize::try_from(self.allowance / 1000).unwrap_or(usize::MAX));
            self.allowance -= active.len() as u64 * 1000;
        }
        active
    }
}
