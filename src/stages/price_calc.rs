//! Price calc: works out a user's whole price table and makes it the one that quotes see.
//!
//! Repeating a message is safe: parts are written under a generation of their own before the head
//! names them, the head flips only from the version that was read before the inputs, and a table
//! whose inputs have not changed is only validated.

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
    ActiveUsers, BaseName, Clock, Ports, PriceTables, Randomness, Received, Store, TableHead, Topic,
};
use crate::pricing::PRICING_VERSION;
use crate::trace;

mod awaited;
mod inputs;
mod own_prices;
mod scheduled;

use awaited::{awaiting, postponed};
use inputs::Inputs;
use own_prices::{Material, OwnPrices};

/// How often a calculation starts over when somebody else flips the head meanwhile.
const MAX_TRIES: u32 = 3;

/// An order that was handled.
struct Handled<'a> {
    /// Its place in the batch.
    index: usize,
    order: &'a Calculation,
    effect: Result<Effect, StageError>,
    /// The message of the quotation that awaits the table, unless it was published with that.
    unpublished: Option<String>,
}

/// The stage, with the ports it needs.
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
    /// Apart from each other, so that a cold quote waits for no other table.
    urgent_work: LargeWork,
    other_work: LargeWork,
}

impl PriceCalc {
    /// The stage on an engine. All of a process share one maker of bases.
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

    /// The stage, with somebody who hears what it does.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Does a batch of orders: those of one user one after the other, different users side by
    /// side. The outcomes are in the order of the batch.
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
        // Sorted, so that a simulation does the same every time.
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
            // Something of one of them cannot be read. Each is read alone, so that the others do
            // not have to wait for it.
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

    /// Does one user's orders of a batch. The first has its inputs read already; after it has
    /// changed the table, the next reads them anew.
    async fn handle_user<'a>(
        &self,
        user: &UserId,
        orders: Vec<(usize, &'a Calculation)>,
        mut inputs: Option<Result<Arc<Inputs>, StageError>>,
        sent_at: Timestamp,
        spans: &[Span],
    ) -> Vec<Handled<'a>> {
        let mut done = Vec::with_capacity(orders.len());
        let mut failed = false;
        for (index, order) in orders {
            // A user's orders stay in order: what follows one that must come again, comes again.
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
        mut inputs: Option<Result<Arc<Inputs>, StageError>>,
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

    /// The time, which is no earlier than when the newest message in hand was sent. A worker's own
    /// clock may be behind: tables made by it would be past their time for everybody else, and this
    /// worker would never see why.
    fn now(&self, sent_at: Timestamp) -> Timestamp {
        self.clock.now().max(sent_at)
    }

    /// Says what became of an order.
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

    /// Whether an order has lost its purpose before any input is looked at.
    async fn not_wanted(
        &self,
        order: &Calculation,
        now: Timestamp,
        sent_at: Timestamp,
    ) -> Result<Option<Effect>, StageError> {
        Ok(match &order.cause {
            Cause::Scheduled { expires_at, .. } if now >= *expires_at => {
                // The user may have come again since the tick.
                let user = self.users.active_user(&order.user).await?;
                let active = user.is_some_and(|user| user.is_active(now));
                (!active).then_some(Effect::Expired)
            }
            // By our clock it may only seem so, and the order may be the only one for its user.
            Cause::Quotation(request) if sent_at >= request.deadline => Some(Effect::TooLate),
            _ => None,
        })
    }

    /// Prices and stores a table, or validates the one that is there. `None` when somebody else
    /// has flipped the head since it was read. Takes the message of the quotation that awaits the table if
    /// it is published with it.
    async fn write_table(
        &self,
        order: &Calculation,
        inputs: &Arc<Inputs>,
        now: Timestamp,
        awaiting: &mut Option<String>,
    ) -> Result<Option<(Effect, TableHead)>, StageError> {
        let Inputs { head, at, base, own, .. } = &**inputs;
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
        let is_done = self.flip(&order.user, &next, &parts, expected, expire_at, awaiting).await?;
        Ok(is_done.then_some((Effect::Calculated, next)))
    }

    /// Writes down that a table is still right, if that was not done lately. What follows a load also
    /// writes down of which one the table is.
    async fn validate(
        &self,
        order: &Calculation,
        inputs: &Inputs,
        now: Timestamp,
        awaiting: &mut Option<String>,
    ) -> Result<Option<(Effect, TableHead)>, StageError> {
        let Some(head) = &inputs.head else { return Ok(None) };
        let lately = head.validated_at.plus(self.policy.now().confirmed_after());
        let is_lately = head.validated_at <= now && now < lately;
        let is_told = match &order.cause {
            Cause::Change { version, .. } => head.catalogue_version >= *version,
            _ => true,
        };
        if is_lately && is_told && head.is_fresh(now) && head.is_usable(now) {
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
        let expected = Some(head.version);
        let is_done = self.flip(&order.user, &next, &[], expected, expire_at, awaiting).await?;
        Ok(is_done.then_some((Effect::Validated, next)))
    }

    /// Until when quotes are answered from a table that is right now: never longer than the bases that it
    /// names are stored, nor beyond the price lists that it knows of.
    fn usable_until(
        &self,
        inputs: &Inputs,
        valid_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Timestamp {
        let usable_until = now.plus(self.policy.now().usable_for());
        let bounds = [Some(inputs.base.expires_at), inputs.terms_expire_at, valid_until]
            .into_iter()
            .flatten();
        bounds.fold(usable_until, Timestamp::min)
    }

    /// Whether a table has parts that could be gone before it is. Past half of their time they are
    /// written again.
    fn is_fading(&self, head: &TableHead, now: Timestamp) -> bool {
        head.parts() > 0 && head.parts_expire_at < now.plus(self.policy.now().keep_tables() / 2)
    }
}

/// Whether the table is already what an order asks for.
///
/// A scheduled order is what shows that the prices still hold. However old it seems by our clock,
/// it is left out only when the table has just been made or validated, also by our clock: the
/// refresher's may be wrong, and then none of its orders would ever be done.
fn is_unneeded(cause: &Cause, inputs: &Inputs, now: Timestamp) -> bool {
    let Some(head) = &inputs.head else { return false };
    match cause {
        Cause::Scheduled { interval_ms, .. } => {
            let interval = Duration::from_millis(*interval_ms);
            let just_now = head.validated_at <= now && now.since(head.validated_at) < interval;
            cause.is_overtaken(now) && just_now
        }
        Cause::Subscribe { .. } | Cause::Stale { .. } => {
            let is_current = head.catalogue_version >= inputs.at.shared_version;
            is_current && head.is_fresh(now) && head.products > 0
        }
        Cause::Change { version, .. } => head.catalogue_version >= *version,
        Cause::Quotation(request) => {
            // An empty table answers nothing, so it is never a reason not to look again.
            head.is_usable(now)
                && head.products > 0
                && request.unreadable.as_ref() != Some(&head.generation)
        }
    }
}

/// The generation that could not be read, if an order comes from that.
const fn unreadable(cause: &Cause) -> Option<&Generation> {
    match cause {
        Cause::Quotation(request) => request.unreadable.as_ref(),
        _ => None,
    }
}

/// Which head of the catalogue an order needs. The schedule's orders, and those that follow a load, come by
/// the thousand. Whoever orders a table for a quote or a visit may know of a load that was just now.
const fn as_of(cause: &Cause) -> AsOf {
    match cause {
        Cause::Scheduled { .. } => AsOf::Lately(0),
        Cause::Change { version, .. } => AsOf::Lately(*version),
        Cause::Subscribe { .. } | Cause::Stale { .. } | Cause::Quotation(_) => AsOf::Now,
    }
}

/// On which the calls of an order go.
const fn account(cause: &Cause) -> Scope {
    let reason = match cause {
        Cause::Scheduled { .. } => Reason::Scheduled,
        Cause::Subscribe { .. } => Reason::FirstVisit,
        Cause::Stale { .. } | Cause::Change { .. } => Reason::Urgent,
        Cause::Quotation(_) => Reason::Quote,
    };
    Scope::new(Stage::PriceCalc, reason)
}

/// On which the calls go that the orders of a batch share.
fn account_of_all<'a>(causes: impl Iterator<Item = &'a Cause>) -> Scope {
    let mut accounts = causes.map(account);
    let first = accounts.next().unwrap_or(Scope::new(Stage::PriceCalc, Reason::Urgent));
    let same = accounts.all(|account| account == first);
    if same { first } else { Scope::new(Stage::PriceCalc, Reason::Urgent) }
}

#[cfg(test)]
mod tests;
