//! Counts the calls and the units that a refreshed table and a batch of quotes cost. One worker serves a
//! hundred users, each with ten thousand products and a hundred discounts. The tests measure counts, never
//! times.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ocache::data::apply;
use ocache::embedded::Embedded;
use ocache::memory::{ManualClock, Memory, MemoryConnections, TokioClock};
use ocache::meter::{
    Action, Meter, Operation, Reason, Resource, Scope, Stage, Usage, UsageLine, metered,
    metered_and_watched,
};
use ocache::model::{
    ConnectionId, ConnectionRef, Dialect, Item, ProductId, QuotationKey, Timestamp, UserId,
};
use ocache::ports::{
    Clock as _, FailureReason, Outgoing, Ports, Posting, Queue, Received, RowChange, SystemClock,
    SystemRandomness, UserDiscounts, Verdict,
};
use ocache::pricing::{Currency, Discount, Discounts, Money, Product};
use ocache::runtime::metrics::Metrics;
use ocache::runtime::{Consumer, Handler, LONG_POLL, Shutdown, Slots, UrgentGate};
use ocache::stages::price_calc::PriceCalc;
use ocache::stages::quotation_handler::{Ask, QuotationHandler};
use ocache::stages::quotation_provider::QuotationProvider;
use ocache::stages::refresh::{Tick, refresh};
use ocache::stages::{Answering, BaseMaker, Lookup, Outcome, Policy, StageError};
use ocache::supervisor::Supervisor;

// The opponent and its inputs are those of the benchmarks.
#[path = "../benches/inputs/mod.rs"]
#[allow(dead_code, reason = "the benchmarks use more of it")]
mod inputs;
#[path = "../benches/opponent/mod.rs"]
#[allow(dead_code, reason = "the benchmarks use more of it")]
mod opponent;

const USERS: usize = 100;
const PRODUCTS: usize = 10_000;
const DISCOUNTS: usize = 100;
const UNIT: u64 = 1000;

fn users() -> Vec<UserId> {
    (0..USERS).map(|number| UserId::new(format!("customer-{number:04}")).unwrap()).collect()
}

fn product(number: usize) -> ProductId {
    ProductId::new(format!("SKU-{number:06}")).unwrap()
}

/// A system with one worker.
struct System<'a> {
    /// Ports whose calls are not counted.
    unseen: Ports,
    ports: Ports,
    meter: &'a Meter,
    bases: Arc<BaseMaker>,
    policy: Policy,
    clock: Arc<ManualClock>,
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(SystemClock.now()))
}

impl<'a> System<'a> {
    fn new(unseen: Ports, ports: Ports, meter: &'a Meter, clock: Arc<ManualClock>) -> Self {
        let bases = Arc::new(BaseMaker::new(&ports, Lookup::new(&ports).bases().clone()));
        Self { unseen, ports, meter, bases, policy: Policy::default(), clock }
    }

    async fn load(&self) {
        let (store, now) = (&self.unseen.store, self.unseen.clock.now());
        let price = |number: usize| Money::from_minor(1000 + (number * 7919 % 100_000) as i64);
        let products = (0..PRODUCTS).map(|number| {
            Product::new(product(number), format!("Product {number}"), price(number))
        });
        let changes = products.map(RowChange::from).collect();
        apply(&self.unseen, changes, Currency::USD).await.unwrap();
        for user in users() {
            store.record_visit(&user, now, now.plus(self.policy.ttl)).await.unwrap();
        }
    }

    /// Gives every user other discounts than before.
    async fn change_discounts(&self, percent: usize) {
        let percentage = format!("{percent}.5").parse().unwrap();
        let of = |(index, user): (usize, UserId)| {
            let discount = |number| Discount {
                product_id: product((index + number * 97) % PRODUCTS),
                percentage,
            };
            let discounts = Discounts::new((0..DISCOUNTS).map(discount).collect()).unwrap();
            UserDiscounts::new(user, discounts)
        };
        let lists = users().into_iter().enumerate().map(of);
        let changes = lists.map(RowChange::from).collect();
        apply(&self.unseen, changes, Currency::USD).await.unwrap();
    }

    /// Orders a calculation for every user.
    async fn order(&self, number: u64) {
        let now = self.unseen.clock.now();
        let tick = Tick { number, due: now, interval: self.policy.refresh_every };
        let (store, queues) = (&*self.ports.store, &*self.ports.queues);
        let done = refresh(store, queues, tick, 2, now).await.unwrap();
        assert_eq!((done.ordered, done.failed), (USERS, 0));
    }

    /// Calculates every user's table with the opponent.
    async fn refresh_straightforwardly(&self, number: u64) -> Usage {
        let before = self.meter.usage();
        self.order(number).await;
        let all = async { while opponent::work_once(&self.ports).await {} };
        Scope::new(Stage::PriceCalc, Reason::Scheduled).of(all).await;
        self.meter.usage().since(&before)
    }

    /// Orders a calculation for every user, and lets the worker do them.
    async fn refresh(&self, number: u64) -> Usage {
        // Where a read of the catalogue's head is billed, a process keeps the head for a second.
        self.clock.advance(Duration::from_secs(1));
        let before = self.meter.usage();
        self.order(number).await;
        let stage = PriceCalc::new(&self.ports, self.bases.clone(), self.policy.clone());
        let consumer = Consumer {
            queue: Queue::Refresh,
            queues: self.ports.queues.clone(),
            handler: Arc::new(stage),
            slots: Slots::default().refresh,
            poll_wait: LONG_POLL,
            gate: UrgentGate::default(),
            randomness: self.ports.randomness.clone(),
            metrics: Metrics::new(),
            supervisor: Supervisor::new(),
        };
        let shutdown = Shutdown::new();
        let worker = tokio::spawn(consumer.run(shutdown.clone()));
        let done = Operation::queue(Queue::Refresh, Action::Delete);
        let used = loop {
            let used = self.meter.usage().since(&before);
            if of(&used, done).items >= USERS as u64 {
                break used;
            }
            tokio::task::yield_now().await;
        };
        shutdown.begin();
        worker.await.unwrap();
        used
    }

    /// Quotes for ten users in one batch. Returns what the provider used.
    async fn quote_ten(&self, provider: &QuotationProvider) -> Usage {
        let policy = Policy { answering: Answering::Topic, ..self.policy.clone() };
        let handler = QuotationHandler::new(&self.unseen, Lookup::new(&self.unseen), policy);
        let quantity = "2".parse().unwrap();
        for (number, user) in users().into_iter().take(10).enumerate() {
            let items = [number, number + 5000].map(|n| Item { product: product(n), quantity });
            let connection = ConnectionRef {
                endpoint: "http://127.0.0.1:1".to_owned(),
                id: ConnectionId::from_random([number as u8; 16]),
            };
            let (items, dialect) = (items.to_vec(), Dialect::Current);
            handler
                .quote(Ask { user, items, request_id: None, dialect, connection: Some(connection) })
                .await
                .unwrap();
        }
        let (queues, mut batch) = (&self.unseen.queues, vec![]);
        while batch.len() < 10 {
            let minute = Duration::from_secs(60);
            batch.extend(queues.receive(Queue::Provider, 10, LONG_POLL, minute).await.unwrap());
        }
        let before = self.meter.usage();
        let outcomes = provider.handle(&batch).await;
        assert!(outcomes.iter().all(Outcome::is_done), "{outcomes:?}");
        self.meter.usage().since(&before)
    }

    /// Quotes three lines, answered at once. Returns what the second quote uses; the visit of its user is
    /// known by then.
    async fn quote_direct(&self) -> Usage {
        let handler =
            QuotationHandler::new(&self.ports, Lookup::new(&self.ports), self.policy.clone());
        let mut used = Usage::default();
        for _ in 0..2 {
            let quantity = "2".parse().unwrap();
            let items = [1, 2, 3].map(|n| Item { product: product(n), quantity });
            let connection = ConnectionRef {
                endpoint: "http://127.0.0.1:1".to_owned(),
                id: ConnectionId::from_random([1; 16]),
            };
            let (user, dialect) = (users().remove(0), Dialect::Current);
            let items = items.to_vec();
            let before = self.meter.usage();
            let ask = Ask { user, items, request_id: None, dialect, connection: Some(connection) };
            handler.quote(ask).await.unwrap();
            used = self.meter.usage().since(&before);
        }
        used
    }
}

fn is_workers(line: &UsageLine) -> bool {
    line.stage == Stage::PriceCalc && line.reason == Reason::Scheduled
}

fn of(usage: &Usage, operation: Operation) -> ocache::meter::Used {
    usage.total(|line| {
        is_workers(line)
            && (line.resource, line.action) == (operation.resource(), operation.action())
    })
}

fn print(engine: &str, what: &str, usage: &Usage) {
    let users = USERS as f64;
    let all = usage.total(is_workers);
    let written = of(usage, Operation::write(Resource::PricesByUser)).milliunits() / UNIT;
    let (calls, written) = (all.calls as f64 / users, written as f64 / users);
    println!("{engine}, {what}: {calls} calls and {written} write units a table");
    for line in usage.lines().filter(is_workers) {
        println!(
            "  {:?} {:?}: {} calls, {} items, {} units measured, {} derived",
            line.resource,
            line.action,
            line.used.calls,
            line.used.items,
            line.used.measured_milliunits as f64 / UNIT as f64,
            line.used.derived_milliunits as f64 / UNIT as f64,
        );
    }
}

/// Tests the same work with the opponent. Its tables are larger than an item of DynamoDB may be, so it runs
/// only on the embedded engine.
async fn the_straightforward_way(system: System<'_>) {
    system.load().await;
    system.change_discounts(10).await;
    let used = system.refresh_straightforwardly(1).await;
    print("embedded", "the straightforward way", &used);
    let used = used.total(is_workers);
    assert!(used.calls >= 7 * USERS as u64, "{}", used.calls);
}

async fn the_fewest_calls(engine: &str, system: System<'_>) {
    system.load().await;
    system.change_discounts(10).await;
    let first = system.refresh(1).await;
    print(engine, "first", &first);

    system.change_discounts(20).await;
    let changed = system.refresh(2).await;
    print(engine, "changed", &changed);
    let unchanged = system.refresh(3).await;
    print(engine, "unchanged", &unchanged);

    let (users, heads) = (USERS as u64, Operation::write(Resource::PricesByUser));
    // A table that was found right recently is not written.
    assert_eq!(of(&unchanged, heads).calls, 0);
    assert!(unchanged.total(is_workers).calls * 2 <= users, "half a call a table");
    assert!(changed.total(is_workers).calls * 10 <= users * 16, "1.6 calls a table");
    assert_eq!(of(&changed, heads).milliunits(), users * UNIT, "a small head each");
    // A call has ten messages, and one read has all users of a batch.
    let batches = users / 10;
    for (operation, calls) in [
        (Operation::read(Resource::Discounts), 0),
        (Operation::read(Resource::PricesByUser), batches),
        (Operation::scan(Resource::Products), 0),
        (Operation::queue(Queue::Refresh, Action::Receive), batches),
        (Operation::queue(Queue::Refresh, Action::Delete), batches),
    ] {
        assert_eq!(of(&unchanged, operation).calls, calls, "{operation:?}");
    }
    // Each batch checks the catalogue once. Where that is billed, batches at the same time share one check.
    let checks = of(&unchanged, Operation::read(Resource::Products)).calls;
    match engine {
        "aws" => assert!((1..batches).contains(&checks), "{checks}"),
        _ => assert_eq!(checks, batches),
    }
    // The reads are the heads of all tables and the catalogue's head. A provider reads the index and the
    // parts of a base once.
    let provider = QuotationProvider::new(&system.ports, Lookup::new(&system.ports));
    for (of_prices, batch) in [(3, "the first batch"), (1, "the second batch")] {
        let quoted = system.quote_ten(&provider).await;
        let reads = |resource| {
            quoted.total(|line| (line.resource, line.action) == (resource, Action::Read)).calls
        };
        assert_eq!(reads(Resource::PricesByUser), of_prices, "{batch}");
        // Where a process keeps the head for a moment, the second batch may find it there.
        let looks = reads(Resource::Products);
        match system.ports.store.head_kept_for().is_zero() {
            true => assert_eq!(looks, 1, "{batch}"),
            false => assert!(looks <= 1, "{batch}: {looks}"),
        }
    }
    let direct = system.quote_direct().await;
    let written =
        direct.total(|line| (line.resource, line.action) == (Resource::Quotations, Action::Write));
    let tables = |line: &UsageLine| {
        let resource = line.resource;
        matches!(line.action, Action::Read | Action::Write) && resource != Resource::Meter
    };
    println!(
        "{engine}: a direct quote: {} calls, {} write units",
        direct.total(tables).calls,
        written.milliunits() / UNIT
    );
    assert!(direct.total(tables).calls <= 4, "{direct:?}");
    assert_eq!((written.calls, written.items), (1, 1));
    let is_sent = |line: &UsageLine| matches!(line.action, Action::Send | Action::Publish);
    assert!(direct.total(is_sent).is_nothing(), "{direct:?}");
    let unknown = changed.total(|line| line.stage == Stage::Unknown);
    assert!(unknown.is_nothing(), "{unknown:?}");
}

/// A stage that cannot do anything.
struct Failing;

#[async_trait]
impl Handler for Failing {
    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        batch.iter().map(|_| StageError::Behind.into()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn ten_that_fail_are_postponed_with_one_call() {
    let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
    let meter = Arc::new(Meter::new());
    let ports = metered(Memory::new(clock, Arc::new(SystemRandomness)).ports(), &meter);
    let message = |number: usize| Outgoing {
        body: number.to_string(),
        posting: Posting::Standard { delay: Duration::ZERO },
    };
    let messages: Vec<Outgoing> = (0..10).map(message).collect();
    ports.queues.send(Queue::Provider, &messages).await.unwrap();
    let consumer = Consumer {
        queue: Queue::Provider,
        queues: ports.queues.clone(),
        handler: Arc::new(Failing),
        slots: Slots::default().provider,
        poll_wait: LONG_POLL,
        gate: UrgentGate::default(),
        randomness: ports.randomness.clone(),
        metrics: Metrics::new(),
        supervisor: Supervisor::new(),
    };
    let shutdown = Shutdown::new();
    let worker = tokio::spawn(consumer.run(shutdown.clone()));
    let hidden = |line: &UsageLine| line.action == Action::Hide;
    while meter.usage().total(hidden).items < 10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(meter.usage().total(hidden).calls, 1);
    shutdown.begin();
    worker.await.unwrap();
}

/// Returns what one quotation uses of the queue for its deadline, and what watching it costs. It is settled
/// in time, by a process that is not counted.
async fn a_deadline(watched: bool) -> Vec<(u64, u64, u64)> {
    let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
    let (unseen, meter) =
        (Memory::new(clock, Arc::new(SystemRandomness)).ports(), Arc::new(Meter::new()));
    let layer = if watched { metered_and_watched } else { metered };
    let (ports, policy) = (layer(unseen.clone(), &meter), Policy::default());
    let handler = QuotationHandler::new(&ports, Lookup::new(&ports), policy.clone());
    let handler = if watched { handler.watched() } else { handler };
    let items = vec![Item { product: product(1), quantity: "2".parse().unwrap() }];
    let id = ConnectionId::from_random([1; 16]);
    let connection = ConnectionRef { endpoint: "http://127.0.0.1:1".to_owned(), id };
    let (user, dialect) = (users().remove(0), Dialect::Current);
    let ask = Ask { user, items, request_id: None, dialect, connection: Some(connection) };
    let accepted = handler.quote(ask).await.unwrap();

    let minute = Duration::from_secs(60);
    let asked = unseen.queues.receive(Queue::Provider, 1, LONG_POLL, minute).await.unwrap();
    unseen.queues.acknowledge(Queue::Provider, &[asked[0].receipt.clone()]).await.unwrap();
    let key = QuotationKey::of_made(&accepted.request_id).unwrap();
    let failed = Verdict::Failure(FailureReason::NoTable);
    unseen.store.settle_quotation(&key, &failed, unseen.clock.now()).await.unwrap();

    let comes = Scope::receiving(Queue::Provider);
    let wait = policy.quote_within * 2;
    let batch = unseen.queues.receive(Queue::Provider, 10, wait, Duration::ZERO).await.unwrap();
    assert_eq!(batch.is_empty(), watched, "{batch:?}");
    if !watched {
        let received = ports.queues.receive(Queue::Provider, 10, LONG_POLL, minute);
        let batch = comes.of(received).await.unwrap();
        let outcomes = QuotationProvider::new(&ports, Lookup::new(&ports)).handle(&batch).await;
        assert!(outcomes.iter().all(Outcome::is_done), "{outcomes:?}");
        let receipts = [batch[0].receipt.clone()];
        comes.of(ports.queues.acknowledge(Queue::Provider, &receipts)).await.unwrap();
    }
    let provider = Resource::ProviderQueue;
    let parts = [
        (Stage::QuotationHandler, provider, Action::Send),
        (Stage::QuotationProvider, provider, Action::Receive),
        (Stage::QuotationProvider, Resource::Quotations, Action::Read),
        (Stage::QuotationProvider, provider, Action::Delete),
    ];
    let usage = meter.usage();
    let used = parts.map(|part| {
        let used = usage.total(|line| (line.stage, line.resource, line.action) == part);
        (used.calls, used.items, used.milliunits())
    });
    used.into()
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_a_gateway_watches_sends_nothing_and_is_billed_as_on_aws() {
    let by_message = a_deadline(false).await;
    assert_eq!(by_message, [(1, 1, UNIT); 4]);
    assert_eq!(a_deadline(true).await, by_message);
}

/// Runs a test with a new system on the embedded engine.
async fn on_the_embedded_engine(test: impl AsyncFnOnce(System<'_>)) {
    let dir = tempfile::tempdir().unwrap();
    let (clock, randomness) = (clock(), Arc::new(SystemRandomness));
    let engine = Embedded::open(dir.path(), clock.clone(), randomness, &Supervisor::new()).unwrap();
    let unseen = engine.ports(Arc::new(MemoryConnections::default()));
    let meter = Arc::new(Meter::new());
    let ports = metered(unseen.clone(), &meter);
    test(System::new(unseen, ports, &meter, clock)).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded() {
    on_the_embedded_engine(async |system| the_fewest_calls("embedded", system).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_opponent() {
    on_the_embedded_engine(the_straightforward_way).await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn aws() {
    use ocache::aws::{Aws, AwsSettings};
    use ocache::ports::Randomness as _;

    let endpoint = std::env::var("OCACHE_TEST_ENDPOINT_URL").unwrap();
    let stack = format!("calls-{:032x}", u128::from_be_bytes(SystemRandomness.bits()));
    let settings = AwsSettings { endpoint_url: Some(endpoint), ..AwsSettings::new(stack) };
    let connect = async || Aws::connect(&settings, Arc::new(SystemRandomness)).await.unwrap();
    let (aws, other) = (connect().await, connect().await);
    aws.apply(&aws.plan().await.unwrap(), false).await.unwrap();
    let connections = Arc::new(MemoryConnections::default());
    let clock = clock();
    let ports = |aws: &Aws| aws.ports(clock.clone(), connections.clone());
    let meter = Arc::clone(aws.meter());
    let (unseen, ports) = (ports(&other), ports(&aws));
    // In a task, so that a panic does not leave the stack behind.
    let done = tokio::spawn(async move {
        the_fewest_calls("aws", System::new(unseen, ports, &meter, clock)).await;
    })
    .await;
    aws.close().await;
    other.destroy(|_| {}).await.unwrap();
    done.unwrap();
}
