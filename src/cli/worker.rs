//! `ocache worker`: one role, or all, in the foreground.

use super::args::{WorkerArgs, WorkerRole};
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::interrupt::Interrupts;
use super::output::Output;
use super::settings::Settings;
use super::stack_settings::{self, Given};
use crate::runtime::metrics::{Metrics, MetricsServer, Scrape};
use crate::runtime::{LONG_POLL, Role, Worker};
use crate::stages::Lookup;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    interrupts: &Interrupts,
    args: WorkerArgs,
) -> Result<(), Failure> {
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
    if let Some(port) = args.metrics_port {
        let server = metrics_server(port).await?;
        output.note(&format!("metrics: {}", server.url()));
        let scrape = Scrape::new(metrics.clone(), ports.queues.clone(), engine.housekeeping());
        let serving = server.serve(scrape, shutdown.clone());
        settings.supervisor.spawn("the metrics server", serving);
    }
    let lookup = Lookup::new(&ports);
    args.memory.bound(&lookup);
    let worker = Worker {
        lookup,
        ports,
        policy: stack.policy(),
        slots: args.slots.into(),
        poll_wait: LONG_POLL,
        metrics,
        supervisor: settings.supervisor.clone(),
    };
    output.note("working; Ctrl-C drains and stops");
    worker.run(roles, &shutdown).await;
    engine.close().await;
    output.note("drained");
    Ok(())
}

async fn metrics_server(port: u16) -> Result<MetricsServer, Failure> {
    MetricsServer::bind(port).await.map_err(|error| {
        let message = format!("port {port} cannot be opened for metrics: {error}");
        Failure::new(ExitCode::Failure, message)
            .hint("choose another with --metrics-port, or any free one with --metrics-port 0")
    })
}
