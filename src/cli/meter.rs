//! `ocache meter`: shows what the processes of a stack have used.

use std::collections::BTreeSet;

use serde::Serialize;

use super::args::MeterArgs;
use super::engine::Engine;
use super::failure::Result;
use super::output::{Output, number, table};
use super::settings::Settings;
use crate::meter::rules::UNIT;
use crate::meter::{Readings, Reason, Stage, Unit, Usage, Used};
use crate::model::{plural, show_duration};

#[derive(Serialize)]
struct MeterReport {
    engine: String,
    /// The start of the first window that was added up.
    from: String,
    to: String,
    processes: usize,
    usage: Usage,
    #[serde(skip)]
    over: String,
}

pub(super) async fn run(settings: &Settings, output: &Output, args: &MeterArgs) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let (readings, label) =
        (Readings::read(&engine.ports(None), args.over).await, engine.label.clone());
    engine.close().await;
    let Readings { from, to, processes, usage, .. } = readings?;
    let reading = MeterReport {
        engine: label,
        from: from.to_string(),
        to: to.to_string(),
        processes,
        usage,
        over: show_duration(args.over),
    };
    output.data(&reading, show)
}

fn show(reading: &MeterReport) -> String {
    if reading.usage.is_nothing() {
        return format!("nothing was used within {}", reading.over);
    }
    let rows: BTreeSet<_> = reading.usage.lines().map(|line| (line.stage, line.reason)).collect();
    let mut table = table([
        "stage",
        "reason",
        "calls",
        "read units",
        "write units",
        "requests",
        "messages",
        "GB-seconds",
    ]);
    for (stage, reason) in rows {
        let is_meant = |line_stage, line_reason| line_stage == stage && line_reason == reason;
        let figures = figures(&reading.usage, is_meant).map(number);
        let account = [stage.name(), reason.name()].map(Into::into);
        table.add_row(account.into_iter().chain(figures));
    }
    let all = figures(&reading.usage, |_, _| true).map(number);
    table.add_row(["all", ""].map(Into::into).into_iter().chain(all));
    let total = reading.usage.total(|line| matches!(line.unit, Unit::ReadUnit | Unit::WriteUnit));
    let MeterReport { processes, from, .. } = reading;
    let process = plural(*processes, "process", "processes");
    format!("{table}\n\n{processes} {process} since {from}; {}", how_known(&total))
}

/// Returns the cells of a row.
fn figures(usage: &Usage, is_meant: impl Fn(Stage, Reason) -> bool) -> [String; 6] {
    let used = |unit: Option<Unit>| {
        usage.total(|line| {
            is_meant(line.stage, line.reason) && unit.is_none_or(|unit| line.unit == unit)
        })
    };
    let units = |unit| shown(used(Some(unit)).milliunits());
    [
        used(None).calls.to_string(),
        units(Unit::ReadUnit),
        units(Unit::WriteUnit),
        units(Unit::Request),
        units(Unit::Message),
        // GB-milliseconds in thousandths, so divide once more to get GB-seconds.
        shown(used(Some(Unit::GbMillisecond)).milliunits() / UNIT),
    ]
}

/// Formats thousandths for people: `12`, `0.5`, `0.125`.
fn shown(milliunits: u64) -> String {
    let (whole, rest) = (milliunits / UNIT, milliunits % UNIT);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:03}").trim_end_matches('0').to_owned()
}

/// Says whether DynamoDB reported its units. No other service reports any.
fn how_known(units: &Used) -> &'static str {
    match (units.measured_milliunits, units.derived_milliunits) {
        (_, 0) => "read and write units measured, the rest derived from AWS's rules",
        (0, _) => "all units derived from AWS's rules",
        _ => "read and write units partly measured, the rest derived from AWS's rules",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_are_shown_without_needless_zeros() {
        assert_eq!([0, 500, 1000, 1250, 12_005].map(shown), ["0", "0.5", "1", "1.25", "12.005"]);
    }
}
