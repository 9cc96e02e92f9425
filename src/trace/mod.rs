//! Traces: one quote from its frame to its push, across all queues, as OpenTelemetry shows it.
//!
//! A stage runs its work in a span of this module. The span continues the trace of the message that woke
//! the stage, and messages that the stage sends carry the span's `traceparent`. So the span of the next
//! stage becomes its child, in any process. Ports and engines do not know about traces, because
//! `traceparent` is a member of the message's JSON.
//!
//! Without the feature `otel` no span is ever made and nothing is sent. With it, spans are sent if
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.

mod context;
#[cfg(feature = "otel")]
mod exporter;
mod install;
#[cfg(feature = "otel")]
mod settings;
mod spans;

pub use context::{carried_by, current};
#[cfg(feature = "otel")]
pub use exporter::ExporterError;
pub use install::{InstallError, LogSubscriber, Systems, Traces, install};
#[cfg(feature = "otel")]
pub use settings::SettingsError;
pub use spans::{
    frame, http_request, price_calc, push, quotation_handler, quotation_provider, subscribe, within,
};
