//! Subscribe: the first visit makes a customer active, and every later visit keeps the customer active.
//!
//! Repeating it is safe: the row is an upsert, and the urgent calculation for one expiry has one
//! deduplication id.

use std::time::Duration;

use tracing::{info, warn};

use super::outcome::{only, write_body};
use super::visits::{Visits, is_long_enough};
use super::{Policy, StageError};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Calculation, Cause, Timestamp, UserId};
use crate::ports::{ActiveUser, ActiveUsers, Chain, Outgoing, Posting, Queue, Queues};

/// Whether a visit found the customer active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// The customer was not stored.
    New,
    /// The customer was stored but had expired.
    Returned,
    /// The customer was active.
    Known,
}

/// The result of a visit: the customer is active now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// Whether the visit found the customer active.
    pub visit: Visit,
    /// When the customer's time as an active customer ends.
    pub expires_at: Timestamp,
}

/// Makes a customer active for the TTL. Orders an urgent calculation if the customer was not active.
///
/// # Errors
/// [`StageError`] if the row or the message cannot be written. If only the message is missing, the next tick
/// orders the calculation.
pub async fn subscribe(
    users: &dyn ActiveUsers,
    queues: &dyn Queues,
    user: &UserId,
    ttl: Duration,
    now: Timestamp,
) -> Result<Subscribed, StageError> {
    let visit = async {
        let subscribed = write_visit(users, user, ttl, now).await?;
        order_first(queues, user, subscribed).await?;
        Ok(subscribed)
    };
    Scope::new(Stage::Subscribe, Reason::Visit).of(visit).await
}

async fn write_visit(
    users: &dyn ActiveUsers,
    user: &UserId,
    ttl: Duration,
    now: Timestamp,
) -> Result<Subscribed, StageError> {
    // The store keeps whole seconds.
    let expires_at = Timestamp::from_secs(now.plus(ttl).secs_rounded_up());
    let visit = match users.record_visit(user, now, expires_at).await? {
        None => Visit::New,
        Some(before) if before.is_active(now) => Visit::Known,
        Some(_) => Visit::Returned,
    };
    info!(%user, ?visit, %expires_at, "subscribed");
    Ok(Subscribed { visit, expires_at })
}

/// Orders the first calculation of a customer who was new or had expired.
async fn order_first(
    queues: &dyn Queues,
    user: &UserId,
    Subscribed { visit, expires_at }: Subscribed,
) -> Result<(), StageError> {
    if visit == Visit::Known {
        return Ok(());
    }
    let calculation = Calculation { user: user.clone(), cause: Cause::Subscribe { expires_at } };
    let order = send(queues, Queue::Quotation, &calculation);
    Scope::new(Stage::Subscribe, Reason::FirstVisit).of(order).await
}

/// Records the visit that every quote is. Reads the customer first, and writes only if a tenth of the TTL has
/// passed. Until then the visit is remembered in memory and not even read. A failure is only logged, so that
/// the quote continues. Orders no calculation, because the quote does. If the quote does not, the caller
/// passes the result to `Lookup::follow_visit`.
pub(super) async fn touch(
    users: &dyn ActiveUsers,
    visits: &Visits,
    policy: &Policy,
    user: &UserId,
    now: Timestamp,
) -> Option<Subscribed> {
    if visits.covers(user, policy, now) {
        return None;
    }
    let visit = async {
        let known = users.active_user(user).await?;
        if let Some(known) = known.filter(|it| is_long_enough(it.expires_at, policy, now)) {
            visits.remember(user, known.expires_at, now);
            return Ok::<_, StageError>(None);
        }
        let subscribed = write_visit(users, user, policy.ttl, now).await?;
        visits.remember(user, subscribed.expires_at, now);
        Ok(Some(subscribed))
    };
    let visit = Scope::new(Stage::Subscribe, Reason::Quote).of(visit).await;
    visit.unwrap_or_else(|error| {
        warn!(%user, error = %Chain(&error), "the visit was not recorded; the quote continues");
        None
    })
}

/// Orders the first calculation of a new customer whose quote orders none. If the order cannot be sent, the
/// next tick makes up for it.
pub(super) async fn order_unless_known(queues: &dyn Queues, user: &UserId, visit: Subscribed) {
    if let Err(error) = order_first(queues, user, visit).await {
        warn!(%user, error = %Chain(&error), "the table of a new customer was not ordered");
    }
}

/// Makes a customer expire now, and returns the row that the customer had. That row may have expired before.
/// `remembered` are the visits in the memory of this process, if it handles quotes.
///
/// # Errors
/// [`StageError`] if the row cannot be deleted.
pub async fn unsubscribe(
    users: &dyn ActiveUsers,
    remembered: Option<&Visits>,
    user: &UserId,
) -> Result<Option<ActiveUser>, StageError> {
    let scope = Scope::new(Stage::Subscribe, Reason::Visit);
    let removed = scope.of(users.remove_active_user(user)).await;
    // Only after the row is deleted: otherwise a quote in between could read the row and remember the visit
    // again.
    if let Some(visits) = remembered {
        visits.forget(user);
    }
    let removed = removed?;
    info!(%user, removed = removed.is_some(), "unsubscribed");
    Ok(removed)
}

/// Sends a calculation to one of its two queues: the Quotation Queue if somebody waits for it.
pub(super) async fn send(
    queues: &dyn Queues,
    queue: Queue,
    calculation: &Calculation,
) -> Result<(), StageError> {
    let message = fifo(calculation)?;
    only(queues.send(queue, &[message]).await?)
}

/// Returns a calculation as a message for either of its queues.
pub(super) fn fifo(calculation: &Calculation) -> Result<Outgoing, StageError> {
    Ok(Outgoing {
        body: write_body(calculation)?,
        posting: Posting::Fifo {
            group: calculation.group(),
            deduplication: calculation.deduplication(),
        },
    })
}
