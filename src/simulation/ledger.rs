//! Records what really happens, below all faults, and checks it at once.

use std::time::Duration;

use super::Invariant;
use super::checks::Checks;
use super::inputs::InputHistory;
use super::messages::{Handed, MessageContent, Messages, Visits};
use super::plan::RunPlan;
use super::process::ProcessClock;
use super::promises::Promises;
use super::report::Breach;
use super::tables::Tables;
use crate::model::{Calculation, Cause, ProviderMessage, Timestamp, UserId};
use crate::ports::{Queue, Quotation, QuotationStatus, Received};

/// The time after the last fault within which something may still fail, because a dead load must first be
/// noticed.
const CALM_AFTER: Duration = Duration::from_secs(120);

/// The record of everything that happened so far.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) inputs: InputHistory,
    pub(super) tables: Tables,
    pub(super) messages: Messages,
    pub(super) promises: Promises,
    pub(super) visits: Visits,
    pub(super) checks: Checks,
    /// From this time on only poisoned messages and rows may fail.
    calm_from: Option<Timestamp>,
    poisoned: Option<UserId>,
    /// The tolerance for effects that are seen late.
    slack: Duration,
    /// A table that was validated this recently is not recorded as right again.
    lately: Duration,
    /// The largest age of an answer's inputs.
    oldest: Duration,
}

impl Ledger {
    pub(super) fn new(start: Timestamp, plan: &RunPlan) -> Self {
        let slack = plan.slack();
        Self {
            calm_from: None,
            poisoned: plan.poisoned.clone(),
            inputs: InputHistory::new(start),
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

    /// Notes that faults are no longer injected.
    pub(super) fn faults_stop(&mut self, now: Timestamp) {
        self.calm_from = Some(now.plus(CALM_AFTER));
    }

    /// Notes that a message was received. A message that is sent when nothing fails must be received only
    /// once, because poison must not make other work fail.
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
        match MessageContent::read(queue, body) {
            MessageContent::Order(order) => self.poisoned.as_ref() == Some(&order.user),
            MessageContent::Provide(ProviderMessage::Quote(_)) => false,
            MessageContent::Provide(ProviderMessage::Deadline { .. })
            | MessageContent::Unreadable => true,
        }
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

    /// Notes that a process with this clock sent a message to a queue.
    pub(super) fn sent(
        &mut self,
        queue: Queue,
        body: &str,
        taken: bool,
        clock: &ProcessClock,
        now: Timestamp,
    ) -> Result<(), Breach> {
        // A quote may find a table stale just after its user has left, or although the visit was not
        // recorded.
        if queue == Queue::Refresh
            && let MessageContent::Order(order) = MessageContent::read(queue, body)
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

    /// Notes that a queue removed a message because a process with this clock acknowledged it. `stored`
    /// is the quotation that the message is about.
    pub(super) fn acknowledged(
        &mut self,
        queue: Queue,
        message: &Handed,
        clock: &ProcessClock,
        stored: Option<&Quotation>,
    ) -> Result<(), Breach> {
        self.messages.removed(queue, &message.body);
        let done = match MessageContent::read(queue, &message.body) {
            MessageContent::Order(order) => self.is_done(&order, message, clock),
            MessageContent::Provide(ProviderMessage::Quote(request)) => {
                stored.is_none_or(|quotation| quotation.status != QuotationStatus::Pending)
                    || self.messages.was_ordered(&request.key, request.attempt)
            }
            // A quotation that was stored after its deadline gets another deadline message.
            MessageContent::Provide(ProviderMessage::Deadline { key, .. }) => {
                stored.is_none_or(|quotation| quotation.status != QuotationStatus::Pending)
                    || self.messages.has_deadline(&key)
            }
            MessageContent::Unreadable => false,
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
                // A user may expire and return while the worker looks. The new visit has orders of its
                // own.
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
