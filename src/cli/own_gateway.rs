//! A gateway inside this process, with workers beside it, for a command that finds none running.

use tokio::task::JoinHandle;

use super::engine::Engine;
use super::failure::Result;
use super::output::Output;
use super::serve::{self, GatewayTokens, serve_on};
use super::settings::Settings;
use super::stack_settings::{self, Given};
use super::token_keys::GivenKeys;
use crate::ports::Ports;
use crate::runtime::client::Destination;
use crate::runtime::gateway::{Access, BoundGateway, RunningGateway};
use crate::runtime::{Role, SHORT_POLL, Shutdown, Slots, Worker, ticket};
use crate::tokens::{Clients, Token};

pub(super) struct OwnGateway {
    /// The ports, which reach the clients of the gateway.
    pub(super) ports: Ports,
    /// A token for it, if it requires tokens.
    pub(super) ticket: Option<Token>,
    gateway: RunningGateway,
    shutdown: Shutdown,
    workers: JoinHandle<()>,
}

impl OwnGateway {
    /// Starts the gateway, and workers with these roles. If tokens are required and customers are wished, makes
    /// a token for them.
    pub(super) async fn start(
        settings: &Settings,
        output: &Output,
        engine: &Engine,
        given: &Given,
        wished: Option<Clients>,
        roles: &'static [Role],
    ) -> Result<Self> {
        let stack = stack_settings::follow(engine, output, given).await?;
        let GatewayTokens { tokens, keys } =
            serve::tokens(settings, output, GivenKeys::default(), &stack).await?;
        let bound = BoundGateway::bind(0).await?;
        let (ports, metrics) = (engine.ports(Some(bound.own())), bound.metrics());
        let access = Access { tokens: Some(tokens), ..Access::default() };
        let gateway = serve_on(engine, bound, ports.clone(), stack.clone(), access)?;
        let made = keys.zip(wished);
        let ticket =
            made.and_then(|(keys, clients)| ticket(&keys, clients, ports.clock.now()).ok());
        let worker = Worker {
            ports: ports.clone(),
            lookup: gateway.lookup(),
            policy: stack.policy(),
            slots: Slots::default(),
            poll_wait: SHORT_POLL,
            metrics,
            supervisor: engine.supervisor().clone(),
        };
        let shutdown = Shutdown::new();
        let until = shutdown.clone();
        let running = async move { worker.run(roles, &until).await };
        let workers = engine.supervisor().spawn("the workers", running);
        Ok(Self { ports, ticket, gateway, shutdown, workers })
    }

    pub(super) fn destination(&self) -> Destination {
        self.gateway.destination()
    }

    pub(super) async fn stop(self) {
        self.shutdown.begin();
        // The supervisor has already been told of a panic.
        let _ = self.workers.await;
        self.gateway.stop().await;
    }
}
