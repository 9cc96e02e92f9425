//! `ocache status`: shows what the cache is doing.
//!
//! Customers and tables are counted page by page, and only the shown ones are kept, because there may be
//! more than fit in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use indicatif::HumanBytes;
use serde::Serialize;

use super::args::StatusArgs;
use super::engine::Engine;
use super::failure::Result;
use super::output::{Output, name, number, table};
use super::settings::Settings;
use crate::model::{Timestamp, plural, show_duration};
use crate::ports::{Depth, Ports, ProcessRecord, Queue, Upkeep, living_processes, pages};
use crate::runtime::gateway::probe;

mod users;
mod watch;

use users::{ShownUsers, shown_users, stream_users};

/// The status without the active customers.
#[derive(Serialize)]
struct Overview {
    engine: String,
    catalogue: Option<CatalogueStatus>,
    gateways: Vec<String>,
    processes: Vec<ProcessStatus>,
    tables: TablesStatus,
    queues: BTreeMap<&'static str, QueueStatus>,
    /// The housekeeping of the store; `None` if the engine has none.
    housekeeping: Option<HousekeepingStatus>,
    #[serde(skip)]
    now: Timestamp,
}

/// A process of the stack, on any machine.
#[derive(Serialize)]
struct ProcessStatus {
    roles: Vec<&'static str>,
    machine: String,
    version: String,
    started_at: String,
    /// When it last announced that it is alive.
    seen_at: String,
    /// Its last tick; `None` if it runs no schedule, or no tick is done yet.
    last_tick: Option<TickStatus>,
}

#[derive(Serialize)]
struct TickStatus {
    at: String,
    age_secs: f64,
    active_users: u64,
}

#[derive(Serialize)]
struct HousekeepingStatus {
    file_bytes: u64,
    log_bytes: u64,
    backlog: Vec<BacklogStatus>,
}

/// Records of one kind that have expired and are still stored.
#[derive(Serialize)]
struct BacklogStatus {
    kind: &'static str,
    records: u64,
    late_secs: f64,
}

#[derive(Serialize)]
struct CatalogueStatus {
    version: u64,
    currency: String,
    folding: bool,
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

pub(super) async fn run(settings: &Settings, output: &Output, args: &StatusArgs) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let shown = match args.watch {
        None => print(output, &ports, &engine).await,
        Some(interval) => watch::run(output, &ports, &engine, interval).await,
    };
    engine.close().await;
    shown
}

async fn print(output: &Output, ports: &Ports, engine: &Engine) -> Result<()> {
    let overview = overview(output, ports, engine).await?;
    if output.is_json() {
        return stream_users(output, ports, &overview).await;
    }
    let users = shown_users(output, ports, overview.now).await?;
    output.data(&(), |()| show(&overview, &users, usize::MAX))
}

/// Reads the status without the customers.
async fn overview(output: &Output, ports: &Ports, engine: &Engine) -> Result<Overview> {
    let now = ports.clock.now();
    let tables = tables(output, ports, now).await?;
    let mut queues = BTreeMap::new();
    for queue in Queue::ALL {
        queues.insert(queue.name(), QueueStatus::from(ports.queues.depth(queue).await?));
    }
    let upkeep = match engine.housekeeping() {
        Some(housekeeping) => Some(housekeeping.upkeep().await?.into()),
        None => None,
    };
    let head = ports.store.catalogue_head().await?;
    let processes = living_processes(&*ports.presence, &*ports.clock).await?;
    Ok(Overview {
        engine: engine.label.clone(),
        catalogue: head.map(|head| CatalogueStatus {
            version: head.version,
            currency: head.currency.to_string(),
            folding: head.unfolded.is_some(),
        }),
        gateways: gateways(engine).await,
        processes: processes.iter().map(|process| ProcessStatus::new(process, now)).collect(),
        tables,
        queues,
        housekeeping: upkeep,
        now,
    })
}

/// Returns the gateways that answer. A gateway that was killed leaves its entry behind.
async fn gateways(engine: &Engine) -> Vec<String> {
    let probes = engine.registry.records().into_iter().map(|record| async move {
        let answered = probe(&record).await.is_ok();
        answered.then_some(record.websocket)
    });
    join_all(probes).await.into_iter().flatten().collect()
}

/// Counts all tables.
async fn tables(output: &Output, ports: &Ports, now: Timestamp) -> Result<TablesStatus> {
    let mut progress = output.count("tables", None);
    let mut tables = TablesStatus::default();
    let mut pages = pages(|from| ports.store.list_table_heads(from));
    while let Some(page) = pages.next().await? {
        for (_, head) in &page {
            tables.stored += 1;
            tables.fresh += u64::from(head.is_fresh(now));
            tables.usable += u64::from(head.is_usable(now));
        }
        progress.add(page.len() as u64);
    }
    Ok(tables)
}

impl ProcessStatus {
    fn new(process: &ProcessRecord, now: Timestamp) -> Self {
        let tick = process.tick.map(|tick| TickStatus {
            at: tick.at.to_string(),
            age_secs: now.since(tick.at).as_secs_f64(),
            active_users: tick.active_users,
        });
        Self {
            roles: process.roles.iter().map(|role| role.name()).collect(),
            machine: process.machine.clone(),
            version: process.version.clone(),
            started_at: process.started_at.to_string(),
            seen_at: process.seen_at.to_string(),
            last_tick: tick,
        }
    }

    /// Returns a line for people.
    fn in_words(&self) -> String {
        let Self { roles, machine, version, last_tick, .. } = self;
        let mut line = format!("process {} on {machine}, {version}", roles.join(", "));
        if let Some(TickStatus { age_secs, .. }) = last_tick {
            let age = show_duration(Duration::from_secs_f64(age_secs.round()));
            line.push_str(&format!(", last tick {age} ago"));
        }
        line
    }
}

impl From<Upkeep> for HousekeepingStatus {
    fn from(upkeep: Upkeep) -> Self {
        let Upkeep { backlog, file_bytes, log_bytes } = upkeep;
        let backlog = backlog.into_iter().map(|one| BacklogStatus {
            kind: one.kind,
            records: one.records,
            late_secs: one.late.as_secs_f64(),
        });
        Self { file_bytes, log_bytes, backlog: backlog.collect() }
    }
}

impl From<Depth> for QueueStatus {
    fn from(depth: Depth) -> Self {
        let Depth { waiting, in_flight, delayed, dead } = depth;
        Self { waiting, in_flight, delayed, dead_letters: dead }
    }
}

/// Returns the status for people, with at most this many customers.
fn show(overview: &Overview, users: &ShownUsers, at_most: usize) -> String {
    let catalogue = match &overview.catalogue {
        None => "no products are loaded".to_owned(),
        Some(catalogue) => {
            let folding = if catalogue.folding { ", being folded into the rows" } else { "" };
            format!("catalogue version {} in {}{folding}", catalogue.version, catalogue.currency)
        }
    };
    let gateways = match overview.gateways.as_slice() {
        [] => "no gateway runs on this machine".to_owned(),
        gateways => format!("gateway {}", gateways.join(", ")),
    };
    let processes = match overview.processes.as_slice() {
        [] => "no process works on this stack".to_owned(),
        some => some.iter().map(ProcessStatus::in_words).collect::<Vec<_>>().join("\n"),
    };
    let TablesStatus { stored, fresh, usable } = &overview.tables;
    let word = plural(*stored, "table", "tables");
    let tables = format!("{stored} price {word}: {usable} usable, {fresh} of them fresh");
    let housekeeping = overview.housekeeping.as_ref().map_or_else(String::new, housekeeping);
    let users = users.show(overview.now, at_most);
    format!(
        "{catalogue}\n{gateways}\n{processes}\n{tables}{housekeeping}\n\n{users}\n\n{}",
        queues(overview)
    )
}

/// Returns a line about the store's files and the records to be deleted, for people.
fn housekeeping(status: &HousekeepingStatus) -> String {
    let HousekeepingStatus { file_bytes, log_bytes, backlog } = status;
    let records: u64 = backlog.iter().map(|one| one.records).sum();
    let late = backlog.iter().map(|one| one.late_secs).fold(0.0, f64::max);
    let late = match records {
        0 => String::new(),
        _ => {
            let late = show_duration(Duration::from_secs_f64(late));
            format!("; expired records to delete: {records}, the oldest for {late}")
        }
    };
    let (file, log) = (HumanBytes(*file_bytes), HumanBytes(*log_bytes));
    format!("\nstore {file}, its log {log}{late}")
}

fn queues(overview: &Overview) -> String {
    let mut table = table(["queue", "waiting", "in flight", "delayed", "dead letters"]);
    for (queue, depth) in &overview.queues {
        let QueueStatus { waiting, in_flight, delayed, dead_letters } = depth;
        let figures = [waiting, in_flight, delayed, dead_letters].map(number);
        table.add_row(std::iter::once(name(*queue)).chain(figures));
    }
    table.to_string()
}
