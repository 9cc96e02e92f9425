//! The driver: takes the next event, moves the clock to it, and has the stages handle it.

mod probe;
mod upkeep;

pub use probe::{Probe, ProbedStack, Sizes, probe};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::adaptive::Intervals;
use super::bill_witness::BillWitness;
use super::goods::ReplayGoods;
use super::{Arrival, Candidate, ReplayError, ReplayOutcome, Scenario, function_mb};
use crate::data::Draws;
use crate::memory::{ManualClock, Memory};
use crate::meter::rules::{gb_milliseconds, page_read};
use crate::meter::{Operation, Reason, Resource, Scope, Stage, Used};
use crate::model::{Calculation, Cause, ConnectionId, ConnectionRef, Dialect, Timestamp, UserId};
use crate::ports::{MAX_BATCH, Ports, Queue, Randomness, Receipt, Received};
use crate::stages::price_calc::PriceCalc;
use crate::stages::quotation_handler::{Ask, QuotationHandler};
use crate::stages::quotation_provider::QuotationProvider;
use crate::stages::refresh::Tick;
use crate::stages::{BaseMaker, Lookup, Outcome as Done, Policy};

const REFRESH: Scope = Scope::new(Stage::Refresh, Reason::Scheduled);
const HANDLER: Scope = Scope::new(Stage::QuotationHandler, Reason::Quote);

/// Longer than any calculation time that a replay may assume.
const VISIBILITY: Duration = Duration::from_secs(300);
/// A quotation's deadline message arrives this long after the deadline.
const AFTER_DEADLINE: Duration = Duration::from_millis(100);
/// A failed message comes again after this time.
const BACKOFF: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The first change comes after noon, when customers are there, and between two ticks.
const FIRST_CHANGE: Duration = Duration::from_secs(12 * 3600 + 30);
const RANDOMNESS: u64 = 0x61;

/// Replays a scenario against one policy.
///
/// # Errors
/// Returns [`ReplayError`] if a stage fails, although nothing should fail on this engine.
pub async fn replay(
    scenario: &Scenario,
    candidate: &Candidate,
) -> Result<ReplayOutcome, ReplayError> {
    let mut driver = Driver::start(scenario, candidate).await?;
    for (number, arrival) in scenario.arrivals.iter().enumerate() {
        driver.go_on_until(arrival.at).await?;
        driver.arrive(number as u64, arrival).await?;
    }
    let last = scenario.arrivals.last().map_or(driver.now, |arrival| arrival.at);
    driver.go_on_until(last.plus(driver.policy.quote_within + AFTER_DEADLINE * 2)).await?;
    Ok(driver.end(candidate))
}

struct Driver<'a> {
    scenario: &'a Scenario,
    policy: Policy,
    tick_every: Duration,
    on_change: bool,
    goods: ReplayGoods,
    bases: Arc<BaseMaker>,
    clock: Arc<ManualClock>,
    engine: Ports,
    witness: Arc<BillWitness>,
    ports: Ports,
    handler: QuotationHandler,
    provider: QuotationProvider,
    calc: PriceCalc,
    now: Timestamp,
    began: Timestamp,
    next_tick: Timestamp,
    next_sweep: Timestamp,
    changes: BTreeSet<(Timestamp, ChangeKind)>,
    editions: u64,
    /// The work under way by its end, then in the order in which it was begun.
    under_way: BTreeMap<(Timestamp, u64), Work>,
    begun: u64,
    in_hand: BTreeMap<Queue, usize>,
}

/// Work that takes time.
enum Work {
    /// A batch of orders.
    Batch(Queue, Vec<Received>),
    /// Nothing but a look at the queues at this time.
    Look,
}

/// The kind of change that a load makes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ChangeKind {
    Prices,
    Discounts,
    Lists,
}

/// The next event.
enum Next {
    Work((Timestamp, u64)),
    Change(Timestamp, ChangeKind),
    Tick(Timestamp),
    Sweep(Timestamp),
}

impl<'a> Driver<'a> {
    async fn start(scenario: &'a Scenario, candidate: &Candidate) -> Result<Self, ReplayError> {
        let first = scenario.arrivals.first().map_or(Timestamp::default(), |arrival| arrival.at);
        let day = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
        let began = Timestamp::from_millis(first.millis().div_euclid(day) * day);
        let clock = Arc::new(ManualClock::new(began));
        let randomness = Arc::new(Seeded(Mutex::new(Draws::new(scenario.seed, RANDOMNESS, 0))));
        let engine = Memory::new(clock.clone(), randomness).ports();
        let witness = BillWitness::new(engine.clone());
        let ports = witness.ports();
        let tick_every = candidate.refresh_every;
        let longest = candidate.adaptive.as_ref().map_or(tick_every, |it| it.longest);
        let policy = Policy {
            ttl: candidate.ttl,
            refresh_every: longest.max(tick_every),
            ..scenario.policy.clone()
        };
        witness.ledger().intervals = candidate
            .adaptive
            .clone()
            .map(|adaptive| Intervals::new(tick_every, adaptive, scenario.seed));
        let users: BTreeSet<&UserId> =
            scenario.arrivals.iter().map(|arrival| &arrival.user).collect();
        let users = users.into_iter().cloned().collect();
        let Scenario { seed, products, discounts, ref terms, .. } = *scenario;
        let goods = ReplayGoods::new(seed, products, discounts, terms.clone(), users);
        let lookup = Lookup::new(&ports);
        let bases = Arc::new(BaseMaker::new(&ports, lookup.bases().clone()));
        let first = began.plus(FIRST_CHANGE);
        let changes = [
            (scenario.prices_every, ChangeKind::Prices),
            (scenario.discounts_every, ChangeKind::Discounts),
            (scenario.lists_every.filter(|_| terms.lists.lists > 0), ChangeKind::Lists),
        ];
        let driver = Self {
            // Handler and provider are separate functions, so each has a memory of its own.
            handler: QuotationHandler::new(&ports, Lookup::new(&ports), policy.clone()),
            provider: QuotationProvider::new(&ports, Lookup::new(&ports)),
            calc: price_calc(&ports, &bases, &witness, policy.clone()),
            bases,
            next_tick: Tick::at(began, tick_every).next_due(),
            tick_every,
            next_sweep: began.plus(DAY),
            changes: changes
                .into_iter()
                .filter_map(|(every, kind)| every.map(|_| (first, kind)))
                .collect(),
            on_change: candidate.on_change,
            now: began,
            scenario,
            policy,
            goods,
            clock,
            engine,
            witness,
            ports,
            began,
            editions: 0,
            under_way: BTreeMap::new(),
            begun: 0,
            in_hand: BTreeMap::new(),
        };
        driver.load(&driver.goods.first()).await?;
        Ok(driver)
    }

    fn set(&mut self, now: Timestamp) {
        self.now = now;
        self.clock.set(now);
    }

    /// Handles all events up to a time.
    async fn go_on_until(&mut self, time: Timestamp) -> Result<(), ReplayError> {
        while let Some(next) = self.next(time) {
            match next {
                Next::Work(key) => {
                    self.set(key.0);
                    if let Some(Work::Batch(queue, batch)) = self.under_way.remove(&key) {
                        self.finish(queue, batch).await?;
                    }
                    self.look_at_queues().await?;
                }
                Next::Change(at, kind) => {
                    self.set(at);
                    self.changes.remove(&(at, kind));
                    self.change(kind).await?;
                }
                Next::Tick(at) => {
                    self.set(at);
                    self.tick().await?;
                }
                Next::Sweep(at) => {
                    self.set(at);
                    self.sweep().await?;
                }
            }
        }
        self.pass_idle_ticks(time);
        self.set(time);
        Ok(())
    }

    fn next(&mut self, until: Timestamp) -> Option<Next> {
        let work = self.under_way.keys().next().copied();
        let change = self.changes.first().copied();
        // If no user is active, ticks only scan the table. They are counted together up to the next
        // event.
        let is_busy = self.witness.ledger().active_until() > self.next_tick;
        let tick = is_busy.then_some(self.next_tick);
        let times = [work.map(|(at, _)| at), change.map(|(at, _)| at), tick, Some(self.next_sweep)];
        let first = times.into_iter().flatten().min().filter(|at| *at <= until)?;
        let is_first = |at: Option<Timestamp>| at == Some(first);
        Some(match (work, change) {
            (Some(work), _) if work.0 == first => Next::Work(work),
            (_, Some((at, kind))) if at == first => Next::Change(at, kind),
            _ if is_first(tick) => Next::Tick(first),
            _ => Next::Sweep(first),
        })
    }

    /// Counts ticks while no user is active. The schedule runs then too, and each tick scans a table
    /// without rows that count.
    fn pass_idle_ticks(&mut self, until: Timestamp) {
        if until < self.next_tick {
            return;
        }
        let interval = self.tick_every.as_millis().max(1);
        let passed = until.since(self.next_tick).as_millis() / interval + 1;
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let (rows, bytes) = self.witness.ledger().rows();
        let read = page_read(bytes, false) * passed;
        let scanned = Used::derived(passed, rows * passed, bytes * passed, read);
        let meter = self.witness.meter();
        meter.count_for(REFRESH, Operation::scan(Resource::ActiveUsers), scanned);
        let ran = gb_milliseconds(Scenario::CALL, function_mb(Stage::Refresh));
        meter.count_for(REFRESH, Operation::RUN, Used::derived(passed, passed, 0, ran * passed));
        self.next_tick = Tick::at(until, self.tick_every).next_due();
    }

    async fn arrive(&mut self, number: u64, arrival: &Arrival) -> Result<(), ReplayError> {
        self.ask(number, arrival).await?;
        self.look_at_queues().await?;
        self.look_after_deadline();
        Ok(())
    }

    /// Schedules a look at the time when the quote's deadline message arrives.
    fn look_after_deadline(&mut self) {
        let deadline = self.now.plus(self.policy.quote_within + AFTER_DEADLINE);
        self.begin(deadline, Work::Look);
    }

    /// Handles a quote. The queues are not looked at yet.
    async fn ask(&mut self, number: u64, arrival: &Arrival) -> Result<(), ReplayError> {
        let ask = Ask {
            user: arrival.user.clone(),
            items: self.goods.items(number, arrival.lines),
            request_id: None,
            dialect: Dialect::Current,
            connection: Some(ConnectionRef {
                endpoint: "replay".to_owned(),
                id: ConnectionId::from_random(self.ports.randomness.bits()),
            }),
        };
        self.handler.quote(ask).await?;
        self.ran(HANDLER, Scenario::CALL);
        Ok(())
    }

    /// Counts a run of a function.
    fn ran(&self, scope: Scope, took: Duration) {
        let ran = gb_milliseconds(took, function_mb(scope.stage));
        self.witness.meter().count_for(scope, Operation::RUN, Used::derived(1, 1, 0, ran));
    }

    fn begin(&mut self, until: Timestamp, work: Work) {
        self.begun += 1;
        self.under_way.insert((until, self.begun), work);
    }

    /// Receives from the queues whatever can be begun now.
    async fn look_at_queues(&mut self) -> Result<(), ReplayError> {
        loop {
            let batch = self.receive(Queue::Provider, MAX_BATCH).await?;
            if batch.is_empty() {
                break;
            }
            let done = self.provider.handle(&batch).await;
            self.ran(Scope::receiving(Queue::Provider), Scenario::CALL);
            self.conclude(Queue::Provider, &batch, done).await?;
        }
        self.look_at_orders().await
    }

    async fn look_at_orders(&mut self) -> Result<(), ReplayError> {
        for queue in [Queue::Quotation, Queue::Refresh] {
            loop {
                let in_hand = self.in_hand.get(&queue).copied().unwrap_or(0);
                let free = Scenario::SLOTS.saturating_sub(in_hand).min(MAX_BATCH);
                let batch = self.receive(queue, free).await?;
                if batch.is_empty() {
                    break;
                }
                *self.in_hand.entry(queue).or_default() += batch.len();
                let takes = self.duration_of(queue, &batch).await?;
                self.ran(Scope::receiving(queue), takes);
                self.begin(self.now.plus(takes), Work::Batch(queue, batch));
            }
        }
        Ok(())
    }

    async fn receive(&self, queue: Queue, max: usize) -> Result<Vec<Received>, ReplayError> {
        let received = self.ports.queues.receive(queue, max, Duration::ZERO, VISIBILITY);
        Ok(Scope::receiving(queue).of(received).await?)
    }

    /// Returns how long a batch takes. A calculation takes its time, unless every order of the batch
    /// finds its table already there.
    async fn duration_of(&self, queue: Queue, batch: &[Received]) -> Result<Duration, ReplayError> {
        if queue == Queue::Refresh {
            return Ok(self.scenario.calculation);
        }
        for message in batch {
            let Ok(order) = serde_json::from_str::<Calculation>(&message.body) else { continue };
            let heads = self.engine.store.table_heads(std::slice::from_ref(&order.user)).await?;
            let there = heads.first().is_some_and(|(_, head)| match order.cause {
                Cause::Quotation(_) => head.is_usable(self.now),
                _ => head.is_fresh(self.now),
            });
            if !there {
                return Ok(self.scenario.calculation);
            }
        }
        Ok(Scenario::CALL)
    }

    async fn finish(&mut self, queue: Queue, batch: Vec<Received>) -> Result<(), ReplayError> {
        let done = self.calc.handle(&batch).await;
        if let Some(in_hand) = self.in_hand.get_mut(&queue) {
            *in_hand -= batch.len();
        }
        self.conclude(queue, &batch, done).await
    }

    async fn conclude(
        &mut self,
        queue: Queue,
        batch: &[Received],
        done: Vec<Done>,
    ) -> Result<(), ReplayError> {
        let mut receipts: Vec<Receipt> = vec![];
        for (message, outcome) in batch.iter().zip(done) {
            match outcome {
                Done::Done => receipts.push(message.receipt.clone()),
                Done::Again { after, .. } => {
                    let after = after.unwrap_or(BACKOFF);
                    let receipt = std::slice::from_ref(&message.receipt);
                    let hidden = self.ports.queues.change_visibility(queue, receipt, after);
                    Scope::receiving(queue).of(hidden).await?;
                    self.begin(self.now.plus(after), Work::Look);
                }
            }
        }
        if !receipts.is_empty() {
            let deleted = self.ports.queues.acknowledge(queue, &receipts);
            Scope::receiving(queue).of(deleted).await?;
        }
        Ok(())
    }

    fn end(self, candidate: &Candidate) -> ReplayOutcome {
        let mut ledger = self.witness.ledger();
        ledger.end();
        ReplayOutcome::new(
            candidate,
            &ledger,
            self.witness.meter().usage(),
            self.now.since(self.began),
        )
    }
}

/// Creates the stage, observed by the witness.
fn price_calc(
    ports: &Ports,
    bases: &Arc<BaseMaker>,
    witness: &Arc<BillWitness>,
    policy: Policy,
) -> PriceCalc {
    PriceCalc::new(ports, bases.clone(), policy).observed_by(witness.clone())
}

/// Makes ids from the seed.
struct Seeded(Mutex<Draws>);

impl Randomness for Seeded {
    fn bits(&self) -> [u8; 16] {
        let mut draws = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (high, low) = (draws.next(), draws.next());
        ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
    }
}
