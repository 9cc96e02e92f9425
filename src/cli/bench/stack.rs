//! The system that is measured: the running one, or one inside this process.

use super::super::args::BenchArgs;
use super::super::engine::Engine;
use super::super::failure::Result;
use super::super::find_gateway::{FoundGateway, find_gateway};
use super::super::output::Output;
use super::super::own_gateway::OwnGateway;
use super::super::settings::Settings;
use super::super::stack_settings::Given;
use super::figures::PhaseFigures;
use crate::ports::Ports;
use crate::runtime::Role;
use crate::runtime::client::Destination;
use crate::tokens::{Clients, Token};

/// An engine, and the gateway to which quotes are sent.
pub(super) struct Stack {
    engine: Engine,
    ports: Ports,
    gateway: Destination,
    token: Option<Token>,
    own: Option<OwnGateway>,
}

impl Stack {
    /// Uses the given gateway, else the running one, else starts one in this process with its own
    /// workers. These have no schedule, because the benchmark measures its own refreshes.
    pub(super) async fn find(
        settings: &Settings,
        output: &Output,
        engine: Engine,
        args: &BenchArgs,
    ) -> Result<Self> {
        // There are many customers, so the token covers every client.
        let wished = args.token.is_none().then_some(Clients::Every);
        let running = match &args.url {
            Some(url) => {
                Some(FoundGateway { gateway: Destination::Url(url.clone()), ticket: None })
            }
            None => find_gateway(settings, &engine, wished.clone()).await?,
        };
        let (gateway, ticket, own) = match running {
            Some(FoundGateway { gateway, ticket }) => (gateway, ticket, None),
            None => {
                let (given, roles) =
                    (Given::default(), &[Role::PriceCalc, Role::QuotationProvider]);
                let own =
                    OwnGateway::start(settings, output, &engine, &given, wished, roles).await?;
                (own.destination(), own.ticket.clone(), Some(own))
            }
        };
        let ports = own.as_ref().map_or_else(|| engine.ports(None), |own| own.ports.clone());
        Ok(Self { engine, ports, gateway, token: args.token.clone().or(ticket), own })
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
        phase: impl Future<Output = Result<PhaseFigures>>,
    ) -> Result<PhaseFigures> {
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
            own.stop().await;
        }
        self.engine.close().await;
    }
}
