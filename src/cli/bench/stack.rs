//! The system that is measured: the one that runs, or one inside this process.

use tokio::task::JoinHandle;

use super::super::engine::Engine;
use super::super::failure::Failure;
use super::super::quote::find_gateway;
use crate::ports::Ports;
use crate::runtime::gateway::{Access, BoundGateway, RunningGateway};
use crate::runtime::{Role, SHORT_POLL, Shutdown, Slots, Worker};
use crate::stages::Policy;

/// An engine, and the gateway that quotes go through.
pub(super) struct Stack {
    engine: Engine,
    ports: Ports,
    url: String,
    own: Option<OwnSystem>,
}

struct OwnSystem {
    gateway: RunningGateway,
    shutdown: Shutdown,
    workers: JoinHandle<()>,
}

impl Stack {
    /// The given gateway, else the one that runs, else one of its own with its own workers. There is
    /// no schedule in it: what is refreshed is what is measured.
    pub(super) async fn find(engine: Engine, url: Option<&str>) -> Result<Self, Failure> {
        let running = match url {
            Some(url) => Some(url.to_owned()),
            None => find_gateway(&engine).await,
        };
        if let Some(url) = running {
            let ports = engine.ports(None);
            return Ok(Self { engine, ports, url, own: None });
        }
        let bound = BoundGateway::bind(0).await?;
        let ports = engine.ports(Some(bound.own()));
        let (policy, access) = (Policy::default(), Access::default());
        let gateway =
            bound.serve(ports.clone(), policy.clone(), access, &engine.registry, &engine.label)?;
        let url = gateway.websocket().to_owned();
        let shutdown = Shutdown::new();
        let until = shutdown.clone();
        let (worked_on, slots) = (ports.clone(), Slots::default());
        let worker = Worker { ports: worked_on, policy, slots, poll_wait: SHORT_POLL };
        let workers = tokio::spawn(async move {
            worker.run(&[Role::PriceCalc, Role::QuotationProvider], &until).await;
        });
        Ok(Self { engine, ports, url, own: Some(OwnSystem { gateway, shutdown, workers }) })
    }

    pub(super) fn ports(&self) -> Ports {
        self.ports.clone()
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn label(&self) -> &str {
        &self.engine.label
    }

    pub(super) fn description(&self) -> String {
        match self.own {
            Some(_) => "no gateway runs: one is started in this process, with workers".to_owned(),
            None => format!("through the gateway at {}", self.url),
        }
    }

    pub(super) async fn leave(self) {
        if let Some(own) = self.own {
            own.shutdown.begin();
            // Workers that died have nothing more to drain.
            let _ = own.workers.await;
            own.gateway.stop().await;
        }
        self.engine.close().await;
    }
}
