//! Tracks every message: sent, received, acknowledged, or given up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Invariant;
use super::checks::Checks;
use super::report::Breach;
use crate::model::{Calculation, Cause, ProviderMessage, QuotationKey, Timestamp, UserId};
use crate::ports::{DeadLetter, Depth, MAX_RECEIVES, Queue, Received};

/// The time within which a FIFO queue drops duplicates.
const REPETITION: Duration = Duration::from_secs(5 * 60);

/// The body of a message that no stage can read.
pub(super) const POISON: &str = "{\"poison\":true}";

/// The content of a message, as far as it can be read.
#[derive(Clone, Debug)]
pub(super) enum MessageContent {
    Order(Calculation),
    Provide(ProviderMessage),
    Unreadable,
}

impl MessageContent {
    pub(super) fn read(queue: Queue, body: &str) -> Self {
        if queue.is_fifo() {
            serde_json::from_str(body).map_or(Self::Unreadable, Self::Order)
        } else {
            serde_json::from_str(body).map_or(Self::Unreadable, Self::Provide)
        }
    }
}

/// A message that was received.
#[derive(Clone, Debug)]
pub(super) struct Handed {
    pub(super) body: String,
    pub(super) sent_at: Timestamp,
    pub(super) handed_at: Timestamp,
}

/// Every message that a queue accepted.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// When each order was last accepted by its queue.
    orders: BTreeMap<(Queue, String), Timestamp>,
    /// The quotations for which a table was ordered, with the number of orders.
    ordered: BTreeSet<(QuotationKey, u32)>,
    /// The quotations that were published, with the number of orders before.
    published: BTreeSet<(QuotationKey, u32)>,
    handed: BTreeMap<String, Handed>,
    /// The number of accepted messages that are not acknowledged, by body.
    outstanding: BTreeMap<(Queue, String), u64>,
    /// The user whose orders always fail.
    poisoned: Option<UserId>,
}

impl Messages {
    pub(super) fn new(poisoned: Option<UserId>) -> Self {
        Self { poisoned, ..Self::default() }
    }

    /// Notes that a message was sent, and that its queue accepted it or dropped it as a duplicate.
    pub(super) fn sent(
        &mut self,
        queue: Queue,
        body: &str,
        taken: bool,
        now: Timestamp,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        if taken {
            *self.outstanding.entry((queue, body.to_owned())).or_default() += 1;
        }
        match MessageContent::read(queue, body) {
            MessageContent::Order(order) => self.ordered(queue, &order, taken, now, checks),
            MessageContent::Provide(ProviderMessage::Quote(request)) => {
                self.published.insert((request.key, request.attempt));
                Ok(())
            }
            MessageContent::Provide(ProviderMessage::Deadline { .. })
            | MessageContent::Unreadable => Ok(()),
        }
    }

    /// Notes a message that was published, but that the topic delivers to nobody.
    pub(super) fn dropped(&mut self, body: &str) {
        if let MessageContent::Provide(ProviderMessage::Quote(request)) =
            MessageContent::read(Queue::Provider, body)
        {
            self.published.insert((request.key, request.attempt));
        }
    }

    /// Notes that a queue accepted an unreadable message.
    pub(super) fn poisoned(&mut self, queue: Queue) {
        *self.outstanding.entry((queue, POISON.to_owned())).or_default() += 1;
    }

    fn ordered(
        &mut self,
        queue: Queue,
        order: &Calculation,
        taken: bool,
        now: Timestamp,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        if let Cause::Quotation(request) = &order.cause {
            self.ordered.insert((request.key.clone(), request.attempt));
        }
        let is_waited_for = matches!(order.cause, Cause::Quotation(_) | Cause::Subscribe { .. });
        let in_its_queue = is_waited_for == (queue == Queue::Quotation);
        checks.hold(Invariant::UrgentIsWaitedFor, in_its_queue, || {
            format!("{order:?} was sent to queue {queue}")
        })?;
        let order = (queue, name_of(order));
        let before = self.orders.get(&order).copied();
        let is_repetition = before.is_some_and(|before| now.since(before) < REPETITION);
        if taken {
            self.orders.insert(order.clone(), now);
        }
        checks.hold(Invariant::OneOrderOneMessage, taken != is_repetition, || match taken {
            true => format!("{order:?} became a second message"),
            false => format!("{order:?} was dropped, and is no repetition"),
        })
    }

    pub(super) fn handed_out(&mut self, message: &Received, now: Timestamp) {
        let handed =
            Handed { body: message.body.clone(), sent_at: message.sent_at, handed_at: now };
        self.handed.insert(message.receipt.0.clone(), handed);
    }

    pub(super) fn handed(&self, receipt: &str) -> Option<Handed> {
        self.handed.get(receipt).cloned()
    }

    /// Notes that a queue removed a message.
    pub(super) fn removed(&mut self, queue: Queue, body: &str) {
        let key = (queue, body.to_owned());
        if let Some(count) = self.outstanding.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.outstanding.remove(&key);
            }
        }
    }

    /// Whether a table was ordered for a quotation that had this many orders before.
    pub(super) fn was_ordered(&self, key: &QuotationKey, attempts: u32) -> bool {
        self.ordered.contains(&(key.clone(), attempts + 1))
    }

    /// Whether a quotation was published after this many orders.
    pub(super) fn was_published(&self, key: &QuotationKey, attempts: u32) -> bool {
        self.published.contains(&(key.clone(), attempts))
    }

    /// Whether the deadline message of a quotation is still to come.
    pub(super) fn has_deadline(&self, key: &QuotationKey) -> bool {
        let mut bodies =
            self.outstanding.keys().map(|(queue, body)| MessageContent::read(*queue, body));
        bodies.any(|content| match content {
            MessageContent::Provide(ProviderMessage::Deadline { key: of, .. }) => of == *key,
            _ => false,
        })
    }

    /// Compares the messages that a queue should hold with those that it holds.
    pub(super) fn compare(
        &self,
        queue: Queue,
        depth: Depth,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        let Depth { waiting, in_flight, delayed, dead } = depth;
        let there = waiting + in_flight + delayed + dead;
        let outstanding: u64 = self.outstanding(queue).map(|(_, count)| count).sum();
        checks.hold(Invariant::NoMessageLost, there == outstanding, || {
            format!("queue {queue} holds {there} messages, {outstanding} are not acknowledged")
        })
    }

    /// Whether a queue holds only dead letters and deadline messages of the future.
    pub(super) fn is_drained(&self, queue: Queue, dead: &[DeadLetter]) -> bool {
        self.not_done(queue, dead).next().is_none()
    }

    /// Checks the end of a run, when everything had time: each message that is left must be a dead letter
    /// after all its receives.
    pub(super) fn settled(
        &self,
        queue: Queue,
        dead: &[DeadLetter],
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        let left = self.not_done(queue, dead).next();
        let is_poison = left.is_some_and(|body| body == POISON);
        let invariant = match is_poison {
            true => Invariant::PoisonBlocksNobody,
            false => Invariant::NoMessageLost,
        };
        checks.hold(invariant, left.is_none(), || {
            format!("queue {queue} still holds {}", left.unwrap_or_default())
        })?;
        let early = dead.iter().find(|letter| letter.receive_count < Some(MAX_RECEIVES));
        checks.hold(Invariant::NoMessageLost, early.is_none(), || {
            format!("queue {queue} gave up too early: {early:?}")
        })
    }

    fn not_done<'a>(
        &'a self,
        queue: Queue,
        dead: &'a [DeadLetter],
    ) -> impl Iterator<Item = &'a str> {
        self.outstanding(queue)
            .filter(move |(body, _)| match MessageContent::read(queue, body) {
                MessageContent::Provide(ProviderMessage::Deadline { .. }) => false,
                // Their orders fail one after the other, so they take long to become dead letters.
                MessageContent::Order(order) => self.poisoned.as_ref() != Some(&order.user),
                MessageContent::Provide(_) | MessageContent::Unreadable => true,
            })
            .filter(move |(body, count)| {
                let given_up = dead.iter().filter(|letter| letter.body == *body).count();
                (given_up as u64) < *count
            })
            .map(|(body, _)| body)
    }

    /// Returns the bodies of a queue's messages that are not acknowledged, each with its number.
    fn outstanding(&self, queue: Queue) -> impl Iterator<Item = (&str, u64)> {
        let from = self.outstanding.range((queue, String::new())..);
        let of_queue = from.take_while(move |((of, _), _)| *of == queue);
        of_queue.map(|((_, body), count)| (body.as_str(), *count))
    }
}

/// Returns a key that is equal for two orders if they are duplicates.
fn name_of(order: &Calculation) -> String {
    let what = match &order.cause {
        Cause::Scheduled { tick, interval_ms, .. } => format!("{tick} of {interval_ms}"),
        Cause::Subscribe { expires_at } => expires_at.millis().to_string(),
        Cause::Stale { version } => version.to_string(),
        Cause::Change { version, discounts } => format!("{version} {discounts:?}"),
        Cause::Quotation(request) => format!("{} {}", request.attempt, request.key),
    };
    format!("{} {what} of {:?}", order.cause.name(), order.user)
}

/// A visit, which has the time until which the schedule may order calculations for a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    came_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) removed_at: Option<Timestamp>,
}

/// The users that were ever active, with all their visits.
#[derive(Debug, Default)]
pub(super) struct Visits(BTreeMap<UserId, Vec<Visit>>);

impl Visits {
    pub(super) fn came(&mut self, user: &UserId, expires_at: Timestamp, now: Timestamp) {
        let visit = Visit { came_at: now, expires_at, removed_at: None };
        self.0.entry(user.clone()).or_default().push(visit);
    }

    pub(super) fn left(&mut self, user: &UserId, now: Timestamp) {
        if let Some(visit) = self.0.get_mut(user).and_then(|visits| visits.last_mut()) {
            visit.removed_at = Some(now);
        }
    }

    /// Returns the last visit.
    pub(super) fn of(&self, user: &UserId) -> Option<Visit> {
        self.all_of(user).last().copied()
    }

    /// Returns the visits that were the current one at some time since `then`, each with the time at
    /// which it was replaced.
    pub(super) fn since(
        &self,
        user: &UserId,
        then: Timestamp,
    ) -> impl Iterator<Item = (Visit, Option<Timestamp>)> {
        let visits = self.all_of(user);
        let next = visits.iter().skip(1).map(|next| Some(next.came_at)).chain([None]);
        let with_end = visits.iter().copied().zip(next);
        with_end.filter(move |(_, until)| until.is_none_or(|until| until >= then))
    }

    fn all_of(&self, user: &UserId) -> &[Visit] {
        self.0.get(user).map_or(&[], Vec::as_slice)
    }
}
