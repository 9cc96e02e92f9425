//! The replies to the frames of a client.

use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tracing::{Instrument, Span, info, warn};

use super::awaited::Promise;
use crate::model::{ConnectionRef, RequestId, Timestamp, UserId};
use crate::ports::{Chain, Clock, PortError, Quotation, QuotationStatus};
use crate::protocol::{self, Frame, Request, parse};
use crate::stages::StageError;
use crate::stages::quotation_handler::{Accepted, Ask, QuotationHandler};
use crate::supervisor::catch;
use crate::tokens::Clients;
use crate::trace;

/// The context in which frames are answered.
pub struct ReplyContext<'a> {
    /// The stage behind quotes.
    pub handler: &'a QuotationHandler,
    /// The clock that decides whether a pending quotation is past its deadline.
    pub clock: &'a dyn Clock,
    /// The customers for whom the client may quote.
    pub clients: &'a Clients,
}

/// The replies to one request.
#[derive(Debug, Default)]
pub struct Replied {
    /// The frames, in order.
    pub frames: Vec<Utf8Bytes>,
    /// The outcome that the client is now promised.
    pub promise: Option<Promise>,
    /// Whether the replies already tell the promised outcome.
    pub is_kept: bool,
}

impl From<Utf8Bytes> for Replied {
    fn from(frame: Utf8Bytes) -> Self {
        Self { frames: vec![frame], ..Self::default() }
    }
}

/// The result of reading a client's message.
pub(super) enum Read {
    /// A request, and the span to which its work belongs.
    Request(Request, Span),
    Reply(Utf8Bytes),
    Nothing,
}

pub(super) fn read(message: &Message, clients: &Clients) -> Read {
    match message {
        Message::Text(text) => read_frame(Some(text), clients),
        Message::Binary(_) => read_frame(None, clients),
        // The transport itself answers pings.
        _ => Read::Nothing,
    }
}

/// Replies to one frame for a gateway that keeps no session. `text` is `None` if the frame is not text.
pub async fn reply_to(
    context: &ReplyContext<'_>,
    text: Option<&str>,
    connection: ConnectionRef,
) -> Replied {
    match read_frame(text, context.clients) {
        Read::Request(request, span) => {
            let id = answer_id(context.handler, &request);
            reply(context, request, id, connection).instrument(span).await
        }
        Read::Reply(frame) => frame.into(),
        Read::Nothing => Replied::default(),
    }
}

/// Parses and authorises a frame. This happens before any stage is called, so a client without permission
/// leaves no trace.
fn read_frame(text: Option<&str>, clients: &Clients) -> Read {
    let Some(text) = text else {
        return Read::Reply(error_frame("not_text", "frames are text, not binary".to_owned()));
    };
    match parse(text) {
        Ok(Request::Ping { dialect }) => Read::Reply(rendered(protocol::render_pong(dialect))),
        Ok(request) => match request.user() {
            Some(user) if !clients.cover(user) => Read::Reply(forbidden(user)),
            _ => Read::Request(request, trace::frame(text)),
        },
        Err(error) => Read::Reply(error_frame(error.code(), error.to_string())),
    }
}

/// Returns the id by which a request's answer will be known. If the client chose none, the quote gets one
/// here, before anything can be pushed for it.
pub(super) fn answer_id(handler: &QuotationHandler, request: &Request) -> RequestId {
    match request {
        Request::Quote { request_id: Some(id), .. } | Request::Get { request_id: id, .. } => {
            id.clone()
        }
        Request::Quote { request_id: None, .. } | Request::Ping { .. } => handler.new_request_id(),
    }
}

/// Replies to a request whose answer will have this [id](answer_id). A panic of the stage fails this
/// request, and its connection stays open.
pub(super) async fn reply(
    context: &ReplyContext<'_>,
    request: Request,
    id: RequestId,
    to: ConnectionRef,
) -> Replied {
    let replied = catch(reply_of_stage(context, request, id, to)).await;
    replied.unwrap_or_else(|panic| failure("the request failed", &panic.into()).into())
}

async fn reply_of_stage(
    context: &ReplyContext<'_>,
    request: Request,
    id: RequestId,
    to: ConnectionRef,
) -> Replied {
    match request {
        Request::Quote { user, items, request_id, dialect } => {
            let connection = Some(to);
            let ask = Ask { user: user.clone(), items, request_id, dialect, connection };
            // In a box, so that the future of each request stays small.
            match Box::pin(context.handler.quote_as(ask, id)).await {
                Ok(Accepted { request_id, deadline, settled }) => {
                    let ack = rendered(protocol::render_accepted(&request_id, dialect));
                    let is_kept = settled.is_some();
                    // What is settled looks the same at any time.
                    let settled = settled.map(|quotation| shown(&quotation, quotation.accepted_at));
                    let frames = std::iter::once(ack).chain(settled).collect();
                    // The clock is read after the stage, so that a new quotation keeps all its time.
                    let deadline = match is_kept {
                        true => deadline,
                        false => context.handler.told_by(deadline, context.clock.now()),
                    };
                    let promise = Some(Promise { user, request_id, deadline });
                    Replied { frames, promise, is_kept }
                }
                Err(error) => failure("the quote was not accepted", &error).into(),
            }
        }
        Request::Get { user, request_id } => {
            // Read the clock before the stage looks. A quotation that it finds pending must not be shown as
            // failed because its deadline has passed since then.
            let asked_at = context.clock.now();
            match Box::pin(context.handler.get(&user, &request_id, &to)).await {
                Ok(Some(quotation)) => {
                    let is_kept = quotation.status_at(asked_at) != QuotationStatus::Pending;
                    let deadline = context.handler.told_by(quotation.deadline, asked_at);
                    let promise = Some(Promise { user, request_id, deadline });
                    Replied { promise, is_kept, ..shown(&quotation, asked_at).into() }
                }
                Ok(None) => no_such_quotation(&request_id).into(),
                Err(error) => failure("the quotation was not found", &error).into(),
            }
        }
        Request::Ping { dialect } => rendered(protocol::render_pong(dialect)).into(),
    }
}

/// Returns the outcome that a client was promised, after the deadline has passed.
///
/// # Errors
/// Fails when the store cannot be asked.
pub(super) async fn outcome(
    context: &ReplyContext<'_>,
    promise: &Promise,
) -> Result<Utf8Bytes, StageError> {
    let Promise { user, request_id, .. } = promise;
    Ok(match context.handler.fail(user, request_id).await? {
        Some(quotation) => shown(&quotation, context.clock.now()),
        None => no_such_quotation(request_id),
    })
}

fn shown(quotation: &Quotation, asked_at: Timestamp) -> Utf8Bytes {
    rendered(protocol::render_quotation(quotation, asked_at))
}

fn no_such_quotation(request_id: &RequestId) -> Utf8Bytes {
    error_frame("not_found", format!("there is no quotation `{request_id}` of this customer"))
}

/// Returns the code and the message that tell a client of a failure in a stage. The log has the details.
pub(super) fn told(what: &str, error: &StageError) -> (&'static str, String) {
    warn!(error = %Chain(error), "{what}");
    match error {
        StageError::RequestIdTaken { .. } => ("request_id_taken", error.to_string()),
        StageError::Port(PortError::Rejected { .. }) => ("rejected", what.to_owned()),
        _ => ("unavailable", format!("{what}; try again")),
    }
}

fn failure(what: &str, error: &StageError) -> Utf8Bytes {
    let (code, message) = told(what, error);
    error_frame(code, message)
}

fn forbidden(user: &UserId) -> Utf8Bytes {
    info!(%user, "the connection may not quote for this customer");
    error_frame("forbidden", format!("this connection may not quote for customer `{user}`"))
}

pub(super) fn rate_limited(message: &str) -> Utf8Bytes {
    error_frame("rate_limited", message.to_owned())
}

fn error_frame(code: &str, message: String) -> Utf8Bytes {
    rendered(Frame::Error { code: code.to_owned(), message }.to_json())
}

fn rendered(json: serde_json::Result<String>) -> Utf8Bytes {
    // Frames consist of strings and lists, which always render.
    json.map_or_else(|_| Utf8Bytes::from_static("{\"type\":\"error\"}"), Utf8Bytes::from)
}
