//! `ocache serve`: the gateway alone, or with a provider beside it.

use serde_json::json;

use super::args::{AccessArgs, ServeArgs};
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::interrupt::Interrupts;
use super::output::Output;
use super::settings::Settings;
use crate::ports::Chain;
use crate::runtime::gateway::{Access, BoundGateway, StartError};
use crate::runtime::{LONG_POLL, Role, Slots, Worker};
use crate::stages::Policy;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    interrupts: &Interrupts,
    args: ServeArgs,
) -> Result<(), Failure> {
    let access = access(&args.access)?;
    let engine = Engine::open(settings, output).await?;
    engine.report();
    let policy = Policy::from(&args.policy);
    let bound = BoundGateway::bind(args.port).await?;
    let ports = engine.ports(Some(bound.own()));
    let shutdown = interrupts.listen(output, engine.file());
    let gateway =
        bound.serve(ports.clone(), policy.clone(), access, &engine.registry, &engine.label)?;
    let url = json!({ "websocket": gateway.websocket() });
    output.data(&url, |_| format!("websocket  {}", gateway.websocket()))?;
    if args.with_provider {
        let worker = Worker { ports, policy, slots: Slots::default(), poll_wait: LONG_POLL };
        worker.run(&[Role::QuotationProvider], &shutdown).await;
    }
    shutdown.begun().await;
    gateway.stop().await;
    engine.close().await;
    output.note("drained");
    Ok(())
}

pub(super) fn access(args: &AccessArgs) -> Result<Access, Failure> {
    Access::try_from(args).map_err(|error| Failure::new(ExitCode::Usage, error.to_string()))
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let message = Chain(&error).to_string();
        let failure = Self::new(ExitCode::Failure, message);
        match error {
            StartError::Port { .. } => {
                failure.hint("choose another with --port, or any free one with --port 0")
            }
            StartError::Register { .. } => {
                failure.hint("choose a folder that can be written with --data-dir")
            }
        }
    }
}
