//! `ocache bench`: measures how fast this stack is by using it.
//!
//! The customers are made up and removed at the end of the run, however it ends: they are unsubscribed,
//! and their tables and quotations are deleted. Data of other customers is not touched, and no product or
//! discount is written. Only the messages that watch over cold quotes remain until their deadlines, for
//! half a minute.

mod figures;
mod guests;
mod quotes;
mod stack;

use super::args::BenchArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure, Result};
use super::interrupt::or_interrupted;
use super::output::Output;
use super::settings::Settings;
use figures::{BenchReport, PhaseFigures};
use guests::Guests;
use quotes::{QuotePhase, Quotes};
use stack::Stack;

pub(super) async fn run(settings: &Settings, output: &Output, args: BenchArgs) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let stack = Stack::find(settings, output, engine, &args).await?;
    let mut guests = Guests::new(stack.ports(), &args);
    output.note(&format!(
        "{}; customers `{}…` are invented for this run and removed after it",
        stack.description(),
        guests.prefix()
    ));
    let measured = or_interrupted(measure(output, &stack, &mut guests, &args)).await;
    let removed = guests.remove(output).await;
    let (engine, gateway) = (stack.label().to_owned(), stack.gateway().url().to_owned());
    stack.leave().await;
    let phases = measured?;
    removed?;
    let report = BenchReport { engine, gateway, users: args.users, rate: args.rate, phases };
    output.data(&report.to_json(), |_| report.to_table())?;
    match report.unanswered() {
        0 => Ok(()),
        count => {
            let why = report.complaint().map(|why| format!(": {why}")).unwrap_or_default();
            let message = format!("{count} of the calls were not answered with a price{why}");
            Err(Failure::new(ExitCode::Failure, message)
                .hint("the gateway refuses requests above its limits; try a lower --rate"))
        }
    }
}

/// Runs the phases one after the other, because each prepares what the next needs.
async fn measure(
    output: &Output,
    stack: &Stack,
    guests: &mut Guests,
    args: &BenchArgs,
) -> Result<Vec<PhaseFigures>> {
    let products = guests.products().await?;
    let quotes = Quotes {
        gateway: stack.gateway(),
        token: stack.token(),
        sockets: args.sockets.into(),
        lines: args.lines.into(),
        products: &products,
        patience: args.timeout,
        output,
    };
    let mut phases = vec![
        stack.metered(guests.subscribe(output)).await?,
        stack.metered(guests.first_tables(output)).await?,
    ];
    let aged = guests.age_tables().await?;
    phases.push(stack.metered(guests.refresh(&aged, output)).await?);
    let warm = QuotePhase { phase: "warm quotes", users: guests.warm(), count: args.quotes };
    phases.push(stack.metered(quotes.run(warm, args.rate, guests)).await?);
    if args.cold > 0 {
        let users = guests.newcomers(args.cold)?;
        let cold = QuotePhase { phase: "cold quotes", users, count: args.cold };
        phases.push(stack.metered(quotes.run(cold, args.rate, guests)).await?);
    }
    Ok(phases)
}
