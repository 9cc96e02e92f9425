//! Starts a gateway in this process and enters it in the machine's registry.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::listener::Listener;
use super::page::PageSettings;
use super::registry::{GatewayRecord, GatewayRegistry, Registration};
use super::server::{Access, Gateway};
use super::sockets::Sockets;
use crate::model::UserId;
use crate::ports::{Housekeeping, Ports};
use crate::runtime::Shutdown;
use crate::runtime::client::Destination;
use crate::runtime::metrics::{Metrics, Scrape};
use crate::stages::{Lookup, SettingsInForce};
use crate::supervisor::Supervisor;

/// How often the page looks at the cache, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A gateway that has its port but does not serve yet: its ports are what the workers in the same
/// process need to push to its sockets directly.
pub struct BoundGateway {
    listener: Listener,
    sockets: Arc<Sockets>,
    endpoint: String,
    websocket: String,
    page: PageSettings,
}

/// A gateway that serves, until it is stopped.
pub struct RunningGateway {
    gateway: Arc<Gateway>,
    record: GatewayRecord,
    shutdown: Shutdown,
    /// Takes connections.
    task: JoinHandle<()>,
    /// Serve them, and outlive the task above if it dies.
    connections: TaskTracker,
    registration: Registration,
}

/// Why a gateway does not run.
#[derive(Debug, Error)]
pub enum StartError {
    /// The port is taken, or may not be opened.
    #[error("port {port} cannot be opened")]
    Port {
        /// Which.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It could not be entered in the registry.
    #[error("the gateway cannot be entered in `{}`", folder.display())]
    Register {
        /// The registry's folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl BoundGateway {
    /// Opens a port on loopback; 0 is any free one.
    ///
    /// # Errors
    /// [`StartError::Port`].
    pub async fn bind(port: u16) -> Result<Self, StartError> {
        let opened = async {
            let listener = Listener::bind(port).await?;
            let address = listener.address()?;
            Ok((listener, address))
        };
        let (listener, address) =
            opened.await.map_err(|source| StartError::Port { port, source })?;
        Ok(Self {
            listener,
            sockets: Sockets::new(),
            endpoint: format!("http://{address}"),
            websocket: format!("ws://{address}"),
            page: PageSettings {
                metrics: Metrics::new(),
                look_every: LOOK_EVERY,
                housekeeping: None,
            },
        })
    }

    /// What is counted in this process. Workers beside the gateway count with it.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.page.metrics.clone()
    }

    /// Has the page look at the cache less often: where each look is billed.
    #[must_use]
    pub fn looking_every(mut self, look_every: Duration) -> Self {
        self.page.look_every = look_every;
        self
    }

    /// Has the metrics tell how the store is kept in order.
    #[must_use]
    pub fn reporting_upkeep(mut self, housekeeping: Arc<dyn Housekeeping>) -> Self {
        self.page.housekeeping = Some(housekeeping);
        self
    }

    /// Its management endpoint and its sockets.
    #[must_use]
    pub fn own(&self) -> (String, Arc<Sockets>) {
        (self.endpoint.clone(), self.sockets.clone())
    }

    /// Serves on an engine's ports. `engine` names the engine and its target for others. The supervisor
    /// hears of a gateway that takes no more connections because it has died.
    ///
    /// # Errors
    /// [`StartError::Register`].
    pub fn serve(
        self,
        ports: Ports,
        settings: SettingsInForce,
        access: Access,
        registry: &GatewayRegistry,
        engine: &str,
        supervisor: &Supervisor,
    ) -> Result<RunningGateway, StartError> {
        let Self { listener, sockets, endpoint, websocket, page } = self;
        let keys = access.tokens.as_ref().map(|tokens| tokens.keys.clone());
        let shutdown = Shutdown::new();
        let at = endpoint.clone();
        let gateway = Gateway::new(ports, settings, sockets, access, at, page, &shutdown);
        let gateway = Arc::new(gateway);
        let record = GatewayRecord {
            websocket,
            endpoint,
            instance: gateway.instance().to_owned(),
            secret: gateway.secret().clone(),
            engine: engine.to_owned(),
            pid: std::process::id(),
            keys,
        };
        let registration = registry
            .register(&record)
            .map_err(|source| StartError::Register { folder: registry.folder().into(), source })?;
        let connections = TaskTracker::new();
        let (watched, until) = (gateway.clone(), shutdown.clone());
        let course = async move { watched.page().keep_course(&until).await };
        connections.spawn(supervisor.watch("the page's course of counters", course));
        let serving = gateway.clone().serve(listener, connections.clone(), shutdown.clone());
        let task = supervisor.spawn("the gateway", serving);
        Ok(RunningGateway { gateway, record, shutdown, task, connections, registration })
    }
}

impl RunningGateway {
    /// Where clients connect.
    #[must_use]
    pub fn websocket(&self) -> &str {
        &self.record.websocket
    }

    /// What its quotes look at tables with, for workers of the same process.
    #[must_use]
    pub fn lookup(&self) -> Arc<Lookup> {
        self.gateway.lookup().clone()
    }

    /// Does not count a user that this process makes up, such as for a check, among the active users.
    pub fn do_not_count(&self, user: UserId) {
        self.gateway.visitors().do_not_count(user);
    }

    /// What its `/metrics` answers.
    #[must_use]
    pub fn scrape(&self) -> Arc<Scrape> {
        self.gateway.page().scrape().clone()
    }

    /// For a client in this process.
    #[must_use]
    pub fn destination(&self) -> Destination {
        Destination::Entered(Box::new(self.record.clone()))
    }

    /// Where people open the page.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}/", self.record.websocket.replacen("ws://", "http://", 1))
    }

    /// Leaves the registry, closes every socket with 1001, and waits until they are closed.
    pub async fn stop(self) {
        drop(self.registration);
        self.shutdown.begin();
        // Its supervisor has heard of a panic.
        let _ = self.task.await;
        self.connections.close();
        self.connections.wait().await;
    }
}
