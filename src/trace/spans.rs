//! The spans and their attributes, which never contain a price, a token or an amount.
//!
//! Attributes are those of OpenTelemetry's semantic conventions for messaging where it has any. A
//! span has the name of its stage.

use std::fmt;

use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::context::{carried_by, continuing};
use super::install::{TARGET, systems};
use crate::model::{Calculation, RequestId, UserId};
use crate::ports::{Queue, Received};

/// Whether this program can trace at all.
const ON: bool = cfg!(feature = "otel");

/// A span in which a failure can be recorded; `None` where this program cannot trace. Then nothing is read
/// from messages either.
macro_rules! span {
    ($name:literal, $($fields:tt)*) => {
        ON.then(|| {
            info_span!(
                target: TARGET,
                $name,
                $($fields)*
                otel.status_description = Empty,
                "error.type" = Empty,
            )
        })
    };
}

/// A frame that came over a websocket. It continues the trace of the client, if it names one.
#[must_use]
pub fn frame(text: &str) -> Span {
    let span = span!("frame", otel.kind = "server", network.protocol.name = "websocket",);
    span.map_or_else(Span::none, |span| continuing(span, carried_by(text)))
}

/// A request over HTTP to make a user active. It continues the trace that its header names.
#[must_use]
pub fn subscribe(traceparent: Option<&str>) -> Span {
    let span = span!(
        "subscribe",
        otel.kind = "server",
        http.request.method = "PUT",
        http.route = "/subscribe",
    );
    span.map_or_else(Span::none, |span| continuing(span, traceparent.map(str::to_owned)))
}

/// A request over HTTP for a quote or for prices. It continues the trace that its header names.
#[must_use]
pub fn http_request(traceparent: Option<&str>, method: &str, route: &'static str) -> Span {
    let span =
        span!("request", otel.kind = "server", http.request.method = method, http.route = route,);
    span.map_or_else(Span::none, |span| continuing(span, traceparent.map(str::to_owned)))
}

/// A quotation is saved and published.
#[must_use]
pub fn quotation_handler(user: &UserId, request: &RequestId) -> Span {
    let span = span!(
        "quotation_handler",
        otel.kind = "producer",
        messaging.system = systems().topic,
        "messaging.operation.type" = "send",
        messaging.operation.name = "publish",
        messaging.destination.name = "quotations",
        messaging.message.conversation_id = %request,
        user.id = %user,
    );
    span.unwrap_or_else(Span::none)
}

/// A message of the provider queue is processed.
#[must_use]
pub fn quotation_provider(message: &Received) -> Span {
    let span = span!(
        "quotation_provider",
        otel.kind = "consumer",
        messaging.system = systems().queues,
        "messaging.operation.type" = "process",
        messaging.operation.name = "process",
        messaging.destination.name = Queue::Provider.name(),
        messaging.message.id = message.id,
        messaging.message.body.size = count(message.body.len()),
        ocache.receive_count = i64::from(message.receive_count),
    );
    span.map_or_else(Span::none, |span| continuing(span, carried_by(&message.body)))
}

/// An order of one of the calculation queues is done.
#[must_use]
pub fn price_calc(order: &Calculation, message: &Received) -> Span {
    let queue = if order.cause.is_urgent() { Queue::Quotation } else { Queue::Refresh };
    let span = span!(
        "price_calc",
        otel.kind = "consumer",
        messaging.system = systems().queues,
        "messaging.operation.type" = "process",
        messaging.operation.name = "process",
        messaging.destination.name = queue.name(),
        messaging.message.id = message.id,
        messaging.message.body.size = count(message.body.len()),
        ocache.receive_count = i64::from(message.receive_count),
        ocache.cause = order.cause.name(),
        user.id = %order.user,
    );
    span.map_or_else(Span::none, |span| continuing(span, carried_by(&message.body)))
}

/// An answer is pushed to its connection.
#[must_use]
pub fn push(request: &RequestId) -> Span {
    let span = span!(
        "push",
        otel.kind = "client",
        network.protocol.name = "websocket",
        messaging.message.conversation_id = %request,
    );
    span.unwrap_or_else(Span::none)
}

/// Does work in a span, and says there if it failed. A span for logs, if there is one, is made inside
/// of this one, or what the work sends would not be known to belong to it.
pub async fn within<T, E: fmt::Display>(
    span: Span,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let done = work.instrument(span.clone()).await;
    if let Err(error) = &done {
        span.record("otel.status_description", tracing::field::display(error));
        // Wanted of what failed; there is no list of stages' errors to choose from.
        span.record("error.type", "_OTHER");
    }
    done
}

/// OpenTelemetry's integers have a sign.
fn count(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
