//! Measures what each kind of event uses, by making it happen once.

use std::time::Duration;

use super::{Driver, price_calc};
use crate::meter::{Action, Reason, Resource, Scope, Stage, Usage, UsageLine, sizes};
use crate::model::{Timestamp, UserId};
use crate::ports::{
    BaseName, CatalogueHead, MAX_BATCH, PortError, Ports, QuotationStatus, pages, parts_of,
};
use crate::pricing::{BasePart, LadderRows};
use crate::replay::{Arrival, Candidate, ReplayError, Scenario, TermsSpec};
use crate::stages::subscribe::subscribe;
use crate::stages::{Answering, Lookup, Policy, StageError};

/// An interval so long that no tick comes by itself.
const NEVER: Duration = Duration::from_secs(7 * 24 * 3600);
/// Users stay active for the whole probe. A visit is recorded again after a tenth of this time.
const TTL: Duration = Duration::from_secs(10 * 3600);
/// After this time no work is under way, and no deduplication id is remembered.
const LATER: Duration = Duration::from_secs(6 * 60);
/// A start that has timestamps of today's length and is not close to a tick.
const BEGIN: Timestamp = Timestamp::from_secs(3_000 * 7 * 24 * 3600);
const CALCULATION: Scope = Scope::new(Stage::PriceCalc, Reason::Scheduled);

/// The stack to be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbedStack {
    /// The number of products.
    pub products: u64,
    /// The number of discounts of each user.
    pub discounts: u64,
    /// The price lists. The number of different terms does not affect a probe.
    pub terms: TermsSpec,
    /// The number of products in a quote.
    pub lines: u32,
    /// How long a calculation takes.
    pub calculation: Duration,
    /// Whether a cold quote is first handled where it arrived, before it goes through the topic.
    pub answering: Answering,
}

/// The usage of each kind of event: the calls of its stages, and the time of their functions.
#[derive(Clone, Debug)]
pub struct Probe {
    /// A tick, without reading the active users and the catalogue's head.
    pub tick: Usage,
    /// A tick's read of the catalogue's head, which shows whether a load is still to be folded.
    pub head_look: Usage,
    /// Sending a batch of scheduled calculations.
    pub orders: Usage,
    /// A batch of calculations that find their tables unchanged and recently recorded as right.
    pub unchanged: Usage,
    /// A batch of calculations that find their tables unchanged, and record that they are right.
    pub confirmed: Usage,
    /// A batch of calculations that make new tables.
    pub calculated: Usage,
    /// Making the base of the products: reading them and storing it.
    pub base: Usage,
    /// Reading the base in a worker that did not make it.
    pub base_read: Usage,
    /// Making the base of some terms: reading price lists and their rows, and storing the differences
    /// from the products. Zero if users have no price lists.
    pub terms: Usage,
    /// Reading the base of terms in a process that did not make it.
    pub terms_read: Usage,
    /// A warm quote that goes through the topic.
    pub warm: Usage,
    /// A warm quote that is answered where it arrives.
    pub direct: Usage,
    /// The additional usage if the user's visit is recorded.
    pub touch: Usage,
    /// A quote of a user who is not active and has no table.
    pub cold: Usage,
    /// The deadline message of a quote that goes through the topic, if the gateway does not watch the
    /// deadline.
    pub deadline: Usage,
    /// A user's first visit that is not a quote.
    pub visit: Usage,
    /// The sizes of what is stored.
    pub sizes: Sizes,
}

/// The sizes of stored records, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The row of an active user.
    pub row: u64,
    /// The head of a price table.
    pub head: u64,
    /// All parts of a price table; zero if its own rows are in the head.
    pub parts: u64,
    /// The base of the products: its parts and its index.
    pub base: u64,
    /// The base of some terms: its parts and its index.
    pub terms: u64,
    /// A quotation with its answer.
    pub quotation: u64,
    /// All products.
    pub products: u64,
    /// A list of discounts or ladders.
    pub discounts: u64,
    /// All price lists with their rows.
    pub lists: u64,
}

/// Makes each kind of event happen once. `batch` is the number of scheduled calculations in one batch, from
/// one to ten.
///
/// # Errors
/// Returns [`ReplayError`] if a stage fails, although nothing should fail on this engine.
pub async fn probe(stack: &ProbedStack, batch: usize) -> Result<Probe, ReplayError> {
    let batch = batch.clamp(1, MAX_BATCH);
    let users: Vec<UserId> = (0..=batch + 1).filter_map(user).collect();
    let arrivals =
        users.iter().map(|user| Arrival { at: BEGIN, user: user.clone(), lines: stack.lines });
    let scenario = Scenario {
        arrivals: arrivals.collect(),
        products: stack.products,
        discounts: stack.discounts,
        // All users have the same terms, so only the first one causes them to be made.
        terms: TermsSpec { terms: 1, ..stack.terms.clone() },
        prices_every: None,
        discounts_every: None,
        lists_every: None,
        calculation: stack.calculation,
        seed: 1,
        policy: Policy { answering: stack.answering, ..Policy::default() },
    };
    let candidate = Candidate { ttl: TTL, refresh_every: NEVER, on_change: false, adaptive: None };
    let probing =
        Probing { driver: Driver::start(&scenario, &candidate).await?, seen: Usage::default() };
    probing.all(stack, &scenario.arrivals).await
}

fn user(number: usize) -> Option<UserId> {
    UserId::new(format!("user-{number:04}")).ok()
}

struct Probing<'a> {
    driver: Driver<'a>,
    /// The usage before the current event.
    seen: Usage,
}

impl Probing<'_> {
    async fn all(
        mut self,
        stack: &ProbedStack,
        arrivals: &[Arrival],
    ) -> Result<Probe, ReplayError> {
        let [opener, first, others @ .., visitor] = arrivals else {
            return Err(PortError::rejected("a probe", "it has no customers").into());
        };
        let base = self.make_base().await?;
        let base_read = self.read_base().await?;
        // The first quote reads the base, which then stays in memory, so this usage counts for no other
        // quote.
        let opening = self.quote(opener).await?;
        let terms_read = self.read_terms(&opener.user).await?;
        self.answer(Answering::Direct);
        self.quote(opener).await?;
        self.answer(stack.answering);
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
            ..self.sizes(&first.user, &stack.terms).await?
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

    /// Changes how quotes are answered from now on.
    fn answer(&mut self, answering: Answering) {
        let policy = Policy { answering, ..self.driver.policy.clone() };
        self.driver.handler = self.driver.handler.with_policy(policy);
    }

    /// Returns the usage since the last call.
    fn used(&mut self) -> Usage {
        let now = self.driver.witness.meter().usage();
        let used = now.since(&self.seen);
        self.seen = now;
        used
    }

    /// Makes the base now, so that no other event has to make it. Returns the usage since the last event.
    async fn make_base(&mut self) -> Result<Usage, ReplayError> {
        let keep_until = self.driver.now.plus(self.driver.policy.keep_tables());
        let reading = self.driver.bases.current(keep_until);
        CALCULATION.of(reading).await.map_err(StageError::from)?;
        Ok(self.used())
    }

    /// Returns the usage of a process that reads the base and has nothing of it in memory.
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
        CALCULATION.of(reading).await?;
        Ok(self.used())
    }

    /// Returns the same for the base of a user's terms.
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
        CALCULATION.of(reading).await?;
        Ok(self.used())
    }

    /// Returns the size of all price lists, which are all alike, from that of the first.
    async fn bytes_of_lists(&self, spec: &TermsSpec) -> Result<u64, ReplayError> {
        let store = &self.driver.engine.store;
        let Some(at) = store.catalogue_head().await? else { return Ok(0) };
        let lists = store.list_price_lists(&at, None).await?.read().map(|page| page.items.clone());
        let Some(list) = lists.into_iter().flatten().next() else { return Ok(0) };
        let mut bytes = sizes::price_list(&list, at.version);
        let mut pages = pages(|from| store.list_prices(&list.id, &at, from));
        while let Some(page) = pages.next().await? {
            let Some(rows) = page.read() else { return Ok(0) };
            bytes += rows.iter().map(|row| sizes::list_prices(row, at.version)).sum::<u64>();
        }
        Ok(bytes * spec.lists.lists)
    }

    /// Runs a tick long enough after the last one that its validations are recorded.
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

    /// Sends a quote that finds its table. Returns its usage, and separately that of its deadline
    /// message.
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
        self.driver.ask(0, arrival).await?;
        self.driver.look_at_queues().await?;
        self.driver.look_after_deadline();
        Ok(())
    }

    async fn tick(&mut self) -> Result<Usage, ReplayError> {
        self.make_base().await?;
        self.driver.tick().await?;
        self.settled().await
    }

    async fn visit(&mut self, user: &UserId) -> Result<Usage, ReplayError> {
        self.make_base().await?;
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
