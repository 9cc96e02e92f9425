//! Opens the engine that the settings select.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::args::Backend;
use super::failure::{Failure, Result};
use super::output::Output;
#[cfg(feature = "aws")]
use super::settings::AwsTarget;
use super::settings::Settings;
use super::store_file::StoreFile;
#[cfg(feature = "aws")]
use crate::aws::{Aws, AwsSettings};
use crate::embedded::Embedded;
use crate::meter::{Meter, Reporter, Usage, metered_and_watched};
#[cfg(feature = "aws")]
use crate::ports::living_processes;
use crate::ports::{
    Chain, Connections, Housekeeping, PortError, Ports, ProcessRole, SteadyClock, SystemClock,
    SystemRandomness,
};
use crate::runtime::gateway::{GatewayConnections, GatewayRegistry, Sockets, running};
use crate::runtime::metrics::Metrics;
use crate::runtime::{Announcer, follow_settings};
use crate::stages::SettingsInForce;
use crate::supervisor::Supervisor;

/// How often usage is written: if writes are free, and if they are billed. The latter costs one write
/// unit a minute.
const REPORT_EVERY: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];
/// How often the settings of the stack are read again: if reads are free, and if they are billed.
const FOLLOW_EVERY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// How often a process announces that it is alive: if writes are free, and if they are billed.
const ANNOUNCE_EVERY: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// The problem of a store that [is half loaded](Engine::is_half_loaded).
pub(super) const HALF_LOADED: &str = "an earlier ocache was ended in the middle of a load: some \
     products and discounts are of that load, the others of the one before";

/// Returns how to fix a half-done load.
pub(super) fn load_again(settings: &Settings) -> String {
    let stack = &settings.as_flags;
    format!("load all of them again with `ocache load{stack} PATH`")
}

/// An open engine, and the registry of the gateways of this machine that use it.
pub struct Engine {
    kind: EngineKind,
    /// The registry of the gateways of this machine.
    pub registry: GatewayRegistry,
    /// The engine and its target, for people and to distinguish gateways.
    pub label: String,
    /// The engine's own way to gateways on other machines.
    elsewhere: Option<Arc<dyn Connections>>,
    meter: Arc<Meter>,
    reporter: Arc<Reporter>,
    reporting: OnceLock<AbortHandle>,
    following: OnceLock<AbortHandle>,
    announcing: OnceLock<(Arc<Announcer>, AbortHandle)>,
    supervisor: Supervisor,
}

/// The kind of engine.
pub enum EngineKind {
    /// The embedded engine on one file.
    Embedded(Embedded),
    /// An AWS account, or a local AWS.
    #[cfg(feature = "aws")]
    Aws(Box<Aws>),
}

impl Engine {
    /// Opens the engine and names it on stderr.
    pub(super) async fn open(settings: &Settings, output: &Output) -> Result<Self> {
        let registry = GatewayRegistry::new(&settings.data_dir);
        let engine = match settings.backend {
            Backend::Embedded => open_embedded(settings, registry)?,
            #[cfg(feature = "aws")]
            Backend::Aws => open_aws(settings, registry).await?,
            #[cfg(not(feature = "aws"))]
            Backend::Aws => return Err(Failure::without_aws("this needs AWS")),
        };
        output.note(&format!("engine: {}", engine.label));
        if !engine.is_billed() {
            engine.warn_if_half_loaded(settings, output).await?;
        }
        Ok(engine)
    }

    /// Opens the engine if its store exists. For commands that must not create a store.
    pub(super) async fn open_existing(settings: &Settings, output: &Output) -> Result<Self> {
        require_store(settings)?;
        Self::open(settings, output).await
    }

    fn new(
        kind: EngineKind,
        registry: GatewayRegistry,
        label: String,
        elsewhere: Option<Arc<dyn Connections>>,
        meter: Arc<Meter>,
        ports: &Ports,
        supervisor: &Supervisor,
    ) -> Self {
        let reporter = Arc::new(Reporter::new(Arc::clone(&meter), ports));
        Self {
            kind,
            registry,
            label,
            elsewhere,
            meter,
            reporter,
            reporting: OnceLock::new(),
            following: OnceLock::new(),
            announcing: OnceLock::new(),
            supervisor: supervisor.clone(),
        }
    }

    /// Returns the supervisor, which learns of every task and thread of this run that dies.
    pub(super) const fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Returns the ports. `own` is the gateway of this process, if it has one.
    pub(super) fn ports(&self, own: Option<(String, Arc<Sockets>)>) -> Ports {
        let (registry, elsewhere) = (self.registry.clone(), self.elsewhere.clone());
        let connections: Arc<dyn Connections> =
            Arc::new(GatewayConnections::new(own, registry, elsewhere));
        match &self.kind {
            EngineKind::Embedded(embedded) => {
                metered_and_watched(embedded.ports(connections), &self.meter)
            }
            #[cfg(feature = "aws")]
            EngineKind::Aws(aws) => aws.ports(Arc::new(SystemClock), connections),
        }
    }

    /// Returns what this process has used so far.
    pub(super) fn usage(&self) -> Usage {
        self.meter.usage()
    }

    /// Returns the kind of engine, for operations that only one of them has.
    pub(super) const fn kind(&self) -> &EngineKind {
        &self.kind
    }

    /// Whether each call of the engine is billed.
    const fn is_billed(&self) -> bool {
        !matches!(self.kind, EngineKind::Embedded(_))
    }

    /// Returns the interval of something that is free, or that is billed.
    const fn interval(&self, [free, billed]: [Duration; 2]) -> Duration {
        if self.is_billed() { billed } else { free }
    }

    /// Returns the housekeeping of the store, if ocache does it.
    pub(super) fn housekeeping(&self) -> Option<Arc<dyn Housekeeping>> {
        match &self.kind {
            EngineKind::Embedded(embedded) => Some(Arc::new(embedded.clone())),
            #[cfg(feature = "aws")]
            EngineKind::Aws(_) => None,
        }
    }

    /// Returns the file of the store, if it is one.
    pub(super) fn file(&self) -> Option<StoreFile> {
        match &self.kind {
            EngineKind::Embedded(embedded) => Some(StoreFile::new(embedded.file())),
            #[cfg(feature = "aws")]
            EngineKind::Aws(_) => None,
        }
    }

    /// Whether the store holds rows of two loads, because an earlier release left a load half done.
    pub(super) async fn is_half_loaded(&self) -> Result<bool, PortError> {
        match &self.kind {
            EngineKind::Embedded(embedded) => embedded.is_half_loaded().await,
            #[cfg(feature = "aws")]
            EngineKind::Aws(aws) => aws.is_half_loaded().await,
        }
    }

    async fn warn_if_half_loaded(&self, settings: &Settings, output: &Output) -> Result<()> {
        if self.is_half_loaded().await? {
            output.note(&format!("warning: {HALF_LOADED}; {}", load_again(settings)));
        }
        Ok(())
    }

    /// Follows the settings of the stack from now on.
    pub(super) fn follow(&self, settings: &SettingsInForce) {
        let every = self.interval(FOLLOW_EVERY);
        let following = follow_settings(settings.clone(), self.ports(None).store, every);
        let part = "the settings of the stack";
        self.following.get_or_init(|| self.supervisor.spawn(part, following).abort_handle());
    }

    /// Whether another worker or gateway process uses the stack. On AWS this must be asked before this
    /// process [announces itself](Self::announce).
    pub(super) async fn others_live(&self) -> Result<bool> {
        if running(&self.registry, &self.label).await.is_some() {
            return Ok(true);
        }
        match &self.kind {
            EngineKind::Embedded(embedded) => Ok(embedded.others_live()),
            #[cfg(feature = "aws")]
            EngineKind::Aws(_) => {
                let ports = self.ports(None);
                Ok(!living_processes(&*ports.presence, &*ports.clock).await?.is_empty())
            }
        }
    }

    /// Prepares for a process that stays: other processes can see that it is alive, and its usage is
    /// written at intervals and not only at the end.
    pub(super) async fn stay(&self, settings: &Settings, output: &Output) -> Result<()> {
        // The embedded engine checks this whenever it is opened. On AWS the check is billed.
        if self.is_billed() {
            self.warn_if_half_loaded(settings, output).await?;
        }
        match &self.kind {
            EngineKind::Embedded(embedded) => embedded.enter().await?,
            #[cfg(feature = "aws")]
            EngineKind::Aws(_) => {}
        }
        self.report();
        Ok(())
    }

    /// Announces the roles of this process and its last tick, now and at intervals. If the first
    /// announcement fails, the process works all the same.
    pub(super) async fn announce(&self, roles: &[ProcessRole], metrics: &Metrics) {
        let every = self.interval(ANNOUNCE_EVERY);
        let announcer = Announcer::new(&self.ports(None), metrics.clone(), roles, every);
        if let Err(error) = announcer.announce().await {
            tracing::warn!(error = %Chain(&error), "the presence of this process was not recorded");
        }
        let announcer = Arc::new(announcer);
        let told = announcer.clone();
        self.announcing.get_or_init(|| {
            let announcing = async move { announcer.run().await };
            let task = self.supervisor.spawn("the sign of life", announcing);
            (told, task.abort_handle())
        });
    }

    fn report(&self) {
        let every = self.interval(REPORT_EVERY);
        let reporter = Arc::clone(&self.reporter);
        let reporting = async move { reporter.run(every).await };
        self.reporting.get_or_init(|| self.supervisor.spawn("the meter", reporting).abort_handle());
    }

    /// Stops the background tasks and writes what is still to be written.
    pub(super) async fn close(self) {
        for task in [&self.reporting, &self.following] {
            if let Some(task) = task.get() {
                task.abort();
            }
        }
        if let Some((announcer, task)) = self.announcing.get() {
            task.abort();
            announcer.leave().await;
        }
        self.reporter.finish().await;
        match self.kind {
            EngineKind::Embedded(embedded) => embedded.close().await,
            #[cfg(feature = "aws")]
            EngineKind::Aws(aws) => aws.close().await,
        }
    }
}

/// Whether [`Engine::open`] would create a store. Commands that may still be refused check this first.
pub(super) fn makes_store(settings: &Settings) -> bool {
    settings.backend == Backend::Embedded && !Embedded::is_in(&settings.data_dir)
}

/// Fails if there is no embedded store, without creating its folder.
pub(super) fn require_store(settings: &Settings) -> Result<()> {
    if !makes_store(settings) {
        return Ok(());
    }
    let message = format!("there is no store in `{}`", settings.data_dir.display());
    Err(Failure::new(super::failure::ExitCode::NotFound, message)
        .hint("`ocache up` creates one; choose another folder with --data-dir"))
}

fn open_embedded(settings: &Settings, registry: GatewayRegistry) -> Result<Engine> {
    let clock = Arc::new(SteadyClock::new(Arc::new(SystemClock)));
    let randomness = Arc::new(SystemRandomness);
    let embedded = Embedded::open(&settings.data_dir, clock, randomness, &settings.supervisor)?;
    // A gateway is found by the same label, however the folder is spelled.
    let file = embedded.file();
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let label = format!("embedded, {}", file.display());
    let meter = Arc::new(Meter::new());
    let connections = Arc::new(GatewayConnections::new(None, registry.clone(), None));
    let ports = metered_and_watched(embedded.ports(connections), &meter);
    let (kind, supervisor) = (EngineKind::Embedded(embedded), &settings.supervisor);
    Ok(Engine::new(kind, registry, label, None, meter, &ports, supervisor))
}

#[cfg(feature = "aws")]
async fn open_aws(settings: &Settings, registry: GatewayRegistry) -> Result<Engine> {
    let target = &settings.aws;
    let aws = connect_aws(target).await?;
    let elsewhere = Some(aws.connections(&target.management_endpoints));
    let endpoint = aws.endpoint().map_or_else(String::new, |url| format!(", endpoint {url}"));
    let label = format!("aws, region {}{endpoint}, stack {}", aws.region(), target.stack);
    let (meter, ports) =
        (Arc::clone(aws.meter()), aws.ports(Arc::new(SystemClock), aws.connections(&[])));
    let (kind, supervisor) = (EngineKind::Aws(Box::new(aws)), &settings.supervisor);
    Ok(Engine::new(kind, registry, label, elsewhere, meter, &ports, supervisor))
}

/// Connects to AWS as the settings say.
#[cfg(feature = "aws")]
pub(super) async fn connect_aws(target: &AwsTarget) -> Result<Aws> {
    let settings = AwsSettings {
        profile: target.profile.clone(),
        region: target.region.clone(),
        endpoint_url: target.endpoint_url.clone(),
        ..AwsSettings::new(&target.stack)
    };
    Ok(Aws::connect(&settings, Arc::new(SystemRandomness)).await?)
}
