//! Quotation provider: answers a quotation from the table, or orders a calculation of the table.
//!
//! Repeating a message is safe: a quotation is settled once, and the stored answer is what is pushed. After a
//! crash between the two, the same answer is pushed a second time, never a different one.

use std::sync::Arc;

use futures_util::future::join_all;
use tracing::{Instrument, info, info_span};

use super::deadline::{DEADLINE_GRACE, comes_in_time};
use super::lookup::{Look, Lookup};
use super::outcome::read_bodies;
use super::push::push;
use super::quote_inputs::{PriceRequest, QuoteInputs};
use super::subscribe::send;
use super::{Observer, Outcome, StageError, Unobserved, Warmth};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{
    Calculation, Cause, Generation, ProviderMessage, QuotationKey, QuotationRequest,
};
use crate::ports::{
    Clock, Connections, FailureReason, Ports, Queue, Queues, QuotationStatus, Quotations, Received,
    Settlement, Verdict,
};
use crate::trace;

/// How many calculations are ordered for a quotation before it fails.
const MAX_ATTEMPTS: u32 = 3;

/// The quotation provider stage.
pub struct QuotationProvider {
    lookup: Arc<Lookup>,
    quotations: Arc<dyn Quotations>,
    queues: Arc<dyn Queues>,
    connections: Arc<dyn Connections>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl QuotationProvider {
    /// Creates the stage on an engine, with the lookup of its process.
    #[must_use]
    pub fn new(ports: &Ports, lookup: Arc<Lookup>) -> Self {
        Self {
            lookup,
            quotations: ports.store.clone(),
            queues: ports.queues.clone(),
            connections: ports.connections.clone(),
            clock: ports.clock.clone(),
            observer: Arc::new(Unobserved),
        }
    }

    /// Sets the observer that is told what the stage does.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Handles a batch, its messages side by side. The outcomes are in the order of the batch.
    pub async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        Scope::new(Stage::QuotationProvider, Reason::Quote).of(self.handle_all(batch)).await
    }

    async fn handle_all(&self, batch: &[Received]) -> Vec<Outcome> {
        let messages = read_bodies::<ProviderMessage>(batch);
        let now = self.clock.now();
        let requests: Vec<PriceRequest<'_>> = messages
            .iter()
            .filter_map(|message| match message {
                Ok(ProviderMessage::Quote(request)) if now < request.deadline => {
                    Some(request.into())
                }
                _ => None,
            })
            .collect();
        let shared = match requests[..] {
            [] => Ok(None),
            _ => match self.lookup.inputs(&requests, now).await {
                Ok(inputs) => Ok(Some(inputs)),
                Err(error) if error.is_downstream() => Err(Arc::new(StageError::from(error))),
                // The data of one request cannot be read. Each request reads alone, so that this one does not
                // delay the others.
                Err(_) => Ok(None),
            },
        };
        let shared = &shared;
        join_all(messages.into_iter().zip(batch).map(async |(message, received)| match message {
            Ok(ProviderMessage::Quote(request)) => {
                let traced = trace::quotation_provider(received);
                let span = traced.in_scope(|| {
                    info_span!(
                        "quotation_provider", user = %request.user, request = %request.request_id
                    )
                });
                let shared = shared.as_ref().map(Option::as_ref);
                let again = received.receive_count > 1;
                let provided = self.provide(request, again, shared).instrument(span);
                trace::within(traced, provided).await.into()
            }
            Ok(ProviderMessage::Deadline { user, key }) => {
                let traced = trace::quotation_provider(received);
                let span = traced.in_scope(|| info_span!("quotation_provider", %user, %key));
                let expired = self.expire(&key).instrument(span);
                expired.instrument(traced).await
            }
            Err(error) => error.into(),
        }))
        .await
    }

    async fn provide(
        &self,
        request: QuotationRequest,
        again: bool,
        shared: Result<Option<&QuoteInputs>, &Arc<StageError>>,
    ) -> Result<(), StageError> {
        let now = self.clock.now();
        if now >= request.deadline {
            let late = Verdict::Failure(FailureReason::DeadlinePassed);
            return self.settle(&request.key, late, Warmth::Cold).await;
        }
        // The previous receiver may have settled the quotation and died before the push. By its clock the
        // deadline may not have passed.
        if again
            && let Some(stored) = self.quotations.quotation(&request.key).await?
            && stored.status != QuotationStatus::Pending
        {
            return push(&*self.connections, &stored, now).await;
        }
        let warmth = if request.attempt == 0 { Warmth::Warm } else { Warmth::Cold };
        let shared = shared.map_err(|error| StageError::Shared(error.clone()))?;
        match self.lookup.look(&request, shared, now).await? {
            Look::Verdict(verdict, stale) => {
                self.settle(&request.key, verdict, warmth).await?;
                self.lookup.order_stale(Stage::QuotationProvider, &request.user, stale).await;
                Ok(())
            }
            Look::Missing(_) if request.attempt >= MAX_ATTEMPTS => {
                self.settle(&request.key, Verdict::Failure(FailureReason::NoTable), warmth).await
            }
            Look::Missing(unreadable) => order_table(&*self.queues, request, unreadable).await,
        }
    }

    /// Settles a quotation and pushes it as stored.
    async fn settle(
        &self,
        key: &QuotationKey,
        verdict: Verdict,
        warmth: Warmth,
    ) -> Result<(), StageError> {
        let now = self.clock.now();
        let mut settlement = self.quotations.settle_quotation(key, &verdict, now).await?;
        if let Settlement::Refused(stored) = &settlement
            && stored.status == QuotationStatus::Pending
        {
            // The deadline passed between the reading of the clock and the write.
            let failed = Verdict::Failure(FailureReason::DeadlinePassed);
            settlement = self.quotations.settle_quotation(key, &failed, now).await?;
        }
        let (stored, is_first) = match settlement {
            Settlement::Settled(stored) => (stored, true),
            Settlement::Refused(stored) => (stored, false),
            Settlement::Missing => {
                info!(%key, "the quotation is no longer stored");
                return Ok(());
            }
        };
        let pushed = push(&*self.connections, &stored, now).await;
        if is_first {
            let after = self.clock.now().since(stored.accepted_at);
            self.observer.settled(&stored, warmth, after);
        }
        pushed
    }

    /// Handles the deadline message of a quotation. If it is pending, it fails, and the client is told. If it
    /// has already failed by its deadline, the client is told again: a queue may deliver several copies of
    /// the message, and the one that settled the quotation may not have reached the client.
    async fn expire(&self, key: &QuotationKey) -> Outcome {
        let now = self.clock.now();
        let quotation = match self.quotations.quotation(key).await {
            Ok(Some(quotation)) => quotation,
            Ok(None) => return Outcome::Done,
            Err(error) => return StageError::from(error).into(),
        };
        match quotation.status {
            QuotationStatus::Pending if now < quotation.deadline && !comes_in_time(&quotation) => {
                Outcome::Again {
                    error: StageError::NotDue,
                    after: Some(quotation.deadline.since(now) + DEADLINE_GRACE),
                }
            }
            QuotationStatus::Pending | QuotationStatus::Failed(FailureReason::DeadlinePassed) => {
                let late = Verdict::Failure(FailureReason::DeadlinePassed);
                self.settle(key, late, Warmth::Cold).await.into()
            }
            _ => Outcome::Done,
        }
    }
}

/// Orders the table of a request's customer, ahead of all scheduled work.
pub(super) async fn order_table(
    queues: &dyn Queues,
    request: QuotationRequest,
    unreadable: Option<Generation>,
) -> Result<(), StageError> {
    info!(attempt = request.attempt + 1, "no usable table; ordering one");
    let attempt = request.attempt + 1;
    let user = request.user.clone();
    let cause = Cause::Quotation(QuotationRequest { attempt, unreadable, ..request });
    send(queues, Queue::Quotation, &Calculation { user, cause }).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::memory::{Memory, TokioClock};
    use crate::model::{Dialect, RequestId, Timestamp, UserId};
    use crate::ports::testing::received;
    use crate::ports::{Quotation, SystemRandomness};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const AN_HOUR_AGO: Timestamp = Timestamp::from_secs(1_800_000_000 - 3600);

    /// Handles the deadline message of a quotation that had `within` time, by a clock that is an hour behind.
    async fn told_by_a_clock_that_is_behind(within: Duration) -> (Outcome, QuotationStatus) {
        let clock = Arc::new(TokioClock::new(NOW));
        let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        let user: UserId = "AAA".parse().unwrap();
        let request_id = RequestId::made(NOW, [7; 16]);
        let key = QuotationKey::new(&user, &request_id);
        let accepted_at = NOW.minus(within);
        let quotation = Quotation {
            key: key.clone(),
            request_id,
            user: user.clone(),
            items: vec![],
            connection: None,
            dialect: Dialect::Current,
            accepted_at,
            deadline: accepted_at.plus(within),
            expires_at: NOW.plus(within),
            status: QuotationStatus::Pending,
        };
        ports.store.create_quotation(&quotation, &*ports.topic, "").await.unwrap();
        let late = Ports { clock: Arc::new(TokioClock::new(AN_HOUR_AGO)), ..ports.clone() };
        let provider = QuotationProvider::new(&late, Lookup::new(&late));
        let message = ProviderMessage::Deadline { user, key: key.clone() };
        let message = received("1", &message, accepted_at);
        let outcome = provider.handle(&[message]).await.remove(0);
        (outcome, ports.store.quotation(&key).await.unwrap().unwrap().status)
    }

    #[tokio::test(start_paused = true)]
    async fn the_message_of_a_deadline_that_comes_in_time_counts_whatever_the_time_is_here() {
        let (outcome, status) = told_by_a_clock_that_is_behind(Duration::from_secs(30)).await;
        assert!(outcome.is_done(), "{outcome:?}");
        assert_eq!(status, QuotationStatus::Failed(FailureReason::DeadlinePassed));
        // A message that cannot be delayed for so long comes too early.
        let (outcome, status) = told_by_a_clock_that_is_behind(Duration::from_secs(1200)).await;
        assert!(matches!(outcome, Outcome::Again { error: StageError::NotDue, .. }), "{outcome:?}");
        assert_eq!(status, QuotationStatus::Pending);
    }
}
