//! `ocache status`: what the cache is doing.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::MissedTickBehavior;

use super::args::StatusArgs;
use super::duration::show_duration;
use super::engine::Engine;
use super::failure::Failure;
use super::interrupt::interrupted;
use super::output::{Output, number, table};
use super::settings::Settings;
use crate::model::{Timestamp, UserId};
use crate::ports::{ActiveUser, Depth, Ports, Queue, Segment, TableHead};
use crate::runtime::gateway::probe;

/// A table for people names so many users; JSON names them all.
const SHOWN_USERS: usize = 50;

#[derive(Serialize)]
struct Status {
    engine: String,
    catalogue: Option<CatalogueStatus>,
    gateways: Vec<String>,
    active_users: Vec<UserStatus>,
    tables: TablesStatus,
    queues: BTreeMap<&'static str, QueueStatus>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Serialize)]
struct CatalogueStatus {
    version: u64,
    currency: String,
    folding: bool,
}

#[derive(Serialize)]
struct UserStatus {
    user: String,
    expires_at: String,
    expires_in_secs: u64,
    table: Option<TableStatus>,
}

#[derive(Serialize)]
struct TableStatus {
    products: u64,
    catalogue_version: u64,
    head_version: u64,
    priced_at: String,
    validated_at: String,
    age_secs: u64,
    fresh: bool,
    usable: bool,
}

#[derive(Default, Serialize)]
struct TablesStatus {
    stored: u64,
    fresh: u64,
    usable: u64,
}

#[derive(Serialize)]
struct QueueStatus {
    waiting: u64,
    in_flight: u64,
    delayed: u64,
    dead_letters: u64,
}

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: &StatusArgs,
) -> Result<(), Failure> {
    let engine = Engine::open(settings, output).await?;
    let ports = engine.ports(None);
    let shown = match args.watch {
        None => print(output, &ports, &engine).await,
        Some(interval) => watch(output, &ports, &engine, interval).await,
    };
    engine.close().await;
    shown
}

async fn print(output: &Output, ports: &Ports, engine: &Engine) -> Result<(), Failure> {
    output.data(&collect(ports, engine).await?, show)
}

/// Prints it at every interval. It has shown what it was asked for, so Ctrl-C is no failure.
async fn watch(
    output: &Output,
    ports: &Ports,
    engine: &Engine,
    interval: Duration,
) -> Result<(), Failure> {
    let printing = async {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let status = collect(ports, engine).await?;
            output.begin_anew()?;
            output.data(&status, show)?;
        }
    };
    tokio::select! {
        failed = printing => failed,
        () = interrupted() => Ok(()),
    }
}

async fn collect(ports: &Ports, engine: &Engine) -> Result<Status, Failure> {
    let now = ports.clock.now();
    let (tables, mut heads) = tables(ports, now).await?;
    let mut active_users: Vec<UserStatus> = active_users(ports, now)
        .await?
        .into_iter()
        .map(|active| UserStatus {
            expires_at: active.expires_at.to_string(),
            expires_in_secs: active.expires_at.since(now).as_secs(),
            table: heads.remove(&active.user).map(|head| TableStatus::new(&head, now)),
            user: active.user.into(),
        })
        .collect();
    active_users.sort_by(|a, b| a.user.cmp(&b.user));
    let mut queues = BTreeMap::new();
    for queue in Queue::ALL {
        queues.insert(queue.name(), QueueStatus::from(ports.queues.depth(queue).await?));
    }
    let head = ports.store.catalogue_head().await?;
    Ok(Status {
        engine: engine.label.clone(),
        catalogue: head.map(|head| CatalogueStatus {
            version: head.version,
            currency: head.currency.to_string(),
            folding: head.unfolded.is_some(),
        }),
        gateways: gateways(engine).await,
        active_users,
        tables,
        queues,
        now,
    })
}

/// Those that answer: one that was killed has left its entry behind.
async fn gateways(engine: &Engine) -> Vec<String> {
    let probes = engine.registry.records().into_iter().map(|record| async move {
        let answered = probe(&record).await.is_ok();
        answered.then_some(record.websocket)
    });
    join_all(probes).await.into_iter().flatten().collect()
}

async fn active_users(ports: &Ports, now: Timestamp) -> Result<Vec<ActiveUser>, Failure> {
    let mut users = Vec::new();
    let mut from = None;
    loop {
        let page = ports.store.list_active_users(Segment::ALL, now, from).await?;
        users.extend(page.items.into_iter().filter(|user| user.is_active(now)));
        from = page.next;
        if from.is_none() {
            return Ok(users);
        }
    }
}

async fn tables(
    ports: &Ports,
    now: Timestamp,
) -> Result<(TablesStatus, HashMap<UserId, TableHead>), Failure> {
    let mut tables = TablesStatus::default();
    let mut heads = HashMap::new();
    let mut from = None;
    loop {
        let page = ports.store.list_table_heads(from).await?;
        for (user, head) in page.items {
            tables.stored += 1;
            tables.fresh += u64::from(head.is_fresh(now));
            tables.usable += u64::from(head.is_usable(now));
            heads.insert(user, head);
        }
        from = page.next;
        if from.is_none() {
            return Ok((tables, heads));
        }
    }
}

impl TableStatus {
    fn new(head: &TableHead, now: Timestamp) -> Self {
        Self {
            products: head.products,
            catalogue_version: head.catalogue_version,
            head_version: head.version,
            priced_at: head.priced_at.to_string(),
            validated_at: head.validated_at.to_string(),
            age_secs: now.since(head.validated_at).as_secs(),
            fresh: head.is_fresh(now),
            usable: head.is_usable(now),
        }
    }
}

impl From<Depth> for QueueStatus {
    fn from(depth: Depth) -> Self {
        let Depth { waiting, in_flight, delayed, dead } = depth;
        Self { waiting, in_flight, delayed, dead_letters: dead }
    }
}

fn show(status: &Status) -> String {
    let catalogue = match &status.catalogue {
        None => "no products are loaded".to_owned(),
        Some(catalogue) => {
            let folding = if catalogue.folding { ", being folded into the rows" } else { "" };
            format!("catalogue version {} in {}{folding}", catalogue.version, catalogue.currency)
        }
    };
    let gateways = match status.gateways.as_slice() {
        [] => "no gateway runs on this machine".to_owned(),
        gateways => format!("gateway {}", gateways.join(", ")),
    };
    let TablesStatus { stored, fresh, usable } = &status.tables;
    let plural = if *stored == 1 { "" } else { "s" };
    let tables = format!("{stored} price table{plural}: {usable} usable, {fresh} of them fresh");
    format!("{catalogue}\n{gateways}\n{tables}\n\n{}\n\n{}", users(status), queues(status))
}

fn users(status: &Status) -> String {
    if status.active_users.is_empty() {
        return "no active users".to_owned();
    }
    let mut table = table(["active user", "time left", "products", "validated", "priced"]);
    for user in status.active_users.iter().take(SHOWN_USERS) {
        let left = show_duration(Duration::from_secs(user.expires_in_secs));
        let since = |time: &str| {
            let time: Option<jiff::Timestamp> = time.parse().ok();
            time.map_or_else(String::new, |time| {
                let then = Timestamp::from_millis(time.as_millisecond());
                format!("{} ago", show_duration(status.now.since(then)))
            })
        };
        let [products, validated, priced] = match &user.table {
            Some(table) => {
                [table.products.to_string(), since(&table.validated_at), since(&table.priced_at)]
            }
            None => ["no table".to_owned(), String::new(), String::new()],
        };
        let cells = [left, products, validated, priced].map(number);
        table.add_row(std::iter::once(user.user.clone().into()).chain(cells));
    }
    let more = status.active_users.len().saturating_sub(SHOWN_USERS);
    let more =
        if more > 0 { format!("\nand {more} more (see --output json)") } else { String::new() };
    format!("{table}{more}")
}

fn queues(status: &Status) -> String {
    let mut table = table(["queue", "waiting", "in flight", "delayed", "dead letters"]);
    for (name, depth) in &status.queues {
        let QueueStatus { waiting, in_flight, delayed, dead_letters } = depth;
        let figures = [waiting, in_flight, delayed, dead_letters].map(number);
        table.add_row(std::iter::once((*name).into()).chain(figures));
    }
    table.to_string()
}
