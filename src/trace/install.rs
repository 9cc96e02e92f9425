//! Starts logs and traces together. Logs do not show the spans of traces, and traces contain nothing from
//! the log.

use std::sync::OnceLock;

#[cfg(feature = "otel")]
use opentelemetry_sdk::trace::SdkTracer;
use thiserror::Error;
use tracing::level_filters::LevelFilter;
#[cfg(feature = "otel")]
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
#[cfg(feature = "otel")]
use tracing_subscriber::filter::{FilterExt as _, Filtered, filter_fn};
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;

#[cfg(feature = "otel")]
use super::exporter::{Exporter, ExporterError};
#[cfg(feature = "otel")]
use super::settings::{SettingsError, TraceSettings};

/// The target of all spans of this module. No log shows it.
pub(super) const TARGET: &str = "trace";

/// The subscriber to which the layer of the log is added.
#[cfg(feature = "otel")]
pub type LogSubscriber = Layered<Option<Filtered<SpanLayer, Targets, Registry>>, Registry>;
#[cfg(feature = "otel")]
type SpanLayer = OpenTelemetryLayer<Registry, SdkTracer>;
/// The subscriber to which the layer of the log is added.
#[cfg(not(feature = "otel"))]
pub type LogSubscriber = Layered<Targets, Registry>;

/// The names of the engine's queues and topic in `messaging.system`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Systems {
    /// The name of the queues.
    pub queues: &'static str,
    /// The name of the topic.
    pub topic: &'static str,
}

impl Systems {
    /// The embedded engine.
    pub const EMBEDDED: Self = Self { queues: "ocache", topic: "ocache" };
    /// SQS and SNS.
    pub const AWS: Self = Self { queues: "aws_sqs", topic: "aws.sns" };
}

/// Why traces cannot be exported although they are configured.
#[derive(Debug, Error)]
pub enum InstallError {
    /// A variable of the environment is invalid.
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The exporter cannot be made.
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Exporter(#[from] ExporterError),
}

/// The traces of this process, if it has any.
#[derive(Clone, Default)]
pub struct Traces {
    #[cfg(feature = "otel")]
    exporter: Option<Exporter>,
}

impl Traces {
    /// Returns the URL to which traces are sent, for people.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        #[cfg(feature = "otel")]
        return self.exporter.as_ref().map(|exporter| exporter.url().to_string());
        #[cfg(not(feature = "otel"))]
        None
    }

    /// Sends the spans that are still waiting.
    pub async fn flush(&self) {
        #[cfg(feature = "otel")]
        if let Some(exporter) = &self.exporter {
            exporter.flush().await;
        }
    }
}

/// The names of the queues and the topic of this process.
static SYSTEMS: OnceLock<Systems> = OnceLock::new();

pub(super) fn systems() -> Systems {
    SYSTEMS.get().copied().unwrap_or(Systems::EMBEDDED)
}

/// Starts the log of the shown targets and, if the environment names a collector, the traces.
///
/// # Errors
/// Returns [`InstallError`] if traces are configured and cannot be exported.
pub fn install(
    lines: impl Layer<LogSubscriber> + Send + Sync + 'static,
    shown: Targets,
    systems: Systems,
) -> Result<Traces, InstallError> {
    let shown = shown.with_target(TARGET, LevelFilter::OFF);
    SYSTEMS.get_or_init(|| systems);
    #[cfg(feature = "otel")]
    {
        let exporter = TraceSettings::from_environment()?.map(Exporter::start).transpose()?;
        let collector = exporter.as_ref().map(|exporter| {
            let own = Targets::new().with_target(TARGET, LevelFilter::INFO);
            span_layer(exporter.tracer()).with_filter(own)
        });
        let shown = shown.with_target("opentelemetry_sdk", LevelFilter::WARN);
        // The library logs every request that fails. The collector's client logs only the first of
        // consecutive failures.
        let shown = shown.and(filter_fn(|line| line.name() != "BatchSpanProcessor.ExportError"));
        let base = tracing_subscriber::registry().with(collector);
        // This fails only at a second start, and there is none.
        let _ = base.with(lines.with_filter(shown)).try_init();
        Ok(Traces { exporter })
    }
    #[cfg(not(feature = "otel"))]
    {
        // This fails only at a second start, and there is none.
        let _ = tracing_subscriber::registry().with(shown).with(lines).try_init();
        Ok(Traces::default())
    }
}

/// Returns the layer that makes OpenTelemetry spans from the spans of this module, without additional
/// attributes.
#[cfg(feature = "otel")]
fn span_layer(tracer: SdkTracer) -> SpanLayer {
    OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
}
