//! `ocache worker`: runs one role, or all, in the foreground.

use std::sync::Arc;

use super::args::{WorkerArgs, WorkerRole};
use super::engine::Engine;
use super::failure::Result;
use super::interrupt::Interrupts;
use super::metrics_port::MetricsPort;
use super::output::Output;
use super::settings::Settings;
use super::stack_settings::{self, Given};
use crate::runtime::metrics::{Metrics, Scrape};
use crate::runtime::{LONG_POLL, Role, Worker};
use crate::stages::Lookup;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    interrupts: &Interrupts,
    args: WorkerArgs,
) -> Result<()> {
    let metrics_port = MetricsPort::bind(args.metrics).await?;
    let engine = Engine::open(settings, output).await?;
    engine.stay(settings, output).await?;
    let stack = stack_settings::follow(&engine, output, &Given::read(settings)?).await?;
    let shutdown = interrupts.listen(engine.file());
    let roles: &[Role] = match args.role {
        WorkerRole::Refresh => &[Role::Refresh],
        WorkerRole::PriceCalc => &[Role::PriceCalc],
        WorkerRole::QuotationProvider => &[Role::QuotationProvider],
        WorkerRole::All => &Role::ALL,
    };
    let ports = engine.ports(None);
    let metrics = Metrics::new();
    let scrape = Scrape::new(metrics.clone(), &ports, engine.housekeeping(), None);
    metrics_port.serve(Arc::new(scrape), output, &settings.supervisor, &shutdown);
    let lookup = Lookup::new(&ports);
    args.stages.memory.bound(&lookup);
    let worker = Worker {
        lookup,
        ports,
        policy: stack.policy(),
        slots: args.stages.slots.into(),
        poll_wait: LONG_POLL,
        metrics,
        supervisor: settings.supervisor.clone(),
    };
    let announced: Vec<_> = roles.iter().map(|role| role.announced()).collect();
    engine.announce(&announced, &worker.metrics).await;
    output.note("working; Ctrl-C drains and stops");
    worker.run(roles, &shutdown).await;
    engine.close().await;
    output.note("drained");
    Ok(())
}
