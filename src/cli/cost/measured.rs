//! The running stack over a window, from what the meter saw.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::args::CostArgs;
use super::super::engine::Engine;
use super::super::failure::Failure;
use super::super::meter::{self, Readings};
use super::super::output::{Output, number, table};
use super::super::price_list;
use super::super::settings::Settings;
use super::super::stack_settings::{Given, understood};
use super::forecast::{note, per_million};
use super::show::{
    by_stage, count, lines, money, show_verdict, show_what_if, verdict, what_if, what_if_json,
};
use super::stored;
use crate::billing::{HOURS_A_MONTH, Line, PriceList, Usd};
use crate::cost::{Bill, Events, Forecast, Numbers, Reading, Verdict};
use crate::meter::{Reason, Stage, UsageLine};
use crate::model::show_duration;
use crate::ports::Ports;
use crate::replay::{Sample, TermsSpec, probe};
use crate::stages::Policy;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: &CostArgs,
) -> Result<(), Failure> {
    let prices = price_list::read(args.price_list.as_deref())?;
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let read = async {
        let stack = understood(&ports.store.settings().await?)?;
        Given::read(settings)?.warn(output, &stack);
        read(&ports, args, stack.policy, &prices).await
    }
    .await;
    engine.close().await;
    let read = read?;
    output.data(&read.as_json(&prices), |_| read.show(args, &prices))?;
    output.note(&note(&prices, "no free tier, logs"));
    Ok(())
}

/// What was seen, and what can be said of it.
struct Read {
    readings: Readings,
    bill: Bill,
    reading: Reading,
    /// The same events as a forecast would have them, where tables tell what is sold.
    forecast: Option<Bill>,
    advice: Option<Advice>,
}

/// What other settings would change.
struct Advice {
    every: Duration,
    tried: Vec<super::show::WhatIf>,
    verdict: Verdict,
}

async fn read(
    ports: &Ports,
    args: &CostArgs,
    policy: Policy,
    prices: &PriceList,
) -> Result<Read, Failure> {
    let readings = meter::read(ports, args.over).await?;
    let mut bill = Bill::default();
    bill.add_metered(None, &readings.usage, prices);
    let known = stored::known(ports).await?;
    let reading = Reading::of(&readings.usage, known, &policy);
    let mut read = Read { readings, bill, reading, forecast: None, advice: None };
    if known.products > 0 {
        read.forecast = Some(read.foreseen(args, prices).await?);
        read.advice = read.advise(args, policy, prices).await?;
    }
    Ok(read)
}

impl Read {
    /// What a forecast of as many events says: each line of it is a sum of what the stages use in a
    /// probe, not of what was measured here.
    async fn foreseen(&self, args: &CostArgs, prices: &PriceList) -> Result<Bill, Failure> {
        let (mut bill, known) = (Bill::default(), self.reading.known);
        for (batch, events) in self.reading.by_batch() {
            let sample = Sample {
                products: known.products,
                discounts: known.discounts,
                terms: TermsSpec::NONE,
                lines: known.lines,
                batch,
                calculation: args.calculation_time,
                answering: self.reading.events.answering(),
            };
            let probe = probe(&sample).await.map_err(Failure::internal)?;
            for (purpose, used) in events.used(&probe, batch) {
                bill.add_metered(Some(purpose), &used, prices);
            }
        }
        Ok(bill)
    }

    async fn advise(
        &self,
        args: &CostArgs,
        policy: Policy,
        prices: &PriceList,
    ) -> Result<Option<Advice>, Failure> {
        let (span, events, known) =
            (self.readings.span(), &self.reading.events, self.reading.known);
        if events.ticks < 1.0 || events.quotes < 1.0 {
            return Ok(None);
        }
        let minutes = span.as_secs_f64() / 60.0;
        let (every, ttl) = (policy.refresh_every, policy.ttl);
        let changes = events.changed / events.refreshes.max(1.0) / every.as_secs_f64();
        let numbers = Numbers {
            active_users: self.reading.active,
            quotes_a_minute: events.quotes / minutes,
            changes_a_day: changes * 24.0 * 3600.0,
            products: known.products,
            discounts: known.discounts,
            terms: TermsSpec::NONE,
            lines: known.lines,
            calculation: args.calculation_time,
            answering: self.reading.events.answering(),
            workers: 1,
            processes: u32::try_from(self.readings.processes).unwrap_or(u32::MAX),
            polls_a_minute: polls(events) / minutes,
            websockets: self.reading.active,
        };
        let forecast = Forecast::of(numbers, policy).await.map_err(Failure::internal)?;
        Ok(forecast.map(|forecast| Advice {
            every,
            tried: what_if(&forecast, every, ttl, prices),
            verdict: Verdict::of(&forecast, every, ttl, prices),
        }))
    }

    /// What a month would cost that goes on like this.
    fn monthly(&self, usd: Usd) -> Usd {
        let months = self.readings.span().as_secs_f64() / (HOURS_A_MONTH * 3600.0);
        Usd::from_pico((usd.pico() as f64 / months.max(f64::MIN_POSITIVE)) as i128)
    }

    fn spent(&self, is_meant: impl Fn(&UsageLine) -> bool, prices: &PriceList) -> Usd {
        let mut bill = Bill::default();
        bill.add_metered(None, &self.readings.usage.only(is_meant), prices);
        bill.total()
    }

    fn per_million(&self, prices: &PriceList) -> [Usd; 2] {
        let is_refresh = |line: &UsageLine| {
            line.reason == Reason::Scheduled
                && matches!(line.stage, Stage::Refresh | Stage::PriceCalc)
        };
        let is_quote = |line: &UsageLine| {
            !is_refresh(line)
                && !matches!(
                    line.stage,
                    Stage::Load
                        | Stage::Meter
                        | Stage::Settings
                        | Stage::Presence
                        | Stage::Command
                        | Stage::Unknown
                )
        };
        let events = &self.reading.events;
        [
            per_million(self.spent(is_refresh, prices), events.refreshes),
            per_million(self.spent(is_quote, prices), events.quotes),
        ]
    }

    /// Each line that was seen or foreseen, of the stages that a forecast is of.
    fn compared(&self) -> Vec<Compared> {
        let Some(forecast) = &self.forecast else { return vec![] };
        let stages = [
            Stage::Subscribe,
            Stage::Refresh,
            Stage::PriceCalc,
            Stage::QuotationHandler,
            Stage::QuotationProvider,
            Stage::Meter,
        ];
        let used = |bill: &Bill, stage, line: Line| {
            line.units(bill.parts(|one| one.stage == Some(stage) && one.line == line))
        };
        let all = stages.into_iter().flat_map(|stage| Line::ALL.map(|line| (stage, line)));
        let compared = all.map(|(stage, line)| Compared {
            stage,
            line,
            measured: used(&self.bill, stage, line),
            forecast: used(forecast, stage, line),
        });
        // Functions have run only where there are functions.
        compared.filter(|one| one.measured > 0.0).collect()
    }

    fn as_json(&self, prices: &PriceList) -> Value {
        let [refreshes, quotes] = self.per_million(prices);
        let events = &self.reading.events;
        json!({
            "price_list": { "region": prices.region, "dated": prices.dated },
            "from": self.readings.from.to_string(),
            "to": self.readings.to.to_string(),
            "processes": self.readings.processes,
            "usd": self.bill.total(),
            "usd_a_month": self.monthly(self.bill.total()),
            "usd_per_million_refreshes": refreshes,
            "usd_per_million_quotes": quotes,
            "lines": lines(&self.bill, |usd| self.monthly(usd)),
            "events": {
                "ticks": events.ticks,
                "active_users": self.reading.active,
                "refreshes": events.refreshes,
                "changed": events.changed,
                "confirmed": events.confirmed,
                "quotes": events.quotes,
                "cold_quotes": events.cold,
                "first_visits": events.visits,
                "polls_in_vain": polls(events),
            },
            "compared": self.compared().iter().map(Compared::as_json).collect::<Vec<_>>(),
            "what_if": self.advice.as_ref().map(|advice| what_if_json(&advice.tried)),
            "verdict": self.advice.as_ref().map(|advice| verdict(&advice.verdict)),
        })
    }

    fn show(&self, args: &CostArgs, prices: &PriceList) -> String {
        let [refreshes, quotes] = self.per_million(prices).map(money);
        if self.bill.lines.is_empty() {
            return format!("nothing was used within {}", show_duration(args.over));
        }
        let events = &self.reading.events;
        let mut texts = vec![
            format!(
                "US$ {:.6} in {}; a month like this:",
                self.bill.total(),
                show_duration(self.readings.span())
            ),
            by_stage(&self.bill, |usd| self.monthly(usd)),
            format!(
                "{} ticks, {} active users, {} refreshes, {} quotes ({} cold)\n\
                 US$ {refreshes} per million refreshes, US$ {quotes} per million quotes",
                count(events.ticks),
                count(self.reading.active),
                count(events.refreshes),
                count(events.quotes),
                count(events.cold)
            ),
        ];
        let compared = self.compared();
        if !compared.is_empty() {
            texts.push(show_compared(&compared));
        }
        match &self.advice {
            Some(advice) => {
                texts.push(
                    "forecast from these rates, with the schedule always running, on functions:"
                        .to_owned(),
                );
                texts.push(show_what_if(&advice.tried, advice.every));
                texts.push(show_verdict(&advice.verdict));
            }
            None => texts.push(
                "not enough data yet: let the stack run until every active customer has quoted once within \
                 the TTL; processes record their usage every ten seconds, on AWS every minute"
                    .to_owned(),
            ),
        }
        texts.join("\n\n")
    }
}

/// Of all queues.
fn polls(events: &Events) -> f64 {
    events.polls.iter().sum()
}

/// A line, measured and foreseen.
struct Compared {
    stage: Stage,
    line: Line,
    measured: f64,
    forecast: f64,
}

impl Compared {
    fn as_json(&self) -> Value {
        json!({
            "stage": self.stage.name(),
            "line": self.line.name(),
            "measured_units": self.measured,
            "forecast_units": self.forecast,
            "forecast_by_measured": self.forecast / self.measured,
        })
    }
}

fn show_compared(compared: &[Compared]) -> String {
    let mut rows = table(["stage", "line", "measured", "forecast", "forecast ÷ measured"]);
    for one in compared {
        rows.add_row([
            one.stage.name().into(),
            one.line.name().into(),
            number(count(one.measured)),
            number(count(one.forecast)),
            number(format!("{:.2}", one.forecast / one.measured)),
        ]);
    }
    rows.to_string()
}
