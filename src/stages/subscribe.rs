//! Subscribe: the first visit makes a user active, every later one keeps it so.
//!
//! Repeating it is safe: the row is an upsert, and the urgent calculation of one expiry is one
//! message however often it is sent.

use std::time::Duration;

use tracing::{info, warn};

use super::outcome::{only, write_body};
use super::visits::{Visits, is_long_enough};
use super::{Policy, StageError};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Calculation, Cause, Timestamp, UserId};
use crate::ports::{ActiveUsers, Chain, Outgoing, Posting, Queue, Queues};

/// What a visit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// The user was not there.
    New,
    /// The user had expired.
    Returned,
    /// The user was active.
    Known,
}

/// A user that is now active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// What the visit found.
    pub visit: Visit,
    /// Until when the user is active.
    pub expires_at: Timestamp,
}

/// Makes a user active for a time. A user that was not gets an urgent calculation.
///
/// # Errors
/// When the row or the message cannot be written. A row without its message is mended by the next
/// refresh.
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
    // As the store keeps it: in whole seconds.
    let expires_at = Timestamp::from_secs(now.plus(ttl).secs_rounded_up());
    let visit = match users.record_visit(user, now, expires_at).await? {
        None => Visit::New,
        Some(before) if before.is_active(now) => Visit::Known,
        Some(_) => Visit::Returned,
    };
    info!(%user, ?visit, %expires_at, "subscribed");
    Ok(Subscribed { visit, expires_at })
}

/// Orders the first calculation of a user whose visit found them new or expired.
async fn order_first(
    queues: &dyn Queues,
    user: &UserId,
    Subscribed { visit, expires_at }: Subscribed,
) -> Result<(), StageError> {
    if visit == Visit::Known {
        return Ok(());
    }
    let calculation = Calculation { user: user.clone(), cause: Cause::Subscribe { expires_at } };
    let order = send_urgent(queues, &calculation);
    Scope::new(Stage::Subscribe, Reason::FirstVisit).of(order).await
}

/// The visit that every quote is. It reads first and writes only when a tenth of the TTL has
/// passed; until then it is remembered and not read either. Its failure is never the quote's. It
/// orders nothing, because the quote does; when the quote does not, what this returns is for
/// [`order_unless_known`].
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

/// Orders the first calculation of a new user whose quote orders none. The next refresh makes up for
/// an order that cannot be sent.
pub(super) async fn order_unless_known(queues: &dyn Queues, user: &UserId, visit: Subscribed) {
    if let Err(error) = order_first(queues, user, visit).await {
        warn!(%user, error = %Chain(&error), "the table of a new customer was not ordered");
    }
}

/// Lets a user expire now; says whether there was one. `remembered` are the visits that this process
/// remembers, if quotes come to it.
///
/// # Errors
/// When the row cannot be deleted.
pub async fn unsubscribe(
    users: &dyn ActiveUsers,
    remembered: Option<&Visits>,
    user: &UserId,
) -> Result<bool, StageError> {
    let scope = Scope::new(Stage::Subscribe, Reason::Visit);
    let removed = scope.of(users.remove_active_user(user)).await?;
    // When the row is gone: a quote that came before that would remember it again.
    if let Some(visits) = remembered {
        visits.forget(user);
    }
    info!(%user, removed, "unsubscribed");
    Ok(removed)
}

/// Sends a calculation that somebody waits for, ahead of all others.
pub(super) async fn send_urgent(
    queues: &dyn Queues,
    calculation: &Calculation,
) -> Result<(), StageError> {
    send(queues, Queue::Quotation, calculation).await
}

/// Sends a calculation to one of the two queues for them.
pub(super) async fn send(
    queues: &dyn Queues,
    queue: Queue,
    calculation: &Calculation,
) -> Result<(), StageError> {
    let message = fifo(calculation)?;
    only(queues.send(queue, &[message]).await?)
}

/// A calculation as either of its queues takes it.
pub(super) fn fifo(calculation: &Calculation) -> Result<Outgoing, StageError> {
    Ok(Outgoing {
        body: write_body(calculation)?,
        posting: Posting::Fifo {
            group: calculation.group(),
            deduplication: calculation.deduplication(),
        },
    })
}
