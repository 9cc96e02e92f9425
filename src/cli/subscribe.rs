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
use crate::model::show_duration;
use crate::ports::SettingsStore;
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
        done.push((user, subscribe::unsubscribe(&*ports.store, None, user).await?));
    }
    let unknown = done.iter().find(|(_, removed)| !removed).map(|(user, _)| *user);
    let near = match unknown {
        Some(user) => nearest_user(&engine, user).await,
        None => None,
    };
    engine.close().await;
    let rows: Vec<_> = done
        .iter()
        .map(|(user, removed)| json!({ "user": user.as_str(), "removed": removed }))
        .collect();
    output.data(&rows, |_| {
        let mut table = table(["customer", "was"]);
        for (user, removed) in &done {
            let was = if *removed { "active" } else { "not active" };
            table.add_row([name(user.as_str()), was.into()]);
        }
        table.to_string()
    })?;
    match unknown {
        None => Ok(()),
        Some(user) => {
            let message = format!("customer `{user}` was not active");
            let failure = Failure::new(ExitCode::NotFound, message);
            Err(failure.suggest(near, "`ocache status` lists the active customers"))
        }
    }
}
