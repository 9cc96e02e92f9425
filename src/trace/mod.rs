//! Traces: one quote from its frame to its push, across all queues, as OpenTelemetry sees it.
//!
//! A stage runs its work in a span of this room, made from the message that woke it; what it sends
//! then carries the span's [`TraceContext`], and so the next stage's span becomes its child, in
//! whatever process. Nothing of this is known to ports or engines: the context is a field
//! `traceparent` of the message's JSON.
//!
//! Without the feature `otel` no span is ever made and nothing is sent; with it, nothing is unless
//! `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.

mod context;
#[cfg(feature = "otel")]
mod exporter;
#[cfg(feature = "otel")]
mod finished;
mod install;
#[cfg(feature = "otel")]
mod layer;
#[cfg(feature = "otel")]
mod otlp;
#[cfg(feature = "otel")]
mod sampler;
#[cfg(feature = "otel")]
mod settings;
mod spans;

pub use context::TraceContext;
#[cfg(feature = "otel")]
pub use exporter::Exporter;
pub use install::{Base, InstallError, Systems, Traces, install};
#[cfg(feature = "otel")]
pub use layer::SpanCollector;
#[cfg(feature = "otel")]
pub use settings::{SettingsError, TraceSettings};
pub use spans::{
    current, frame, http_request, price_calc, push, quotation_handler, quotation_provider,
    subscribe, within,
};

use install::TARGET;
