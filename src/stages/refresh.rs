//! Refresh: the schedule orders a calculation for every active user.
//!
//! Repeating a tick is safe: each user's message of a tick has one deduplication id, so two
//! refreshers, or one that died half-way and came back, order each calculation once.

use std::time::Duration;

use futures_util::future::try_join_all;
use tracing::{info, warn};

use super::StageError;
use super::subscribe::fifo;
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Calculation, Cause, Timestamp};
use crate::ports::{ActiveUser, ActiveUsers, Chain, Queue, Queues, Segment, TickDone};

/// One moment of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// `floor(due / interval)`.
    pub number: u64,
    /// When it was due.
    pub due: Timestamp,
    /// The time between two ticks.
    pub interval: Duration,
}

impl Tick {
    /// The last tick that was due at a time. An interval of less than a millisecond counts as
    /// one.
    #[must_use]
    pub fn at(now: Timestamp, interval: Duration) -> Self {
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let number = now.millis().div_euclid(interval_ms);
        Self {
            number: u64::try_from(number).unwrap_or(0),
            due: Timestamp::from_millis(number * interval_ms),
            interval,
        }
    }

    /// The order of a calculation for a user who is active at this tick.
    #[must_use]
    pub fn order(self, user: ActiveUser) -> Calculation {
        Calculation {
            user: user.user,
            cause: Cause::Scheduled {
                tick: self.number,
                due: self.due,
                interval_ms: u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX),
                expires_at: user.expires_at,
            },
        }
    }

    /// When the next one is due.
    #[must_use]
    pub fn next_due(&self) -> Timestamp {
        self.due.plus(self.interval.max(Duration::from_millis(1)))
    }
}

/// What one tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Calculations ordered.
    pub ordered: usize,
    /// Orders that could not be sent; the next tick will make up for them.
    pub failed: usize,
}

impl Refreshed {
    /// The tick as it is told of. Every active user had an order, sent or not.
    #[must_use]
    pub const fn done_at(self, at: Timestamp) -> TickDone {
        TickDone { at, active_users: (self.ordered + self.failed) as u64 }
    }
}

/// Orders a calculation for every user that is active now, scanning the segments of the table in
/// parallel.
///
/// # Errors
/// When the users cannot be listed or none of a page's orders can be sent.
pub async fn refresh(
    users: &dyn ActiveUsers,
    queues: &dyn Queues,
    tick: Tick,
    segments: u32,
    now: Timestamp,
) -> Result<Refreshed, StageError> {
    let count = segments.max(1);
    let scans =
        (0..count).map(|index| refresh_segment(users, queues, tick, Segment { index, count }, now));
    let scope = Scope::new(Stage::Refresh, Reason::Scheduled);
    let done = scope.of(try_join_all(scans)).await?;
    let refreshed = done.into_iter().fold(Refreshed::default(), |all, one| Refreshed {
        ordered: all.ordered + one.ordered,
        failed: all.failed + one.failed,
    });
    info!(tick = tick.number, ordered = refreshed.ordered, failed = refreshed.failed, "refresh");
    Ok(refreshed)
}

async fn refresh_segment(
    users: &dyn ActiveUsers,
    queues: &dyn Queues,
    tick: Tick,
    segment: Segment,
    now: Timestamp,
) -> Result<Refreshed, StageError> {
    let mut refreshed = Refreshed::default();
    let mut from = None;
    loop {
        let page = users.list_active_users(segment, now, from).await?;
        // The store may list rows that it should have deleted long ago.
        let active = page.items.into_iter().filter(|user| user.is_active(now));
        let ordered = order(queues, active, tick).await?;
        refreshed.ordered += ordered.ordered;
        refreshed.failed += ordered.failed;
        from = page.next;
        if from.is_none() {
            return Ok(refreshed);
        }
    }
}

/// Orders the calculations of some users for a tick.
///
/// # Errors
/// When none of the orders can be sent.
pub async fn order(
    queues: &dyn Queues,
    users: impl Iterator<Item = ActiveUser>,
    tick: Tick,
) -> Result<Refreshed, StageError> {
    let orders = users.map(|user| fifo(&tick.order(user))).collect::<Result<Vec<_>, _>>()?;
    if orders.is_empty() {
        return Ok(Refreshed::default());
    }
    let failed = queues.send(Queue::Refresh, &orders).await?;
    for entry in &failed {
        warn!(tick = tick.number, error = %Chain(&entry.error), "a refresh was not ordered");
    }
    Ok(Refreshed { ordered: orders.len() - failed.len(), failed: failed.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshers_agree_on_the_tick() {
        let interval = Duration::from_secs(60);
        let early = Tick::at(Timestamp::from_millis(120_000), interval);
        let late = Tick::at(Timestamp::from_millis(179_999), interval);
        assert_eq!(early, late);
        assert_eq!(early.next_due(), Timestamp::from_millis(180_000));
        assert_eq!(Tick::at(early.next_due(), interval).number, early.number + 1);
    }
}
