//! `ocache up`: runs everything in one process. It is ready when a real quote has been answered.

mod events;
mod example;

use std::path::Path;

use serde_json::json;
use tokio::task::JoinHandle;

use super::args::{Backend, UpArgs};
use super::confirm::confirm;
use super::engine::{Engine, EngineKind, makes_store};
use super::failure::{ExitCode, Failure, Result};
use super::interrupt::Interrupts;
use super::metrics_port::MetricsPort;
use super::output::{Output, table};
use super::serve::GatewayTokens;
use super::settings::Settings;
use super::shell::quoted;
use super::stack_settings::{self, Given};
use super::token_keys::{GivenKeys, KeysFound};
use super::{load, serve};
use crate::data::{LoadError, LoadOptions, Watched, fixtures};
use crate::model::show_duration;
use crate::ports::{Chain, Ports, ProcessRole, Store, first_products};
use crate::pricing::Currency;
use crate::runtime::gateway::{BoundGateway, RunningGateway};
use crate::runtime::{LONG_POLL, MadeUp, Role, Shutdown, Worker, ready_check};
use crate::stages::StackSettings;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    interrupts: &Interrupts,
    args: UpArgs,
) -> Result<()> {
    let mut access = serve::access(&args.access)?;
    // Bind the port first: a second `up` must not touch the store of the first.
    let bound = BoundGateway::bind(args.port).await?;
    let metrics_port = MetricsPort::bind(args.metrics).await?;
    let given = Given::read(settings)?;
    let keys = GivenKeys::read(&args.access).await?;
    if settings.backend == Backend::Embedded {
        // A command that must fail neither creates nor empties a store.
        check_keys_given(settings, output, &given, &keys).await?;
        if args.fresh || makes_store(settings) {
            keys.check_use(given.asks_for_tokens())?;
        }
    }
    let is_new = makes_store(settings);
    let engine = Engine::open(settings, output).await?;
    if args.fresh && !is_new {
        let folder = settings.data_dir.display().to_string();
        check_unused(&engine, &folder).await?;
        confirm(output, args.yes, &format!("delete everything in the store in `{folder}`"))?;
        // The answer may have taken minutes, in which other processes may have opened the store.
        check_unused(&engine, &folder).await?;
        start_fresh(&engine).await?;
    }
    #[cfg(feature = "aws")]
    if let (true, EngineKind::Aws(aws)) = (args.provision, engine.kind()) {
        super::provision::make_missing(settings, output, aws).await?;
    }
    engine.stay(settings, output).await?;
    // Check before tokens are required from everybody. On AWS the keys may be among the missing
    // resources.
    check_keys_given(settings, output, &given, &keys).await?;
    stack_settings::set_if_alone(&engine, output, &given).await?;
    let stack = stack_settings::follow(&engine, output, &given).await?;
    given.check_door(&stack.now())?;
    let GatewayTokens { tokens, keys } = serve::tokens(settings, output, keys, &stack).await?;
    access.tokens = Some(tokens);
    let bound = serve::watched(bound, &engine);
    let metrics = bound.metrics();
    let ports = engine.ports(Some(bound.own()));
    load_fixtures(output, &ports).await?;

    let shutdown = interrupts.listen(engine.file());
    let gateway = serve::serve_on(&engine, bound, ports.clone(), stack.clone(), access)?;
    args.stages.memory.bound(&gateway.lookup());
    metrics_port.serve(gateway.scrape(), output, &settings.supervisor, &shutdown);
    let system = System {
        worker: std::sync::Arc::new(Worker {
            ports: ports.clone(),
            lookup: gateway.lookup(),
            policy: stack.policy(),
            slots: args.stages.slots.into(),
            poll_wait: LONG_POLL,
            metrics,
            supervisor: settings.supervisor.clone(),
        }),
        shutdown: shutdown.clone(),
    };
    engine.announce(&ProcessRole::ALL, &system.worker.metrics).await;
    // The schedule starts last, because nothing may be refreshed while the check cleans up.
    let workers = system.spawn(&[Role::PriceCalc, Role::QuotationProvider]);
    let (own, made_up) = (gateway.destination(), MadeUp::new(&ports).map_err(Failure::internal)?);
    gateway.do_not_count(made_up.user().clone());
    let checked = tokio::select! {
        checked = ready_check(&ports, &made_up, &own, keys.as_ref()) => Some(checked),
        () = shutdown.begun() => None,
    };
    let outcome = match checked {
        Some(Ok(_)) => {
            announce(output, &engine, &gateway, &stack.now())?;
            invite(output, &*ports.store, &settings.as_flags).await?;
            events::tell(output, &system.worker, &engine, settings.backend, &shutdown);
            let schedule = system.spawn(&[Role::Refresh]);
            shutdown.begun().await;
            // The supervisor has already been told of a panic.
            let _ = schedule.await;
            Ok(())
        }
        Some(Err(error)) => {
            shutdown.begin();
            let message = format!("the system does not work: {}", Chain(&error));
            Err(Failure::new(ExitCode::Failure, message)
                .hint("run it again with --verbose to see what each stage does"))
        }
        None => Ok(()),
    };
    // Stop the workers first, so that their last answers still find the sockets open.
    let _ = workers.await;
    gateway.stop().await;
    engine.close().await;
    if outcome.is_ok() {
        output.note("drained");
    }
    outcome
}

/// Fails if the given values require tokens and there are no keys to check them with.
async fn check_keys_given(
    settings: &Settings,
    output: &Output,
    given: &Given,
    keys: &GivenKeys,
) -> Result<()> {
    if given.asks_for_tokens() {
        KeysFound::find(settings, keys.file.clone()).await?.read(output).await?;
    }
    Ok(())
}

struct System {
    worker: std::sync::Arc<Worker>,
    shutdown: Shutdown,
}

impl System {
    fn spawn(&self, roles: &'static [Role]) -> JoinHandle<()> {
        let (worker, shutdown) = (self.worker.clone(), self.shutdown.clone());
        let running = async move { worker.run(roles, &shutdown).await };
        self.worker.supervisor.spawn("the workers", running)
    }
}

/// Refuses to empty a store that other processes use, because their customers would be quoted other
/// prices.
async fn check_unused(engine: &Engine, folder: &str) -> Result<()> {
    match engine.others_live().await? {
        false => Ok(()),
        true => Err(Failure::new(ExitCode::Failure, format!("the store in `{folder}` is in use"))
            .hint("end `ocache up`, the workers and gateways of this folder; `ocache status` lists them")),
    }
}

async fn start_fresh(engine: &Engine) -> Result<()> {
    match engine.kind() {
        EngineKind::Embedded(embedded) => Ok(embedded.clear().await?),
        #[cfg(feature = "aws")]
        EngineKind::Aws(_) => {
            let message = "--fresh empties only embedded stores";
            Err(Failure::new(ExitCode::Usage, message)
                .hint("to make a new stack, run `ocache destroy` and `ocache provision`"))
        }
    }
}

/// Loads the fixtures if there are no products.
async fn load_fixtures(output: &Output, ports: &Ports) -> Result<()> {
    let options = LoadOptions { currency: Currency::USD, prune: false, merge: false };
    while first_products(&*ports.store, 1).await?.rows.is_empty() {
        let head = ports.store.catalogue_head().await?;
        let dataset = fixtures::dataset_with(head.map_or(0, |head| head.rounding.unit_decimals))?;
        match load::write(output, ports, &dataset, options, &Watched::default()).await {
            Ok(_) => {
                output.note(&format!(
                    "no products yet: loaded the fixtures ({} products, discounts of {} customers)",
                    dataset.products.len(),
                    dataset.discounts.len()
                ));
                return Ok(());
            }
            // Another process, perhaps another `up`, has loaded products.
            Err(LoadError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn announce(
    output: &Output,
    engine: &Engine,
    gateway: &RunningGateway,
    stack: &StackSettings,
) -> Result<()> {
    let StackSettings { policy, requires_token, .. } = stack;
    let websocket = gateway.websocket();
    let http = websocket.replacen("ws://", "http://", 1);
    let data = json!({
        "ready": true,
        "engine": engine.label,
        "page": gateway.page(),
        "websocket": websocket,
        "subscribe": format!("{http}/subscribe"),
        "health": format!("{http}/health"),
        "refresh_every_secs": policy.refresh_every.as_secs_f64(),
        "ttl_secs": policy.ttl.as_secs_f64(),
        "requires_token": requires_token,
    });
    output.data(&data, |_| {
        let rows = [
            ("page", gateway.page()),
            ("websocket", websocket.to_owned()),
            ("subscribe", format!("PUT {http}/subscribe")),
            ("health", format!("GET {http}/health")),
            ("data", engine.label.clone()),
            ("refresh every", show_duration(policy.refresh_every)),
            ("customers expire after", show_duration(policy.ttl)),
            (
                "lets in",
                if *requires_token { "clients with a token" } else { "everybody" }.to_owned(),
            ),
        ];
        table(["", ""]).with(rows.iter().map(|(name, value)| [*name, value])).to_string()
    })
}

/// Suggests a quote that works with the stored data.
async fn invite(output: &Output, store: &dyn Store, target: &str) -> Result<()> {
    const READY: &str = "ready: a quote was answered over the websocket. Open the page";
    match example::example(store).await? {
        Some(arguments) => {
            output.note(&format!("{READY}, or try in another terminal:"));
            output.note(&format!("  {} quote{target} {arguments}", program()));
        }
        None => output.note(READY),
    }
    Ok(())
}

/// Returns this program as it was started, so that the suggestion works in another terminal. `cargo run`
/// does not put it on the path.
fn program() -> String {
    let typed = std::env::args().next().unwrap_or_default();
    let found = match Path::new(&typed).components().count() {
        0 => "ocache".into(),
        1 => typed.into(),
        _ => std::path::absolute(&typed).unwrap_or_else(|_| typed.into()),
    };
    quoted(&found.display().to_string())
}
