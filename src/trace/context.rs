//! The part of a trace that travels between processes: a `traceparent` of W3C Trace Context.

#[cfg(feature = "otel")]
use std::collections::HashMap;

#[cfg(feature = "otel")]
use opentelemetry::Context;
#[cfg(feature = "otel")]
use opentelemetry::propagation::TextMapPropagator as _;
#[cfg(feature = "otel")]
use opentelemetry_sdk::propagation::TraceContextPropagator;
use serde::{Deserialize, Deserializer};
use tracing::Span;
#[cfg(feature = "otel")]
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The name of the header, and of the member of a message.
#[cfg(feature = "otel")]
const TRACEPARENT: &str = "traceparent";

/// The member of a frame or a message.
#[derive(Default, Deserialize)]
struct Carried {
    #[serde(default, deserialize_with = "text")]
    traceparent: Option<String>,
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().map(str::to_owned))
}

/// Returns the `traceparent` of a JSON object, if it has one that is a string.
#[must_use]
pub fn carried_by(json: &str) -> Option<String> {
    serde_json::from_str::<Carried>(json).unwrap_or_default().traceparent
}

/// Returns the `traceparent` of the running task's span. Messages must carry it, so that the spans of
/// their receivers belong to the same trace.
#[must_use]
pub fn current() -> Option<String> {
    #[cfg(feature = "otel")]
    {
        let mut carrier = HashMap::new();
        TraceContextPropagator::new().inject_context(&Context::current(), &mut carrier);
        carrier.remove(TRACEPARENT)
    }
    #[cfg(not(feature = "otel"))]
    None
}

/// Makes a new span part of the trace that a `traceparent` names. If the `traceparent` is invalid, the
/// span begins a new trace.
#[cfg_attr(not(feature = "otel"), expect(unused_variables, reason = "nothing is traced"))]
pub(super) fn continuing(span: Span, traceparent: Option<String>) -> Span {
    #[cfg(feature = "otel")]
    if let Some(traceparent) = traceparent {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent)]);
        // This fails only if nothing is traced.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_a_traceparent() {
        let carried = carried_by(r#"{"user":"AAA","traceparent":"00-ab-cd-01"}"#);
        assert_eq!(carried.as_deref(), Some("00-ab-cd-01"));
        for json in ["{}", "[]", "x", r#"{"traceparent":7}"#] {
            assert_eq!(carried_by(json), None, "{json}");
        }
    }
}
