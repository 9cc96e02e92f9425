//! The gateway's HTTP side.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tracing::warn;

use super::server::Gateway;
use crate::model::{ConnectionId, UserId};
use crate::ports::{Chain, Delivery, Ports};
use crate::protocol::MAX_MESSAGE_BYTES;
use crate::stages::subscribe;

/// A response with a small body.
pub type Reply = Response<Full<Bytes>>;

/// The body of `PUT /subscribe`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscribeBody {
    user_id: String,
}

/// Answers a request that is not a websocket's.
pub(super) async fn route(gateway: &Gateway, request: Request<Incoming>) -> Reply {
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET, "/health") => json_reply(StatusCode::OK, &gateway.health()),
        (&Method::PUT, "/subscribe") => put_subscribe(gateway, request).await,
        (&Method::POST, path) => match path.strip_prefix("/@connections/") {
            Some(id) => post_to_connection(gateway, id, request).await,
            None => not_found(path),
        },
        (method, "/subscribe") => {
            let message = format!("{method} /subscribe is not possible; use PUT");
            problem(StatusCode::METHOD_NOT_ALLOWED, &message)
        }
        (_, path) => not_found(path),
    }
}

async fn put_subscribe(gateway: &Gateway, request: Request<Incoming>) -> Reply {
    match read_body(request).await {
        Ok(body) => subscribe_reply(gateway.ports(), gateway.policy().ttl, &body).await,
        Err(reply) => reply,
    }
}

/// Answers a `PUT /subscribe` with this body. Users stay active for `ttl`.
pub async fn subscribe_reply(ports: &Ports, ttl: Duration, body: &[u8]) -> Reply {
    let body: SubscribeBody = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => {
            let message = format!("the body is not {{\"user_id\": \"…\"}}: {error}");
            return problem(StatusCode::BAD_REQUEST, &message);
        }
    };
    let user = match UserId::new(body.user_id) {
        Ok(user) => user,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let now = ports.clock.now();
    match subscribe::subscribe(&*ports.store, &*ports.queues, &user, ttl, now).await {
        Ok(subscribed) => {
            let expires_at = subscribed.expires_at.to_string();
            let body = json!({ "user_id": user.as_str(), "expires_at": expires_at });
            json_reply(StatusCode::ACCEPTED, &body)
        }
        Err(error) => {
            warn!(%user, error = %Chain(&error), "the user was not subscribed");
            let mut reply = problem(StatusCode::SERVICE_UNAVAILABLE, "try again");
            let retry_after = Duration::from_secs(1).as_secs().into();
            reply.headers_mut().insert(hyper::header::RETRY_AFTER, retry_after);
            reply
        }
    }
}

/// The management API, for the other processes of this machine. A browser has no business here.
async fn post_to_connection(gateway: &Gateway, id: &str, request: Request<Incoming>) -> Reply {
    if request.headers().contains_key(ORIGIN) {
        return problem(StatusCode::FORBIDDEN, "pages may not push to connections");
    }
    let Ok(id) = ConnectionId::new(id) else {
        return problem(StatusCode::BAD_REQUEST, "that is not a connection id");
    };
    let frame = match read_body(request).await {
        Ok(frame) => frame,
        Err(reply) => return reply,
    };
    if std::str::from_utf8(&frame).is_err() {
        return problem(StatusCode::BAD_REQUEST, "a frame is UTF-8 text");
    }
    match gateway.sockets().push(&id, frame) {
        Delivery::Delivered => json_reply(StatusCode::OK, &json!({})),
        Delivery::Gone => problem(StatusCode::GONE, "the connection is closed"),
    }
}

async fn read_body(request: Request<Incoming>) -> Result<Bytes, Reply> {
    match Limited::new(request.into_body(), MAX_MESSAGE_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 128 KB"))
        }
        Err(_) => Err(problem(StatusCode::BAD_REQUEST, "the body ended too early")),
    }
}

fn not_found(path: &str) -> Reply {
    let known = "PUT /subscribe, GET /health, and websockets";
    problem(StatusCode::NOT_FOUND, &format!("there is nothing at {path}; there are {known}"))
}

/// An error with its reason.
pub(super) fn problem(status: StatusCode, message: &str) -> Reply {
    json_reply(status, &json!({ "message": message }))
}

fn json_reply(status: StatusCode, body: &serde_json::Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    reply
}
