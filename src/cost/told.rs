//! Costs as JSON. The command and the page use the same form.

use serde_json::{Value, json};

use super::{Bill, BillLine, CostVerdict, Purpose, WhatIf};
use crate::meter::Stage;
use crate::meter::billing::Usd;

/// Renders the lines of a bill.
#[must_use]
pub fn lines_json(bill: &Bill, scale: impl Fn(Usd) -> Usd) -> Value {
    let line = |line: &BillLine| {
        json!({
            "for": line.purpose.map(Purpose::name),
            "stage": line.stage.map(Stage::name),
            "service": line.line.service().name(),
            "line": line.line.name(),
            "units": line.line.units(line.parts),
            "usd": line.usd,
            "usd_a_month": scale(line.usd),
        })
    };
    bill.lines.iter().map(line).collect()
}

/// Renders a verdict.
#[must_use]
pub fn verdict_json(verdict: &CostVerdict) -> Value {
    json!({
        "choice": verdict.choice.name(),
        "break_even_quotes_an_hour": verdict.break_even,
        "usd_of_a_warm_hour": verdict.warm_hour,
        "usd_of_a_cold_quote": verdict.cold_quote,
        "precompute_usd_a_month": verdict.precompute,
        "precompute_above_break_even_usd_a_month": verdict.above,
        "calculate_on_read_usd_a_month": verdict.on_read,
    })
}

/// Renders the costs with other settings.
#[must_use]
pub fn what_if_json(tried: &[WhatIf]) -> Value {
    let one = |one: &WhatIf| {
        json!({
            "refresh_every_secs": one.every.as_secs_f64(),
            "ttl_secs": one.ttl.as_secs_f64(),
            "usd_a_month": one.usd,
            "saves_usd_a_month": one.saves,
            "cold_share": one.cold_share,
        })
    };
    tried.iter().map(one).collect()
}
