//! Price calc: works out a user's whole price table and makes it the one that quotes see.
//!
//! Repeating a message is safe: parts are written under a generation of their own before the head
//! names them, the head flips only from the version that was read before the inputs, and a table
//! whose inputs have not changed is only validated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use tracing::{Instrument, Span, debug, info, info_span};

use super::catalogue_cache::{CatalogueCache, SnapshotError};
use super::large_work::{LargeWork, Size};
use super::outcome::{read_bodies, write_body};
use super::{Effect, Observer, Outcome, PolicyInForce, StageError, Unobserved};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{
    Calculation, Cause, Generation, ProductId, ProviderMessage, QuotationRequest, Timestamp, UserId,
};
use crate::ports::{
    ActiveUsers, AtHead, CatalogueHead, Clock, DiscountStore, Flip, Ports, PriceTables, Randomness,
    Received, TableHead, Topic,
};
use crate::pricing::{Catalogue, Discounts, PRICING_VERSION, PackError, PriceTable, fingerprint};
use crate::trace;

/// How often a calculation starts over when somebody else flips the head meanwhile.
const MAX_TRIES: u32 = 3;

/// The stage, with the ports it needs.
pub struct PriceCalc {
    users: Arc<dyn ActiveUsers>,
    discounts: Arc<dyn DiscountStore>,
    tables: Arc<dyn PriceTables>,
    topic: Arc<dyn Topic>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    catalogue: Arc<CatalogueCache>,
    policy: PolicyInForce,
    observer: Arc<dyn Observer>,
    /// Apart from each other, so that a cold quote waits for no other table.
    urgent_work: LargeWork,
    other_work: LargeWork,
}

/// What a calculation prices from, read in this order: the head first, so that a flip by anybody
/// who has read newer inputs makes ours fail.
struct Inputs {
    head: Option<TableHead>,
    /// The head of the catalogue that the rest was read at.
    at: CatalogueHead,
    catalogue: Arc<Catalogue>,
    discounts: Discounts,
}

/// The inputs of some users, read at one head of the catalogue.
type InputsByUser = BTreeMap<UserId, Arc<Inputs>>;

impl PriceCalc {
    /// The stage on an engine. Several may share one cache of the catalogue.
    #[must_use]
    pub fn new(
        ports: &Ports,
        catalogue: Arc<CatalogueCache>,
        policy: impl Into<PolicyInForce>,
    ) -> Self {
        Self {
            users: ports.store.clone(),
            discounts: ports.store.clone(),
            tables: ports.store.clone(),
            topic: ports.topic.clone(),
            clock: ports.clock.clone(),
            randomness: ports.randomness.clone(),
            catalogue,
            policy: policy.into(),
            observer: Arc::new(Unobserved),
            urgent_work: LargeWork::new(),
            other_work: LargeWork::new(),
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
        if orders.iter().any(|(_, order)| unreadable(&order.cause).is_some()) {
            self.catalogue.doubt_base().await;
        }
        let shared = account_of_all(orders.iter().map(|(_, order)| &order.cause));
        let inputs = match shared.of(self.inputs(&users)).await {
            Ok(inputs) => inputs,
            // Something of one of them cannot be read. Each is read alone, so that the others do
            // not have to wait for it.
            Err(StageError::Port(error)) if !error.is_downstream() => BTreeMap::new(),
            Err(error) => return postponed(batch.len(), error),
        };
        let done = by_user.into_iter().map(|(user, orders)| {
            self.handle_user(user, orders, inputs.get(user), sent_at, &spans)
        });
        let mut waiting = Vec::new();
        for (index, order, effect) in join_all(done).await.into_iter().flatten() {
            match (effect, &order.cause) {
                (Ok(effect), Cause::Quotation(request)) if effect.is_ready() => {
                    waiting.push((index, request.clone()));
                }
                (Ok(_), _) => {}
                (Err(error), _) => outcomes[index] = error.into(),
            }
        }
        self.publish(waiting, &spans, &mut outcomes).await;
        outcomes
    }

    /// Does one user's orders of a batch. The first has its inputs read already; after it has
    /// changed the table, the next reads them anew.
    async fn handle_user<'a>(
        &self,
        user: &UserId,
        orders: Vec<(usize, &'a Calculation)>,
        inputs: Option<&Arc<Inputs>>,
        sent_at: Timestamp,
        spans: &[Span],
    ) -> Vec<(usize, &'a Calculation, Result<Effect, StageError>)> {
        let mut inputs = inputs.cloned();
        let mut done = Vec::with_capacity(orders.len());
        let mut failed = false;
        for (index, order) in orders {
            // A user's orders stay in order: what follows one that must come again, comes again.
            if failed {
                done.push((index, order, Err(StageError::Behind)));
                continue;
            }
            let span = spans[index]
                .in_scope(|| info_span!("price_calc", %user, cause = order.cause.name()));
            let effect = self.calculate(order, inputs.take(), sent_at).instrument(span);
            let effect = account(&order.cause).of(effect);
            let effect = trace::within(spans[index].clone(), effect).await;
            failed = effect.is_err();
            done.push((index, order, effect));
        }
        done
    }

    async fn calculate(
        &self,
        order: &Calculation,
        mut inputs: Option<Arc<Inputs>>,
        sent_at: Timestamp,
    ) -> Result<Effect, StageError> {
        let started = Instant::now();
        if let Some(effect) = self.not_wanted(order, self.now(sent_at), sent_at).await? {
            self.conclude(order, effect, None, started);
            return Ok(effect);
        }
        for _ in 0..MAX_TRIES {
            let now_inputs = match inputs.take() {
                Some(inputs) => inputs,
                None => self.inputs_of(&order.user).await?,
            };
            let now = self.now(sent_at);
            if is_unneeded(&order.cause, &now_inputs, now) {
                self.conclude(order, Effect::Unneeded, now_inputs.head.as_ref(), started);
                return Ok(Effect::Unneeded);
            }
            if let Some((effect, head)) = self.write_table(order, &now_inputs, now).await? {
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
        info!(request, ?effect, products, took_us, "{kind} calculation");
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
    /// has flipped the head since it was read.
    async fn write_table(
        &self,
        order: &Calculation,
        inputs: &Arc<Inputs>,
        now: Timestamp,
    ) -> Result<Option<(Effect, TableHead)>, StageError> {
        let Inputs { head, at, catalogue, discounts } = &**inputs;
        let user = &order.user;
        let work = if order.cause.is_urgent() { &self.urgent_work } else { &self.other_work };
        let compared = inputs.clone();
        let fingerprint = work
            .run(Size::of_discounts(discounts.as_slice().len()), move || {
                fingerprint(&compared.catalogue, &compared.discounts)
            })
            .await;
        let unreadable = unreadable(&order.cause);
        let kept = head
            .as_ref()
            .filter(|head| head.fingerprint == fingerprint && Some(&head.generation) != unreadable);
        let policy = self.policy.now();
        let expire_at = now.plus(policy.keep_tables());
        let mut next = TableHead {
            version: head.as_ref().map_or(1, |head| head.version + 1),
            generation: Generation::from_random(self.randomness.bits()),
            fingerprint,
            pricing_version: PRICING_VERSION,
            catalogue_version: at.version,
            base_version: at.base_version,
            currency: catalogue.currency(),
            products: catalogue.len() as u64,
            parts: vec![],
            parts_expire_at: expire_at,
            priced_at: now,
            validated_at: now,
            fresh_until: now.plus(policy.fresh_for()),
            usable_until: now.plus(policy.usable_for()),
        };
        let mut effect = Effect::Calculated;
        if let Some(kept) = kept {
            effect = Effect::Validated;
            next.priced_at = kept.priced_at;
            next.generation = kept.generation.clone();
            next.parts = kept.parts.clone();
            next.parts_expire_at = kept.parts_expire_at;
        }
        // Parts that are kept must outlive the table by far; past half of their time they are
        // written again, under the same generation.
        let fading =
            kept.is_some_and(|kept| kept.parts_expire_at < now.plus(policy.keep_tables() / 2));
        let expected = head.as_ref().map(|head| head.version);
        let mut parts: Vec<Bytes> = vec![];
        if effect == Effect::Calculated || fading {
            let size = Size::of_table(catalogue.len(), discounts.as_slice().len());
            let priced = inputs.clone();
            (next.parts, parts) = work.run(size, move || priced.price()).await?;
            next.parts_expire_at = expire_at;
        }
        match self.tables.put_table(user, &next, &parts, expected, expire_at).await? {
            Flip::Done => Ok(Some((effect, next))),
            Flip::Conflict => Ok(None),
        }
    }

    /// The inputs of a whole batch: heads, then the catalogue, then discounts at its head.
    async fn inputs(&self, users: &[UserId]) -> Result<InputsByUser, StageError> {
        for _ in 0..MAX_TRIES {
            if let AtHead::Read(inputs) = self.try_inputs(users).await? {
                return Ok(inputs);
            }
        }
        Err(StageError::Snapshot(SnapshotError::Unsettled))
    }

    async fn try_inputs(&self, users: &[UserId]) -> Result<AtHead<InputsByUser>, StageError> {
        let heads = self.tables.table_heads(users).await?;
        let mut heads: BTreeMap<UserId, TableHead> = heads.into_iter().collect();
        let keep_until = self.clock.now().plus(self.policy.now().keep_tables());
        let (catalogue, at) = self.catalogue.current(keep_until).await?;
        let AtHead::Read(discounts) = self.discounts.discounts(users, &at).await? else {
            return Ok(AtHead::Moved);
        };
        let mut discounts: BTreeMap<UserId, Discounts> =
            discounts.into_iter().map(|list| (list.user, list.discounts)).collect();
        let inputs = users.iter().map(|user| {
            let inputs = Inputs {
                head: heads.remove(user),
                at: at.clone(),
                catalogue: catalogue.clone(),
                discounts: discounts.remove(user).unwrap_or_default(),
            };
            (user.clone(), Arc::new(inputs))
        });
        // A table of a later load than ours: our head of the catalogue was read before. Such a user
        // reads everything again.
        Ok(AtHead::Read(inputs.filter(|(_, inputs)| !inputs.is_behind()).collect()))
    }

    async fn inputs_of(&self, user: &UserId) -> Result<Arc<Inputs>, StageError> {
        for _ in 0..MAX_TRIES {
            if let Some(inputs) = self.inputs(std::slice::from_ref(user)).await?.remove(user) {
                return Ok(inputs);
            }
        }
        Err(StageError::Contended { tries: MAX_TRIES })
    }

    /// Publishes the requests whose table is now there; those that fail come again.
    async fn publish(
        &self,
        waiting: Vec<(usize, QuotationRequest)>,
        spans: &[Span],
        outcomes: &mut [Outcome],
    ) {
        if waiting.is_empty() {
            return;
        }
        let (indexes, requests): (Vec<usize>, Vec<QuotationRequest>) = waiting.into_iter().unzip();
        let bodies: Result<Vec<String>, StageError> = indexes
            .iter()
            .zip(requests)
            .map(|(index, request)| {
                spans[*index].in_scope(|| write_body(&ProviderMessage::Quote(request)))
            })
            .collect();
        let published = match bodies {
            Ok(bodies) => {
                let account = Scope::new(Stage::PriceCalc, Reason::Quote);
                account.of(self.topic.publish(&bodies)).await.map_err(StageError::from)
            }
            Err(error) => Err(error),
        };
        match published {
            Ok(failed) => {
                for entry in failed {
                    outcomes[indexes[entry.index]] = StageError::from(entry.error).into();
                }
            }
            Err(error) => {
                for (index, outcome) in indexes.iter().zip(postponed(indexes.len(), error)) {
                    outcomes[*index] = outcome;
                }
            }
        }
    }
}

impl Inputs {
    /// The table, packed: the first product of each part, and the parts.
    fn price(&self) -> Result<(Vec<ProductId>, Vec<Bytes>), PackError> {
        let table = PriceTable::new(&self.catalogue, &self.discounts);
        let parts = table.pack()?.into_iter().map(Bytes::from).collect();
        Ok((table.first_products().collect(), parts))
    }

    fn is_behind(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.catalogue_version > self.at.version)
    }
}

impl Effect {
    /// Whether a quotation that waits for the table goes on to be provided. One that is too late
    /// does too: this order may be all that is left of it, and its client must be told.
    const fn is_ready(self) -> bool {
        matches!(self, Self::Calculated | Self::Validated | Self::Unneeded | Self::TooLate)
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
            let is_current = head.base_version >= inputs.at.base_version;
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

/// The same failure for every message of a batch.
fn postponed(count: usize, error: StageError) -> Vec<Outcome> {
    let error = Arc::new(error);
    (0..count).map(|_| StageError::Shared(error.clone()).into()).collect()
}
