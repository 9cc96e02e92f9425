//! The engine that the settings ask for, opened.

use std::sync::Arc;

use super::args::Backend;
use super::failure::{ExitCode, Failure};
use super::output::Output;
use super::settings::Settings;
use crate::embedded::Embedded;
use crate::ports::{Connections, Ports, SystemClock, SystemRandomness};
use crate::runtime::gateway::{GatewayConnections, GatewayRegistry, Sockets};

/// An engine, and the gateways of this machine that work on it.
pub struct Engine {
    kind: Kind,
    /// Where the gateways of this machine enter themselves.
    pub registry: GatewayRegistry,
    /// The engine and its target, for people and for telling gateways apart.
    pub label: String,
}

enum Kind {
    Embedded(Embedded),
}

impl Engine {
    /// Opens the engine and says on stderr which one it is.
    pub(super) async fn open(settings: &Settings, output: &Output) -> Result<Self, Failure> {
        let engine = Self::open_silently(settings).await?;
        output.note(&format!("engine: {}", engine.label));
        Ok(engine)
    }

    pub(super) async fn open_silently(settings: &Settings) -> Result<Self, Failure> {
        let registry = GatewayRegistry::new(&settings.data_dir);
        match settings.backend {
            Backend::Embedded => {
                let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
                let embedded = Embedded::open(&settings.data_dir, clock, randomness)?;
                let label = format!("embedded, {}", embedded.file().display());
                Ok(Self { kind: Kind::Embedded(embedded), registry, label })
            }
            Backend::Aws => Err(Failure::new(ExitCode::Usage, "this ocache has no AWS engine yet")),
        }
    }

    /// The ports. `own` is the gateway of this process, if it has one.
    pub(super) fn ports(&self, own: Option<(String, Arc<Sockets>)>) -> Ports {
        let connections: Arc<dyn Connections> =
            Arc::new(GatewayConnections::new(own, self.registry.clone(), None));
        match &self.kind {
            Kind::Embedded(embedded) => embedded.ports(connections),
        }
    }

    /// The embedded store, if that is the engine.
    pub(super) const fn embedded(&self) -> Option<&Embedded> {
        match &self.kind {
            Kind::Embedded(embedded) => Some(embedded),
        }
    }

    /// Writes what is still to be written.
    pub(super) async fn close(self) {
        match self.kind {
            Kind::Embedded(embedded) => embedded.close().await,
        }
    }
}
