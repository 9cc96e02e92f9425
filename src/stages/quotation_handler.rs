//! Quotation handler: saves a quotation, publishes it, and only then is it accepted.
//!
//! Repeating a request with the client's own id is safe: the quotation is created once, and a
//! repetition sends its answer to the connection that asked last.

use std::sync::Arc;

use futures_util::future::join;
use tracing::info;

use super::outcome::{only, write_body};
use super::{Policy, StageError, subscribe};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{
    ConnectionRef, Dialect, Item, ProviderMessage, QuotationKey, QuotationRequest, RequestId,
    Timestamp, UserId,
};
use crate::ports::{
    ActiveUsers, Clock, Created, FailureReason, Ports, Queues, Quotation, QuotationStatus,
    Quotations, Randomness, Settlement, Topic, Verdict,
};
use crate::trace;

/// On which its calls go.
const ACCOUNT: Scope = Scope::new(Stage::QuotationHandler, Reason::Quote);

/// The stage, with the ports it needs.
pub struct QuotationHandler {
    users: Arc<dyn ActiveUsers>,
    quotations: Arc<dyn Quotations>,
    queues: Arc<dyn Queues>,
    topic: Arc<dyn Topic>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    policy: Policy,
}

/// A quote as a client asks for it.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Whose prices.
    pub user: UserId,
    /// Which products, checked.
    pub items: Vec<Item>,
    /// The client's own id, if it gave one.
    pub request_id: Option<RequestId>,
    /// How the client wants the answer written.
    pub dialect: Dialect,
    /// Where the answer goes.
    pub connection: ConnectionRef,
}

/// A quote that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// By which the answer will be known.
    pub request_id: RequestId,
    /// The answer, when the same request had one before: nothing will be pushed, this is it.
    pub settled: Option<Box<Quotation>>,
}

impl QuotationHandler {
    /// The stage on an engine.
    #[must_use]
    pub fn new(ports: &Ports, policy: Policy) -> Self {
        Self {
            users: ports.store.clone(),
            quotations: ports.store.clone(),
            queues: ports.queues.clone(),
            topic: ports.topic.clone(),
            clock: ports.clock.clone(),
            randomness: ports.randomness.clone(),
            policy,
        }
    }

    /// Accepts a quote: when this returns, it is saved and on its way. The user's visit is
    /// written down at the same time, and orders a calculation only where the quote does not.
    ///
    /// # Errors
    /// When the quotation cannot be saved or published, or when the client's id is taken by
    /// another quote. Then the quote is not accepted.
    pub async fn quote(&self, ask: Ask) -> Result<Accepted, StageError> {
        let request_id = ask.request_id.clone().unwrap_or_else(|| self.new_request_id());
        self.quote_as(ask, request_id).await
    }

    /// An id for a quote whose client chose none.
    #[must_use]
    pub fn new_request_id(&self) -> RequestId {
        RequestId::made(self.clock.now(), self.randomness.bits())
    }

    /// Accepts a quote under an id that the caller knows before anything is done: the client's own, or
    /// a new one.
    ///
    /// # Errors
    /// As [`Self::quote`].
    pub async fn quote_as(&self, ask: Ask, request_id: RequestId) -> Result<Accepted, StageError> {
        let now = self.clock.now();
        let user = ask.user.clone();
        let span = trace::quotation_handler(&user, &request_id);
        let visit = subscribe::touch(&*self.users, &self.policy, &user, now);
        let accepted = ACCOUNT.of(self.accept(ask, request_id));
        trace::within(span, async {
            let (accepted, visit) = join(accepted, visit).await;
            // A quote that is on its way has the table calculated if it is missing or stale.
            let is_on_its_way = accepted.as_ref().is_ok_and(|accepted| accepted.settled.is_none());
            if let Some(visit) = visit.filter(|_| !is_on_its_way) {
                subscribe::order_unless_known(&*self.queues, &user, visit).await;
            }
            accepted
        })
        .await
    }

    async fn accept(&self, ask: Ask, request_id: RequestId) -> Result<Accepted, StageError> {
        let now = self.clock.now();
        let quotation = Quotation {
            key: QuotationKey::new(&ask.user, &request_id),
            request_id: request_id.clone(),
            user: ask.user,
            items: ask.items,
            connection: ask.connection,
            dialect: ask.dialect,
            accepted_at: now,
            deadline: now.plus(self.policy.quote_within),
            expires_at: now.plus(self.policy.keep_quotations),
            status: QuotationStatus::Pending,
        };
        let body = message(&quotation)?;
        let created = self.quotations.create_and_publish(&quotation, &*self.topic, &body).await?;
        match created {
            Created::New => {
                let (user, lines) = (&quotation.user, quotation.items.len());
                info!(%user, request = %request_id, lines, "accepted");
            }
            Created::Existing(existing) => {
                let same = existing.user == quotation.user && existing.items == quotation.items;
                if !same {
                    return Err(StageError::RequestIdTaken { request_id });
                }
                let existing = self.as_it_ended(*existing, now).await?;
                if existing.status != QuotationStatus::Pending {
                    info!(user = %existing.user, request = %request_id, "answered before");
                    return Ok(Accepted { request_id, settled: Some(Box::new(existing)) });
                }
                let Quotation { key, connection, dialect, .. } = &quotation;
                self.quotations.redirect_quotation(key, connection, *dialect).await?;
                let (user, lines) = (&existing.user, existing.items.len());
                info!(%user, request = %request_id, lines, "accepted again");
                only(self.topic.publish(&[message(&existing)?]).await?)?;
            }
        }
        Ok(Accepted { request_id, settled: None })
    }

    /// An earlier quotation of this user, with the status that is stored. One that is still
    /// pending will be answered to the connection that asks.
    ///
    /// # Errors
    /// When the quotation cannot be read or redirected.
    pub async fn get(
        &self,
        user: &UserId,
        request_id: &RequestId,
        connection: &ConnectionRef,
    ) -> Result<Option<Quotation>, StageError> {
        ACCOUNT.of(self.find(user, request_id, connection)).await
    }

    async fn find(
        &self,
        user: &UserId,
        request_id: &RequestId,
        connection: &ConnectionRef,
    ) -> Result<Option<Quotation>, StageError> {
        let key = QuotationKey::new(user, request_id);
        let found = self.quotations.quotation(&key).await?;
        let now = self.clock.now();
        // Ids made by ocache are one name space: whose they are must be looked at.
        let of_user = |found: &Quotation| found.user == *user && found.is_kept(now);
        let Some(found) = found.filter(of_user) else { return Ok(None) };
        let found = self.as_it_ended(found, now).await?;
        if found.status != QuotationStatus::Pending {
            return Ok(Some(found));
        }
        self.quotations.redirect_quotation(&key, connection, found.dialect).await?;
        // It may have been settled, and pushed to the old connection, just before.
        match self.quotations.quotation(&key).await? {
            Some(found) => Ok(Some(self.as_it_ended(found, self.clock.now()).await?)),
            None => Ok(None),
        }
    }

    /// A quotation that a client will be shown. One that is past its deadline has failed, and
    /// that is written down before anybody is told: a provider whose clock is behind, or whose
    /// answer was long under way, would else answer it afterwards.
    async fn as_it_ended(
        &self,
        quotation: Quotation,
        now: Timestamp,
    ) -> Result<Quotation, StageError> {
        if quotation.status_at(now) == quotation.status {
            return Ok(quotation);
        }
        let failed = Verdict::Failure(FailureReason::DeadlinePassed);
        Ok(match self.quotations.settle_quotation(&quotation.key, &failed, now).await? {
            Settlement::Settled(stored) | Settlement::Refused(stored) => *stored,
            Settlement::Missing => Quotation { status: quotation.status_at(now), ..quotation },
        })
    }
}

/// What the topic is told of a quotation.
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
