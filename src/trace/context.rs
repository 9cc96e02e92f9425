//! What of a trace travels: the W3C's `traceparent`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A span that others may be children of, wherever they are.
///
/// Written as `00-{32 hex digits}-{16 hex digits}-{2 hex digits}`, the `traceparent` of W3C Trace
/// Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; not zero.
    pub trace: u128,
    /// The span of it; not zero.
    pub span: u64,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

/// A text that is no `traceparent`.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("it is not a W3C traceparent")]
pub struct NoTraceContext;

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, sampled } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{:02x}", u8::from(*sampled))
    }
}

impl FromStr for TraceContext {
    type Err = NoTraceContext;

    fn from_str(text: &str) -> Result<Self, NoTraceContext> {
        let mut fields = text.split('-');
        let mut next = |digits| fields.next().and_then(|field| hex(field, digits));
        let (version, trace) = (next(2), next(32));
        let (span, flags) = (next(16), next(2));
        // Versions to come may append fields; version 0 has none, and 255 is forbidden.
        let (Some(version), Some(trace), Some(span), Some(flags)) = (version, trace, span, flags)
        else {
            return Err(NoTraceContext);
        };
        let ends = version > 0 || fields.next().is_none();
        match u64::try_from(span) {
            Ok(span) if version != 255 && ends && trace != 0 && span != 0 => {
                Ok(Self { trace, span, sampled: flags & 1 == 1 })
            }
            _ => Err(NoTraceContext),
        }
    }
}

/// So many lower-case hex digits, no more and no fewer.
fn hex(field: &str, digits: usize) -> Option<u128> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let fits = field.len() == digits && field.bytes().all(is_hex);
    fits.then(|| u128::from_str_radix(field, 16).ok()).flatten()
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The context in a frame or message, if it carries one that is valid. One that is not is as good as
/// none: a trace begins anew there, and nothing else changes.
#[derive(Default, Deserialize)]
struct Carried {
    #[serde(default, deserialize_with = "lenient")]
    traceparent: Option<TraceContext>,
}

fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TraceContext>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(|text| text.parse().ok()))
}

impl TraceContext {
    /// The one that a JSON object has as its `traceparent`.
    #[must_use]
    pub fn carried_by(json: &str) -> Option<Self> {
        serde_json::from_str::<Carried>(json).unwrap_or_default().traceparent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn it_is_read_as_it_is_written() {
        let context: TraceContext = EXAMPLE.parse().unwrap();
        assert_eq!(context.span, 0x00f0_67aa_0ba9_02b7);
        assert!(context.sampled);
        assert_eq!(context.to_string(), EXAMPLE);
        let unsampled = TraceContext { sampled: false, ..context };
        assert_eq!(unsampled.to_string().parse(), Ok(unsampled));
    }

    #[test]
    fn a_later_version_may_say_more() {
        let later = format!("01{}-what-comes-then", &EXAMPLE[2..]);
        assert_eq!(later.parse(), EXAMPLE.parse::<TraceContext>());
    }

    #[test]
    fn what_is_not_one_is_refused() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(text.parse::<TraceContext>(), Err(NoTraceContext), "{text}");
        }
    }

    #[test]
    fn what_carries_a_wrong_one_carries_none() {
        let carried = |json: &str| TraceContext::carried_by(json);
        let message = format!(r#"{{"user":"AAA","traceparent":"{EXAMPLE}"}}"#);
        assert_eq!(carried(&message), EXAMPLE.parse().ok());
        for json in ["{}", "[]", "x", r#"{"traceparent":7}"#, r#"{"traceparent":"x"}"#] {
            assert_eq!(carried(json), None, "{json}");
        }
    }
}
