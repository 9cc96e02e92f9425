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

/// The shortest time between two looks of the page at the cache.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A gateway that has its port but does not serve yet. Workers in the same process need its endpoint and
/// sockets to push to them directly.
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
    /// Accepts connections.
    task: JoinHandle<()>,
    /// Serves the connections. They outlive the task above if it dies.
    connections: TaskTracker,
    registration: Registration,
}

/// Why a gateway does not run.
#[derive(Debug, Error)]
pub enum StartError {
    /// The port is taken, or may not be opened.
    #[error("port {port} cannot be opened")]
    Port {
        /// The port.
        port: u16,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The gateway could not be entered in the registry.
    #[error("the gateway cannot be registered in `{}`", folder.display())]
    Register {
        /// The registry's folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl BoundGateway {
    /// Opens a port on loopback; 0 means any free one.
    ///
    /// # Errors
    /// Returns [`StartError::Port`].
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

    /// Returns the counters of this process. Workers beside the gateway use them too.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.page.metrics.clone()
    }

    /// Sets how often the page looks at the cache, for engines on which each look is billed.
    #[must_use]
    pub fn looking_every(mut self, look_every: Duration) -> Self {
        self.page.look_every = look_every;
        self
    }

    /// Makes the metrics report the backlog of the store's housekeeping.
    #[must_use]
    pub fn reporting_upkeep(mut self, housekeeping: Arc<dyn Housekeeping>) -> Self {
        self.page.housekeeping = Some(housekeeping);
        self
    }

    /// Returns its management endpoint and its sockets.
    #[must_use]
    pub fn own(&self) -> (String, Arc<Sockets>) {
        (self.endpoint.clone(), self.sockets.clone())
    }

    /// Serves on an engine's ports. `engine` names the engine and its target in the registry. The
    /// supervisor learns of it if the gateway dies.
    ///
    /// # Errors
    /// Returns [`StartError::Register`].
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
            instance: gateway.instance.clone(),
            secret: gateway.secret.clone(),
            engine: engine.to_owned(),
            pid: std::process::id(),
            keys,
        };
        let registration = registry
            .register(&record)
            .map_err(|source| StartError::Register { folder: registry.folder().into(), source })?;
        let connections = TaskTracker::new();
        let (watched, until) = (gateway.clone(), shutdown.clone());
        let course = async move { watched.page.keep_course(&until).await };
        connections.spawn(supervisor.watch("the page's course of counters", course));
        let serving = gateway.clone().serve(listener, connections.clone(), shutdown.clone());
        let task = supervisor.spawn("the gateway", serving);
        Ok(RunningGateway { gateway, record, shutdown, task, connections, registration })
    }
}

impl RunningGateway {
    /// Returns the URL to which clients connect.
    #[must_use]
    pub fn websocket(&self) -> &str {
        &self.record.websocket
    }

    /// Returns the lookup that its quotes use, for workers of the same process.
    #[must_use]
    pub fn lookup(&self) -> Arc<Lookup> {
        self.gateway.lookup.clone()
    }

    /// Excludes a made-up customer of this process, such as that of a check, from the count of active
    /// customers.
    pub fn do_not_count(&self, user: UserId) {
        self.gateway.visitors.do_not_count(user);
    }

    /// Returns the source of its `/metrics`.
    #[must_use]
    pub fn scrape(&self) -> Arc<Scrape> {
        self.gateway.page.scrape().clone()
    }

    /// Returns the destination for a client in this process.
    #[must_use]
    pub fn destination(&self) -> Destination {
        Destination::Entered(Box::new(self.record.clone()))
    }

    /// Returns the URL of the page.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}/", self.record.websocket.replacen("ws://", "http://", 1))
    }

    /// Removes the registry entry, closes every socket with 1001, and waits until all are closed.
    pub async fn stop(self) {
        drop(self.registration);
        self.shutdown.begin();
        // The supervisor has already been told of a panic.
        let _ = self.task.await;
        self.connections.close();
        self.connections.wait().await;
    }
}
