//! `ocache subscribe` and `ocache unsubscribe`.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::args::{SubscribeArgs, UnsubscribeArgs};
use super::engine::Engine;
use super::failure::{ExitCode, Failure, Result};
use super::known::nearest_user;
use super::output::{Output, name, table};
use super::settings::Settings;
use super::stack_settings::{Given, understood};
use crate::model::{Timestamp, UserId, plural, show_duration};
use crate::ports::{ActiveUser, SettingsStore};
use crate::stages::Setting;
use crate::stages::subscribe::{self, Visit};

/// The most customers that are subscribed concurrently.
const AT_ONCE: usize = 50;
/// The most customers whose names an error has.
const NAMED: usize = 10;

pub(super) async fn subscribe(
    settings: &Settings,
    output: &Output,
    args: SubscribeArgs,
) -> Result<()> {
    let engine = Engine::open(settings, output).await?;
    let ports = engine.ports(None);
    let ttl = ttl(settings, output, &*ports.store).await?;
    let visits = stream::iter(&args.users).map(async |user| {
        let (store, queues, now) = (&*ports.store, &*ports.queues, ports.clock.now());
        let subscribed = subscribe::subscribe(store, queues, user, ttl, now).await?;
        Ok::<_, Failure>((user, subscribed))
    });
    let done: Vec<_> = visits.buffered(AT_ONCE).try_collect().await?;
    engine.close().await;
    let rows: Vec<_> = done
        .iter()
        .map(|(user, subscribed)| {
            let expires_at = subscribed.expires_at.to_string();
            let visit = visit_name(subscribed.visit);
            json!({ "user": user.as_str(), "visit": visit, "expires_at": expires_at })
        })
        .collect();
    output.data(&rows, |_| {
        let rows = done.iter().map(|(user, subscribed)| {
            let visit = visit_name(subscribed.visit);
            [name(user.as_str()), visit.into(), show_duration(ttl).into()]
        });
        table(["customer", "was", "active for"]).with(rows).to_string()
    })
}

/// Returns how long the customers stay active: as the flag says, which applies to this visit only, else
/// as the stack says.
async fn ttl(settings: &Settings, output: &Output, store: &dyn SettingsStore) -> Result<Duration> {
    let mut given = Given::read(settings)?;
    let of_visit = given.take_flag(Setting::Ttl);
    let mut stack = understood(&store.settings().await?)?;
    given.warn(output, &stack);
    if let Some(ttl) = of_visit {
        // The value was checked when it was parsed.
        stack.set(Setting::Ttl, &ttl).map_err(|error| Failure::new(ExitCode::Usage, error))?;
    }
    Ok(stack.policy.ttl)
}

const fn visit_name(visit: Visit) -> &'static str {
    match visit {
        Visit::New => "new",
        Visit::Returned => "expired",
        Visit::Known => "active",
    }
}

pub(super) async fn unsubscribe(
    settings: &Settings,
    output: &Output,
    args: UnsubscribeArgs,
) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    // A customer who is named twice would not be active the second time.
    let mut met = BTreeSet::new();
    let users: Vec<&UserId> = args.users.iter().filter(|user| met.insert(*user)).collect();
    let mut done = Vec::with_capacity(users.len());
    for user in users {
        let now = ports.clock.now();
        let removed = subscribe::unsubscribe(&*ports.store, None, user).await?;
        done.push((user, Was::of(removed.as_ref(), now)));
    }
    let who = |wanted: Was| {
        let of_kind = done.iter().filter(move |(_, was)| *was == wanted);
        of_kind.map(|(user, _)| *user).collect::<Vec<_>>()
    };
    let (expired, not_stored) = (who(Was::Expired), who(Was::NotStored));
    let near = match not_stored.as_slice() {
        [user] => nearest_user(&engine, user).await,
        _ => None,
    };
    engine.close().await;
    let rows: Vec<_> = done
        .iter()
        .map(|(user, was)| {
            let removed = *was == Was::Active;
            json!({ "user": user.as_str(), "removed": removed, "was": was.code() })
        })
        .collect();
    output.data(&rows, |_| {
        let rows = done.iter().map(|(user, was)| [name(user.as_str()), was.word().into()]);
        table(["customer", "was"]).with(rows).to_string()
    })?;
    let mut why = vec![];
    if !expired.is_empty() {
        why.push(format!("{} had already expired", named(&expired)));
    }
    if !not_stored.is_empty() {
        let were = plural(not_stored.len(), "was", "were");
        why.push(format!("{} {were} not active", named(&not_stored)));
    }
    if why.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(ExitCode::NotFound, why.join("; "));
    Err(failure.suggest(near, "`ocache status` lists the active customers"))
}

/// Names customers in a message. The output names all of them.
fn named(users: &[&UserId]) -> String {
    let names: Vec<_> = users.iter().take(NAMED).map(|user| format!("`{user}`")).collect();
    let customers = plural(users.len(), "customer", "customers");
    match users.len().saturating_sub(NAMED) {
        0 => format!("{customers} {}", names.join(", ")),
        more => format!("{customers} {} and {more} more", names.join(", ")),
    }
}

/// What a customer was who is unsubscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    Active,
    /// The row stays stored for some time after it has expired. So whether it is still there says nothing
    /// about the customer.
    Expired,
    NotStored,
}

impl Was {
    fn of(row: Option<&ActiveUser>, now: Timestamp) -> Self {
        match row {
            Some(row) if row.is_active(now) => Self::Active,
            Some(_) => Self::Expired,
            None => Self::NotStored,
        }
    }

    /// Returns the word for programs.
    const fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::NotStored => "not_active",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::NotStored => "not active",
        }
    }
}
