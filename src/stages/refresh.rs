//! Refresh: the schedule orders a calculation for every active customer.
//!
//! Repeating a tick is safe: each customer's message of a tick has one deduplication id. So two refreshers,
//! or one that died half-way and restarted, order each calculation once.

use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tracing::{info, warn};

use super::StageError;
use super::subscribe::fifo;
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Calculation, Cause, Timestamp};
use crate::ports::{ActiveUser, ActiveUsers, Chain, Queue, Queues, Segment, TickDone, pages};

/// One run of the schedule.
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
    /// Returns the last tick that was due at `now`. An interval of less than a millisecond counts as one
    /// millisecond.
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

    /// Returns the order of a calculation for a customer who is active at this tick.
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

    /// Returns when the next tick is due.
    #[must_use]
    pub fn next_due(&self) -> Timestamp {
        self.due.plus(self.interval.max(Duration::from_millis(1)))
    }
}

/// The share of the active customers that a tick handles, and how it reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// The part of the customers that this refresher handles. Other refreshers handle the rest.
    pub part: Segment,
    /// The number of segments that the part is cut into. Each is read from start to end, and fails alone.
    pub segments: u32,
    /// How many segments are read side by side.
    pub at_once: u32,
}

impl Shares {
    /// All customers, in `segments` segments that are all read side by side.
    #[must_use]
    pub const fn all(segments: u32) -> Self {
        Self { part: Segment::ALL, segments, at_once: segments }
    }

    /// Returns the segments in the order in which a tick reads them. Each tick starts with a different
    /// segment. So a tick that is cut off leaves out other customers than the tick before. If each tick reads
    /// half of the segments, all are read after two or three ticks.
    fn of_tick(self, tick: Tick) -> impl Iterator<Item = Segment> + use<> {
        let cuts = self.segments.max(1);
        let start = first_of_tick(tick.number, cuts);
        let (first, count) = (self.part.index * cuts, self.part.count.max(1) * cuts);
        (0..cuts).map(move |step| Segment { index: first + (start + step) % cuts, count })
    }
}

/// Returns the segment that a tick starts with. The fractional parts of multiples of the golden ratio are far
/// from each other, however many there are.
fn first_of_tick(tick: u64, segments: u32) -> u32 {
    /// The fractional part of the golden ratio, in units of 2^-64.
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let place = u128::from(tick.wrapping_mul(GOLDEN)) * u128::from(segments);
    u32::try_from(place >> 64).unwrap_or(0)
}

/// The result of one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// The number of calculations ordered.
    pub ordered: usize,
    /// The number of orders that could not be sent. The next tick makes up for them.
    pub failed: usize,
    /// The number of segments that were not read to their end. The next tick reads them again.
    pub unfinished: usize,
}

impl Refreshed {
    /// Returns the record of the tick; `None` if it did not reach every customer. Every customer that it
    /// reached had an order, sent or not.
    #[must_use]
    pub fn done_at(self, at: Timestamp, shares: Shares) -> Option<TickDone> {
        // The number is an estimate: a hash spreads the customers evenly over the parts.
        let active_users = (self.ordered + self.failed) as u64 * u64::from(shares.part.count);
        (self.unfinished == 0).then_some(TickDone { at, active_users })
    }
}

/// The counts of a tick so far. They are updated page by page, so that a tick that is cut off can report
/// them.
#[derive(Default)]
struct Progress {
    ordered: AtomicUsize,
    failed: AtomicUsize,
}

/// Orders a calculation for every active customer, and reads `segments` segments side by side. It has no time
/// limit.
///
/// # Errors
/// The same as [`refresh_shares`].
pub async fn refresh(
    users: &dyn ActiveUsers,
    queues: &dyn Queues,
    tick: Tick,
    segments: u32,
    now: Timestamp,
) -> Result<Refreshed, StageError> {
    refresh_shares(users, queues, tick, Shares::all(segments), now, pending()).await
}

/// Orders a calculation for every active customer of these shares. A segment that fails does not affect the
/// others. Once `time_is_up` completes, the rest is left to the next tick.
///
/// # Errors
/// The first failure of a segment, if no segment could be read to its end.
pub async fn refresh_shares(
    users: &dyn ActiveUsers,
    queues: &dyn Queues,
    tick: Tick,
    shares: Shares,
    now: Timestamp,
    time_is_up: impl Future<Output = ()> + Send,
) -> Result<Refreshed, StageError> {
    let progress = Progress::default();
    let segments = shares.of_tick(tick).map(|segment| {
        let done = refresh_segment(users, queues, tick, segment, now, &progress);
        async move { (segment, done.await) }
    });
    let at_once = usize::try_from(shares.at_once.max(1)).unwrap_or(1);
    let scans = stream::iter(segments).buffer_unordered(at_once);
    let mut scans = pin!(scans.take_until(time_is_up));
    let (mut unfinished, mut first_error) = (shares.segments.max(1) as usize, None);
    let scope = Scope::new(Stage::Refresh, Reason::Scheduled);
    while let Some((segment, done)) = scope.of(scans.next()).await {
        match done {
            Ok(()) => unfinished -= 1,
            Err(error) => {
                let Segment { index, count } = segment;
                warn!(tick = tick.number, index, count, error = %Chain(&error), "a segment of the customers was not refreshed");
                first_error = first_error.or(Some(error));
            }
        }
    }
    let count = |counted: &AtomicUsize| counted.load(Ordering::Relaxed);
    let (ordered, failed) = (count(&progress.ordered), count(&progress.failed));
    let refreshed = Refreshed { ordered, failed, unfinished };
    let is_nothing_done = unfinished == shares.segments.max(1) as usize;
    if let Some(error) = first_error.filter(|_| is_nothing_done) {
        return Err(error);
    }
    info!(tick = tick.number, ordered, failed, unfinished, "refresh");
    Ok(refreshed)
}

async fn refresh_segment(
    users: &dyn ActiveUsers,
    queues: &dyn Queues,
    tick: Tick,
    segment: Segment,
    now: Timestamp,
    progress: &Progress,
) -> Result<(), StageError> {
    let mut pages = pages(|from| users.list_active_users(segment, now, from));
    while let Some(page) = pages.next().await? {
        // The store may still list customers who expired long ago.
        let active = page.into_iter().filter(|user| user.is_active(now));
        let (ordered, failed) = order(queues, active, tick).await?;
        progress.ordered.fetch_add(ordered, Ordering::Relaxed);
        progress.failed.fetch_add(failed, Ordering::Relaxed);
    }
    Ok(())
}

/// Orders the calculations of some customers for a tick. Returns how many orders were sent, and how many
/// could not be sent.
///
/// # Errors
/// [`StageError`] if the whole batch cannot be sent.
pub async fn order(
    queues: &dyn Queues,
    users: impl Iterator<Item = ActiveUser>,
    tick: Tick,
) -> Result<(usize, usize), StageError> {
    let orders = users.map(|user| fifo(&tick.order(user))).collect::<Result<Vec<_>, _>>()?;
    if orders.is_empty() {
        return Ok((0, 0));
    }
    let failed = queues.send(Queue::Refresh, &orders).await?;
    for entry in &failed {
        warn!(tick = tick.number, error = %Chain(&entry.error), "a refresh was not ordered");
    }
    Ok((orders.len() - failed.len(), failed.len()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::{ManualClock, Memory};
    use crate::ports::prelude::*;
    use crate::ports::{Ports, SystemRandomness};

    /// A table of customers whose segments with these numbers cannot be read.
    struct Unreadable {
        inner: Ports,
        segments: Vec<u32>,
    }

    layer!(
        #[over(inner.store)]
        impl ActiveUsers for Unreadable {
            async fn list_active_users(&self, segment: _, now: _, from: _) -> _ {
                if self.segments.contains(&segment.index) {
                    return Err(PortError::Throttled {
                        what: format!("segment {}", segment.index),
                    });
                }
                self.inner.store.list_active_users(segment, now, from).await
            }
        }
    );

    #[tokio::test]
    async fn a_segment_that_cannot_be_read_leaves_out_no_other() {
        let now = Timestamp::from_secs(1_800_000_000);
        let inner =
            Memory::new(Arc::new(ManualClock::new(now)), Arc::new(SystemRandomness)).ports();
        let expires_at = now.plus(Duration::from_secs(300));
        for number in 0..100 {
            let user = UserId::new(format!("user-{number}")).unwrap();
            inner.store.record_visit(&user, now, expires_at).await.unwrap();
        }
        let left_out = Segment { index: 3, count: 8 };
        let left_out =
            inner.store.list_active_users(left_out, now, None).await.unwrap().items.len();
        assert!(left_out > 0);

        let tick = Tick::at(now, Duration::from_secs(60));
        let shares = Shares { at_once: 2, ..Shares::all(8) };
        let refresh_without = async |segments: Vec<u32>| {
            let users = Unreadable { inner: inner.clone(), segments };
            refresh_shares(&users, &*inner.queues, tick, shares, now, pending()).await
        };
        let done = refresh_without(vec![3]).await.unwrap();
        assert_eq!(done, Refreshed { ordered: 100 - left_out, failed: 0, unfinished: 1 });
        assert_eq!(done.done_at(now, shares), None, "not every customer was reached");
        let ordered = inner.queues.depth(Queue::Refresh).await.unwrap().waiting;
        assert_eq!(ordered, done.ordered as u64);
        assert!(refresh_without((0..8).collect()).await.is_err(), "nothing could be read");
    }

    #[test]
    fn refreshers_agree_on_the_tick() {
        let interval = Duration::from_secs(60);
        let early = Tick::at(Timestamp::from_millis(120_000), interval);
        let late = Tick::at(Timestamp::from_millis(179_999), interval);
        assert_eq!(early, late);
        assert_eq!(early.next_due(), Timestamp::from_millis(180_000));
        assert_eq!(Tick::at(early.next_due(), interval).number, early.number + 1);
    }

    #[test]
    fn every_tick_reads_all_segments_of_its_part_from_another_one_on() {
        let part = Segment { index: 2, count: 5 };
        let shares = Shares { part, segments: 32, at_once: 8 };
        let tick = |number| Tick { number, due: Timestamp::default(), interval: Duration::ZERO };
        // If each tick reads only a quarter of the segments, every segment is still read within seven ticks.
        for number in 0..10_000 {
            let order: Vec<Segment> = shares.of_tick(tick(number)).collect();
            let mut indexes: Vec<u32> = order.iter().map(|segment| segment.index).collect();
            indexes.sort_unstable();
            assert_eq!(indexes, (64..96).collect::<Vec<_>>());
            assert!(order.iter().all(|segment| segment.count == 160));
            let mut read: Vec<u32> = (number..number + 7)
                .flat_map(|number| shares.of_tick(tick(number)).take(8))
                .map(|segment| segment.index)
                .collect();
            read.sort_unstable();
            read.dedup();
            assert_eq!(read, indexes, "ticks from {number} on");
        }
    }
}
