//! Shows the cost of the running stack over a period, from the records of the meter.

use super::super::args::CostArgs;
use super::super::engine::Engine;
use super::super::failure::{Failure, Result};
use super::super::output::{Output, number, table};
use super::super::price_list;
use super::super::settings::Settings;
use super::super::stack_settings::{Given, understood};
use super::forecast::note;
use super::show::{by_stage, count, counted, money, show_verdict, show_what_if};
use crate::cost::{ComparedLine, MeasureError, Measured, Measuring};
use crate::meter::billing::UsdPriceList;
use crate::model::show_duration;

pub(super) async fn run(settings: &Settings, output: &Output, args: &CostArgs) -> Result<()> {
    let prices = price_list::read(args.price_list.as_deref())?;
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let read = async {
        let stack = understood(&ports.store.settings().await?)?;
        Given::read(settings)?.warn(output, &stack);
        let how = Measuring { over: args.over, calculation: args.calculation_time };
        let read = Measured::read(&ports, how, stack.policy, &prices).await;
        read.map_err(Failure::from)
    }
    .await;
    engine.close().await;
    let read = read?;
    output.data(&read.as_json(&prices), |_| show(&read, args, &prices))?;
    output.note(&note(&prices, "no free tier, logs"));
    Ok(())
}

impl From<MeasureError> for Failure {
    fn from(error: MeasureError) -> Self {
        match error {
            MeasureError::Port(error) => error.into(),
            MeasureError::Probe(error) => Self::internal(error),
        }
    }
}

fn show(read: &Measured, args: &CostArgs, prices: &UsdPriceList) -> String {
    let [refreshes, quotes] = read.per_million(prices).map(money);
    if read.bill.lines.is_empty() {
        return format!("nothing was used within {}", show_duration(args.over));
    }
    let events = &read.reading.events;
    let (rest, loads) = read.without_loads();
    let (total, span) = (read.bill.total(), show_duration(read.readings.span()));
    let mut texts = vec![
        match loads.pico() {
            0 => format!("US$ {total:.6} in {span}; a month like this:"),
            _ => format!(
                "US$ {total:.6} in {span}, of which loads {loads:.6}; a month like this, without loads:"
            ),
        },
        by_stage(&rest, |usd| read.monthly(usd)),
        format!(
            "by the settings of the stack: refresh-every {}, ttl {}, fresh-for {}",
            show_duration(read.policy.refresh_every),
            show_duration(read.policy.ttl),
            show_duration(read.policy.fresh_for())
        ),
        format!(
            "{}, {}, {}, {} ({} cold)\n\
             US$ {refreshes} per million refreshes, US$ {quotes} per million quotes",
            counted(events.ticks, "tick", "ticks"),
            counted(read.reading.active, "active customer", "active customers"),
            counted(events.refreshes, "refresh", "refreshes"),
            counted(events.quotes, "quote", "quotes"),
            count(events.cold)
        ),
    ];
    let compared = read.compared();
    if !compared.is_empty() {
        texts.push(show_compared(&compared));
    }
    match &read.advice {
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

fn show_compared(compared: &[ComparedLine]) -> String {
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
