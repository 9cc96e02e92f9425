//! The system that is measured: the running one, or one inside this process.

use tokio::task::JoinHandle;

use super::super::args::BenchArgs;
use super::super::engine::Engine;
use super::super::failure::Failure;
use super::super::find_gateway::{FoundGateway, find_gateway};
use super::super::output::Output;
use super::super::serve::{self, GatewayTokens, serve_on};
use super::super::settings::Settings;
use super::super::stack_settings::{self, Given};
use super::super::token_keys::GivenKeys;
use super::figures::Figures;
use crate::ports::Ports;
use crate::runtime::client::Destination;
use crate::runtime::gateway::{Access, BoundGateway, RunningGateway};
use crate::runtime::{Role, SHORT_POLL, Shutdown, Slots, Worker, ticket};
use crate::tokens::{Clients, Token};

/// An engine, and the gateway to which quotes are sent.
pub(super) struct Stack {
    engine: Engine,
    ports: Ports,
    gateway: Destination,
    token: Option<Token>,
    own: Option<OwnSystem>,
}

struct OwnSystem {
    gateway: RunningGateway,
    shutdown: Shutdown,
    workers: JoinHandle<()>,
}

impl Stack {
    /// Uses the given gateway, else the running one, else starts one in this process with its own
    /// workers. These have no schedule, because the benchmark measures its own refreshes.
    pub(super) async fn find(
        settings: &Settings,
        output: &Output,
        engine: Engine,
        args: &BenchArgs,
    ) -> Result<Self, Failure> {
        let running = match &args.url {
            Some(url) => {
                Some(FoundGateway { gateway: Destination::Url(url.clone()), ticket: None })
            }
            // There are many customers, so the token covers every client.
            None => {
                let wished = args.token.is_none().then_some(Clients::Every);
                find_gateway(settings, &engine, wished).await?
            }
        };
        if let Some(FoundGateway { gateway, ticket }) = running {
            let (ports, token) = (engine.ports(None), args.token.clone().or(ticket));
            return Ok(Self { engine, ports, gateway, token, own: None });
        }
        let bound = BoundGateway::bind(0).await?;
        let (ports, metrics) = (engine.ports(Some(bound.own())), bound.metrics());
        let stack = stack_settings::follow(&engine, output, &Given::default()).await?;
        let GatewayTokens { tokens, keys } =
            serve::tokens(settings, output, GivenKeys::default(), &stack).await?;
        let access = Access { tokens: Some(tokens), ..Access::default() };
        let own = serve_on(&engine, bound, ports.clone(), stack.clone(), access)?;
        let made = keys.and_then(|keys| ticket(&keys, Clients::Every, ports.clock.now()).ok());
        let gateway = own.destination();
        let shutdown = Shutdown::new();
        let until = shutdown.clone();
        let worker = Worker {
            ports: ports.clone(),
            lookup: own.lookup(),
            policy: stack.policy(),
            slots: Slots::default(),
            poll_wait: SHORT_POLL,
            metrics,
            supervisor: engine.supervisor().clone(),
        };
        let workers = engine.supervisor().spawn("the workers", async move {
            worker.run(&[Role::PriceCalc, Role::QuotationProvider], &until).await;
        });
        let own = Some(OwnSystem { gateway: own, shutdown, workers });
        Ok(Self { engine, ports, gateway, token: args.token.clone().or(made), own })
    }

    pub(super) fn ports(&self) -> Ports {
        self.ports.clone()
    }

    pub(super) const fn gateway(&self) -> &Destination {
        &self.gateway
    }

    pub(super) const fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    pub(super) fn label(&self) -> &str {
        &self.engine.label
    }

    /// Runs a phase, and adds what it has used if all its workers are in this process.
    pub(super) async fn metered(
        &self,
        phase: impl Future<Output = Result<Figures, Failure>>,
    ) -> Result<Figures, Failure> {
        let before = self.engine.usage();
        let mut figures = phase.await?;
        figures.used = self.own.as_ref().map(|_| self.engine.usage().since(&before));
        Ok(figures)
    }

    pub(super) fn description(&self) -> String {
        match self.own {
            Some(_) => "no gateway runs: one is started in this process, with workers".to_owned(),
            None => format!("through the gateway at {}", self.gateway.url()),
        }
    }

    pub(super) async fn leave(self) {
        if let Some(own) = self.own {
            own.shutdown.begin();
            // The supervisor has already been told of a panic.
            let _ = own.workers.await;
            own.gateway.stop().await;
        }
        self.engine.close().await;
    }
}
