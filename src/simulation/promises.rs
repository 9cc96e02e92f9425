//! Tracks every quotation: when it was requested, whether it was accepted, and what its client was told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Invariant;
use super::checks::Checks;
use super::inputs::InputHistory;
use super::report::Breach;
use crate::model::{ConnectionId, ConnectionRef, Item, QuotationKey, RequestId, Timestamp, UserId};
use crate::ports::{Quotation, QuotationStatus};
use crate::protocol::{Frame, QuotationFrame};

/// One quotation.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) user: UserId,
    pub(super) request_id: RequestId,
    items: Vec<Item>,
    /// The connections on which its client waits.
    connections: Vec<ConnectionId>,
    pub(super) deadline: Timestamp,
    /// Until when the quotation is kept and its key is taken.
    expires_at: Timestamp,
    /// Whether the client was told that it is accepted.
    pub(super) accepted: bool,
    /// When its outcome was stored.
    pub(super) settled_at: Option<Timestamp>,
    pub(super) answered: bool,
    /// When the answer was calculated, by the clock of the process that did.
    answered_at: Timestamp,
    /// Whether the client was told the outcome, or is gone.
    pub(super) told: bool,
    /// The frame that the client was shown.
    shown: Option<String>,
}

/// All quotations.
#[derive(Debug, Default)]
pub(super) struct Promises {
    by_key: BTreeMap<QuotationKey, Promise>,
    /// How often clients asked.
    pub(super) asked: u64,
}

impl Promises {
    pub(super) fn created(
        &mut self,
        quotation: &Quotation,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        let is_free = |there: &Promise| there.expires_at <= quotation.accepted_at;
        let free = self.by_key.get(&quotation.key).is_none_or(is_free);
        checks.hold(Invariant::OneOutcome, free, || {
            format!("quotation {} was stored in place of another", quotation.key)
        })?;
        let promise = Promise {
            user: quotation.user.clone(),
            request_id: quotation.request_id.clone(),
            items: quotation.items.clone(),
            connections: vec![],
            deadline: quotation.deadline,
            expires_at: quotation.expires_at,
            accepted: false,
            settled_at: None,
            answered: false,
            answered_at: Timestamp::default(),
            told: false,
            shown: None,
        };
        self.by_key.insert(quotation.key.clone(), promise);
        Ok(())
    }

    /// Returns the quotation of a user with this request id.
    fn find(&mut self, user: &UserId, request_id: &RequestId) -> Option<&mut Promise> {
        let mut keys = QuotationKey::candidates(user, request_id);
        let key = keys.find(|key| self.by_key.get(key).is_some_and(|it| it.user == *user))?;
        self.by_key.get_mut(&key)
    }

    pub(super) fn accepted(&mut self, user: &UserId, request_id: &RequestId) {
        if let Some(promise) = self.find(user, request_id) {
            promise.accepted = true;
        }
    }

    /// Notes that the client waits for the outcome on a connection.
    pub(super) fn awaited(&mut self, key: &QuotationKey, connection: &ConnectionRef) {
        if let Some(promise) = self.by_key.get_mut(key) {
            promise.connections.push(connection.id.clone());
        }
    }

    /// Notes that an outcome was stored. This must be soon after it was calculated.
    pub(super) fn settled(
        &mut self,
        quotation: &Quotation,
        now: Timestamp,
        slack: Duration,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        let Some(promise) = self.by_key.get_mut(&quotation.key) else { return Ok(()) };
        let before = promise.settled_at.replace(now);
        if let QuotationStatus::Answered(answer) = &quotation.status {
            promise.answered = true;
            promise.answered_at = answer.answered_at;
            let apart = now.since(answer.answered_at).max(answer.answered_at.since(now));
            checks.hold(Invariant::RightPrice, apart <= slack, || {
                format!("quotation {} was answered for {}", quotation.key, answer.answered_at)
            })?;
        }
        checks.hold(Invariant::OneOutcome, before.is_none(), || {
            format!("quotation {} was settled twice", quotation.key)
        })
    }

    /// Notes a frame that a client was shown. `oldest` is the largest allowed age of a price's inputs.
    pub(super) fn shown(
        &mut self,
        text: &str,
        oldest: Duration,
        inputs: &InputHistory,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        let Some((user, request_id, frame)) = read(text) else { return Ok(()) };
        if frame.status == "pending" {
            return Ok(());
        }
        let Some(promise) = self.find(&user, &request_id) else {
            return checks.hold(Invariant::OneOutcome, false, || {
                format!("a client was told what is not stored: {text}")
            });
        };
        promise.told = true;
        if let Some(before) = &promise.shown {
            return checks.hold(Invariant::OneOutcome, before == text, || {
                format!("the client was told {before} and then {text}")
            });
        }
        promise.shown = Some(text.to_owned());
        if frame.status != "answered" {
            return Ok(());
        }
        checks.hold(Invariant::OneOutcome, promise.answered, || {
            format!("the client was told what is not stored: {text}")
        })?;
        let lines = frame.lines.iter().map(|line| line.product.as_str());
        let unavailable = frame.unavailable.iter().map(String::as_str);
        let covered = lines.chain(unavailable).eq(in_order_of(&frame, promise));
        checks.hold(Invariant::RightPrice, covered, || format!("products are missing: {text}"))?;
        let to = promise.settled_at.unwrap_or_default();
        let (shown, at) = ((&frame, promise.items.as_slice()), promise.answered_at);
        let right = inputs.explain(shown, &promise.user, (to.minus(oldest), to), at);
        checks.hold(Invariant::RightPrice, right, || {
            let (ago, asked) = (oldest.as_secs(), &promise.items);
            format!("nothing loaded of the last {ago} s gives {text} at {at}, for {asked:?}")
        })
    }

    /// Notes that the client is gone, so that nobody need be told.
    pub(super) fn client_gone(&mut self, text: &str) {
        let promise = read(text).and_then(|(user, id, _)| self.find(&user, &id));
        if let Some(promise) = promise {
            promise.told = true;
        }
    }

    pub(super) fn get(&self, key: &QuotationKey) -> Option<&Promise> {
        self.by_key.get(key)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&QuotationKey, &Promise)> {
        self.by_key.iter()
    }

    /// Returns the requests of a user that were accepted.
    pub(super) fn of(&self, user: &UserId) -> Vec<RequestId> {
        let own = self.by_key.values().filter(|promise| promise.accepted && promise.user == *user);
        own.map(|promise| promise.request_id.clone()).collect()
    }
}

impl Promise {
    /// Whether nobody waits for the outcome any more.
    pub(super) fn is_forsaken(&self, lost: &BTreeSet<ConnectionId>) -> bool {
        self.connections.iter().all(|connection| lost.contains(connection))
    }
}

/// Returns the requested products in the order of an answer: those with a price first.
fn in_order_of<'a>(
    frame: &'a QuotationFrame,
    promise: &'a Promise,
) -> impl Iterator<Item = &'a str> {
    let is_unavailable = |product: &&str| frame.unavailable.iter().any(|one| one == product);
    let products = promise.items.iter().map(|item| item.product.as_str());
    let priced = products.clone().filter(move |product| !is_unavailable(product));
    priced.chain(products.filter(move |product| is_unavailable(product)))
}

fn read(text: &str) -> Option<(UserId, RequestId, QuotationFrame)> {
    let Ok(Frame::Quotation(frame)) = serde_json::from_str(text) else { return None };
    let user = UserId::new(frame.client.clone()).ok()?;
    let request_id = RequestId::new(frame.request_id.clone()).ok()?;
    Some((user, request_id, frame))
}
