//! Replies of the API.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use tracing::info;

use crate::model::UserId;
use crate::runtime::gateway::http_reply::{Reply, later, problem, problem_with_code};
use crate::runtime::gateway::replies::told;
use crate::stages::StageError;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// The seconds after which the client should try again.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// Returns the reply to a caller who may not ask for this customer.
#[must_use]
pub fn forbidden(user: &UserId) -> Reply {
    info!(%user, "the caller may not ask for this customer");
    let message = format!("the token does not name customer `{user}`");
    problem(StatusCode::FORBIDDEN, &message)
}

/// Returns the reply to a request whose stage failed.
pub(super) fn failure(what: &str, error: &StageError) -> Reply {
    let (code, message) = told(what, error);
    let status = match code {
        "request_id_taken" => StatusCode::CONFLICT,
        "rejected" => StatusCode::PAYLOAD_TOO_LARGE,
        _ => return later(StatusCode::SERVICE_UNAVAILABLE, &message),
    };
    problem_with_code(status, code, &message)
}

/// Returns a reply that must not be cached.
pub(super) fn now(status: StatusCode, content: HeaderValue, body: impl Into<Bytes>) -> Reply {
    let mut reply = Reply::new(body.into().into());
    *reply.status_mut() = status;
    let reply = with(reply, CONTENT_TYPE, content);
    with(reply, CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

pub(super) fn with(mut reply: Reply, name: HeaderName, value: HeaderValue) -> Reply {
    reply.headers_mut().insert(name, value);
    reply
}

/// Tells the client when to ask again.
pub(super) fn not_ready(reply: Reply) -> Reply {
    with(reply, RETRY_AFTER, SOON)
}

/// Adds the time for which the client was held at most, if it preferred to wait.
pub(super) fn held(reply: Reply, wait: Duration) -> Reply {
    if wait.is_zero() {
        return reply;
    }
    match HeaderValue::try_from(format!("wait={}", wait.as_secs())) {
        Ok(applied) => with(reply, PREFERENCE_APPLIED, applied),
        Err(_) => reply,
    }
}
