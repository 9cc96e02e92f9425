//! The gateway's HTTP side.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, ORIGIN};
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::{Instrument, warn};

use super::addresses::ClientAddress;
use super::entry;
use super::http_api::{self, ApiRequest, Call, Resource};
use super::http_reply::{Reply, json_reply, later, problem, problem_with_code, too_many};
use super::limiter::Allowance;
use super::load_door::{NO_PAGES, body_too_large, may_not_load};
use super::methods::{LOAD, MANAGEMENT, allow, not_allowed};
use super::server::Gateway;
use super::visitors::{Admission, refusal};
use crate::model::{ConnectionId, UserId};
use crate::ports::{Chain, Delivery, Ports};
use crate::protocol::{MAX_MESSAGE_BYTES, Object, ProtocolError};
use crate::stages::subscribe;
use crate::tokens::Clients;
use crate::trace;

/// The most time for a body to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(10);
/// The most time for the body of a load, which may be large.
const LOAD_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The error of reading a body with a limit.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of `PUT /subscribe`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscribeBody {
    user_id: String,
}

/// Whether a request pushes a frame to a client, through the management API.
pub(super) fn is_push<T>(request: &Request<T>) -> bool {
    request.method() == Method::POST && request.uri().path().starts_with(MANAGEMENT)
}

/// Answers a request that does not open a websocket.
pub(super) async fn route(
    gateway: &Gateway,
    request: Request<Incoming>,
    allowance: &Allowance,
    client: ClientAddress,
) -> Reply {
    let path = request.uri().path().to_owned();
    let methods = gateway.methods_of(&path);
    match request.method() {
        _ if methods.is_empty() => return not_found(&path),
        &Method::OPTIONS => return options(methods),
        method if !methods.contains(method) => return not_allowed(method, &path, methods),
        _ => {}
    }
    if let Some(resource) = Resource::of(&path) {
        return api(gateway, resource, request, allowance).await;
    }
    // On the heap, because hyper moves the future of each request several times. So the future of a frequent
    // request has no room for these large ones.
    let answer = Box::pin(answer(gateway, &path, request, allowance, client)).await;
    answer.unwrap_or_else(|refused| refused)
}

/// Answers a request that is not one of the API.
async fn answer(
    gateway: &Gateway,
    path: &str,
    request: Request<Incoming>,
    allowance: &Allowance,
    client: ClientAddress,
) -> Result<Reply, Reply> {
    // Paths that have GET have HEAD too. For HEAD, no body is sent.
    if let Some(reply) = gateway.page.route(&request, &gateway.door, client).await {
        return Ok(reply);
    }
    match (path, path.strip_prefix(MANAGEMENT)) {
        ("/health", _) => Ok(health(gateway, request.headers())),
        ("/subscribe", _) => put_subscribe(gateway, request, allowance).await,
        (LOAD, _) => post_load(gateway, request).await,
        (_, Some(id)) => post_to_connection(gateway, id, request, client).await,
        (path, None) => Err(not_found(path)),
    }
}

/// Replies to `OPTIONS` with the methods of a path.
fn options(methods: &[Method]) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = StatusCode::NO_CONTENT;
    allow(reply, methods)
}

/// Replies with the health. If the caller proves that it knows the secret of the entry, the gateway's own
/// proof is added.
fn health(gateway: &Gateway, asked: &HeaderMap) -> Reply {
    let sockets = gateway.sockets.count();
    let health = json!({ "status": "ok", "instance": gateway.instance, "sockets": sockets });
    let mut reply = json_reply(StatusCode::OK, &health);
    if let Some((name, proof)) = gateway.secret.answer(asked) {
        reply.headers_mut().insert(name, proof);
    }
    reply
}

/// Answers a request of the HTTP API: a quote, or prices.
async fn api(
    gateway: &Gateway,
    resource: Option<Resource>,
    request: Request<Incoming>,
    allowance: &Allowance,
) -> Reply {
    let came_at = Instant::now();
    let Some(resource) = resource else {
        const WHY: &str = "the path is not UTF-8, or has a `%` without two hexadecimal digits; write %25 for the character itself";
        return problem_with_code(StatusCode::BAD_REQUEST, "bad_id", WHY);
    };
    let traceparent = request.headers().get("traceparent").and_then(|it| it.to_str().ok());
    let span = trace::http_request(traceparent, request.method().as_str(), resource.route());
    let clients = match gateway.door.clients_of(entry::of_headers(request.headers())).await {
        Ok(clients) => clients,
        Err(reply) => return reply,
    };
    let (head, body) = request.into_parts();
    let body = match head.method {
        Method::POST => match read_body(gateway, body).await {
            Ok(body) => body,
            Err(reply) => return reply,
        },
        _ => Bytes::new(),
    };
    let query = head.uri.query().unwrap_or_default();
    let asked = ApiRequest { method: &head.method, query, headers: &head.headers, body: &body };
    let call = match gateway.http_api.read(resource, asked) {
        Ok(call) if !clients.cover(call.user()) => return http_api::forbidden(call.user()),
        Ok(call) => call,
        Err(reply) => return reply,
    };
    let behind = match call.is_visit() {
        false => gateway.behind(false),
        true => match admit(gateway, call.user(), allowance).await {
            Admission::Visit => gateway.behind(false),
            Admission::FirstVisit => gateway.behind(true),
            refused => return too_many(refusal(refused)),
        },
    };
    let is_quote = matches!(call, Call::Quote(..));
    let reply = gateway.http_api.answer(behind, call).instrument(span).await;
    if is_quote {
        gateway.page.metrics().acknowledged(came_at.elapsed());
    }
    reply
}

/// Decides about a visit that is made now.
async fn admit(gateway: &Gateway, user: &UserId, allowance: &Allowance) -> Admission {
    gateway.visitors.admit(user, allowance.address(), Instant::now().into()).await
}

async fn put_subscribe(
    gateway: &Gateway,
    request: Request<Incoming>,
    allowance: &Allowance,
) -> Result<Reply, Reply> {
    let traceparent = request.headers().get("traceparent").and_then(|it| it.to_str().ok());
    let span = trace::subscribe(traceparent);
    let token = entry::of_headers(request.headers());
    let clients = gateway.door.clients_of(token).await?;
    let user = read_user(&clients, &read_body(gateway, request.into_body()).await?)?;
    let ttl = match admit(gateway, &user, allowance).await {
        Admission::Visit => gateway.ttl(false),
        Admission::FirstVisit => gateway.ttl(true),
        refused => return Err(too_many(refusal(refused))),
    };
    Ok(subscribe_user(&gateway.ports, ttl, &user).instrument(span).await)
}

/// Answers a `PUT /subscribe` with this body, for a caller who may subscribe these customers. Customers
/// stay active for `ttl`.
pub async fn subscribe_reply(
    ports: &Ports,
    ttl: Duration,
    clients: &Clients,
    body: &[u8],
) -> Reply {
    match read_user(clients, body) {
        Ok(user) => subscribe_user(ports, ttl, &user).await,
        Err(reply) => reply,
    }
}

/// Returns the customer in a body, if the caller may subscribe this customer.
fn read_user(clients: &Clients, body: &[u8]) -> Result<UserId, Reply> {
    let user = parse_user(body).map_err(|error| http_api::refused(&error))?;
    if clients.cover(&user) { Ok(user) } else { Err(http_api::forbidden(&user)) }
}

fn parse_user(body: &[u8]) -> Result<UserId, ProtocolError> {
    let wanted = r#"{"user_id": "…"}"#;
    let Object::<SubscribeBody>(body) =
        serde_json::from_slice(body).map_err(|why| ProtocolError::BadBody { wanted, why })?;
    Ok(UserId::new(body.user_id)?)
}

async fn subscribe_user(ports: &Ports, ttl: Duration, user: &UserId) -> Reply {
    let now = ports.clock.now();
    match subscribe::subscribe(&*ports.store, &*ports.queues, user, ttl, now).await {
        Ok(subscribed) => {
            let expires_at = subscribed.expires_at.to_string();
            let body = json!({ "user_id": user.as_str(), "expires_at": expires_at });
            json_reply(StatusCode::ACCEPTED, &body)
        }
        Err(error) => {
            warn!(%user, error = %Chain(&error), "the customer was not subscribed");
            later(StatusCode::SERVICE_UNAVAILABLE, "try again")
        }
    }
}

async fn post_load(gateway: &Gateway, request: Request<Incoming>) -> Result<Reply, Reply> {
    if !gateway.is_own(request.headers()) {
        return Err(may_not_load(NO_PAGES));
    }
    gateway.door.may_load(entry::of_headers(request.headers())).await?;
    let (head, body) = request.into_parts();
    let door = &gateway.load_door;
    let admitted = door.admit(head.uri.query().unwrap_or_default(), &head.headers)?;
    // The gateway may wait long for this body, because it accepts only one load at a time.
    let body = timeout(LOAD_LIMIT, Limited::new(body, door.max_bytes()).collect()).await;
    let body = whole(body, || body_too_large(door.max_bytes()))?;
    Ok(door.load(&gateway.ports, admitted, body).await)
}

/// Pushes a frame to a connection, for the other processes of this machine that work on the same store.
/// A caller that may push answers in the gateway's name. So the caller must prove itself, and browsers are
/// refused.
async fn post_to_connection(
    gateway: &Gateway,
    id: &str,
    request: Request<Incoming>,
    client: ClientAddress,
) -> Result<Reply, Reply> {
    if request.headers().contains_key(ORIGIN) {
        return Err(problem(StatusCode::FORBIDDEN, "pages may not push to connections"));
    }
    if client != ClientAddress::Known {
        let message = "only a process that proves that it may read the gateway's entry may push";
        return Err(problem(StatusCode::FORBIDDEN, message));
    }
    let bad = |message| problem(StatusCode::BAD_REQUEST, message);
    let id = ConnectionId::new(id).map_err(|_| bad("that is not a connection id"))?;
    let frame = read_body(gateway, request.into_body()).await?;
    std::str::from_utf8(&frame).map_err(|_| bad("a frame is UTF-8 text"))?;
    match gateway.sockets.push(&id, frame) {
        Delivery::Delivered => Ok(json_reply(StatusCode::OK, &json!({}))),
        Delivery::Gone => Err(problem(StatusCode::GONE, "the connection is closed")),
    }
}

async fn read_body(gateway: &Gateway, body: Incoming) -> Result<Bytes, Reply> {
    let unfinished = gateway.unfinished.of_one();
    let counted = body.map_frame(|frame| {
        unfinished.received(frame.data_ref().map_or(0, Bytes::len));
        frame
    });
    let body = timeout(BODY_LIMIT, Limited::new(counted, MAX_MESSAGE_BYTES).collect());
    let body = tokio::select! {
        body = body => body,
        () = unfinished.given_up() => {
            let message = "too many bodies wait for the rest; try again";
            return Err(later(StatusCode::SERVICE_UNAVAILABLE, message));
        }
    };
    whole(body, || problem(StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 128 KB"))
}

/// Returns a body that arrived in time, complete and within its limit; otherwise the reply that says what
/// is wrong.
fn whole(
    body: Result<Result<Collected<Bytes>, BoxError>, Elapsed>,
    too_large: impl FnOnce() -> Reply,
) -> Result<Bytes, Reply> {
    match body {
        Err(_) => Err(problem(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(problem(StatusCode::BAD_REQUEST, "the body ended too early")),
    }
}

fn not_found(path: &str) -> Reply {
    let known = "the page at /, POST /quotes, GET /quotes/{id}, GET /prices/{client}, \
                 POST /load, PUT /subscribe, GET /health, GET /metrics, and websockets";
    problem(StatusCode::NOT_FOUND, &format!("there is nothing at {path}; there are {known}"))
}
