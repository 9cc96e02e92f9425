//! Replies over HTTP: JSON, and what went wrong with its reason.

use bytes::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::body::ReplyBody;

/// A response.
pub type Reply = Response<ReplyBody>;

/// A problem, with the code by which programs know it. The codes are those of the websocket.
pub(super) fn problem_with_code(status: StatusCode, code: &str, message: &str) -> Reply {
    json_reply(status, &json!({ "message": message, "code": code }))
}

/// A query that cannot be understood.
pub(super) fn bad_query(message: &str) -> Reply {
    problem_with_code(StatusCode::BAD_REQUEST, "bad_query", message)
}

/// An error with its reason.
pub(super) fn problem(status: StatusCode, message: &str) -> Reply {
    json_reply(status, &json!({ "message": message }))
}

/// An error that goes away by itself.
pub(super) fn later(status: StatusCode, message: &str) -> Reply {
    let mut reply = problem(status, message);
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    reply
}

/// A client that asks too much. Its connection is closed, so that it does not go on.
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
