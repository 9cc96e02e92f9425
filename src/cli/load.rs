//! `ocache load`: files into the store.

use std::path::PathBuf;

use serde_json::json;

use super::args::LoadArgs;
use super::engine::{Engine, makes_store};
use super::failure::{ExitCode, Failure};
use super::interrupt::or_interrupted;
use super::output::{Output, Table, number, table};
use super::settings::Settings;
use super::watched_load::Watched;
use crate::data::{self, Counts, Dataset, LoadError, LoadOptions, LoadProgress, LoadReport};
use crate::meter::{Reason, Scope, Stage};
use crate::ports::{Chain, Ports};
use crate::pricing::Currency;
use crate::stages::change;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: LoadArgs,
) -> Result<(), Failure> {
    // Where there is no store yet, bad files make none.
    let read_before = match makes_store(settings) {
        true => {
            let currency = args.currency.unwrap_or(Currency::USD);
            Some((currency, or_interrupted(read(output, &args.paths, currency)).await?))
        }
        false => None,
    };
    let engine = Engine::open(settings, output).await?;
    let ports = engine.ports(None);
    let watched = Watched::default();
    let loaded = or_interrupted(async {
        let head = ports.store.catalogue_head().await?;
        let stored = head.filter(|head| head.version > 0).map(|head| head.currency);
        let currency = args.currency.or(stored).unwrap_or(Currency::USD);
        let dataset = match read_before {
            Some((read_in, dataset)) if read_in == currency => dataset,
            // There was none, or somebody has made it since, in another currency.
            _ => read(output, &args.paths, currency).await?,
        };
        let options = LoadOptions { currency, prune: args.prune };
        let report = write(output, &ports, &dataset, options, &watched).await?;
        let ordered = order_tables(output, &ports, &report).await;
        Ok((dataset, report, ordered))
    })
    .await;
    let loaded = match loaded {
        Err(failure) if failure.code() == ExitCode::Interrupted => {
            Err(watched.interrupted(&*ports.store).await)
        }
        loaded => loaded,
    };
    engine.close().await;
    let (dataset, report, ordered) = loaded?;
    print(output, &dataset, &report, ordered)
}

/// Reads the files, on a thread of its own: they may be large or a pipe, and Ctrl-C shall be heard.
async fn read(output: &Output, paths: &[PathBuf], currency: Currency) -> Result<Dataset, Failure> {
    let bar = output.progress("reading", data::total_bytes(paths)?);
    let (shown, paths) = (bar.clone(), paths.to_owned());
    let reading = move || data::read(&paths, currency, &|bytes| shown.set_position(bytes));
    let dataset = tokio::task::spawn_blocking(reading).await.map_err(Failure::internal)?;
    bar.finish_and_clear();
    Ok(dataset?)
}

/// Loads a data set, with a progress bar.
pub(super) async fn write(
    output: &Output,
    ports: &Ports,
    dataset: &Dataset,
    options: LoadOptions,
    watched: &Watched,
) -> Result<LoadReport, LoadError> {
    let rows = dataset.products.len() + dataset.discounts.len();
    let bar = output.progress("comparing", rows as u64);
    let (store, clock, randomness) = (&*ports.store, &*ports.clock, &*ports.randomness);
    let show = |what, done, all| {
        bar.set_prefix(what);
        bar.set_length(all);
        bar.set_position(done);
    };
    let progress = |progress: LoadProgress<'_>| match progress {
        LoadProgress::Began(load, version) => watched.began(load, version),
        LoadProgress::Compared(done) => {
            watched.comparing();
            show("comparing", done, rows as u64);
        }
        LoadProgress::Written(done, all) => show("writing", done, all),
        LoadProgress::InForce(version) => watched.in_force(version),
        LoadProgress::Folded(done, all) => show("folding", done, all),
    };
    let loading = data::load(store, clock, randomness, dataset, options, &progress);
    let report = Scope::new(Stage::Load, Reason::Load).of(loading).await;
    bar.finish_and_clear();
    report
}

/// Has the tables of active users calculated anew that the load has made outdated. When that
/// fails the load is done all the same, and the schedule finds what changed.
async fn order_tables(output: &Output, ports: &Ports, report: &LoadReport) -> usize {
    let now = ports.clock.now();
    match change::order(&*ports.store, &*ports.queues, &report.change, now).await {
        Ok(done) => done.ordered,
        Err(error) => {
            let why = Chain(&error).to_string();
            output.note(&format!("note: tables change at the next refresh, not at once: {why}"));
            0
        }
    }
}

fn print(
    output: &Output,
    dataset: &Dataset,
    report: &LoadReport,
    ordered: usize,
) -> Result<(), Failure> {
    let unknown: Vec<&str> = report.unknown_products.iter().map(|id| id.as_str()).collect();
    let files: Vec<_> = dataset
        .files
        .iter()
        .map(|file| {
            let path = file.path.display().to_string();
            json!({ "path": path, "products": file.products, "users": file.users })
        })
        .collect();
    let summary = json!({
        "files": files,
        "products": counts(&report.products),
        "users": counts(&report.users),
        "catalogue_version": report.version,
        "tables_ordered": ordered,
        "unknown_products": unknown,
        "unreadable": report.unreadable,
        "unfolded": report.unfolded,
    });
    output.data(&summary, |_| summary_table(report).to_string())?;
    if !report.products.wrote() && !report.users.wrote() {
        output.note("nothing changed: the store has all of this already");
    }
    if ordered > 0 {
        let plural = if ordered == 1 { "table" } else { "tables" };
        output.note(&format!("{ordered} {plural} of active users ordered anew"));
    }
    if let Some(why) = &report.unfolded {
        output.note(&format!("note: in force, and not yet folded into the rows: {why}"));
    }
    for why in &report.unreadable {
        output.note(&format!("note: replaced what could not be read: {why}"));
    }
    for notice in &dataset.notices {
        output.note(&format!("note: {notice}"));
    }
    if let Some(first) = unknown.first() {
        let count = unknown.len();
        let plural = if count == 1 { "product that does" } else { "products that do" };
        output.note(&format!(
            "note: discounts for {count} {plural} not exist are kept, such as `{first}`"
        ));
    }
    Ok(())
}

fn counts(counts: &Counts) -> serde_json::Value {
    let Counts { added, changed, unchanged, removed } = counts;
    json!({ "added": added, "changed": changed, "unchanged": unchanged, "removed": removed })
}

fn summary_table(report: &LoadReport) -> Table {
    let mut table = table(["", "added", "changed", "unchanged", "removed"]);
    for (name, counts) in [("products", &report.products), ("users' discounts", &report.users)] {
        let Counts { added, changed, unchanged, removed } = counts;
        let figures = [added, changed, unchanged, removed].map(number);
        table.add_row(std::iter::once(name.into()).chain(figures));
    }
    table
}
