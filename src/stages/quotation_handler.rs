//! Quotation handler: answers a quotation from the customer's table, or saves and publishes it. Only then is
//! the quotation accepted.
//!
//! If the table is usable, one write stores the quotation with its answer. It is never pending, so nothing is
//! published, queued or settled. A gateway that lives as long as its sockets sends the answer with the
//! acknowledgement. A function pushes the answer before it accepts the quotation, so that every accepted
//! quotation has been handed over.
//!
//! If the table is not usable, the quotation is published. Even if the published message is lost, the client
//! is told by the deadline: by the gateway if it lives as long as its sockets, otherwise by a delayed
//! message.
//!
//! Repeating a request with the client's own id is safe: the quotation is created once, and its answer goes
//! to the connection that asked last.

mod stored;

use std::sync::Arc;

use futures_util::future::{join, try_join};
use tracing::{Instrument as _, Level, enabled, info, info_span, warn};

use super::deadline::send_deadline;
use super::log_limit::LogLimit;
use super::lookup::{Look, Lookup, SeenTo};
use super::outcome::{only, write_body};
use super::push::push;
use super::{
    Answering, Observer, Policy, PolicyInForce, StageError, Unobserved, Visits, Warmth, subscribe,
};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{
    ConnectionRef, Dialect, Item, ProviderMessage, QuotationKey, QuotationRequest, RequestId,
    RequestIds, Timestamp, UserId,
};
use crate::ports::{
    ActiveUsers, Chain, Clock, Connections, Created, Outgoing, Ports, Queue, Queues, Quotation,
    QuotationStatus, Quotations, Randomness, Topic, Verdict,
};
use crate::trace;

/// The scope under which the meter counts its calls.
const ACCOUNT: Scope = Scope::new(Stage::QuotationHandler, Reason::Quote);

/// The quotation handler stage.
#[derive(Clone)]
pub struct QuotationHandler {
    lookup: Arc<Lookup>,
    users: Arc<dyn ActiveUsers>,
    visits: Arc<Visits>,
    quotations: Arc<dyn Quotations>,
    queues: Arc<dyn Queues>,
    topic: Arc<dyn Topic>,
    connections: Arc<dyn Connections>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    request_ids: Arc<RequestIds>,
    observer: Arc<dyn Observer>,
    log_limit: Arc<LogLimit>,
    policy: PolicyInForce,
    /// Whether the gateway itself tells its clients: answers that are known at once, and failures when a
    /// deadline passes.
    watched: bool,
}

/// A client's request for a quote.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The customer whose prices are asked for.
    pub user: UserId,
    /// The items, already checked.
    pub items: Vec<Item>,
    /// The client's own id, if it gave one.
    pub request_id: Option<RequestId>,
    /// The dialect in which the answer is written.
    pub dialect: Dialect,
    /// The connection to push the answer to; `None` for a client that asks for its answer.
    pub connection: Option<ConnectionRef>,
}

/// A quote that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The id under which the answer is stored.
    pub request_id: RequestId,
    /// The time by which there is an answer or a failure.
    pub deadline: Timestamp,
    /// The settled quotation, if the caller must tell the client. `None` if the answer was pushed or will be.
    pub settled: Option<Box<Quotation>>,
}

/// The result of a quote, and what it has done about its table.
struct Taken {
    accepted: Result<Accepted, StageError>,
    seen_to: SeenTo,
}

impl QuotationHandler {
    /// Creates the stage on an engine, with the lookup of its process.
    #[must_use]
    pub fn new(ports: &Ports, lookup: Arc<Lookup>, policy: impl Into<PolicyInForce>) -> Self {
        Self {
            lookup,
            users: ports.store.clone(),
            visits: Visits::new(),
            quotations: ports.store.clone(),
            queues: ports.queues.clone(),
            topic: ports.topic.clone(),
            connections: ports.connections.clone(),
            clock: ports.clock.clone(),
            randomness: ports.randomness.clone(),
            request_ids: Arc::default(),
            observer: Arc::new(Unobserved),
            log_limit: Arc::default(),
            policy: policy.into(),
            watched: false,
        }
    }

    /// Returns the stage for a gateway that lives as long as its sockets. The gateway tells its clients of
    /// answers that are known at once and of failures when a deadline passes (see [`Self::fail`]). So no
    /// deadline message is sent.
    #[must_use]
    pub fn watched(self) -> Self {
        Self { watched: true, ..self }
    }

    /// Returns the same stage with another policy.
    #[must_use]
    pub fn with_policy(&self, policy: impl Into<PolicyInForce>) -> Self {
        Self { policy: policy.into(), ..self.clone() }
    }

    /// The visits that this process remembers.
    #[must_use]
    pub const fn visits(&self) -> &Arc<Visits> {
        &self.visits
    }

    /// Sets the observer that is told what the stage does.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Accepts a quote. When this returns, the quotation is saved, and answered or published. The visit is
    /// stored at the same time. It orders a calculation only if the table is not fresh, or from before the
    /// last load, and the quote does not order one.
    ///
    /// # Errors
    /// [`StageError`] if the quotation cannot be saved, published or handed over, or if another quote has the
    /// client's id. The quote is then not accepted.
    pub async fn quote(&self, ask: Ask) -> Result<Accepted, StageError> {
        let request_id = ask.request_id.clone().unwrap_or_else(|| self.new_request_id());
        self.quote_as(ask, request_id).await
    }

    /// Returns an id for a quote without a client's own id.
    #[must_use]
    pub fn new_request_id(&self) -> RequestId {
        self.request_ids.make(self.clock.now(), self.randomness.bits())
    }

    /// Accepts a quote under an id that the caller already knows: the client's own, or a new one.
    ///
    /// # Errors
    /// The same as [`Self::quote`].
    pub async fn quote_as(&self, ask: Ask, request_id: RequestId) -> Result<Accepted, StageError> {
        let now = self.clock.now();
        let user = ask.user.clone();
        let key = match (&ask.request_id, QuotationKey::of_made(&request_id)) {
            (None, Some(made)) => made,
            _ => QuotationKey::new(&user, &request_id),
        };
        let span = trace::quotation_handler(&user, &request_id);
        let policy = self.policy.now();
        // In a box, so that this future stays small.
        let taken = ACCOUNT.of(Box::pin(self.take(ask, request_id, key, &policy, now)));
        trace::within(span, async {
            let visit = subscribe::touch(&*self.users, &self.visits, &policy, &user, now);
            let (taken, visit) = join(taken, visit).await;
            self.lookup.follow_visit(&user, visit, taken.seen_to).await;
            taken.accepted
        })
        .await
    }

    async fn take(
        &self,
        ask: Ask,
        request_id: RequestId,
        key: QuotationKey,
        policy: &Policy,
        now: Timestamp,
    ) -> Taken {
        let Ask { user, items, connection, dialect, .. } = ask;
        let deadline = now.plus(policy.quote_within);
        let request = QuotationRequest {
            key,
            request_id,
            user,
            items,
            deadline,
            attempt: 0,
            unreadable: None,
        };
        let found = match policy.answering {
            // Without the box, the future of each quote would have room for the whole look until it ends.
            Answering::Direct => Box::pin(self.look(&request, now)).await,
            Answering::Topic => None,
        };
        let QuotationRequest { key, request_id, user, items, .. } = request;
        let mut quotation = Box::new(Quotation {
            key,
            request_id,
            user,
            items,
            connection,
            dialect,
            accepted_at: now,
            deadline,
            expires_at: now.plus(policy.keep_quotations()),
            status: QuotationStatus::Pending,
        });
        match found {
            Some((verdict, stale)) => {
                quotation.status = match verdict {
                    Verdict::Answer(answer) => QuotationStatus::Answered(answer),
                    Verdict::Failure(reason) => QuotationStatus::Failed(reason),
                };
                self.answer(quotation, stale).await
            }
            None => {
                let accepted = Box::pin(self.submit(&quotation, now)).await;
                // The provider orders the table if it is missing or stale.
                let seen_to = match &accepted {
                    Ok(Accepted { settled: None, .. }) => match policy.answering {
                        Answering::Direct => SeenTo::Ordered,
                        Answering::Topic => SeenTo::Fresh,
                    },
                    _ => SeenTo::Nothing,
                };
                Taken { accepted, seen_to }
            }
        }
    }

    /// Answers from the customer's table, if it is usable. The number is the version of its head if the table
    /// is stale. A table that cannot be read is left to the provider.
    async fn look(
        &self,
        request: &QuotationRequest,
        now: Timestamp,
    ) -> Option<(Verdict, Option<u64>)> {
        match self.lookup.look(request, None, now).await {
            // A verdict is valid only before the deadline. An answer carries a time from after the read, so the
            // clock is not read again.
            Ok(Look::Verdict(verdict, stale)) => {
                let at = match &verdict {
                    Verdict::Answer(answer) => answer.answered_at,
                    Verdict::Failure(_) => self.clock.now(),
                };
                (at < request.deadline).then_some((verdict, stale))
            }
            Ok(Look::Missing(_)) => None,
            Err(error) => {
                warn!(user = %request.user, error = %Chain(&error), "the table was not read");
                None
            }
        }
    }

    /// Stores a quotation with its answer, and passes the answer to the client.
    async fn answer(&self, quotation: Box<Quotation>, stale: Option<u64>) -> Taken {
        let order = self.lookup.order_stale(Stage::QuotationHandler, &quotation.user, stale);
        let (stored, seen_to) = join(self.quotations.store_answered(&quotation), order).await;
        let accepted = match stored {
            Ok(Created::New { .. }) => self.answered(quotation).await,
            Ok(Created::Existing(existing)) => {
                let accepted = self.accept_again(*existing, &quotation, quotation.accepted_at);
                Box::pin(accepted).await
            }
            Err(error) => Err(error.into()),
        };
        Taken { accepted, seen_to }
    }

    /// Passes the answer of a new quotation to the client.
    async fn answered(&self, quotation: Box<Quotation>) -> Result<Accepted, StageError> {
        let (request_id, deadline) = (quotation.request_id.clone(), quotation.deadline);
        let is_told_here = self.watched || quotation.connection.is_none();
        let handed_over = match is_told_here {
            true => Ok(()),
            false => {
                let (user, request) = (&quotation.user, &request_id);
                let span = info_span!("quotation_handler", %user, %request);
                Box::pin(self.hand_over(&quotation)).instrument(span).await
            }
        };
        let now = self.clock.now();
        let after = now.since(quotation.accepted_at);
        self.observer.settled(&quotation, Warmth::Warm, after);
        // What was pushed has a line of its own.
        if is_told_here {
            self.log_answered(&quotation, now);
        }
        handed_over?;
        let settled = is_told_here.then_some(quotation);
        Ok(Accepted { request_id, deadline, settled })
    }

    /// Logs an answer that the caller tells the client. A process answers many thousands in a second, and a line
    /// for each would take a tenth of its processor time.
    fn log_answered(&self, quotation: &Quotation, now: Timestamp) {
        let logged = match enabled!(Level::DEBUG) {
            true => Some(0),
            false => self.log_limit.allow(now),
        };
        if let Some(left_out) = logged {
            let Quotation { user, request_id, items, accepted_at, .. } = quotation;
            let (lines, after_ms) = (items.len(), now.since(*accepted_at).as_millis());
            info!(%user, request = %request_id, lines, after_ms, left_out, "answered at once");
        }
    }

    /// Pushes the answer. If that fails, sends a message so that the provider pushes it.
    async fn hand_over(&self, quotation: &Quotation) -> Result<(), StageError> {
        let now = self.clock.now();
        let Err(error) = push(&*self.connections, quotation, now).await else { return Ok(()) };
        warn!(error = %Chain(&error), "the answer was not pushed; the provider pushes it");
        let message = Outgoing::standard(message(quotation)?);
        only(self.queues.send(Queue::Provider, &[message]).await?)
    }

    /// Saves a quotation and publishes it.
    async fn submit(&self, quotation: &Quotation, now: Timestamp) -> Result<Accepted, StageError> {
        let request_id = quotation.request_id.clone();
        let body = message(quotation)?;
        let saved = async {
            let saved = self.quotations.create_quotation(quotation, &*self.topic, &body);
            Ok(saved.await?)
        };
        let (created, ()) = try_join(saved, self.announce_deadline(quotation, now)).await?;
        match created {
            Created::New { .. } => {
                let (user, lines) = (&quotation.user, quotation.items.len());
                info!(%user, request = %request_id, lines, "accepted");
                let stored_at = self.clock.now();
                if stored_at >= quotation.deadline {
                    // The deadline message may have come before the quotation was stored. So it is sent
                    // again.
                    self.announce_deadline(quotation, stored_at).await?;
                }
                Ok(Accepted { request_id, deadline: quotation.deadline, settled: None })
            }
            Created::Existing(existing) => self.accept_again(*existing, quotation, now).await,
        }
    }

    /// Accepts a quotation that is already stored.
    async fn accept_again(
        &self,
        existing: Quotation,
        asked: &Quotation,
        now: Timestamp,
    ) -> Result<Accepted, StageError> {
        let request_id = asked.request_id.clone();
        if existing.user != asked.user || existing.items != asked.items {
            return Err(StageError::RequestIdTaken { request_id });
        }
        let existing = self.as_it_ended(existing, now).await?;
        let (deadline, user) = (existing.deadline, &existing.user);
        if existing.status != QuotationStatus::Pending {
            info!(%user, request = %request_id, "answered before");
            return Ok(Accepted { request_id, deadline, settled: Some(Box::new(existing)) });
        }
        if let Some(connection) = &asked.connection {
            self.quotations.redirect_quotation(&asked.key, connection, asked.dialect).await?;
        }
        info!(%user, request = %request_id, lines = existing.items.len(), "accepted again");
        let body = [message(&existing)?];
        let published = async { only(self.topic.publish(&body).await?) };
        // The process that accepted it first may have died before it sent the deadline message.
        let connection = asked.connection.clone().or_else(|| existing.connection.clone());
        let existing = Quotation { connection, ..existing };
        try_join(published, self.announce_deadline(&existing, now)).await?;
        Ok(Accepted { request_id, deadline, settled: None })
    }

    /// Sends the deadline message, unless the gateway tells the client itself.
    async fn announce_deadline(
        &self,
        quotation: &Quotation,
        now: Timestamp,
    ) -> Result<(), StageError> {
        let Quotation { user, key, deadline, .. } = quotation;
        match self.watched || quotation.connection.is_none() {
            true => Ok(()),
            false => send_deadline(&*self.queues, user, key, *deadline, now).await,
        }
    }
}

/// Returns the message that publishes a quotation.
fn message(quotation: &Quotation) -> Result<String, StageError> {
    write_body(&ProviderMessage::Quote(QuotationRequest {
        key: quotation.key.clone(),
        request_id: quotation.request_id.clone(),
        user: quotation.user.clone(),
        items: quotation.items.clone(),
        deadline: quotation.deadline,
        attempt: 0,
        unreadable: None,
    }))
}
