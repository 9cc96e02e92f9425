//! `ocache subscribe` and `ocache unsubscribe`.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::args::{SubscribeArgs, UnsubscribeArgs};
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::known::nearest_user;
use super::output::{Output, name, table};
use super::settings::Settings;
use super::stack_settings::{Given, understood};
use crate::model::{Timestamp, show_duration};
use crate::ports::{ActiveUser, SettingsStore};
use crate::stages::Setting;
use crate::stages::subscribe::{self, Visit};

/// The most customers that are subscribed concurrently.
const AT_ONCE: usize = 50;

pub(super) async fn subscribe(
    settings: &Settings,
    output: &Output,
    args: SubscribeArgs,
) -> Result<(), Failure> {
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
        let mut table = table(["customer", "was", "active for"]);
        for (user, subscribed) in &done {
            let visit = visit_name(subscribed.visit);
            table.add_row([name(user.as_str()), visit.into(), show_duration(ttl).into()]);
        }
        table.to_string()
    })
}

/// Returns how long the customers stay active: as the flag says, which applies to this visit only, else
/// as the stack says.
async fn ttl(
    settings: &Settings,
    output: &Output,
    store: &dyn SettingsStore,
) -> Result<Duration, Failure> {
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
) -> Result<(), Failure> {
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let mut done = Vec::with_capacity(args.users.len());
    for user in &args.users {
        let now = ports.clock.now();
        let removed = subscribe::unsubscribe(&*ports.store, None, user).await?;
        done.push((user, Was::of(removed.as_ref(), now)));
    }
    let not_active = done.iter().find(|(_, was)| *was != Was::Active).copied();
    let near = match not_active {
        Some((user, Was::NotStored)) => nearest_user(&engine, user).await,
        _ => None,
    };
    engine.close().await;
    let rows: Vec<_> = done
        .iter()
        .map(|(user, was)| json!({ "user": user.as_str(), "removed": *was == Was::Active }))
        .collect();
    output.data(&rows, |_| {
        let mut table = table(["customer", "was"]);
        for (user, was) in &done {
            table.add_row([name(user.as_str()), was.word().into()]);
        }
        table.to_string()
    })?;
    let message = match not_active {
        None | Some((_, Was::Active)) => return Ok(()),
        Some((user, Was::Expired)) => format!("customer `{user}` had already expired"),
        Some((user, Was::NotStored)) => format!("customer `{user}` was not active"),
    };
    let failure = Failure::new(ExitCode::NotFound, message);
    Err(failure.suggest(near, "`ocache status` lists the active customers"))
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

    const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::NotStored => "not active",
        }
    }
}
