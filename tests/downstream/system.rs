//! A system that reaches AWS through the proxy, and the same stack without the proxy.

use std::sync::Arc;
use std::time::Duration;

use ocache::aws::{Aws, AwsSettings};
use ocache::data::{LoadOptions, fixtures, load};
use ocache::memory::MemoryConnections;
use ocache::model::{
    ConnectionId, ConnectionRef, Dialect, Generation, QuotationKey, Timestamp, UserId,
};
use ocache::ports::{
    Depth, Ports, Queue, QuotationStatus, Randomness as _, SystemClock, SystemRandomness,
};
use ocache::pricing::Answer;
use ocache::protocol::parse_item;
use ocache::runtime::metrics::Metrics;
use ocache::runtime::{Role, SHORT_POLL, Shutdown, Slots, Worker};
use ocache::stages::quotation_handler::{Ask, QuotationHandler};
use ocache::stages::subscribe::subscribe;
use ocache::stages::{Answering, Lookup, Policy, StageError};
use ocache::supervisor::Supervisor;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::proxy::Proxy;

/// The pause between two looks at something that takes its time.
pub const LOOK: Duration = Duration::from_millis(100);

/// A user of the fixtures whose table is kept warm all the time.
pub const WARM: &str = "AAA";

/// Returns the endpoint of the local AWS that the tests share.
pub fn shared_endpoint() -> String {
    std::env::var("OCACHE_TEST_ENDPOINT_URL").unwrap()
}

/// A stack with the fixtures, and workers that reach it through a proxy.
pub struct System {
    pub proxy: Proxy,
    /// The ports of the workers, through the proxy.
    pub ports: Ports,
    /// The same stack without the proxy.
    pub direct: Ports,
    past: Aws,
    policy: Policy,
    shutdown: Shutdown,
    workers: Vec<JoinHandle<()>>,
}

impl System {
    /// Makes a new stack. `adjust` changes the timeouts of the clients behind the proxy.
    pub async fn new(upstream: &str, adjust: impl FnOnce(&mut AwsSettings)) -> Self {
        let stack = format!("down-{}", Generation::from_random(SystemRandomness.bits()));
        let proxy = Proxy::start(upstream).await;
        let settings =
            |url: String| AwsSettings { endpoint_url: Some(url), ..AwsSettings::new(&*stack) };
        let mut behind = settings(proxy.url());
        adjust(&mut behind);
        let behind = Aws::connect(&behind, Arc::new(SystemRandomness)).await.unwrap();
        let past = settings(upstream.to_owned());
        let past = Aws::connect(&past, Arc::new(SystemRandomness)).await.unwrap();
        let plan = past.plan().await.unwrap();
        past.apply(&plan, false).await.unwrap();
        let connections = Arc::new(MemoryConnections::default());
        let ports = behind.ports(Arc::new(SystemClock), connections.clone());
        let direct = past.ports(Arc::new(SystemClock), connections);
        let (store, clock, randomness) = (&*direct.store, &*direct.clock, &*direct.randomness);
        let options = LoadOptions { currency: fixtures::CURRENCY, prune: false, merge: false };
        let data = fixtures::dataset().unwrap();
        load(store, clock, randomness, &data, options, &|_| {}).await.unwrap();
        // This user is active for as long as a test may take. Others come once and expire.
        let (user, hour) = (UserId::new(WARM).unwrap(), Duration::from_secs(3600));
        subscribe(store, &*direct.queues, &user, hour, clock.now()).await.unwrap();
        let policy = Policy {
            ttl: Duration::from_secs(60),
            refresh_every: Duration::from_secs(10),
            // Two intervals, so that a refresh writes that the table is right.
            fresh_for: Duration::ZERO,
            quote_within: Duration::from_secs(20),
            // From the topic, so that every quotation goes the whole way.
            answering: Answering::Topic,
            ..Policy::default()
        };
        Self { proxy, ports, direct, past, policy, shutdown: Shutdown::new(), workers: vec![] }
    }

    /// Starts all workers behind the proxy.
    pub fn run(&mut self) {
        let worker = Worker {
            ports: self.ports.clone(),
            lookup: Lookup::new(&self.ports),
            policy: self.policy.clone().into(),
            slots: Slots::default(),
            poll_wait: SHORT_POLL,
            metrics: Metrics::new(),
            supervisor: Supervisor::new(),
        };
        let shutdown = self.shutdown.clone();
        self.workers.push(tokio::spawn(async move { worker.run(&Role::ALL, &shutdown).await }));
    }

    /// Drains the workers and deletes the stack.
    pub async fn close(self) {
        self.shutdown.begin();
        for worker in self.workers {
            worker.await.unwrap();
        }
        self.past.destroy(|_| {}).await.unwrap();
    }

    /// Asks for a quote of the fixtures, through the proxy or not. Returns the key of the quotation once it
    /// is accepted.
    pub async fn ask(&self, ports: &Ports, who: &str) -> Result<QuotationKey, StageError> {
        let handler = QuotationHandler::new(ports, Lookup::new(ports), self.policy.clone());
        let user = UserId::new(who).unwrap();
        let ask = Ask {
            user: user.clone(),
            items: ["P1:2", "P3:1"].map(|item| parse_item(item).unwrap()).into(),
            request_id: None,
            dialect: Dialect::Current,
            connection: Some(ConnectionRef {
                endpoint: "http://127.0.0.1:1".to_owned(),
                id: ConnectionId::new("client").unwrap(),
            }),
        };
        let accepted = handler.quote(ask).await?;
        Ok(QuotationKey::of_made(&accepted.request_id).unwrap())
    }

    /// Waits until a quotation is settled, as any reader sees it.
    pub async fn end(&self, key: &QuotationKey) -> QuotationStatus {
        loop {
            let quotation = self.direct.store.quotation(key).await.unwrap().unwrap();
            match quotation.status_at(self.direct.clock.now()) {
                QuotationStatus::Pending => sleep(LOOK).await,
                ended => return ended,
            }
        }
    }

    /// Asks again and again, each time as a new user, until there is an answer.
    pub async fn answer(&self, ports: &Ports) -> Box<Answer> {
        loop {
            let who = format!("new-{}", Generation::from_random(SystemRandomness.bits()));
            if let Ok(key) = self.ask(ports, &who).await
                && let QuotationStatus::Answered(answer) = self.end(&key).await
            {
                return answer;
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until the schedule and a worker have refreshed the warm user's table after this time.
    pub async fn refreshed_after(&self, time: Timestamp) {
        let user = UserId::new(WARM).unwrap();
        loop {
            let heads = self.direct.store.table_heads(std::slice::from_ref(&user)).await.unwrap();
            if heads.iter().any(|(_, head)| head.validated_at > time) {
                return;
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until no urgent message is left. Returns how many became dead letters.
    pub async fn given_up(&self) -> u64 {
        let mut dead = 0;
        for queue in [Queue::Quotation, Queue::Provider] {
            loop {
                let depth = self.direct.queues.depth(queue).await.unwrap();
                if (Depth { dead: 0, ..depth }) == Depth::default() {
                    dead += depth.dead;
                    break;
                }
                sleep(LOOK).await;
            }
        }
        dead + self.direct.queues.depth(Queue::Refresh).await.unwrap().dead
    }
}
