//! Formats amounts of money.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::output::{number, table};
use super::super::table::TableCell;
use crate::cost::{Bill, BillLine, Choice, CostVerdict, Month, Purpose, WhatIf};
use crate::meter::Stage;
use crate::meter::billing::{Service, Usd};
use crate::model::{plural, show_duration};

/// Formats an amount with as many digits as are useful.
pub(super) fn money(usd: Usd) -> String {
    const CENT: i128 = 10_000_000_000;
    match usd.pico() {
        0 => "0".to_owned(),
        pico if (-CENT / 2..=CENT / 2).contains(&pico) => "<0.01".to_owned(),
        pico if pico.abs() >= 1000 * 100 * CENT => format!("{usd:.0}"),
        _ => format!("{usd:.2}"),
    }
}

/// Formats a count of any size with three or four digits.
pub(super) fn count(number: f64) -> String {
    match number {
        _ if number >= 1e9 => format!("{:.2} G", number / 1e9),
        _ if number >= 1e6 => format!("{:.2} M", number / 1e6),
        _ if number >= 1e4 => format!("{:.1} k", number / 1e3),
        _ if number >= 100.0 || number.fract() == 0.0 => format!("{number:.0}"),
        _ => format!("{number:.2}"),
    }
}

/// Formats a count with its word.
pub(super) fn counted(number: f64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), plural(number, one, many))
}

/// Returns a table with a row for each stage and a column for each service.
pub(super) fn by_stage(bill: &Bill, scale: impl Fn(Usd) -> Usd) -> String {
    let services = Service::ALL.map(Service::name);
    let mut rows = table(["US$ a month"].into_iter().chain(services).chain(["all"]));
    let stages = Stage::ALL.into_iter().map(Some).chain([None]);
    for stage in stages {
        let of_stage = |line: &BillLine| line.stage == stage;
        if !bill.lines.iter().any(of_stage) {
            continue;
        }
        let name = stage.map_or("stored, connected", Stage::name);
        rows.add_row(row(name, bill, &scale, of_stage));
    }
    rows.add_row(row("all", bill, &scale, |_| true));
    rows.to_string()
}

fn row(
    name: &str,
    bill: &Bill,
    scale: &impl Fn(Usd) -> Usd,
    is_meant: impl Fn(&BillLine) -> bool,
) -> Vec<TableCell> {
    let of = |service: Option<Service>| {
        let meant = |line: &BillLine| {
            is_meant(line) && service.is_none_or(|service| line.line.service() == service)
        };
        number(money(scale(bill.sum(meant))))
    };
    let services = Service::ALL.into_iter().map(Some).chain([None]).map(of);
    std::iter::once(name.into()).chain(services).collect()
}

/// Returns a table of the purposes for which money is spent.
pub(super) fn by_purpose(month: &Month) -> String {
    let all = month.bill.total();
    let rows = Purpose::ALL.map(|purpose| {
        let usd = month.spent(purpose);
        let share = usd.pico() as f64 / all.pico().max(1) as f64 * 100.0;
        let name = match purpose {
            Purpose::KeepWarm => "preparing tables",
            Purpose::Quotes => "answering quotes",
            Purpose::Cold => "tables that were not ready",
            Purpose::Idle => "ticks, polls, meters, open websockets",
            Purpose::Storage => "storage",
        };
        [name.into(), number(money(usd)), number(format!("{share:.0} %"))]
    });
    table(["goes into", "US$ a month", "share"]).with(rows).to_string()
}

pub(super) fn show_what_if(tried: &[WhatIf], every: Duration) -> String {
    let rows = tried.iter().map(|one| {
        let name = match one.every == every {
            true => format!("a TTL of {}", show_duration(one.ttl)),
            false => format!("an interval of {}", show_duration(one.every)),
        };
        let cold = format!("{:.1} %", one.cold_share * 100.0);
        [name.into(), number(money(one.usd)), number(money(one.saves)), number(cold)]
    });
    table(["what if", "US$ a month", "saves", "cold quotes"]).with(rows).to_string()
}

pub(super) fn show_verdict(verdict: &CostVerdict) -> String {
    let even = match verdict.break_even {
        few if few < 20.0 => format!("{few:.1}"),
        many => count(many.round()),
    };
    let choice = match verdict.choice {
        Choice::Precompute => "prepare tables".to_owned(),
        Choice::PrecomputeAbove => {
            format!("prepare tables only for customers quoted more than {even} times an hour")
        }
        Choice::OnRead => "prepare no tables, calculate on read".to_owned(),
    };
    let rows = [
        ("prepare tables for every active customer".to_owned(), verdict.precompute),
        (format!("only for customers quoted more than {even} times an hour"), verdict.above),
        ("calculate on read: every quote waits".to_owned(), verdict.on_read),
    ];
    let rows = rows.map(|(name, usd)| [name.into(), number(money(usd))]);
    let rows = table(["", "US$ a month"]).with(rows);
    format!(
        "verdict: {choice}\n\n{rows}\n\nbreak-even: {even} quotes an hour. Preparing a customer's table \
         for an hour costs US$ {},\nas much as {even} calculations on read at US$ {} each.",
        small(verdict.warm_hour),
        small(verdict.cold_quote),
    )
}

/// Formats an amount of any size with at least three digits.
fn small(usd: Usd) -> String {
    const DIGITS: usize = 3;
    const PICO_DIGITS: usize = 12;
    let digits = usd.pico().unsigned_abs().to_string().len();
    let decimals = match usd.pico() {
        0 => 0,
        _ => (PICO_DIGITS + DIGITS).saturating_sub(digits).clamp(2, PICO_DIGITS),
    };
    format!("{usd:.decimals$}")
}

pub(super) fn purposes(month: &Month) -> Value {
    let purposes: Map<String, Value> = Purpose::ALL
        .into_iter()
        .map(|purpose| (purpose.name().to_owned(), json!(month.spent(purpose))))
        .collect();
    Value::Object(purposes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_counts_have_few_digits() {
        let usd = |pico: i128| money(Usd::from_pico(pico));
        let dollar = 1_000_000_000_000;
        assert_eq!([usd(0), usd(1), usd(-1)], ["0", "<0.01", "<0.01"]);
        assert_eq!([usd(dollar / 50), usd(dollar * 7)], ["0.02", "7.00"]);
        assert_eq!([usd(dollar * 12_345), usd(-dollar)], ["12345", "-1.00"]);
        let shown = [0, 1, 7_340_000, 35_490_000, dollar / 4, dollar * 12_345];
        let shown = shown.map(|pico| small(Usd::from_pico(pico)));
        let expected = ["0", "0.000000000001", "0.00000734", "0.0000355", "0.250", "12345.00"];
        assert_eq!(shown, expected);
        let shown = [0.25, 3.0, 250.4, 12_345.0, 2_500_000.0, 4e9].map(count);
        assert_eq!(shown, ["0.25", "3", "250", "12.3 k", "2.50 M", "4.00 G"]);
        let shown = [0.0, 1.0, 1.5].map(|number| counted(number, "quote", "quotes"));
        assert_eq!(shown, ["0 quotes", "1 quote", "1.50 quotes"]);
    }
}
