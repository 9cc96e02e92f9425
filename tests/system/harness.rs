//! A running system for one test.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ocache::data::apply;
use ocache::embedded::Embedded;
use ocache::memory::{Memory, MemoryConnections, TokioClock};
use ocache::model::{ConnectionId, ConnectionRef, Dialect, Item, RequestId, Timestamp, UserId};
use ocache::ports::{
    Clock, LoadId, Ports, Queue, Receipt, Received, RowChange, SystemClock, SystemRandomness,
    TableHead, UserDiscounts,
};
use ocache::pricing::{Currency, Discount, Discounts, Money, Product};
use ocache::protocol::{Frame, QuotationFrame, parse_item};
use ocache::runtime::metrics::Metrics;
use ocache::runtime::{LONG_POLL, Role, Shutdown, Slots, Worker};
use ocache::stages::quotation_handler::{Accepted, Ask, QuotationHandler};
use ocache::stages::{Answering, Lookup, Policy};
use ocache::supervisor::Supervisor;
use tokio::task::JoinHandle;

/// The shortest interval of engines that run in this process.
const TICK: Duration = Duration::from_secs(1);

/// An engine under test, and what must live as long as it.
pub struct Engine {
    pub ports: Ports,
    /// Where quotes are answered.
    pub answering: Answering,
    /// The shortest interval of a schedule that the engine can keep on a busy machine.
    pub tick: Duration,
    /// The folder of its file, if it has one.
    pub dir: Option<PathBuf>,
    connections: Arc<MemoryConnections>,
    _keep: Box<dyn std::any::Any + Send>,
}

impl Engine {
    /// Returns the engine with quotes answered in this way.
    pub fn answering(self, answering: Answering) -> Self {
        Self { answering, ..self }
    }
}

/// Returns the reference engine, on the timers of tokio.
pub fn memory() -> Engine {
    let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
    let memory = Memory::new(clock, Arc::new(SystemRandomness));
    let (ports, connections) = (memory.ports(), memory.connections());
    let answering = Answering::default();
    Engine { ports, answering, tick: TICK, dir: None, connections, _keep: Box::new(()) }
}

/// Returns the engine on one file.
pub fn embedded() -> Engine {
    let dir = tempfile::tempdir().unwrap();
    let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
    let store = Embedded::open(dir.path(), clock, randomness, &Supervisor::new()).unwrap();
    let connections = Arc::new(MemoryConnections::default());
    let (ports, path) = (store.ports(connections.clone()), dir.path().to_owned());
    Engine {
        ports,
        answering: Answering::default(),
        tick: TICK,
        dir: Some(path),
        connections,
        _keep: Box::new(dir),
    }
}

/// Returns the engine on a local AWS, with a new stack that ends with the local AWS.
#[cfg(feature = "aws")]
pub async fn aws() -> Engine {
    use ocache::aws::{Aws, AwsSettings};
    use ocache::model::Generation;
    use ocache::ports::Randomness as _;

    const ENDPOINT: &str = "OCACHE_TEST_ENDPOINT_URL";
    let endpoint = std::env::var(ENDPOINT).unwrap();
    let stack = format!("system-{}", Generation::from_random(SystemRandomness.bits()));
    let settings = AwsSettings { endpoint_url: Some(endpoint), ..AwsSettings::new(stack) };
    let aws = Aws::connect(&settings, Arc::new(SystemRandomness)).await.unwrap();
    let plan = aws.plan().await.unwrap();
    aws.apply(&plan, false).await.unwrap();
    let connections = Arc::new(MemoryConnections::default());
    let ports = aws.ports(Arc::new(SystemClock), connections.clone());
    // Each call takes milliseconds, and a refresh takes several calls.
    let tick = TICK * 3;
    let answering = Answering::default();
    let _keep = Box::new(aws);
    Engine { ports, answering, tick, dir: None, connections, _keep }
}

struct WrongClock {
    right: Arc<dyn Clock>,
    off_by_ms: i64,
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.right.now().millis() + self.off_by_ms)
    }
}

/// Returns a message as a consumer passes it to a stage.
pub fn received(message: &impl serde::Serialize, receive_count: u32) -> Received {
    Received {
        id: "message".to_owned(),
        body: serde_json::to_string(message).unwrap(),
        receipt: Receipt("receipt".to_owned()),
        group: None,
        receive_count,
        sent_at: Timestamp::default(),
    }
}

/// A system on an engine, with the workers that a test starts.
pub struct System {
    pub ports: Ports,
    pub policy: Policy,
    pub slots: Slots,
    /// What its workers count.
    pub metrics: Metrics,
    connections: Arc<MemoryConnections>,
    shutdown: Shutdown,
    workers: Vec<JoinHandle<()>>,
    _keep: Box<dyn std::any::Any + Send>,
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub fn items(text: &str) -> Vec<Item> {
    text.split_whitespace().map(|item| parse_item(item).unwrap()).collect()
}

impl System {
    /// Returns a system with default times, in which nothing is loaded and nothing runs.
    pub fn new(engine: Engine) -> Self {
        let Engine { ports, answering, connections, _keep, .. } = engine;
        Self {
            ports,
            // Fresh for two intervals, so that tests need not wait for ten minutes.
            policy: Policy { answering, fresh_for: Duration::ZERO, ..Policy::default() },
            slots: Slots::default(),
            metrics: Metrics::new(),
            connections,
            shutdown: Shutdown::new(),
            workers: vec![],
            _keep,
        }
    }

    /// Returns a system with the fixtures loaded.
    pub async fn with_fixtures(engine: Engine) -> Self {
        let system = Self::new(engine);
        let products =
            [("P1", 50_000), ("P2", 57_800), ("P3", 102_900), ("P4", 14_500), ("P5", 1_084_300)];
        system.load(products.map(|(id, price)| (id.to_owned(), price))).await;
        let discounts = [("P1", "10"), ("P2", "15"), ("P3", "12")];
        let discounts = discounts.map(|(product, percentage)| Discount {
            product_id: product.parse().unwrap(),
            percentage: percentage.parse().unwrap(),
        });
        let list = UserDiscounts::new(user("AAA"), Discounts::new(discounts.into()).unwrap());
        system.change(vec![list.into()]).await;
        system
    }

    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Inserts or replaces products, as a loader does.
    pub async fn load(&self, products: impl IntoIterator<Item = (String, i64)>) -> u64 {
        let products = products.into_iter().map(|(id, minor)| {
            Product::new(id.parse().unwrap(), format!("name of {id}"), Money::from_minor(minor))
        });
        self.change(products.map(RowChange::from).collect()).await
    }

    /// Brings changes into force and folds them. Returns the version.
    pub async fn change(&self, changes: Vec<RowChange>) -> u64 {
        apply(&self.ports, changes, Currency::USD).await.unwrap()
    }

    /// Begins a load that dies before it is committed.
    pub async fn begin_load_and_die(&self, id: &str, changes: &[RowChange]) {
        let load = LoadId(id.to_owned());
        self.ports.store.begin_load(&load, self.now()).await.unwrap();
        assert!(self.ports.store.write_journal(&load, changes).await.unwrap());
    }

    /// Returns the ports of the same system for a process whose clock is off by this many seconds.
    pub fn ports_off_by(&self, secs: i64) -> Ports {
        let clock =
            Arc::new(WrongClock { right: self.ports.clock.clone(), off_by_ms: secs * 1000 });
        Ports { clock, ..self.ports.clone() }
    }

    /// Starts workers.
    pub fn run(&mut self, roles: &'static [Role]) {
        self.run_off_by(0, roles);
    }

    /// Starts workers whose clock is off by this many seconds.
    pub fn run_off_by(&mut self, secs: i64, roles: &'static [Role]) {
        let ports = self.ports_off_by(secs);
        let worker = Worker {
            lookup: Lookup::new(&ports),
            ports,
            policy: self.policy.clone().into(),
            slots: self.slots,
            poll_wait: LONG_POLL,
            metrics: self.metrics.clone(),
            supervisor: Supervisor::new(),
        };
        let shutdown = self.shutdown.clone();
        self.workers.push(tokio::spawn(async move { worker.run(roles, &shutdown).await }));
    }

    /// Drains the workers.
    pub async fn stop(&mut self) {
        self.shutdown.begin();
        for worker in self.workers.drain(..) {
            worker.await.unwrap();
        }
        self.shutdown = Shutdown::new();
    }

    pub fn connection(&self, id: &str) -> ConnectionRef {
        ConnectionRef {
            endpoint: "http://127.0.0.1:1".to_owned(),
            id: ConnectionId::new(id).unwrap(),
        }
    }

    /// Returns the handler of a process that has just been started.
    pub fn handler(&self) -> QuotationHandler {
        let lookup = Lookup::new(&self.ports);
        let handler = QuotationHandler::new(&self.ports, lookup, self.policy.clone());
        handler.observed_by(Arc::new(self.metrics.clone()))
    }

    /// Asks for a quote on a connection. Returns when it is accepted.
    pub async fn ask(&self, who: &str, what: &str, connection: &str, id: Option<&str>) -> Accepted {
        self.ask_of(&self.handler(), who, what, connection, id).await
    }

    /// Asks through a handler that is used several times.
    pub async fn ask_of(
        &self,
        handler: &QuotationHandler,
        who: &str,
        what: &str,
        connection: &str,
        id: Option<&str>,
    ) -> Accepted {
        handler.quote(self.quoted(who, what, connection, id)).await.unwrap()
    }

    /// Returns the request of a client on a connection.
    pub fn quoted(&self, who: &str, what: &str, connection: &str, id: Option<&str>) -> Ask {
        Ask {
            user: user(who),
            items: items(what),
            request_id: id.map(|id| RequestId::new(id).unwrap()),
            dialect: Dialect::Current,
            connection: Some(self.connection(connection)),
        }
    }

    /// Waits for the next quotation pushed to a connection.
    pub async fn pushed(&self, connection: &str) -> QuotationFrame {
        let frame = self.connections.next_frame(&self.connection(connection)).await;
        match serde_json::from_slice(&frame).unwrap() {
            Frame::Quotation(quotation) => quotation,
            other => panic!("{other:?}"),
        }
    }

    /// Whether a pushed frame waits at a connection. Takes that frame.
    pub fn has_unread(&self, connection: &str) -> bool {
        self.connections.try_next_frame(&self.connection(connection)).is_some()
    }

    pub fn close(&self, connection: &str) {
        self.connections.close(&self.connection(connection));
    }

    /// Asks for a quote and waits for its answer.
    pub async fn quote(&self, who: &str, what: &str) -> QuotationFrame {
        self.ask(who, what, who, None).await;
        self.pushed(who).await
    }

    pub async fn subscribe(&self, who: &str) {
        let (store, queues) = (&*self.ports.store, &*self.ports.queues);
        ocache::stages::subscribe::subscribe(
            store,
            queues,
            &user(who),
            self.policy.ttl,
            self.now(),
        )
        .await
        .unwrap();
    }

    pub async fn head(&self, who: &str) -> Option<TableHead> {
        let heads = self.ports.store.table_heads(&[user(who)]).await.unwrap();
        heads.into_iter().next().map(|(_, head)| head)
    }

    /// Waits until a user's head is as wanted.
    pub async fn head_when(&self, who: &str, wanted: impl Fn(&TableHead) -> bool) -> TableHead {
        loop {
            if let Some(head) = self.head(who).await.filter(|head| wanted(head)) {
                return head;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until this many messages wait in a queue.
    pub async fn waiting_when(&self, queue: Queue, wanted: u64) {
        while self.ports.queues.depth(queue).await.unwrap().waiting != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether a user is active.
    pub async fn is_active(&self, who: &str) -> bool {
        let active = self.ports.store.active_user(&user(who)).await.unwrap();
        active.is_some_and(|active| active.is_active(self.now()))
    }
}
