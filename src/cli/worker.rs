//! `ocache worker`: one role, or all, in the foreground.

use super::args::{WorkerArgs, WorkerRole};
use super::engine::Engine;
use super::failure::Failure;
use super::interrupt::Interrupts;
use super::output::Output;
use super::settings::Settings;
use crate::runtime::{LONG_POLL, Role, Worker};

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    interrupts: &Interrupts,
    args: WorkerArgs,
) -> Result<(), Failure> {
    let engine = Engine::open(settings, output).await?;
    engine.report();
    let shutdown = interrupts.listen(output, engine.file());
    let roles: &[Role] = match args.role {
        WorkerRole::Refresh => &[Role::Refresh],
        WorkerRole::PriceCalc => &[Role::PriceCalc],
        WorkerRole::QuotationProvider => &[Role::QuotationProvider],
        WorkerRole::All => &Role::ALL,
    };
    let worker = Worker {
        ports: engine.ports(None),
        policy: (&args.policy).into(),
        slots: args.slots.into(),
        poll_wait: LONG_POLL,
    };
    output.note("working; Ctrl-C drains and stops");
    worker.run(roles, &shutdown).await;
    engine.close().await;
    output.note("drained");
    Ok(())
}
