//! One client's websocket, from its opening to its close.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};
use tracing::{Instrument, Span, debug, info, warn};

use super::answer_order::{AnswerOrder, RequestInHand, Ticket};
use super::awaited::{Awaited, Promise};
use super::guarded::WRITE_STALL;
use super::limiter::Allowance;
use super::replies::{self, Read, Replied, ReplyContext, answer_id, rate_limited, read};
use super::sockets::{OpenSocket, WaitingFrame};
use super::unfinished::Unfinished;
use super::visitors::{Admission, Visitors, refusal};
use crate::model::{ConnectionRef, RequestId};
use crate::ports::{Chain, Clock};
use crate::protocol::Request;
use crate::runtime::Shutdown;
use crate::runtime::metrics::Metrics;
use crate::stages::StageError;
use crate::stages::quotation_handler::QuotationHandler;
use crate::tokens::Clients;

/// A socket on which nothing is sent for this long is closed, as on API Gateway.
const IDLE_LIMIT: Duration = Duration::from_secs(10 * 60);
/// A socket is closed after this time in any case, as on API Gateway.
const LIFE_LIMIT: Duration = Duration::from_secs(2 * 60 * 60);
/// The most requests of one socket in hand. Further frames wait unread.
const MAX_IN_HAND: usize = 32;
/// A client that sends too much is told so. Then its frames are not read for this time, so that the flood
/// waits in the client's own buffers.
const DEAF_FOR: Duration = Duration::from_millis(250);

/// What a session needs from its gateway.
pub(super) struct SessionContext<'a> {
    /// The stage behind quotes.
    pub(super) handler: &'a QuotationHandler,
    /// The same stage, for customers who may never come again.
    pub(super) first_visits: &'a QuotationHandler,
    /// Decides which customers are admitted.
    pub(super) visitors: &'a Visitors,
    /// How much the client may send.
    pub(super) allowance: Allowance,
    /// The bytes received of an unfinished message.
    pub(super) unfinished: Arc<Unfinished>,
    /// The customers for whom the client may quote.
    pub(super) clients: Clients,
    /// The clock that decides whether a pending quotation is past its deadline.
    pub(super) clock: &'a dyn Clock,
    /// Counts the acknowledgements.
    pub(super) metrics: &'a Metrics,
    /// This gateway's management endpoint.
    pub(super) endpoint: &'a str,
}

/// What happens to few sessions, or seldom. A session waits for all of it together, so that it costs hardly
/// anything when a frame comes.
enum Rare {
    /// The unfinished message of the client was given up.
    GivenUp,
    /// The client came without a token, and now a token is required.
    ShutOut,
    /// The gateway stops.
    Stopping,
    /// Nothing may have been sent for a while.
    Idle,
}

async fn idle_until(until: Instant) -> Rare {
    sleep_until(until).await;
    Rare::Idle
}

/// Waits until a time; for ever if there is none. The timer is made at the first poll, so a branch that is not
/// reached makes none.
async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// The next frames for a client: replies to its requests, then pushed frames.
#[derive(Default)]
struct NextFrames {
    replies: Vec<Utf8Bytes>,
    pushed: Vec<WaitingFrame>,
}

impl SessionContext<'_> {
    /// Counts a received message. Returns whether the client may send it.
    fn takes(&self, message: &Message, now: Instant) -> bool {
        match message {
            Message::Ping(bytes) | Message::Pong(bytes) => self.unfinished.passed(bytes.len()),
            _ => self.unfinished.finished(),
        }
        self.allowance.take_frame(now)
    }
}

/// Serves one websocket until either side closes it, or its client is shut out: the client came without a
/// token, and now a token is required.
///
/// The function is generic over the transport, so that a test can be a client without a network.
pub(super) async fn run_session<S>(
    mut socket: S,
    mut open: OpenSocket,
    context: SessionContext<'_>,
    shut_out: impl Future<Output = ()> + Send,
    shutdown: &Shutdown,
) where
    S: Stream<Item = Result<Message, SocketError>> + Sink<Message, Error = SocketError> + Unpin,
{
    let connection = ConnectionRef { endpoint: context.endpoint.to_owned(), id: open.id().clone() };
    let end_of_life = Instant::now() + LIFE_LIMIT;
    let mut idle_at = Instant::now() + IDLE_LIMIT;
    let mut in_hand: FuturesUnordered<BoxFuture<'_, (Ticket, Replied)>> = FuturesUnordered::new();
    let mut order = AnswerOrder::default();
    let mut awaited = Awaited::default();
    let mut overdue: FuturesUnordered<BoxFuture<'_, Overdue>> = FuturesUnordered::new();
    let mut deaf_until: Option<Instant> = None;
    let unfinished = context.unfinished.clone();
    let mut rare: FuturesUnordered<BoxFuture<'_, Rare>> = FuturesUnordered::new();
    rare.push(unfinished.given_up().map(|()| Rare::GivenUp).boxed());
    rare.push(shut_out.map(|()| Rare::ShutOut).boxed());
    rare.push(shutdown.begun().map(|()| Rare::Stopping).boxed());
    rare.push(idle_until(idle_at).boxed());
    info!(connection = %connection.id, "opened");

    let close = loop {
        let outgoing: NextFrames = tokio::select! {
            // Send answers first, so that a client that floods the gateway still gets what is due to it.
            biased;
            Some((ticket, Replied { frames: replies, promise, is_kept })) = in_hand.next() => {
                match promise {
                    Some(promise) if is_kept => awaited.kept(&promise),
                    Some(promise) => awaited.promised(promise, Instant::now(), context.clock.now()),
                    None => {}
                }
                NextFrames { replies, pushed: order.finished(ticket) }
            }
            frame = open.next_frame() => match frame {
                Some(frame) => NextFrames::pushed(order.pushed(frame)),
                None => break Some(close(CloseCode::Policy, "too many frames unread")),
            },
            Some((promise, outcome)) = overdue.next() => match outcome {
                Ok(frame) => NextFrames::reply(frame),
                Err(error) => {
                    warn!(error = %Chain(&error), "the outcome of a quotation is not known");
                    awaited.unknown(promise, Instant::now());
                    NextFrames::default()
                }
            },
            () = reached(awaited.due()), if overdue.len() < MAX_IN_HAND => {
                let due = awaited.take_due(Instant::now());
                overdue.extend(due.map(|promise| end(&context, promise).boxed()));
                NextFrames::default()
            }
            message = socket.next(), if in_hand.len() < MAX_IN_HAND && deaf_until.is_none() => match message {
                None => break None,
                Some(Err(error)) => break close_after(&error),
                Some(Ok(Message::Close(_))) => break None,
                Some(Ok(message)) => {
                    // Read once for each frame, because a clock takes time.
                    let came_at = Instant::now();
                    if context.takes(&message, came_at) {
                        idle_at = came_at + IDLE_LIMIT;
                        match read(&message, &context.clients) {
                            Read::Request(request, span) => {
                                let id = answer_id(context.handler, &request);
                                let ticket = order.began(RequestInHand::of(&request, id.clone()));
                                let (to, begun) = (connection.clone(), Begun { id, ticket, came_at });
                                in_hand.push(replying(&context, request, begun, to, span).boxed());
                                NextFrames::default()
                            }
                            Read::Reply(frame) => NextFrames::reply(frame),
                            Read::Nothing => NextFrames::default(),
                        }
                    } else {
                        deaf_until = Some(came_at + DEAF_FOR);
                        NextFrames::reply(rate_limited(
                            "too many frames, of which this one was not read; send fewer",
                        ))
                    }
                }
            },
            () = reached(deaf_until) => {
                deaf_until = None;
                NextFrames::default()
            }
            Some(happened) = rare.next() => match happened {
                Rare::GivenUp => {
                    let why = "too much of too many messages waits for the rest";
                    break Some(close(CloseCode::Again, why));
                }
                Rare::ShutOut => break Some(close(CloseCode::Policy, "a token is required now")),
                Rare::Stopping => break Some(close(CloseCode::Away, "the gateway stops")),
                Rare::Idle => {
                    let until = idle_at.min(end_of_life);
                    if Instant::now() >= until {
                        let why = "idle for too long, or open for too long";
                        break Some(close(CloseCode::Away, why));
                    }
                    // Something was sent or received in the meantime.
                    rare.push(idle_until(until).boxed());
                    NextFrames::default()
                }
            },
        };
        if !outgoing.is_empty() {
            idle_at = Instant::now() + IDLE_LIMIT;
            awaited.told(outgoing.pushed.iter().map(|frame| &**frame.bytes()));
            if let Err(error) = write(&mut socket, outgoing).await {
                debug!(connection = %connection.id, %error, "writing failed");
                break None;
            }
        }
    };
    // Finish quotes that are being accepted, even if the client is gone: it can ask for their answers
    // later. Also send the answers that waited for these replies, and frames that were pushed in the
    // meantime.
    let mut is_there = close.is_some();
    loop {
        let outgoing = match in_hand.next().await {
            Some((ticket, Replied { frames: replies, .. })) => {
                NextFrames { replies, pushed: order.finished(ticket) }
            }
            None => match open.ready_frame() {
                Some(frame) => NextFrames::pushed(order.pushed(frame)),
                None => break,
            },
        };
        if is_there && write(&mut socket, outgoing).await.is_err() {
            debug!(connection = %connection.id, "closed before its last replies");
            is_there = false;
        }
    }
    let farewell = async {
        if let Some(frame) = close {
            socket.send(Message::Close(Some(frame))).await?;
        }
        socket.close().await
    };
    let _ = timeout(WRITE_STALL, farewell).await;
    info!(connection = %connection.id, "closed");
}

impl NextFrames {
    fn reply(frame: Utf8Bytes) -> Self {
        Self { replies: vec![frame], ..Self::default() }
    }

    fn pushed(frame: Option<WaitingFrame>) -> Self {
        Self { pushed: frame.into_iter().collect(), ..Self::default() }
    }

    const fn is_empty(&self) -> bool {
        self.replies.is_empty() && self.pushed.is_empty()
    }
}

/// What is known of a request before it is handled.
struct Begun {
    /// The id of its answer.
    id: RequestId,
    ticket: Ticket,
    came_at: Instant,
}

/// Replies to an authorised request, within its span. Returns its ticket with the reply.
fn replying(
    context: &SessionContext<'_>,
    request: Request,
    begun: Begun,
    to: ConnectionRef,
    span: Span,
) -> impl Future<Output = (Ticket, Replied)> {
    let Begun { id, ticket, came_at } = begun;
    reply(context, request, (id, came_at), to)
        .instrument(span)
        .map(move |replied| (ticket, replied))
}

/// Replies to an authorised request.
async fn reply(
    context: &SessionContext<'_>,
    request: Request,
    (id, came_at): (RequestId, Instant),
    to: ConnectionRef,
) -> Replied {
    let is_quote = matches!(request, Request::Quote { .. });
    let mut handler = context.handler;
    if let Request::Quote { user, .. } = &request {
        match context.visitors.admit(user, context.allowance.address(), came_at).await {
            Admission::Visit => {}
            Admission::FirstVisit => handler = context.first_visits,
            refused => return rate_limited(refusal(refused)).into(),
        }
    }
    let SessionContext { clock, clients, .. } = context;
    let context_of_reply = ReplyContext { handler, clock: *clock, clients };
    let replied = replies::reply(&context_of_reply, request, id, to).await;
    if is_quote {
        context.metrics.acknowledged(came_at.elapsed());
    }
    replied
}

/// A promise whose deadline has passed, and the frame that tells its outcome.
type Overdue = (Promise, Result<Utf8Bytes, StageError>);

/// Finds out the outcome of a promise whose deadline has passed.
async fn end(context: &SessionContext<'_>, promise: Promise) -> Overdue {
    let SessionContext { handler, clock, clients, .. } = context;
    let outcome =
        replies::outcome(&ReplyContext { handler, clock: *clock, clients }, &promise).await;
    (promise, outcome)
}

/// Writes the next frames. Pushed frames count as waiting until they are written.
async fn write<S>(socket: &mut S, outgoing: NextFrames) -> Result<(), SocketError>
where
    S: Sink<Message, Error = SocketError> + Unpin,
{
    let writing = async {
        for frame in outgoing.replies {
            socket.feed(Message::Text(frame)).await?;
        }
        for frame in &outgoing.pushed {
            let text = Utf8Bytes::try_from(frame.bytes().clone())
                .map_err(|error| SocketError::Utf8(error.to_string()))?;
            socket.feed(Message::Text(text)).await?;
        }
        socket.flush().await
    };
    timeout(WRITE_STALL, writing).await.unwrap_or(Err(SocketError::ConnectionClosed))
}

fn close(code: CloseCode, reason: &'static str) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::from_static(reason) }
}

/// Returns the close frame for a client's error; `None` if the transport is gone.
fn close_after(error: &SocketError) -> Option<CloseFrame> {
    match error {
        SocketError::Capacity(_) => Some(close(CloseCode::Size, "the frame is too large")),
        SocketError::Utf8(_) => Some(close(CloseCode::Invalid, "the text is not UTF-8")),
        SocketError::Protocol(_) => {
            Some(close(CloseCode::Protocol, "the frame breaks the protocol"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
