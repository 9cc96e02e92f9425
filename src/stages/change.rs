//! Change: after a load, orders calculations for active customers at once, not only at the next tick.
//!
//! Repeating this is safe, because the orders of one load have one deduplication id for each customer. If a
//! loader dies before it has sent all orders, the load is in force all the same, and the schedule finds the
//! change.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use tracing::{info, warn};

use super::StageError;
use super::subscribe::fifo;
use crate::model::{Calculation, Cause, Timestamp, UserId};
use crate::ports::{ActiveUser, ActiveUsers, Chain, Queue, Queues, Segment, pages};

/// Up to this number, changed customers are looked up one by one. If more changed, all active customers are
/// read.
const LOOKED_UP: usize = 100;
/// How many orders are sent at a time.
const ORDERS_AT_ONCE: usize = 1_000;

/// What a load changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadChange {
    /// The name of the load.
    pub load: String,
    /// The version of the catalogue after the load.
    pub version: u64,
    /// Whether data that customers share changed, so that every table may be outdated.
    pub catalogue: bool,
    /// The customers whose own data changed.
    pub users: Vec<UserId>,
}

/// The result of ordering calculations after a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ordered {
    /// The number of calculations ordered.
    pub ordered: usize,
    /// The number of orders that could not be sent. The next tick makes up for them.
    pub failed: usize,
}

/// Orders a calculation for every active customer whose table a load has made outdated, the most recent
/// visitors first. The orders use the Refresh Queue, because no quote waits for them.
///
/// # Errors
/// [`StageError`] if the active customers cannot be read, or a whole batch of orders cannot be sent. The load
/// is in force all the same.
pub async fn order(
    users: &dyn ActiveUsers,
    queues: &dyn Queues,
    change: &LoadChange,
    now: Timestamp,
) -> Result<Ordered, StageError> {
    let mut done = Ordered::default();
    if !change.catalogue && change.users.is_empty() {
        return Ok(done);
    }
    let touched: HashSet<&UserId> = change.users.iter().collect();
    let mut active = match change.catalogue || touched.len() > LOOKED_UP {
        true => all_active(users, now).await?,
        false => look_up(users, &change.users).await?,
    };
    active.retain(|user| user.is_active(now) && (change.catalogue || touched.contains(&user.user)));
    active.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.user.cmp(&b.user)));
    for some in active.chunks(ORDERS_AT_ONCE) {
        let orders = some.iter().map(|user| {
            let discounts = touched.contains(&user.user).then(|| change.load.clone());
            let cause = Cause::Change { version: change.version, discounts };
            fifo(&Calculation { user: user.user.clone(), cause })
        });
        let orders = orders.collect::<Result<Vec<_>, _>>()?;
        let failed = queues.send(Queue::Refresh, &orders).await?;
        for entry in &failed {
            warn!(load = change.load, error = %Chain(&entry.error), "a table was not ordered again");
        }
        done.ordered += orders.len() - failed.len();
        done.failed += failed.len();
    }
    info!(load = change.load, ordered = done.ordered, failed = done.failed, "change");
    Ok(done)
}

async fn all_active(
    users: &dyn ActiveUsers,
    now: Timestamp,
) -> Result<Vec<ActiveUser>, StageError> {
    let mut active = vec![];
    let mut pages = pages(|from| users.list_active_users(Segment::ALL, now, from));
    while let Some(page) = pages.next().await? {
        active.extend(page);
    }
    Ok(active)
}

async fn look_up(users: &dyn ActiveUsers, ids: &[UserId]) -> Result<Vec<ActiveUser>, StageError> {
    let found = try_join_all(ids.iter().map(|id| users.active_user(id))).await?;
    Ok(found.into_iter().flatten().collect())
}
