//! `ocache serve`: runs the gateway alone, or with a provider beside it.

use std::sync::Arc;
#[cfg(feature = "aws")]
use std::time::Duration;

use serde_json::json;

use super::args::{AccessArgs, ServeArgs};
use super::engine::{Engine, EngineKind, makes_store};
use super::failure::{ExitCode, Failure, Result};
use super::interrupt::Interrupts;
use super::metrics_port::MetricsPort;
use super::output::Output;
use super::settings::Settings;
use super::stack_settings::{self, Given};
use super::token_keys::{GivenKeys, KeysFound};
use crate::ports::{Chain, Ports, ProcessRole};
use crate::runtime::gateway::{Access, BoundGateway, RunningGateway, StartError, Tokens};
use crate::runtime::{LONG_POLL, Role, Slots, Worker};
use crate::stages::{SettingsInForce, StackSettings};
use crate::tokens::KeyRing;

/// How often the page reads the cache on AWS. Each time it scans the active customers, reads their
/// tables, and asks each queue. That is about a cent an hour for a hundred customers.
#[cfg(feature = "aws")]
const LOOK_EVERY_ON_AWS: Duration = Duration::from_secs(10);

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    interrupts: &Interrupts,
    args: ServeArgs,
) -> Result<()> {
    let mut access = access(&args.access)?;
    let given = Given::read(settings)?;
    let keys = GivenKeys::read(&args.access).await?;
    // A command that must fail creates no store.
    let bound = BoundGateway::bind(args.port).await?;
    let metrics_port = MetricsPort::bind(args.metrics).await?;
    if makes_store(settings) {
        let stack = StackSettings::default();
        given.check_door(&stack)?;
        keys.check_use(stack.requires_token)?;
    }
    let engine = Engine::open(settings, output).await?;
    engine.stay(settings, output).await?;
    let stack = stack_settings::follow(&engine, output, &given).await?;
    given.check_door(&stack.now())?;
    let found = tokens(settings, output, keys, &stack).await?;
    access.tokens = Some(found.tokens);
    let bound = watched(bound, &engine);
    let metrics = bound.metrics();
    let ports = engine.ports(Some(bound.own()));
    let shutdown = interrupts.listen(engine.file());
    let gateway = serve_on(&engine, bound, ports.clone(), stack.clone(), access)?;
    args.memory.bound(&gateway.lookup());
    metrics_port.serve(gateway.scrape(), output, &settings.supervisor, &shutdown);
    let mut roles = vec![ProcessRole::Gateway];
    roles.extend(args.with_provider.then_some(ProcessRole::QuotationProvider));
    engine.announce(&roles, &metrics).await;
    let urls = json!({ "page": gateway.page(), "websocket": gateway.websocket() });
    output.data(&urls, |_| {
        format!("page       {}\nwebsocket  {}", gateway.page(), gateway.websocket())
    })?;
    if args.with_provider {
        let slots = Slots::default();
        let supervisor = settings.supervisor.clone();
        let (lookup, poll_wait, policy) = (gateway.lookup(), LONG_POLL, stack.policy());
        let worker = Worker { ports, lookup, policy, slots, poll_wait, metrics, supervisor };
        worker.run(&[Role::QuotationProvider], &shutdown).await;
    }
    shutdown.begun().await;
    gateway.stop().await;
    engine.close().await;
    output.note("drained");
    Ok(())
}

/// Sets how often the gateway's page reads the cache on this engine, and has its metrics report the
/// housekeeping.
pub(super) fn watched(bound: BoundGateway, engine: &Engine) -> BoundGateway {
    match engine.kind() {
        EngineKind::Embedded(embedded) => bound.reporting_upkeep(Arc::new(embedded.clone())),
        #[cfg(feature = "aws")]
        EngineKind::Aws(_) => bound.looking_every(LOOK_EVERY_ON_AWS),
    }
}

/// Serves a gateway on an engine.
pub(super) fn serve_on(
    engine: &Engine,
    bound: BoundGateway,
    ports: Ports,
    stack: SettingsInForce,
    access: Access,
) -> Result<RunningGateway> {
    let supervisor = engine.supervisor();
    Ok(bound.serve(ports, stack, access, &engine.registry, &engine.label, supervisor)?)
}

pub(super) fn access(args: &AccessArgs) -> Result<Access> {
    Access::try_from(args).map_err(|error| Failure::new(ExitCode::Usage, error.to_string()))
}

/// How a gateway checks tokens while its stack requires them.
pub(super) struct GatewayTokens {
    pub(super) tokens: Tokens,
    /// The keys, if tokens are required now.
    pub(super) keys: Option<KeyRing>,
}

/// Returns how a gateway checks tokens. If tokens are already required, keys must exist.
pub(super) async fn tokens(
    settings: &Settings,
    output: &Output,
    given: GivenKeys,
    stack: &SettingsInForce,
) -> Result<GatewayTokens> {
    let requires_token = stack.now().requires_token;
    given.check_use(requires_token)?;
    let found = KeysFound::find(settings, given.file).await?;
    let keys = match requires_token {
        true => Some(found.read(output).await?),
        false => None,
    };
    Ok(GatewayTokens { tokens: found.tokens(given.provider), keys })
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
