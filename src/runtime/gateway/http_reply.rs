//! Replies over HTTP in JSON, including errors.

use bytes::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::body::ReplyBody;

/// A response.
pub type Reply = Response<ReplyBody>;

/// Returns an error reply with a code for programs. Codes that the websocket also has mean the same here.
pub(super) fn problem_with_code(status: StatusCode, code: &str, message: &str) -> Reply {
    json_reply(status, &json!({ "message": message, "code": code }))
}

/// Returns the reply to a query that cannot be understood.
pub(super) fn bad_query(message: &str) -> Reply {
    problem_with_code(StatusCode::BAD_REQUEST, "bad_query", message)
}

/// Returns an error reply whose code follows from its status.
pub(super) fn problem(status: StatusCode, message: &str) -> Reply {
    let code = match status.as_u16() {
        400 => "bad_request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        408 => "timed_out",
        410 => "gone",
        413 => "too_large",
        426 => "bad_version",
        429 => "rate_limited",
        503 => "unavailable",
        _ => "failed",
    };
    problem_with_code(status, code, message)
}

/// Returns the reply to a request that may be repeated after a second.
pub(super) fn later(status: StatusCode, message: &str) -> Reply {
    let mut reply = problem(status, message);
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    reply
}

/// Returns the reply to a client that sends too many requests. Its connection is closed, so that it
/// stops.
pub(super) fn too_many(message: &str) -> Reply {
    let mut reply = later(StatusCode::TOO_MANY_REQUESTS, message);
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

pub(super) fn json_reply(status: StatusCode, body: &serde_json::Value) -> Reply {
    let mut reply = Reply::new(Bytes::from(body.to_string()).into());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
