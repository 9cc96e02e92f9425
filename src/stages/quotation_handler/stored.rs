//! Quotations that are already accepted: requested again, or past their deadline.

use super::{ACCOUNT, QuotationHandler};
use crate::model::{ConnectionRef, QuotationKey, RequestId, Timestamp, UserId};
use crate::ports::{FailureReason, PortError, Quotation, QuotationStatus, Settlement, Verdict};
use crate::stages::{StageError, Warmth};

impl QuotationHandler {
    /// Returns the time by which a client is told of its quotation. No quotation has more time than the
    /// policy gives, so a later deadline comes from a gateway whose clock is ahead of ours.
    #[must_use]
    pub fn told_by(&self, deadline: Timestamp, now: Timestamp) -> Timestamp {
        deadline.min(now.plus(self.policy.now().quote_within))
    }

    /// Fails a quotation whose deadline has passed, unless it is already settled. Does not check the deadline
    /// again. Returns the quotation as stored afterwards.
    ///
    /// # Errors
    /// [`StageError`] if the quotation cannot be read or written.
    pub async fn fail(
        &self,
        user: &UserId,
        request_id: &RequestId,
    ) -> Result<Option<Quotation>, StageError> {
        let failed = async {
            match self.stored(user, request_id, self.clock.now()).await? {
                Some(found) => self.settle_as_failed(&found.key).await,
                None => Ok(None),
            }
        };
        ACCOUNT.of(failed).await
    }

    /// Returns an earlier quotation of this customer with its stored status. Its answer still goes to the
    /// connection that waits for it.
    ///
    /// # Errors
    /// [`StageError`] if the quotation cannot be read, or a passed deadline cannot be written.
    pub async fn look_up(
        &self,
        user: &UserId,
        request_id: &RequestId,
    ) -> Result<Option<Quotation>, StageError> {
        let look = async {
            let now = self.clock.now();
            match self.stored(user, request_id, now).await? {
                Some(found) => Ok(Some(self.as_it_ended(found, now).await?)),
                None => Ok(None),
            }
        };
        ACCOUNT.of(look).await
    }

    /// Returns an earlier quotation of this customer with its stored status. If it is pending, its answer
    /// will go to the connection that asks now.
    ///
    /// # Errors
    /// [`StageError`] if the quotation cannot be read or redirected.
    pub async fn get(
        &self,
        user: &UserId,
        request_id: &RequestId,
        connection: &ConnectionRef,
    ) -> Result<Option<Quotation>, StageError> {
        let get = async {
            let now = self.clock.now();
            let Some(found) = self.stored(user, request_id, now).await? else { return Ok(None) };
            let found = self.as_it_ended(found, now).await?;
            if found.status != QuotationStatus::Pending {
                return Ok(Some(found));
            }
            let key = &found.key;
            if found.connection.as_ref() != Some(connection) {
                // A quote without a connection has no message at its deadline, nor has one whose gateway watched it.
                // The message is sent first, so that a quotation of this connection always has one.
                let connection = Some(connection.clone());
                let redirected = Quotation { connection, ..found.clone() };
                self.announce_deadline(&redirected, now).await?;
            }
            self.quotations.redirect_quotation(key, connection, found.dialect).await?;
            // The quotation may have been settled, and pushed to the old connection, just before.
            match self.quotations.quotation(key).await? {
                Some(found) => Ok(Some(self.as_it_ended(found, self.clock.now()).await?)),
                None => Ok(None),
            }
        };
        ACCOUNT.of(get).await
    }

    /// Reads a quotation of this customer by the id that the client knows.
    async fn stored(
        &self,
        user: &UserId,
        request_id: &RequestId,
        now: Timestamp,
    ) -> Result<Option<Quotation>, PortError> {
        for key in QuotationKey::candidates(user, request_id) {
            // The customer must be compared, because the key of an id that ocache made does not contain the
            // customer.
            let of_user = |found: &Quotation| found.user == *user && found.is_kept(now);
            if let Some(found) = self.quotations.quotation(&key).await?.filter(of_user) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Returns a quotation as it may be shown to its client. If its deadline has passed, its failure is
    /// stored first. Otherwise a provider whose clock is behind, or whose answer is delayed, could still
    /// answer it.
    pub(super) async fn as_it_ended(
        &self,
        quotation: Quotation,
        now: Timestamp,
    ) -> Result<Quotation, StageError> {
        if quotation.status_at(now) == quotation.status {
            return Ok(quotation);
        }
        let status = quotation.status_at(now);
        let stored = self.settle_as_failed(&quotation.key).await?;
        Ok(stored.unwrap_or(Quotation { status, ..quotation }))
    }

    async fn settle_as_failed(&self, key: &QuotationKey) -> Result<Option<Quotation>, StageError> {
        let failed = Verdict::Failure(FailureReason::DeadlinePassed);
        let now = self.clock.now();
        Ok(match self.quotations.settle_quotation(key, &failed, now).await? {
            Settlement::Settled(stored) => {
                self.observer.settled(&stored, Warmth::Cold, now.since(stored.accepted_at));
                Some(*stored)
            }
            Settlement::Refused(stored) => Some(*stored),
            Settlement::Missing => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::Ask;
    use super::*;
    use crate::memory::{Memory, TokioClock};
    use crate::model::{Dialect, QuotationRequest};
    use crate::ports::SystemRandomness;
    use crate::stages::{Lookup, Policy};

    #[tokio::test]
    async fn nobody_waits_for_a_deadline_that_only_another_clock_could_give() {
        let now = Timestamp::from_secs(1_800_000_000);
        let ports = Memory::new(Arc::new(TokioClock::new(now)), Arc::new(SystemRandomness)).ports();
        let policy = Policy::default();
        let within = policy.quote_within;
        let handler = QuotationHandler::new(&ports, Lookup::new(&ports), policy);
        for (left, told_in) in [
            (Duration::ZERO, Duration::ZERO),
            (within / 2, within / 2),
            (Duration::from_secs(3600), within),
        ] {
            assert_eq!(handler.told_by(now.plus(left), now), now.plus(told_in));
        }
    }

    /// What is small is moved fast. And without jemalloc, the C library takes up to 1,032 bytes from what the
    /// thread has freed; to find more takes several times as long.
    #[tokio::test]
    async fn what_each_quote_allocates_for_its_futures_is_small() {
        const FAST: usize = 1032;
        let now = Timestamp::from_secs(1_800_000_000);
        let ports = Memory::new(Arc::new(TokioClock::new(now)), Arc::new(SystemRandomness)).ports();
        let handler = QuotationHandler::new(&ports, Lookup::new(&ports), Policy::default());
        let (user, dialect) = (UserId::new("AAA").unwrap(), Dialect::Current);
        let ask = Ask { user, items: vec![], request_id: None, dialect, connection: None };
        let (id, policy) = (handler.new_request_id(), handler.policy.now());
        let key = QuotationKey::of_made(&id).unwrap();
        let request = QuotationRequest {
            key: key.clone(),
            request_id: id.clone(),
            user: ask.user.clone(),
            items: vec![],
            deadline: now,
            attempt: 0,
            unreadable: None,
        };
        let look = size_of_val(&handler.look(&request, now));
        let take = size_of_val(&handler.take(ask.clone(), id.clone(), key, &policy, now));
        let quote = size_of_val(&handler.quote_as(ask, id));
        assert!([look, take, quote].iter().all(|size| *size <= FAST), "{look} {take} {quote}");
    }
}
