//! `POST /quotes` and `GET /quotes/{id}`.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION};

use super::HttpApi;
use super::held::held;
use super::reply::{self, JSON, failure, not_ready, now, with};
use super::resource::encoded;
use crate::model::{Dialect, RequestId, Timestamp, UserId};
use crate::ports::{Quotation, QuotationStatus};
use crate::protocol::{QuoteBody, render_quotation};
use crate::runtime::gateway::http_reply::{Reply, problem};
use crate::stages::StageError;
use crate::stages::quotation_handler::{Accepted, Ask, QuotationHandler};

impl HttpApi {
    /// Replies 200 with the quotation if it is answered at once or while the client waits. Otherwise
    /// replies 202 with the location of the quotation.
    pub(super) async fn quote(
        &self,
        handler: &QuotationHandler,
        body: QuoteBody,
        wait: Duration,
    ) -> Reply {
        let QuoteBody { user, items, request_id } = body;
        // Read the clock before the stage looks. A quotation that it finds pending must not be shown as
        // failed because its deadline has passed since then.
        let asked_at = self.clock.now();
        let ask = Ask {
            user: user.clone(),
            items,
            request_id,
            dialect: Dialect::Current,
            connection: None,
        };
        let accepted = match handler.quote(ask).await {
            Ok(accepted) => accepted,
            Err(error) => return failure("the quote was not accepted", &error),
        };
        let Accepted { request_id, settled, .. } = accepted;
        if let Some(settled) = settled {
            return shown(StatusCode::OK, *settled, asked_at);
        }
        match self.wait_for(handler, &user, &request_id, wait).await {
            Ok(Some(quotation)) if is_pending(&quotation) => {
                let reply = not_ready(shown(StatusCode::ACCEPTED, quotation, asked_at));
                reply::held(located(reply, &user, &request_id), wait)
            }
            Ok(Some(quotation)) => {
                reply::held(shown(StatusCode::OK, quotation, self.clock.now()), wait)
            }
            Ok(None) => no_such_quotation(&request_id),
            Err(error) => failure("the quote was accepted, and its outcome is not known", &error),
        }
    }

    /// Replies with a quotation: as it is now, or as soon as it is settled while the client waits.
    pub(super) async fn get(
        &self,
        handler: &QuotationHandler,
        user: &UserId,
        request_id: &RequestId,
        wait: Duration,
    ) -> Reply {
        match self.wait_for(handler, user, request_id, wait).await {
            Ok(Some(quotation)) => {
                let is_pending = is_pending(&quotation);
                let asked_at = if is_pending { quotation.accepted_at } else { self.clock.now() };
                let reply = shown(StatusCode::OK, quotation, asked_at);
                reply::held(if is_pending { not_ready(reply) } else { reply }, wait)
            }
            Ok(None) => no_such_quotation(request_id),
            Err(error) => failure("the quotation was not found", &error),
        }
    }

    async fn wait_for(
        &self,
        handler: &QuotationHandler,
        user: &UserId,
        request_id: &RequestId,
        wait: Duration,
    ) -> Result<Option<Quotation>, StageError> {
        let look = || handler.look_up(user, request_id);
        held(wait, &self.shutdown, look, |found| !found.as_ref().is_some_and(is_pending)).await
    }
}

/// Whether a quotation is stored as pending. If its deadline has passed, the look-up has already stored
/// its failure.
fn is_pending(quotation: &Quotation) -> bool {
    quotation.status == QuotationStatus::Pending
}

/// Returns a reply whose body is the `quotation` frame in the current dialect, whatever dialect the quote
/// came in.
fn shown(status: StatusCode, quotation: Quotation, at: Timestamp) -> Reply {
    let quotation = Quotation { dialect: Dialect::Current, ..quotation };
    match render_quotation(&quotation, at) {
        Ok(frame) => now(status, JSON, frame),
        Err(error) => failure("the quotation was not written", &StageError::Write(error)),
    }
}

/// Adds the location of the quotation. It is relative to the request's path, so that it is right behind a
/// proxy that publishes the gateway under a path prefix.
fn located(reply: Reply, user: &UserId, request_id: &RequestId) -> Reply {
    let (id, client) = (encoded(request_id.as_str()), encoded(user.as_str()));
    match HeaderValue::try_from(format!("quotes/{id}?client={client}")) {
        Ok(place) => with(reply, LOCATION, place),
        Err(_) => reply,
    }
}

fn no_such_quotation(request_id: &RequestId) -> Reply {
    let message = format!("there is no quotation `{request_id}` of this customer");
    problem(StatusCode::NOT_FOUND, &message)
}
