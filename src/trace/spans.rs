//! The spans and their attributes, which never contain a price, a token or an amount.
//!
//! Attributes follow OpenTelemetry's semantic conventions for messaging where these have one. A span has
//! the name of its stage.

use std::fmt;

use futures_util::FutureExt as _;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::context::{carried_by, continuing};
use super::install::{TARGET, systems};
use crate::model::{Calculation, RequestId, UserId};
use crate::ports::{Queue, Received};

/// Whether this build can trace at all.
const ON: bool = cfg!(feature = "otel");

/// Makes a span in which a failure can be recorded. The result is `None` if this build cannot trace; then
/// no `traceparent` is read from messages either.
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

/// Returns the span of a frame from a websocket. It continues the trace of the client, if the frame names
/// one.
#[must_use]
pub fn frame(text: &str) -> Span {
    let span = span!("frame", otel.kind = "server", network.protocol.name = "websocket",);
    span.map_or_else(Span::none, |span| continuing(span, carried_by(text)))
}

/// Returns the span of an HTTP request that subscribes a customer. It continues the trace that its header
/// names.
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

/// Returns the span of an HTTP request for a quote or for prices. It continues the trace that its header
/// names.
#[must_use]
pub fn http_request(traceparent: Option<&str>, method: &str, route: &'static str) -> Span {
    let span =
        span!("request", otel.kind = "server", http.request.method = method, http.route = route,);
    span.map_or_else(Span::none, |span| continuing(span, traceparent.map(str::to_owned)))
}

/// Returns the span in which a quotation is saved and published.
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

/// Returns the span in which a message of the provider queue is processed.
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

/// Returns the span in which an order from one of the calculation queues is carried out.
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

/// Returns the span in which an answer is pushed to its connection.
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

/// Runs work in a span, and records a failure there. Make any span for logs inside of this one. Otherwise
/// messages that the work sends would not belong to this span.
pub fn within<T, E: fmt::Display>(
    span: Span,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    work.instrument(span.clone()).map(move |done| {
        if let Err(error) = &done {
            span.record("otel.status_description", tracing::field::display(error));
            // The conventions require this attribute for failures. There is no list of error types for
            // stages.
            span.record("error.type", "_OTHER");
        }
        done
    })
}

/// Converts a size, because OpenTelemetry's integers are signed.
fn count(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
