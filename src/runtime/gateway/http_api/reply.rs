//! How the API replies.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use tracing::{info, warn};

use crate::model::UserId;
use crate::ports::{Chain, PortError};
use crate::runtime::gateway::http_reply::{Reply, problem_with_code};
use crate::stages::StageError;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// After so many seconds something that is not ready yet may be.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// A client that the caller may not ask for.
#[must_use]
pub fn forbidden(user: &UserId) -> Reply {
    info!(%user, "the caller may not ask for this client");
    let message = format!("the token does not speak for client `{user}`");
    problem_with_code(StatusCode::FORBIDDEN, "forbidden", &message)
}

/// What a failure of a stage tells the client: no more than it needs. The log has the rest.
pub(super) fn failure(what: &str, error: &StageError) -> Reply {
    warn!(error = %Chain(error), "{what}");
    match error {
        StageError::RequestIdTaken { .. } => {
            problem_with_code(StatusCode::CONFLICT, "request_id_taken", &error.to_string())
        }
        StageError::Port(PortError::Rejected { .. }) => {
            problem_with_code(StatusCode::PAYLOAD_TOO_LARGE, "rejected", what)
        }
        _ => {
            let message = format!("{what}; try again");
            let unavailable = StatusCode::SERVICE_UNAVAILABLE;
            with(problem_with_code(unavailable, "unavailable", &message), RETRY_AFTER, SOON)
        }
    }
}

/// Something that is true only now.
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

/// A reply to somebody who has to ask again.
pub(super) fn not_ready(reply: Reply) -> Reply {
    with(reply, RETRY_AFTER, SOON)
}

/// Says for how long the client was kept waiting, at most, if it preferred to wait.
pub(super) fn held(reply: Reply, wait: Duration) -> Reply {
    if wait.is_zero() {
        return reply;
    }
    match HeaderValue::try_from(format!("wait={}", wait.as_secs())) {
        Ok(applied) => with(reply, PREFERENCE_APPLIED, applied),
        Err(_) => reply,
    }
}
