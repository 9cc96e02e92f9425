//! What each thing that happens uses, by letting it happen once.

use std::time::Duration;

use super::{Driver, price_calc};
use crate::meter::{Action, Reason, Resource, Scope, Stage, Usage, UsageLine, sizes};
use crate::model::{Timestamp, UserId};
use crate::ports::{
    BaseName, CatalogueHead, MAX_BATCH, PortError, Ports, QuotationStatus, parts_of,
};
use crate::pricing::{BasePart, LadderRows};
use crate::replay::{Arrival, Candidate, ReplayError, Scenario, TermsSpec};
use crate::stages::subscribe::subscribe;
use crate::stages::{Answering, Lookup, Policy, StageError};

/// No tick comes by itself.
const NEVER: Duration = Duration::from_secs(7 * 24 * 3600);
/// Whoever came stays active for the whole probe. A visit is written down again after a tenth of it.
const TTL: Duration = Duration::from_secs(10 * 3600);
/// After this time nothing that was begun goes on, and no deduplication id is remembered.
const LATER: Duration = Duration::from_secs(6 * 60);
/// Times of today's length, in the middle of no tick.
const BEGIN: Timestamp = Timestamp::from_secs(3_000 * 7 * 24 * 3600);

/// What a stack is made of that is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How many products there are.
    pub products: u64,
    /// How many discounts each user has.
    pub discounts: u64,
    /// The price lists that there are. How many terms there are of them is no matter of a probe.
    pub terms: TermsSpec,
    /// How many products a quote asks for.
    pub lines: u32,
    /// How many scheduled calculations come in one batch: one to ten.
    pub batch: usize,
    /// How long a calculation takes.
    pub calculation: Duration,
    /// Whether a cold quote was looked at where it arrived, before it took the topic.
    pub answering: Answering,
}

/// What each thing uses: every call of the stages that do it, and the time of their functions.
#[derive(Clone, Debug)]
pub struct Probe {
    /// A tick, but for the reading of active users and of the catalogue's head.
    pub tick: Usage,
    /// The look of a tick whether a load left something to fold.
    pub head_look: Usage,
    /// The sending of a batch of scheduled calculations.
    pub orders: Usage,
    /// A batch of them that find their tables unchanged, and written lately.
    pub unchanged: Usage,
    /// A batch of them that find their tables unchanged, and write that down.
    pub confirmed: Usage,
    /// A batch of them that make their tables anew.
    pub calculated: Usage,
    /// The base of the products is made: they are read, and it is stored.
    pub base: Usage,
    /// A worker that did not make the base reads it.
    pub base_read: Usage,
    /// The base of some terms is made: price lists and their rows are read, and what differs from the
    /// products is stored. Nothing where users have no price list.
    pub terms: Usage,
    /// A process that did not make it reads it.
    pub terms_read: Usage,
    /// A quote that finds its table, and takes the topic.
    pub warm: Usage,
    /// The same, answered where it arrives.
    pub direct: Usage,
    /// What it uses more if the user's visit is written down.
    pub touch: Usage,
    /// A quote of a user who is not active and has no table.
    pub cold: Usage,
    /// The message that comes at the deadline of a quote that takes the topic, where the gateway does
    /// not watch it.
    pub deadline: Usage,
    /// The first visit of a user that is no quote.
    pub visit: Usage,
    /// How large things are.
    pub sizes: Sizes,
}

/// How many bytes are stored of each thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The row of an active user.
    pub row: u64,
    /// The head of a price table.
    pub head: u64,
    /// The parts of a price table, all together; nothing where its own rows stand in the head.
    pub parts: u64,
    /// The base of the products: its parts and its index.
    pub base: u64,
    /// The base of some terms: its parts and its index.
    pub terms: u64,
    /// A quotation with its answer.
    pub quotation: u64,
    /// All products.
    pub products: u64,
    /// A list of discounts, or of ladders.
    pub discounts: u64,
    /// All price lists with their rows.
    pub lists: u64,
}

/// Lets each thing happen once.
///
/// # Errors
/// [`ReplayError`], when a stage does: nothing fails on this engine.
pub async fn probe(sample: &Sample) -> Result<Probe, ReplayError> {
    let batch = sample.batch.clamp(1, MAX_BATCH);
    let users: Vec<UserId> = (0..=batch + 1).filter_map(user).collect();
    let arrivals =
        users.iter().map(|user| Arrival { at: BEGIN, user: user.clone(), lines: sample.lines });
    let scenario = Scenario {
        arrivals: arrivals.collect(),
        products: sample.products,
        discounts: sample.discounts,
        // All of them have the same, so that only the first has to have it made.
        terms: TermsSpec { terms: 1, ..sample.terms.clone() },
        prices_every: None,
        discounts_every: None,
        lists_every: None,
        calculation: sample.calculation,
        seed: 1,
        policy: Policy { answering: sample.answering, ..Policy::default() },
    };
    let candidate = Candidate { ttl: TTL, refresh_every: NEVER, on_change: false, adaptive: None };
    let probing =
        Probing { driver: Driver::start(&scenario, &candidate).await?, seen: Usage::default() };
    probing.all(sample, &scenario.arrivals).await
}

fn user(number: usize) -> Option<UserId> {
    UserId::new(format!("user-{number:04}")).ok()
}

struct Probing<'a> {
    driver: Driver<'a>,
    /// What was used before.
    seen: Usage,
}

impl Probing<'_> {
    async fn all(mut self, sample: &Sample, arrivals: &[Arrival]) -> Result<Probe, ReplayError> {
        let [opener, first, others @ .., visitor] = arrivals else {
            return Err(PortError::rejected("a probe", "it has no customers").into());
        };
        self.make_base().await?;
        let base = self.used();
        let base_read = self.read_base().await?;
        // Whoever comes first reads the base, which is then kept. It counts for no other quote.
        let opening = self.quote(opener).await?;
        let terms_read = self.read_terms(&opener.user).await?;
        self.answer(Answering::Direct);
        self.quote(opener).await?;
        self.answer(sample.answering);
        self.driver.ports.store.remove_active_user(&opener.user).await?;
        self.used();
        let cold = self.quote(first).await?;
        let calculates = |line: &UsageLine| line.stage == Stage::PriceCalc;
        let terms = opening.only(calculates).since(&cold.only(calculates));
        for other in others {
            self.quote(other).await?;
        }
        self.answer(Answering::Direct);
        let direct = self.quote(first).await?;
        self.answer(Answering::Topic);
        let (warm, deadline) = self.warm_quote(first).await?;
        let unchanged = self.tick().await?;
        self.driver.go_on_until(self.driver.now.plus(TTL / 5)).await?;
        let touch = self.warm_quote(first).await?.0.since(&warm);
        let confirmed = self.confirming_tick().await?;
        let prices = self.driver.goods.other_prices(1);
        self.driver.load(&prices).await?;
        let changed = self.tick().await?;
        let visit = self.visit(&visitor.user).await?;
        let sends = |line: &UsageLine| line.action == Action::Send;
        let refreshes = |line: &UsageLine| line.stage == Stage::Refresh;
        let scans = |line: &UsageLine| line.resource == Resource::ActiveUsers;
        let looks_at_head = |line: &UsageLine| line.resource == Resource::Products;
        let sizes = Sizes {
            base: base.total(|line| line.action == Action::Write).bytes,
            products: base.total(|line| line.action == Action::Scan).bytes,
            terms: terms.total(|line| line.action == Action::Write).bytes,
            discounts: changed.total(|line| line.resource == Resource::Discounts).bytes
                / (others.len() as u64 + 1),
            ..self.sizes(&first.user, &sample.terms).await?
        };
        Ok(Probe {
            tick: unchanged.only(|line| {
                refreshes(line) && !sends(line) && !scans(line) && !looks_at_head(line)
            }),
            head_look: unchanged.only(|line| refreshes(line) && looks_at_head(line)),
            orders: unchanged.only(|line| refreshes(line) && sends(line)),
            unchanged: unchanged.only(calculates),
            confirmed: confirmed.only(calculates),
            calculated: changed.only(calculates),
            base,
            base_read,
            terms,
            terms_read,
            warm,
            direct,
            touch,
            cold: cold.since(&deadline),
            deadline,
            visit,
            sizes,
        })
    }

    /// Has quotes answered there from now on.
    fn answer(&mut self, answering: Answering) {
        let policy = Policy { answering, ..self.driver.policy.clone() };
        self.driver.handler = self.driver.handler.with_policy(policy);
    }

    /// What was used since the last time.
    fn used(&mut self) -> Usage {
        let now = self.driver.witness.meter().usage();
        let used = now.since(&self.seen);
        self.seen = now;
        used
    }

    /// So that nothing else has to make it.
    async fn make_base(&self) -> Result<(), ReplayError> {
        let keep_until = self.driver.now.plus(self.driver.policy.keep_tables());
        let reading = self.driver.bases.current(keep_until);
        let scope = Scope::new(Stage::PriceCalc, Reason::Scheduled);
        scope.of(reading).await.map_err(StageError::from)?;
        Ok(())
    }

    /// What a process does that has nothing of the base in memory.
    async fn read_base(&mut self) -> Result<Usage, ReplayError> {
        let lookup = Lookup::new(&self.driver.ports);
        let reading = async {
            let head = self.driver.ports.store.catalogue_head().await?;
            let head = head.unwrap_or(CatalogueHead::EMPTY);
            let CatalogueHead { base_version: version, currency, .. } = head;
            let name = BaseName { version, currency, terms: None };
            let Some(base) = lookup.bases().base(&name).await? else { return Ok(()) };
            let numbers = (0..).take(base.index.parts.len());
            let parts = lookup.bases().parts::<BasePart>(&name, &base.index, numbers);
            parts.await.map(drop)
        };
        Scope::new(Stage::PriceCalc, Reason::Scheduled).of(reading).await?;
        Ok(self.used())
    }

    /// The same of the base of a user's terms.
    async fn read_terms(&mut self, user: &UserId) -> Result<Usage, ReplayError> {
        let heads = self.driver.engine.store.table_heads(std::slice::from_ref(user)).await?;
        let name = heads.first().and_then(|(_, head)| head.base_of(&head.prices));
        let lookup = Lookup::new(&self.driver.ports);
        let reading = async {
            let Some(name) = name else { return Ok(()) };
            let Some(base) = lookup.bases().base(&name).await? else { return Ok(()) };
            let numbers = (0..).take(base.index.parts.len());
            let parts = lookup.bases().parts::<LadderRows>(&name, &base.index, numbers);
            parts.await.map(drop)
        };
        Scope::new(Stage::PriceCalc, Reason::Scheduled).of(reading).await?;
        Ok(self.used())
    }

    /// Of lists that are all alike.
    async fn bytes_of_lists(&self, spec: &TermsSpec) -> Result<u64, ReplayError> {
        let store = &self.driver.engine.store;
        let Some(at) = store.catalogue_head().await? else { return Ok(0) };
        let lists = store.list_price_lists(&at, None).await?.read().map(|page| page.items.clone());
        let Some(list) = lists.into_iter().flatten().next() else { return Ok(0) };
        let mut bytes = sizes::price_list(&list, at.version);
        let mut from = None;
        loop {
            let page = store.list_prices(&list.id, &at, from).await?;
            let Some(page) = page.read() else { return Ok(0) };
            bytes += page.items.iter().map(|row| sizes::list_prices(row, at.version)).sum::<u64>();
            from = page.next.clone();
            if from.is_none() {
                return Ok(bytes * spec.lists.lists);
            }
        }
    }

    /// A tick long enough after the last one that what it finds is written down.
    async fn confirming_tick(&mut self) -> Result<Usage, ReplayError> {
        let policy = Policy { refresh_every: LATER, fresh_for: LATER, ..Policy::default() };
        let Driver { ports, bases, witness, .. } = &self.driver;
        let calc = price_calc(ports, bases, witness, policy);
        let lasting = std::mem::replace(&mut self.driver.calc, calc);
        let confirmed = self.tick().await;
        self.driver.calc = lasting;
        confirmed
    }

    async fn quote(&mut self, arrival: &Arrival) -> Result<Usage, ReplayError> {
        self.ask(arrival).await?;
        self.settled().await
    }

    /// A quote that finds its table; apart from that, the message that comes at its deadline.
    async fn warm_quote(&mut self, arrival: &Arrival) -> Result<(Usage, Usage), ReplayError> {
        self.ask(arrival).await?;
        let mut warm = self.used();
        let mut deadline = self.settled().await?;
        let is_sent = |line: &UsageLine| {
            (line.resource, line.action) == (Resource::ProviderQueue, Action::Send)
        };
        deadline.merge(&warm.only(is_sent));
        warm = warm.only(|line| !is_sent(line));
        Ok((warm, deadline))
    }

    async fn ask(&mut self, arrival: &Arrival) -> Result<(), ReplayError> {
        self.make_base().await?;
        self.used();
        self.driver.ask(0, arrival).await?;
        self.driver.look_at_queues().await?;
        self.driver.look_after_deadline();
        Ok(())
    }

    async fn tick(&mut self) -> Result<Usage, ReplayError> {
        self.make_base().await?;
        self.used();
        self.driver.tick().await?;
        self.settled().await
    }

    async fn visit(&mut self, user: &UserId) -> Result<Usage, ReplayError> {
        self.make_base().await?;
        self.used();
        let Ports { store, queues, .. } = &self.driver.ports;
        subscribe(&**store, &**queues, user, TTL, self.driver.now).await?;
        self.driver.look_at_queues().await?;
        self.settled().await
    }

    async fn settled(&mut self) -> Result<Usage, ReplayError> {
        self.driver.go_on_until(self.driver.now.plus(LATER)).await?;
        Ok(self.used())
    }

    async fn sizes(&self, user: &UserId, spec: &TermsSpec) -> Result<Sizes, ReplayError> {
        let store = &self.driver.engine.store;
        let row = store.active_user(user).await?;
        let heads = store.table_heads(std::slice::from_ref(user)).await?;
        let mut sizes = Sizes {
            row: row.as_ref().map_or(0, sizes::active_user),
            lists: self.bytes_of_lists(spec).await?,
            ..Sizes::default()
        };
        if let Some((user, head)) = heads.first() {
            let numbers: Vec<u32> = (0..).take(head.parts()).collect();
            let parts = parts_of(&**store, user, &head.generation, &numbers).await?;
            let bytes = parts.iter().flatten().zip(0..);
            let bytes =
                bytes.map(|(part, number)| sizes::part(user, &head.generation, number, part.len()));
            sizes.parts = bytes.sum();
            sizes.head = sizes::table_head(user, head);
        }
        let quotations = store.list_quotations(None).await?.items;
        let answered =
            quotations.iter().find(|one| matches!(one.status, QuotationStatus::Answered(_)));
        sizes.quotation = answered.map_or(0, sizes::quotation);
        Ok(sizes)
    }
}
