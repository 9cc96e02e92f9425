//! Price calc: calculates a customer's whole price table and makes it visible to quotes.
//!
//! Repeating a message is safe. Parts are written under a new generation before a head names them. The head
//! is replaced only if its version is the one that was read before the inputs. A table whose inputs have not
//! changed is only validated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tracing::{Instrument, Span, debug, info, info_span};

use super::base_maker::{AsOf, BaseMaker};
use super::large_work::{LargeWork, Size};
use super::list_shelf::ListShelf;
use super::outcome::read_bodies;
use super::terms_book::TermsBooks;
use super::terms_maker::TermsMaker;
use super::{Effect, Observer, Outcome, PolicyInForce, StageError, Unobserved};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Calculation, Cause, Generation, Timestamp, UserId};
use crate::ports::{
    ActiveUsers, BaseName, Clock, NewTable, Ports, PriceTables, Randomness, Received, Store,
    TableHead, Topic,
};
use crate::pricing::PRICING_VERSION;
use crate::trace;

mod awaited;
mod inputs;
mod own_prices;
mod scheduled;

use awaited::{awaiting, postponed};
use inputs::CalculationInputs;
use own_prices::{Material, OwnPrices};

/// How often a calculation starts over because another process replaced the head.
const MAX_TRIES: u32 = 3;

/// An order that was handled.
struct Handled<'a> {
    /// Its index in the batch.
    index: usize,
    order: &'a Calculation,
    effect: Result<Effect, StageError>,
    /// The message of the quotation that waits for the table; `None` once it was published with the table.
    unpublished: Option<String>,
}

/// The price calc stage.
pub struct PriceCalc {
    users: Arc<dyn ActiveUsers>,
    store: Arc<dyn Store>,
    tables: Arc<dyn PriceTables>,
    topic: Arc<dyn Topic>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    bases: Arc<BaseMaker>,
    books: TermsBooks,
    lists: Arc<ListShelf>,
    terms: TermsMaker,
    policy: PolicyInForce,
    observer: Arc<dyn Observer>,
    /// Separate limits, so that a cold quote does not wait for scheduled work.
    urgent_work: LargeWork,
    other_work: LargeWork,
}

impl PriceCalc {
    /// Creates the stage on an engine. All stages of a process share one maker of bases.
    #[must_use]
    pub fn new(ports: &Ports, bases: Arc<BaseMaker>, policy: impl Into<PolicyInForce>) -> Self {
        let lists = Arc::new(ListShelf::new(ports.store.clone()));
        Self {
            users: ports.store.clone(),
            store: ports.store.clone(),
            tables: ports.store.clone(),
            topic: ports.topic.clone(),
            clock: ports.clock.clone(),
            randomness: ports.randomness.clone(),
            books: TermsBooks::new(ports.store.clone()),
            terms: TermsMaker::new(bases.made().clone(), lists.clone()),
            lists,
            bases,
            policy: policy.into(),
            observer: Arc::new(Unobserved),
            urgent_work: LargeWork::new(),
            other_work: LargeWork::in_background(),
        }
    }

    /// Sets the observer that is told what the stage does.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Handles a batch of orders. Orders of one customer are handled one after the other, different customers
    /// side by side. The outcomes are in the order of the batch.
    pub async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        let sent_at = batch.iter().map(|message| message.sent_at).max().unwrap_or_default();
        let mut orders = Vec::with_capacity(batch.len());
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut spans = vec![Span::none(); batch.len()];
        for (index, order) in read_bodies::<Calculation>(batch).into_iter().enumerate() {
            outcomes.push(match order {
                Ok(order) => {
                    spans[index] = trace::price_calc(&order, &batch[index]);
                    orders.push((index, order));
                    Outcome::Done
                }
                Err(error) => error.into(),
            });
        }
        // Sorted, so that a simulation can be replayed.
        let mut by_user: BTreeMap<&UserId, Vec<(usize, &Calculation)>> = BTreeMap::new();
        for (index, order) in &orders {
            by_user.entry(&order.user).or_default().push((*index, order));
        }
        let users: Vec<UserId> = by_user.keys().map(|&user| user.clone()).collect();
        let unreadable: BTreeSet<&Generation> =
            orders.iter().filter_map(|(_, order)| unreadable(&order.cause)).collect();
        let as_of_all = orders.iter().map(|(_, order)| as_of(&order.cause)).max();
        let as_of_all = as_of_all.unwrap_or(AsOf::Now);
        let shared = account_of_all(orders.iter().map(|(_, order)| &order.cause));
        let inputs = self.inputs(&users, &unreadable, as_of_all, sent_at);
        let mut inputs = match shared.of(inputs).await {
            Ok(inputs) => inputs,
            // The data of one customer cannot be read. Each customer is read alone, so that this one does not
            // delay the others.
            Err(StageError::Port(error)) if !error.is_downstream() => BTreeMap::new(),
            Err(error) => return postponed(batch.len(), error),
        };
        let done = by_user.into_iter().map(|(user, orders)| {
            self.handle_user(user, orders, inputs.remove(user), sent_at, &spans)
        });
        let mut waiting = Vec::new();
        let mut scheduled = scheduled::Summary::default();
        for Handled { index, order, effect, unpublished } in
            join_all(done).await.into_iter().flatten()
        {
            scheduled.add(&order.cause, &effect);
            match effect {
                Ok(effect) if effect.is_ready() => {
                    waiting.extend(unpublished.map(|body| (index, body)));
                }
                Ok(_) => {}
                Err(error) => outcomes[index] = error.into(),
            }
        }
        scheduled.log();
        self.publish(waiting, &mut outcomes).await;
        outcomes
    }

    /// Handles one customer's orders of a batch. The inputs of the first order are already read. Its
    /// calculation changes the table, so the next orders read them again.
    async fn handle_user<'a>(
        &self,
        user: &UserId,
        orders: Vec<(usize, &'a Calculation)>,
        mut inputs: Option<Result<Arc<CalculationInputs>, StageError>>,
        sent_at: Timestamp,
        spans: &[Span],
    ) -> Vec<Handled<'a>> {
        let mut done = Vec::with_capacity(orders.len());
        let mut failed = false;
        for (index, order) in orders {
            // A customer's orders stay in order: if one must come again, so must those that follow it.
            if failed {
                let effect = Err(StageError::Behind);
                done.push(Handled { index, order, effect, unpublished: None });
                continue;
            }
            let span = spans[index]
                .in_scope(|| info_span!("price_calc", %user, cause = order.cause.name()));
            let mut unpublished = None;
            let calculated = async {
                unpublished = spans[index].in_scope(|| awaiting(&order.cause))?;
                self.calculate(order, inputs.take(), sent_at, &mut unpublished).await
            };
            let effect = account(&order.cause).of(calculated.instrument(span));
            let effect = trace::within(spans[index].clone(), effect).await;
            failed = effect.is_err();
            done.push(Handled { index, order, effect, unpublished });
        }
        done
    }

    async fn calculate(
        &self,
        order: &Calculation,
        mut inputs: Option<Result<Arc<CalculationInputs>, StageError>>,
        sent_at: Timestamp,
        awaiting: &mut Option<String>,
    ) -> Result<Effect, StageError> {
        let started = Instant::now();
        if let Some(effect) = self.not_wanted(order, self.now(sent_at), sent_at).await? {
            self.conclude(order, effect, None, started);
            return Ok(effect);
        }
        for _ in 0..MAX_TRIES {
            let now_inputs = match inputs.take() {
                Some(inputs) => inputs?,
                None => self.inputs_of(order, sent_at).await?,
            };
            let now = self.now(sent_at);
            if is_unneeded(&order.cause, &now_inputs, now) {
                self.conclude(order, Effect::Unneeded, now_inputs.head.as_ref(), started);
                return Ok(Effect::Unneeded);
            }
            let written = self.write_table(order, &now_inputs, now, awaiting).await?;
            if let Some((effect, head)) = written {
                self.conclude(order, effect, Some(&head), started);
                return Ok(effect);
            }
            debug!("the table was flipped by others; starting over");
        }
        Err(StageError::Contended { tries: MAX_TRIES })
    }

    /// The current time, but not earlier than when the newest message of the batch was sent. If a worker's
    /// clock were behind, its tables would be too old for all other processes, and the worker would not
    /// notice.
    fn now(&self, sent_at: Timestamp) -> Timestamp {
        self.clock.now().max(sent_at)
    }

    /// Logs the result of an order, and tells the observer.
    fn conclude(
        &self,
        order: &Calculation,
        effect: Effect,
        head: Option<&TableHead>,
        started: Instant,
    ) {
        let request = match &order.cause {
            Cause::Quotation(request) => Some(request.request_id.as_str()),
            _ => None,
        };
        let products = head.map(|head| head.products);
        let took = started.elapsed();
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let kind = match &order.cause {
            Cause::Change { .. } => "change",
            Cause::Stale { .. } => "stale",
            cause if cause.is_urgent() => "URGENT",
            _ => "scheduled",
        };
        if scheduled::is_routine(&order.cause, effect) {
            debug!(request, ?effect, products, took_us, "{kind} calculation");
        } else {
            info!(request, ?effect, products, took_us, "{kind} calculation");
        }
        self.observer.calculated(&order.user, &order.cause, effect, took);
    }

    /// Returns why an order is no longer needed, if that is clear before its inputs are read.
    async fn not_wanted(
        &self,
        order: &Calculation,
        now: Timestamp,
        sent_at: Timestamp,
    ) -> Result<Option<Effect>, StageError> {
        Ok(match &order.cause {
            Cause::Scheduled { expires_at, .. } if now >= *expires_at => {
                // The customer may have visited again since the tick.
                let user = self.users.active_user(&order.user).await?;
                let active = user.is_some_and(|user| user.is_active(now));
                (!active).then_some(Effect::Expired)
            }
            // The send time is compared, not our clock: a clock that is ahead would drop the order, which may
            // be the only one for this customer.
            Cause::Quotation(request) if sent_at >= request.deadline => Some(Effect::TooLate),
            _ => None,
        })
    }

    /// Prices and stores a table, or validates the stored one. Returns `None` if another process replaced the
    /// head since it was read. Sets `awaiting` to `None` if the waiting quotation's message was published
    /// with the table.
    async fn write_table(
        &self,
        order: &Calculation,
        inputs: &Arc<CalculationInputs>,
        now: Timestamp,
        awaiting: &mut Option<String>,
    ) -> Result<Option<(Effect, TableHead)>, StageError> {
        let CalculationInputs { head, at, base, own, .. } = &**inputs;
        let Some(own) = own else { return self.validate(order, inputs, now, awaiting).await };
        let work = if order.cause.is_urgent() { &self.urgent_work } else { &self.other_work };
        let size = own.size();
        let compared = own.clone();
        let fingerprint = work.run(Size::of_discounts(size), move || compared.fingerprint()).await;
        let is_kept = |head: &&TableHead| {
            head.fingerprint == fingerprint
                && (head.base_version, head.currency) == (at.base_version, inputs.currency)
                && head.rounding == at.rounding
                && head.pricing_version == PRICING_VERSION
                && Some(&head.generation) != unreadable(&order.cause)
                && !self.is_fading(head, now)
        };
        if head.as_ref().is_some_and(|head| is_kept(&head)) {
            return self.validate(order, inputs, now, awaiting).await;
        }
        let expire_at = now.plus(self.policy.now().keep_tables());
        let name = BaseName { version: at.base_version, currency: inputs.currency, terms: None };
        let shelf = self.bases.shelf();
        let material = Material::read(shelf, base, name, own, at.rounding.rounding).await?;
        let Some(material) = material else {
            self.bases.doubt(std::iter::once(name).chain(own.bases()));
            return Ok(None);
        };
        let (priced, inline) = (own.clone(), self.tables.inline_bytes());
        let price = move || material.price(&priced, inline);
        let OwnPrices { own: rows, prices, next, parts } =
            work.run(Size::of_table(size), price).await?;
        let next = TableHead {
            version: head.as_ref().map_or(1, |head| head.version + 1),
            generation: Generation::from_random(self.randomness.bits()),
            fingerprint,
            pricing_version: PRICING_VERSION,
            catalogue_version: at.version,
            base_version: at.base_version,
            currency: inputs.currency,
            rounding: at.rounding,
            products: u64::from(base.index.products),
            own: rows,
            prices,
            next,
            valid_until: own.valid_until,
            parts_expire_at: expire_at,
            priced_at: now,
            validated_at: now,
            fresh_until: now.plus(self.policy.now().fresh_for()),
            usable_until: self.usable_until(inputs, own.valid_until, now),
        };
        let expected = head.as_ref().map(|head| head.version);
        let table = NewTable::new(&order.user, &next, expire_at);
        let table = table.with_parts(&parts).replacing(expected);
        let is_done = self.flip(table, awaiting).await?;
        Ok(is_done.then_some((Effect::Calculated, next)))
    }

    /// Validates a table: writes a new head that says it is still right, unless that was done recently. The
    /// head is always written if it does not know the load that the order follows, or the last load that
    /// changed shared data. Otherwise its answers would still be marked stale.
    async fn validate(
        &self,
        order: &Calculation,
        inputs: &CalculationInputs,
        now: Timestamp,
        awaiting: &mut Option<String>,
    ) -> Result<Option<(Effect, TableHead)>, StageError> {
        let Some(head) = &inputs.head else { return Ok(None) };
        let lately = head.validated_at.plus(self.policy.now().confirmed_after());
        let is_lately = head.validated_at <= now && now < lately;
        let followed = match &order.cause {
            Cause::Change { version, .. } => *version,
            _ => 0,
        };
        let is_told = head.catalogue_version >= followed.max(inputs.at.shared_version);
        if is_lately && is_told && head.is_fresh(now) {
            return Ok(Some((Effect::Validated, head.clone())));
        }
        let next = TableHead {
            version: head.version + 1,
            catalogue_version: inputs.at.version,
            validated_at: now,
            fresh_until: now.plus(self.policy.now().fresh_for()),
            usable_until: self.usable_until(inputs, head.valid_until, now),
            ..head.clone()
        };
        let expire_at = now.plus(self.policy.now().keep_tables());
        let table = NewTable::new(&order.user, &next, expire_at).replacing(Some(head.version));
        let is_done = self.flip(table, awaiting).await?;
        Ok(is_done.then_some((Effect::Validated, next)))
    }

    /// Returns until when a table that is right now may answer quotes. It is never longer than the bases that
    /// it names are stored, nor beyond the last edge for which it has prices.
    fn usable_until(
        &self,
        inputs: &CalculationInputs,
        valid_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Timestamp {
        let usable_until = now.plus(self.policy.now().usable_for());
        let bounds = [Some(inputs.base.expires_at), inputs.terms_expire_at, valid_until]
            .into_iter()
            .flatten();
        bounds.fold(usable_until, Timestamp::min)
    }

    /// Whether the parts of a table could expire before the table does. They are written again after half of
    /// their lifetime.
    fn is_fading(&self, head: &TableHead, now: Timestamp) -> bool {
        head.parts() > 0 && head.parts_expire_at < now.plus(self.policy.now().keep_tables() / 2)
    }
}

/// Whether the table is already what an order asks for.
///
/// Scheduled orders are what confirms that prices still hold, so one is skipped only if two things are true:
/// it is overdue by our clock, and the table was validated within the last interval. The second is needed
/// because the refresher's clock may be wrong, and then all its orders would seem overdue and none would be
/// handled.
fn is_unneeded(cause: &Cause, inputs: &CalculationInputs, now: Timestamp) -> bool {
    let Some(head) = &inputs.head else { return false };
    match cause {
        Cause::Scheduled { interval_ms, .. } => {
            let interval = Duration::from_millis(*interval_ms);
            let just_now = head.validated_at <= now && now.since(head.validated_at) < interval;
            cause.is_overtaken(now) && just_now
        }
        Cause::Subscribe { .. } | Cause::Stale { .. } => {
            // A load orders only active customers, so it may have changed discounts of this one unnoticed.
            let is_current = head.catalogue_version >= inputs.at.version;
            is_current && head.is_fresh(now) && head.products > 0
        }
        Cause::Change { version, .. } => head.catalogue_version >= *version,
        Cause::Quotation(request) => {
            // An empty table answers nothing, so it is calculated again.
            head.is_usable(now)
                && head.products > 0
                && request.unreadable.as_ref() != Some(&head.generation)
        }
    }
}

/// Returns the generation that a quote could not read, if that is why a calculation was ordered.
const fn unreadable(cause: &Cause) -> Option<&Generation> {
    match cause {
        Cause::Quotation(request) => request.unreadable.as_ref(),
        _ => None,
    }
}

/// Returns how recent a catalogue head an order needs. Orders of the schedule and of a load come by the
/// thousand, so they may use a kept head. An order for a quote or a visit may follow a load that has just
/// come into force.
const fn as_of(cause: &Cause) -> AsOf {
    match cause {
        Cause::Scheduled { .. } => AsOf::Lately(0),
        Cause::Change { version, .. } => AsOf::Lately(*version),
        Cause::Subscribe { .. } | Cause::Stale { .. } | Cause::Quotation(_) => AsOf::Now,
    }
}

/// The scope under which the meter counts the calls of an order.
const fn account(cause: &Cause) -> Scope {
    let reason = match cause {
        Cause::Scheduled { .. } => Reason::Scheduled,
        Cause::Subscribe { .. } => Reason::FirstVisit,
        Cause::Stale { .. } | Cause::Change { .. } => Reason::Urgent,
        Cause::Quotation(_) => Reason::Quote,
    };
    Scope::new(Stage::PriceCalc, reason)
}

/// The scope under which the meter counts the calls that the orders of a batch share.
fn account_of_all<'a>(causes: impl Iterator<Item = &'a Cause>) -> Scope {
    let mut accounts = causes.map(account);
    let first = accounts.next().unwrap_or(Scope::new(Stage::PriceCalc, Reason::Urgent));
    let same = accounts.all(|account| account == first);
    if same { first } else { Scope::new(Stage::PriceCalc, Reason::Urgent) }
}

#[cfg(test)]
mod tests;
