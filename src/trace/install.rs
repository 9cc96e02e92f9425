//! Logs and traces, started together: each sees what it is for, and neither what the other is.

use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
#[cfg(feature = "otel")]
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;

#[cfg(feature = "otel")]
use super::{Exporter, SettingsError, SpanCollector, TraceSettings};
#[cfg(feature = "otel")]
use crate::https::NoCertificates;
use crate::supervisor::Supervisor;

/// The target of all spans of this room, which no log shows.
pub(super) const TARGET: &str = "trace";

/// What lines of a log stand on.
#[cfg(feature = "otel")]
pub type Base = Layered<Option<Filtered<SpanCollector, Targets, Registry>>, Registry>;
/// What lines of a log stand on.
#[cfg(not(feature = "otel"))]
pub type Base = Layered<Targets, Registry>;

/// What the engine's queues and topic are called: `messaging.system`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Systems {
    /// The queues.
    pub queues: &'static str,
    /// The topic.
    pub topic: &'static str,
}

impl Systems {
    /// The engine of one's own.
    pub const EMBEDDED: Self = Self { queues: "ocache", topic: "ocache" };
    /// SQS and SNS.
    pub const AWS: Self = Self { queues: "aws_sqs", topic: "aws.sns" };
}

/// Why traces that are wanted cannot be exported.
#[derive(Debug, Error)]
pub enum InstallError {
    /// A variable of the environment has no meaning.
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The collector is reached by TLS, and this machine trusts nobody.
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Certificates(#[from] NoCertificates),
}

/// The traces of this process, if it has any.
#[derive(Clone, Default)]
pub struct Traces {
    #[cfg(feature = "otel")]
    exporter: Option<Exporter>,
}

impl Traces {
    /// Where they go, for people.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        #[cfg(feature = "otel")]
        return self.exporter.as_ref().map(Exporter::url);
        #[cfg(not(feature = "otel"))]
        None
    }

    /// Sends what is still to be sent.
    pub async fn flush(&self) {
        #[cfg(feature = "otel")]
        if let Some(exporter) = &self.exporter {
            exporter.flush().await;
        }
    }
}

/// Starts logging what is shown and, if the environment says where to, tracing. The supervisor hears
/// of an exporter that dies.
///
/// # Errors
/// [`InstallError`], when traces are wanted and cannot be exported.
#[cfg_attr(not(feature = "otel"), expect(unused_variables, reason = "nothing is traced"))]
pub fn install(
    lines: impl Layer<Base> + Send + Sync + 'static,
    shown: Targets,
    systems: Systems,
    supervisor: &Supervisor,
) -> Result<Traces, InstallError> {
    let shown = shown.with_target(TARGET, LevelFilter::OFF);
    #[cfg(feature = "otel")]
    {
        let (exporter, collector) = match TraceSettings::from_environment()? {
            None => (None, None),
            Some(settings) => {
                let (exporter, collector) = Exporter::start(settings, systems, supervisor)?;
                let own = Targets::new().with_target(TARGET, LevelFilter::INFO);
                (Some(exporter), Some(collector.with_filter(own)))
            }
        };
        let base = tracing_subscriber::registry().with(collector);
        // Only a second start could fail, and there is none.
        let _ = base.with(lines.with_filter(shown)).try_init();
        Ok(Traces { exporter })
    }
    #[cfg(not(feature = "otel"))]
    {
        // Only a second start could fail, and there is none.
        let _ = tracing_subscriber::registry().with(shown).with(lines).try_init();
        Ok(Traces::default())
    }
}
