//! Forecasts the cost of a month from a few numbers.

use serde_json::{Value, json};

use super::super::args::ForecastArgs;
use super::super::failure::{ExitCode, Failure, Result};
use super::super::output::{Output, number, table};
use super::super::price_list;
use super::show::{
    by_purpose, by_stage, count, counted, money, purposes, show_verdict, show_what_if,
};
use crate::cost::{
    CostVerdict, Forecast, Month, Numbers, Purpose, WhatIf, lines_json, per_million, verdict_json,
    what_if_json,
};
use crate::meter::billing::{Usd, UsdPriceList};
use crate::replay::ProbedStack;
use crate::stages::{Answering, Policy};

pub(super) async fn run(output: &Output, args: &ForecastArgs) -> Result<()> {
    let prices = price_list::read(args.price_list.as_deref())?;
    let policy = Policy { ttl: args.ttl, ..Policy::default() };
    let forecast = Forecast::of(numbers(args)?, policy).await.map_err(Failure::internal)?;
    let Some(forecast) = forecast else { return Err(too_few_quotes(args)) };
    let month = forecast.everybody(args.refresh_every, args.ttl, &prices);
    let tried = WhatIf::around(&forecast, args.refresh_every, args.ttl, &prices);
    let choice = CostVerdict::of(&forecast, args.refresh_every, args.ttl, &prices);
    let data = json!({
        "price_list": { "region": prices.region, "dated": prices.dated },
        "users": forecast.traffic.users,
        "quotes_a_month": month.events.quotes,
        "cold_share": month.events.cold / month.events.quotes,
        "refreshes_a_month": month.events.refreshes,
        "usd_a_month": month.bill.total(),
        "usd_per_million_refreshes": per_million_refreshes(&month),
        "usd_per_million_quotes": per_million_quotes(&month),
        "purposes": purposes(&month),
        "lines": lines_json(&month.bill, |usd| usd),
        "what_if": what_if_json(&tried),
        "verdict": verdict_json(&choice),
    });
    output.data(&data, |_: &Value| {
        [
            by_stage(&month.bill, |usd| usd),
            by_purpose(&month),
            rates(&forecast, &month),
            show_what_if(&tried, args.refresh_every),
            show_verdict(&choice),
        ]
        .join("\n\n")
    })?;
    output.note(&note(&prices, "logs of functions at INFO included, but no free tier"));
    Ok(())
}

/// Returns the note below a bill. `logs` says whether it includes them.
pub(super) fn note(prices: &UsdPriceList, logs: &str) -> String {
    format!("list prices of {} dated {}; {logs}, data transfer or tax", prices.region, prices.dated)
}

fn numbers(args: &ForecastArgs) -> Result<Numbers> {
    Ok(Numbers {
        active_users: args.active_users,
        quotes_a_minute: args.quotes_a_minute,
        changes_a_day: args.changes_a_day,
        stack: ProbedStack {
            products: args.products,
            discounts: args.discounts,
            terms: args.terms.spec()?,
            lines: args.lines,
            calculation: args.calculation_time,
            answering: Answering::default(),
        },
        workers: args.workers,
        processes: args.processes,
        polls_a_minute: args.polls_a_minute,
        websockets: args.websockets.unwrap_or(args.active_users),
    })
}

fn too_few_quotes(args: &ForecastArgs) -> Failure {
    let most = args.quotes_a_minute * args.ttl.as_secs_f64() / 60.0;
    let message = format!(
        "{} a minute cannot keep {} active: each keeps one active for the TTL, all of \
         them fewer than {}",
        counted(args.quotes_a_minute, "quote", "quotes"),
        counted(args.active_users, "user", "users"),
        count(most),
    );
    Failure::new(ExitCode::Usage, message)
        .hint("give fewer --active-users, more --quotes-a-minute or a longer --ttl")
}

/// Returns the cost of a million refreshes.
fn per_million_refreshes(month: &Month) -> Usd {
    per_million(month.spent(Purpose::KeepWarm), month.events.refreshes)
}

/// Returns the cost of a million quotes, including the tables for which they had to wait.
fn per_million_quotes(month: &Month) -> Usd {
    let spent = [Purpose::Quotes, Purpose::Cold].map(|purpose| month.spent(purpose));
    per_million(spent.into_iter().sum(), month.events.quotes)
}

fn rates(forecast: &Forecast, month: &Month) -> String {
    let cold = month.events.cold / month.events.quotes * 100.0;
    let quotes = format!("quotes, {cold:.1} % of them cold");
    let rows = [
        ("refreshes", month.events.refreshes, per_million_refreshes(month)),
        (quotes.as_str(), month.events.quotes, per_million_quotes(month)),
    ];
    let rows =
        rows.map(|(name, times, each)| [name.into(), number(count(times)), number(money(each))]);
    let rows = table(["", "a month", "US$ per million"]).with(rows);
    format!(
        "{rows}\n\n{} in all, each with {} an hour on average",
        counted(forecast.traffic.users.round(), "customer", "customers"),
        counted(forecast.traffic.quotes_an_hour, "quote", "quotes"),
    )
}
