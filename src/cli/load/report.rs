//! Reports what a load did, for people and programs.

use serde_json::{Value, json};

use crate::cli::failure::Result;
use crate::cli::output::{Output, PrintedTable, number, table};
use crate::data::{
    Dataset, KindCounts, LoadReport, LocalTime, LostRows, Mentions, Occurs, RowCounts, counts_json,
    mentions_json, several_lines_json,
};
use crate::model::plural;

/// The most instants that are shown to people.
const SHOWN_TIMES: usize = 10;

pub(super) fn print(
    output: &Output,
    dataset: &Dataset,
    report: &LoadReport,
    ordered: usize,
) -> Result<()> {
    let mut summary =
        summary(dataset, &report.counts, &report.mentions, &report.lost, &report.unreadable);
    summary["catalogue_version"] = report.version.into();
    summary["tables_ordered"] = ordered.into();
    summary["unfolded"] = report.unfolded.clone().into();
    output.data(&summary, |_| counts_table(&report.counts).to_string())?;
    if !report.counts.wrote() {
        output.note("nothing changed: the store has all of this already");
    }
    if ordered > 0 {
        let tables = plural(ordered, "table", "tables");
        output.note(&format!("{ordered} {tables} of active customers ordered again"));
    }
    if let Some(why) = &report.unfolded {
        output.note(&format!("note: in force, and not yet folded into the rows: {why}"));
    }
    say_lost(output, &report.lost, "removed");
    for why in &report.unreadable {
        output.note(&format!("note: replaced what could not be read: {why}"));
    }
    say_mentions(output, dataset, &report.mentions);
    Ok(())
}

/// Returns the summary of a load or a dry run.
pub(super) fn summary(
    dataset: &Dataset,
    counts: &KindCounts,
    mentions: &Mentions,
    lost: &LostRows,
    unreadable: &[String],
) -> Value {
    let files: Vec<_> = dataset
        .files
        .iter()
        .map(|file| {
            json!({
                "path": file.path.display().to_string(),
                "products": file.products,
                "users": file.users,
                "customers": file.customers,
                "price_lists": file.price_lists,
                "prices": file.prices,
            })
        })
        .collect();
    let local_times: Vec<_> = dataset
        .local_times
        .iter()
        .map(|time| {
            json!({
                "price_list": time.list, "field": time.field, "given": time.given,
                "time_zone": time.time_zone, "instant": time.instant.to_string(),
            })
        })
        .collect();
    let mut summary = json!({
        "files": files,
        "local_times": local_times,
        "own_rows_removed": lost.rows,
        "own_lists_shortened": lost.users,
        "nearest_products": mentions.nearest_products,
        "rows_of_several_lines": several_lines_json(&dataset.notices),
        "unreadable": unreadable,
        "catalogue_version": null,
        "tables_ordered": 0,
        "unfolded": null,
        "effect": null,
    });
    for members in [counts_json(counts), mentions_json(mentions)] {
        summary.as_object_mut().into_iter().for_each(|summary| summary.extend(members.clone()));
    }
    summary
}

/// Returns a table with a line for each kind. Price lists and what belongs to them appear only if there
/// are any.
pub(super) fn counts_table(counts: &KindCounts) -> PrintedTable {
    const ALWAYS: usize = 2;
    let mut table = table(["", "added", "changed", "unchanged", "removed"]);
    for (place, (name, counts)) in counts.by_name().into_iter().enumerate() {
        if place < ALWAYS || *counts != RowCounts::default() {
            let RowCounts { added, changed, unchanged, removed } = counts;
            let figures = [added, changed, unchanged, removed].map(number);
            table.add_row(std::iter::once(name.into()).chain(figures));
        }
    }
    table
}

/// Prints what may be unintended, and how local times were converted to instants.
pub(super) fn say_mentions(output: &Output, dataset: &Dataset, mentions: &Mentions) {
    for time in dataset.local_times.iter().take(SHOWN_TIMES) {
        output.note(&local_time(time));
    }
    if let Some(more @ 1..) = dataset.local_times.len().checked_sub(SHOWN_TIMES) {
        output.note(&format!("and {more} more of such times; --output json shows all"));
    }
    for notice in &dataset.notices {
        output.note(&format!("note: {notice}"));
    }
    if let Some(first) = mentions.unknown_products.first() {
        let count = mentions.unknown_products.len();
        let what = plural(count, "product that does", "products that do");
        let near = mentions.nearest_products.get(first);
        let near = near.map(|near| format!(", nearest `{near}`")).unwrap_or_default();
        output.note(&format!(
            "note: discounts and prices for {count} {what} not exist are kept, such as `{first}`{near}"
        ));
    }
    let Mentions { unknown_customers, given_to_nobody, under_floor, dearer_than_list, .. } =
        mentions;
    for (mention, one, many) in [
        (unknown_customers, "customer is not known", "customers are not known"),
        (given_to_nobody, "price list has no customers", "price lists have no customers"),
        (under_floor, "stated price is under its floor", "stated prices are under their floor"),
        (
            dearer_than_list,
            "own price is above the list price",
            "own prices are above the list price",
        ),
    ] {
        if mention.count > 0 {
            let what = plural(mention.count, one, many);
            let first = mention.first.join("; ");
            let and_more = if mention.count > mention.first.len() as u64 { "; …" } else { "" };
            output.note(&format!("note: {} {what}: {first}{and_more}", mention.count));
        }
    }
}

/// Prints what customers' own lists lose because the files replace them.
pub(super) fn say_lost(output: &Output, lost: &LostRows, verb: &str) {
    let LostRows { rows, users } = lost;
    let Some(first) = users.first.first() else { return };
    let discounts = plural(*rows, "discount", "discounts");
    let whose = match users.count {
        1 => format!("the list of customer `{first}`, which the files replace"),
        count => {
            format!("the lists of {count} customers, which the files replace, such as `{first}`")
        }
    };
    output.note(&format!("note: {rows} {discounts} {verb} from {whose}; --merge keeps them"));
}

fn local_time(time: &LocalTime) -> String {
    let LocalTime { list, field, given, time_zone, instant, occurs } = time;
    let verb = if *field == "from" { "begins" } else { "ends" };
    let (shown, remark) = match occurs {
        Occurs::Once => (given, String::new()),
        Occurs::Never { local, instead } => (instead, format!(" ({local} does not exist there)")),
        Occurs::Twice { local } => {
            (given, format!(" ({local} comes twice there; the first is meant)"))
        }
    };
    format!("price list `{list}` {verb} at {instant}, which is {shown} in {time_zone}{remark}")
}
