//! Spans as OTLP's JSON: ids are hex, 64-bit numbers are strings.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use super::finished::{Finished, Kind, Value};

/// The body of a request to `/v1/traces`.
pub(super) fn request(resource: &[(String, String)], spans: &[Finished]) -> Json {
    let resource: Vec<Json> = resource
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } }))
        .collect();
    let spans: Vec<Json> = spans.iter().map(span).collect();
    let scope = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }] })
}

fn span(span: &Finished) -> Json {
    let mut attributes: Vec<Json> = span.attributes.iter().map(attribute).collect();
    let status = match &span.error {
        None => json!({}),
        Some(message) => {
            // Wanted of what failed; there is no list of stages' errors to choose from.
            attributes.push(attribute(&("error.type", Value::Text("_OTHER".to_owned()))));
            json!({ "code": 2, "message": message })
        }
    };
    json!({
        "traceId": format!("{:032x}", span.context.trace),
        "spanId": format!("{:016x}", span.context.span),
        "parentSpanId": span.parent.map_or_else(String::new, |parent| format!("{parent:016x}")),
        "flags": u8::from(span.context.sampled),
        "name": span.name,
        "kind": kind(span.kind),
        "startTimeUnixNano": nanos(span.began),
        "endTimeUnixNano": nanos(span.ended),
        "attributes": attributes,
        "status": status,
    })
}

fn attribute((key, value): &(&'static str, Value)) -> Json {
    let value = match value {
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Count(count) => json!({ "intValue": count.to_string() }),
    };
    json!({ "key": key, "value": value })
}

const fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
        Kind::Producer => 4,
        Kind::Consumer => 5,
    }
}

fn nanos(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::trace::TraceContext;

    #[test]
    fn a_span_is_as_the_protocol_has_it() {
        let began = UNIX_EPOCH + Duration::from_nanos(1_544_712_660_000_000_000);
        let finished = Finished {
            context: TraceContext { trace: 0x5b8e, span: 0xeee1, sampled: true },
            parent: Some(0xeee0),
            name: "price_calc",
            kind: Kind::Consumer,
            began,
            ended: began + Duration::from_secs(1),
            attributes: vec![("messaging.message.body.size", Value::Count(7))],
            error: Some("it broke".to_owned()),
        };
        let resource = [("service.name".to_owned(), "shop".to_owned())];
        let body = request(&resource, &[finished]);
        assert_eq!(
            body["resourceSpans"][0]["resource"]["attributes"],
            json!([{ "key": "service.name", "value": { "stringValue": "shop" } }])
        );
        assert_eq!(
            body["resourceSpans"][0]["scopeSpans"][0]["spans"][0],
            json!({
                "traceId": "00000000000000000000000000005b8e",
                "spanId": "000000000000eee1",
                "parentSpanId": "000000000000eee0",
                "flags": 1,
                "name": "price_calc",
                "kind": 5,
                "startTimeUnixNano": "1544712660000000000",
                "endTimeUnixNano": "1544712661000000000",
                "attributes": [
                    { "key": "messaging.message.body.size", "value": { "intValue": "7" } },
                    { "key": "error.type", "value": { "stringValue": "_OTHER" } },
                ],
                "status": { "code": 2, "message": "it broke" },
            })
        );
    }
}
