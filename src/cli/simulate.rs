//! `ocache simulate`: shows what policies would have done and cost.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::args::{OnChange, SimulateArgs, SyntheticRhythm};
use super::failure::{ExitCode, Failure, Result};
use super::interrupt::or_interrupted;
use super::named_file;
use super::output::{Output, number, table};
use super::price_list;
use crate::cost::straightforward;
use crate::meter::billing::{BilledUsage, Line, Usd, UsdPriceList};
use crate::model::{plural, show_duration};
use crate::ports::Chain;
use crate::replay::{
    Adaptive, Arrival, Candidate, PolicyResult, Rhythm, Scenario, Synthetic, plot, read_trace,
    sweep,
};
use crate::stages::Policy;

pub(super) async fn run(output: &Output, args: SimulateArgs) -> Result<()> {
    let prices = price_list::read(args.price_list.as_deref())?;
    let written = [&args.csv, &args.plot].map(Option::as_deref);
    let read = [args.trace.as_deref(), args.price_list.as_deref()].into_iter().flatten();
    for file in written.into_iter().flatten() {
        named_file::check_written(file, read.clone())?;
    }
    if let [Some(csv), Some(plot)] = written {
        named_file::check_apart(csv, plot)?;
    }
    let (scenario, candidates) = (scenario(&args)?, candidates(&args));
    let started = Instant::now();
    let bar = output.progress("simulating", candidates.len() as u64);
    let shown = bar.clone();
    let work = {
        let (scenario, prices) = (scenario.clone(), prices.clone());
        move || sweep(&scenario, &candidates, &prices, &|done| shown.set_position(done as u64))
    };
    let rows = or_interrupted(async {
        let rows = tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?;
        rows.map_err(Failure::internal)
    })
    .await?;
    bar.finish_and_clear();
    let took = started.elapsed();
    if let Some(path) = &args.csv {
        write(path, &csv(&rows))?;
    }
    if let Some(path) = &args.plot {
        write(path, &plot(&rows, &title(&scenario)))?;
    }
    let data = json!({
        "arrivals": scenario.arrivals.len(),
        "users": users(&scenario),
        "products": scenario.products,
        "discounts": scenario.discounts,
        "price_lists": scenario.terms.lists.lists,
        "terms": scenario.terms.terms,
        "tiers": scenario.terms.lists.tiers,
        "calculation_secs": scenario.calculation.as_secs_f64(),
        "price_list": { "region": prices.region, "dated": prices.dated },
        "policies": rows.iter().map(|row| policy(row, &prices, args.designs.then_some(&scenario)))
            .collect::<Vec<_>>(),
    });
    output.data(&data, |_| match args.designs {
        true => format!("{}\n\n{}", show(&rows), designs(&rows, &prices, &scenario)),
        false => show(&rows),
    })?;
    let (arrivals, policies) = (scenario.arrivals.len(), rows.len());
    let per_sec = (arrivals * policies) as f64 / took.as_secs_f64();
    output.note(&format!(
        "{arrivals} {} against {policies} {} in {:.1} s, {per_sec:.0} arrivals/s; \
         list prices of {} dated {}",
        plural(arrivals, "arrival", "arrivals"),
        plural(policies, "policy", "policies"),
        took.as_secs_f64(),
        prices.region,
        prices.dated
    ));
    Ok(())
}

fn scenario(args: &SimulateArgs) -> Result<Scenario> {
    Ok(Scenario {
        arrivals: arrivals(args)?,
        products: args.goods.products,
        discounts: args.goods.discounts,
        terms: args.terms.spec()?,
        prices_every: args.goods.prices_every.0,
        discounts_every: args.goods.discounts_every.0,
        lists_every: args.goods.lists_every.0,
        calculation: args.goods.calculation_time,
        seed: args.seed,
        policy: Policy { usable_for: args.usable_for, ..Policy::default() },
    })
}

fn arrivals(args: &SimulateArgs) -> Result<Vec<Arrival>> {
    let drawn = &args.synthetic;
    let rhythm = match (&args.trace, drawn.synthetic) {
        (Some(path), _) => {
            named_file::check(path)?;
            return read_trace(path).map_err(|error| {
                Failure::new(ExitCode::BadData, Chain(&error).to_string()).hint(
                    "a trace is CSV with a header `time,customer,lines`, in any order of columns",
                )
            });
        }
        (None, Some(SyntheticRhythm::Sessions)) => Rhythm::Sessions,
        (None, Some(SyntheticRhythm::Daily)) => Rhythm::Daily,
        (None, Some(SyntheticRhythm::Poisson) | None) => Rhythm::Poisson,
    };
    let (users, quotes_a_day, days) = (drawn.users, drawn.quotes_a_day, drawn.days);
    let arrivals = Synthetic { rhythm, users, quotes_a_day, days, seed: args.seed }.arrivals();
    if arrivals.is_empty() {
        return Err(Failure::new(ExitCode::Usage, "there are no arrivals")
            .hint("give more --users, --quotes-a-day or --days"));
    }
    Ok(arrivals)
}

/// Returns every combination, in the order in which they are shown.
fn candidates(args: &SimulateArgs) -> Vec<Candidate> {
    let on_change: &[bool] = match args.on_change {
        OnChange::Yes => &[true],
        OnChange::No => &[false],
        OnChange::Both => &[false, true],
    };
    let distinct = |times: &[Duration]| times.iter().copied().collect::<BTreeSet<_>>();
    let mut candidates = vec![];
    for ttl in distinct(&args.ttl) {
        for refresh_every in distinct(&args.refresh_every) {
            for &on_change in on_change {
                let fixed = Candidate { ttl, refresh_every, on_change, adaptive: None };
                let adaptive = args.adaptive.filter(|longest| *longest > refresh_every);
                let adaptive = adaptive.map(|longest| Candidate {
                    adaptive: Some(Adaptive { longest, orders_an_hour: args.budget }),
                    ..fixed.clone()
                });
                candidates.extend([Some(fixed), adaptive].into_iter().flatten());
            }
        }
    }
    candidates
}

fn users(scenario: &Scenario) -> usize {
    scenario.arrivals.iter().map(|arrival| &arrival.user).collect::<BTreeSet<_>>().len()
}

fn title(scenario: &Scenario) -> String {
    let (arrivals, users, products) = (scenario.arrivals.len(), users(scenario), scenario.products);
    format!(
        "{arrivals} {} of {users} {}, {products} {}",
        plural(arrivals, "quote", "quotes"),
        plural(users, "customer", "customers"),
        plural(products, "product", "products")
    )
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| named_file::unwritable(path, &error))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn show(rows: &[PolicyResult]) -> String {
    let mut table = table([
        "ttl",
        "every",
        "on change",
        "at once",
        "cold p50",
        "cold p99",
        "tables/answer",
        "wasted",
        "outdated",
        "change reaches all in",
        "$ a month",
        "best",
    ]);
    for row in rows {
        let outcome = &row.outcome;
        let candidate = &outcome.candidate;
        let cells = [
            show_duration(candidate.ttl),
            interval(candidate),
            if candidate.on_change { "yes" } else { "no" }.to_owned(),
            percent(outcome.hit_ratio()),
            show_duration(outcome.cold_p50),
            show_duration(outcome.cold_p99),
            format!("{:.2}", outcome.prepared_per_answer()),
            percent(outcome.wasted_share()),
            percent(outcome.outdated_share()),
            show_duration(outcome.reached_last),
            // Show at least three digits, because a small shop pays cents.
            match row.monthly < Usd::from_pico(10_000_000_000_000) {
                true => format!("{:.4}", row.monthly),
                false => format!("{:.2}", row.monthly),
            },
            if row.is_best { "*" } else { "" }.to_owned(),
        ];
        table.add_row(cells.map(number));
    }
    table.to_string()
}

fn interval(candidate: &Candidate) -> String {
    let shortest = show_duration(candidate.refresh_every);
    match &candidate.adaptive {
        Some(adaptive) => format!("{shortest} to {}", show_duration(adaptive.longest)),
        None => shortest,
    }
}

/// Returns a row's figures with their names in JSON and CSV.
fn figures(row: &PolicyResult) -> Vec<(&'static str, Value)> {
    let outcome = &row.outcome;
    let secs = |duration: Duration| json!(duration.as_secs_f64());
    vec![
        ("ttl_secs", secs(outcome.candidate.ttl)),
        ("refresh_every_secs", secs(outcome.candidate.refresh_every)),
        (
            "adaptive_longest_secs",
            json!(outcome.candidate.adaptive.as_ref().map(|it| it.longest.as_secs_f64())),
        ),
        ("on_change", json!(outcome.candidate.on_change)),
        ("days", json!(outcome.span.as_secs_f64() / 86_400.0)),
        ("answered", json!(outcome.answered)),
        ("failed", json!(outcome.failed)),
        ("answered_at_once", json!(outcome.warm)),
        ("hit_ratio", json!(outcome.hit_ratio())),
        ("marked_stale", json!(outcome.stale)),
        ("outdated", json!(outcome.outdated)),
        ("outdated_by_secs", secs(outcome.outdated_by)),
        ("cold_p50_secs", secs(outcome.cold_p50)),
        ("cold_p99_secs", secs(outcome.cold_p99)),
        ("tables_calculated", json!(outcome.calculated)),
        ("tables_validated", json!(outcome.validated)),
        ("tables_wasted", json!(outcome.wasted)),
        ("tables_per_answer", json!(outcome.prepared_per_answer())),
        ("wasted_share", json!(outcome.wasted_share())),
        ("change_reached_after_secs", secs(outcome.reached_after)),
        ("change_reached_last_secs", secs(outcome.reached_last)),
        ("usd", json!(row.cost)),
        ("usd_a_month", json!(row.monthly)),
        ("usd_per_million_answers", json!(row.cost.times(1_000_000).per(outcome.answered))),
        ("best", json!(row.is_best)),
    ]
}

fn policy(row: &PolicyResult, prices: &UsdPriceList, designs: Option<&Scenario>) -> Value {
    let mut policy: serde_json::Map<String, Value> =
        figures(row).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    policy.insert("bill".to_owned(), bill(&row.outcome.usage, prices));
    if let Some(scenario) = designs {
        let usage = straightforward(&row.outcome, scenario);
        let usd = prices.cost(&usage);
        let other = json!({
            "bill": bill(&usage, prices),
            "usd": usd,
            "usd_a_month": row.outcome.monthly(usd),
        });
        policy.insert("straightforward".to_owned(), other);
    }
    Value::Object(policy)
}

fn bill(usage: &BilledUsage, prices: &UsdPriceList) -> Value {
    let lines = Line::ALL.into_iter().map(|line| {
        let units = line.units(usage.of(line));
        let usd = prices.cost_of(line, usage);
        (line.name().to_owned(), json!({ "units": units, "usd": usd }))
    });
    Value::Object(lines.collect())
}

/// Compares the two designs line by line, for each policy.
fn designs(rows: &[PolicyResult], prices: &UsdPriceList, scenario: &Scenario) -> String {
    let tables = rows.iter().map(|row| {
        let outcome = &row.outcome;
        let other = straightforward(outcome, scenario);
        let mut table = table(["US$ a month", "straightforward", "ocache", "times as much"]);
        let monthly = |usd: Usd| outcome.monthly(usd);
        let mut add = |name: &str, (theirs, ours): (Usd, Usd)| {
            let (theirs, ours) = (monthly(theirs), monthly(ours));
            let times = match ours.pico() {
                0 => String::new(),
                pico => format!("{:.1}", theirs.pico() as f64 / pico as f64),
            };
            let shown = [format!("{theirs:.4}"), format!("{ours:.4}"), times];
            table.add_row(std::iter::once(name.into()).chain(shown.map(number)));
        };
        for line in Line::ALL {
            let cost = (prices.cost_of(line, &other), prices.cost_of(line, &outcome.usage));
            if cost != (Usd::default(), Usd::default()) {
                add(line.name(), cost);
            }
        }
        add("all", (prices.cost(&other), prices.cost(&outcome.usage)));
        let candidate = &outcome.candidate;
        let (ttl, every) = (show_duration(candidate.ttl), interval(candidate));
        format!("TTL {ttl}, every {every}:\n{table}")
    });
    tables.collect::<Vec<_>>().join("\n\n")
}

fn csv(rows: &[PolicyResult]) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let figures = figures(row);
        if index == 0 {
            let names: Vec<&str> = figures.iter().map(|(name, _)| *name).collect();
            text.push_str(&names.join(","));
            text.push('\n');
        }
        let values: Vec<String> = figures
            .iter()
            .map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        text.push_str(&values.join(","));
        text.push('\n');
    }
    text
}
