//! What really happened, written down below all faults, and checked as it happens.

use std::time::Duration;

use super::Invariant;
use super::checks::Checks;
use super::inputs::Inputs;
use super::messages::{Content, Handed, Messages, Visits};
use super::plan::Plan;
use super::process::ProcessClock;
use super::promises::Promises;
use super::report::Breach;
use super::tables::{Periods, Tables};
use crate::model::{Calculation, Cause, ProviderMessage, Timestamp, UserId};
use crate::ports::{
    LoadId, Queue, Quotation, QuotationStatus, Received, RowChange, TableError, TableHead,
};

/// So long after the last fault something may still fail: a load that died has to be noticed.
const CALM_AFTER: Duration = Duration::from_secs(120);

/// Everything that happened so far.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) inputs: Inputs,
    pub(super) tables: Tables,
    pub(super) messages: Messages,
    pub(super) promises: Promises,
    pub(super) visits: Visits,
    pub(super) checks: Checks,
    /// From when on nothing fails that is not poisoned.
    calm_from: Option<Timestamp>,
    poisoned: Option<UserId>,
    /// How much later than it should something may be seen.
    slack: Duration,
    /// A table that was made or found right so lately is not written down as right again.
    lately: Duration,
    /// How old the inputs of an answer may be.
    oldest: Duration,
}

impl Ledger {
    pub(super) fn new(start: Timestamp, plan: &Plan) -> Self {
        let slack = plan.slack();
        Self {
            calm_from: None,
            poisoned: plan.poisoned.clone(),
            inputs: Inputs::new(start),
            tables: Tables::default(),
            messages: Messages::new(plan.poisoned.clone()),
            promises: Promises::default(),
            visits: Visits::default(),
            checks: Checks::default(),
            slack,
            lately: plan.policy.fresh_for() / 2 + slack,
            oldest: plan.policy.usable_for() + slack,
        }
    }

    /// No fault is injected any more.
    pub(super) fn faults_stop(&mut self, now: Timestamp) {
        self.calm_from = Some(now.plus(CALM_AFTER));
    }

    /// A message was received. What is sent when nothing fails is received once; whatever is
    /// poisoned must not make others' work fail.
    pub(super) fn handed_out(
        &mut self,
        queue: Queue,
        message: &Received,
        now: Timestamp,
    ) -> Result<(), Breach> {
        self.messages.handed_out(message, now);
        let calm = self.calm_from.is_some_and(|from| message.sent_at >= from);
        if !calm || self.is_poisoned(queue, &message.body) {
            return Ok(());
        }
        self.checks.hold(Invariant::PoisonBlocksNobody, message.receive_count == 1, || {
            format!("nothing fails, and queue {queue} delivers again: {}", message.body)
        })
    }

    /// Whether a message may come again although nothing fails.
    fn is_poisoned(&self, queue: Queue, body: &str) -> bool {
        match Content::read(queue, body) {
            Content::Order(order) => self.poisoned.as_ref() == Some(&order.user),
            Content::Provide(ProviderMessage::Quote(_)) => false,
            Content::Provide(ProviderMessage::Deadline { .. }) | Content::Unreadable => true,
        }
    }

    pub(super) fn journaled(&mut self, load: &LoadId, changes: &[RowChange]) -> Result<(), Breach> {
        self.inputs.journaled(load, changes, &mut self.checks)
    }

    pub(super) fn committed(
        &mut self,
        load: &LoadId,
        version: u64,
        journal: &[RowChange],
        now: Timestamp,
    ) -> Result<(), Breach> {
        self.inputs.committed(load, version, journal, now, &mut self.checks)
    }

    pub(super) fn flipped(
        &mut self,
        user: &UserId,
        head: &TableHead,
        rows: Result<Periods, TableError>,
        now: Timestamp,
    ) -> Result<(), Breach> {
        self.tables.flip(user, head, rows, &self.inputs, now, &mut self.checks)
    }

    pub(super) fn shown(&mut self, text: &str) -> Result<(), Breach> {
        self.promises.shown(text, self.oldest, &self.inputs, &mut self.checks)
    }

    pub(super) fn created(&mut self, quotation: &Quotation) -> Result<(), Breach> {
        self.promises.created(quotation, &mut self.checks)
    }

    pub(super) fn settled(&mut self, quotation: &Quotation, now: Timestamp) -> Result<(), Breach> {
        self.promises.settled(quotation, now, self.slack, &mut self.checks)
    }

    /// A queue was sent a message by a process with this clock.
    pub(super) fn sent(
        &mut self,
        queue: Queue,
        body: &str,
        taken: bool,
        clock: &ProcessClock,
        now: Timestamp,
    ) -> Result<(), Breach> {
        // A quote may find a table stale whose user has just left, or whose visit was not written.
        if queue == Queue::Refresh
            && let Content::Order(order) = Content::read(queue, body)
            && !matches!(order.cause, Cause::Stale { .. })
        {
            self.may_be_refreshed(&order.user, clock, now)?;
        }
        self.messages.sent(queue, body, taken, now, &mut self.checks)
    }

    fn may_be_refreshed(
        &mut self,
        user: &UserId,
        clock: &ProcessClock,
        now: Timestamp,
    ) -> Result<(), Breach> {
        let slack = self.slack;
        let active = self.visits.of(user).is_some_and(|visit| {
            let is_there = visit.removed_at.is_none_or(|left| now.since(left) <= slack);
            is_there && clock.earliest() <= visit.expires_at.plus(slack)
        });
        self.checks.hold(Invariant::ExpiredIsLeftAlone, active, || {
            format!("a calculation is scheduled for {user:?}, who has expired")
        })
    }

    /// A queue forgot a message because a process with this clock said it is done. `stored` is
    /// the quotation that it is about.
    pub(super) fn acknowledged(
        &mut self,
        queue: Queue,
        message: &Handed,
        clock: &ProcessClock,
        stored: Option<&Quotation>,
    ) -> Result<(), Breach> {
        self.messages.removed(queue, &message.body);
        let done = match Content::read(queue, &message.body) {
            Content::Order(order) => self.is_done(&order, message, clock),
            Content::Provide(ProviderMessage::Quote(request)) => {
                stored.is_none_or(|quotation| quotation.status != QuotationStatus::Pending)
                    || self.messages.was_ordered(&request.key, request.attempt)
            }
            // A quotation that was stored after its deadline has another one coming.
            Content::Provide(ProviderMessage::Deadline { key, .. }) => {
                stored.is_none_or(|quotation| quotation.status != QuotationStatus::Pending)
                    || self.messages.has_deadline(&key)
            }
            Content::Unreadable => false,
        };
        self.checks.hold(Invariant::EffectBeforeAcknowledgement, done, || {
            format!("queue {queue}: acknowledged, and not done: {}", message.body)
        })
    }

    /// Whether an order has had its effect, or has lost its purpose.
    fn is_done(&self, order: &Calculation, message: &Handed, clock: &ProcessClock) -> bool {
        let made = || self.tables.flipped_at(&order.user);
        let now = clock.furthest();
        match &order.cause {
            Cause::Quotation(request) => self.messages.was_published(&request.key, request.attempt),
            Cause::Scheduled { .. } => {
                // A user who has expired and comes again while the worker looks has orders of the new visit.
                let expired = || {
                    let mut visits = self.visits.since(&order.user, message.handed_at);
                    self.visits.of(&order.user).is_none()
                        || visits.any(|(visit, until)| {
                            let seen = until.map_or(now, |until| clock.furthest_at(until));
                            visit.removed_at.is_some() || seen >= visit.expires_at
                        })
                };
                made().is_some_and(|at| at.plus(self.lately) >= message.sent_at)
                    || order.cause.is_overtaken(now)
                    || expired()
            }
            Cause::Change { version, .. } => {
                self.tables.catalogue_version(&order.user).is_some_and(|is| is >= *version)
            }
            Cause::Subscribe { .. } | Cause::Stale { .. } => made().is_some(),
        }
    }
}
