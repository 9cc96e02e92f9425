//! A system whose way to AWS leads through the proxy, and the same stack seen past it.

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

/// Between two looks at something that takes as long as it takes.
pub const LOOK: Duration = Duration::from_millis(100);

/// A user of the fixtures whose table is kept warm all the time.
pub const WARM: &str = "AAA";

/// The endpoint of the local AWS that the tests share.
pub fn shared_endpoint() -> String {
    std::env::var("OCACHE_TEST_ENDPOINT_URL").unwrap()
}

/// A stack with the fixtures in it, and workers that reach it through a proxy.
pub struct System {
    pub proxy: Proxy,
    /// What workers see.
    pub ports: Ports,
    /// The same stack, past the proxy.
    pub direct: Ports,
    past: Aws,
    policy: Policy,
    shutdown: Shutdown,
    workers: Vec<JoinHandle<()>>,
}

impl System {
    /// A new stack; `adjust` changes how patient the clients behind the proxy are.
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
        // Active for as long as a test may take; others come once and expire.
        let (user, hour) = (UserId::new(WARM).unwrap(), Duration::from_secs(3600));
        subscribe(store, &*direct.queues, &user, hour, clock.now()).await.unwrap();
        let policy = Policy {
            ttl: Duration::from_secs(60),
            refresh_every: Duration::from_secs(10),
            // Two intervals, so that a refresh writes down what it has found right.
            fresh_for: Duration::ZERO,
            quote_within: Duration::from_secs(20),
            // So that every quotation goes the whole way.
            answering: Answering::Topic,
            ..Policy::default()
        };
        Self { proxy, ports, direct, past, policy, shutdown: Shutdown::new(), workers: vec![] }
    }

    /// Starts all workers, behind the proxy.
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

    /// Asks for the fixtures' quote, through the proxy or past it; returns where it is stored once
    /// it is accepted.
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

    /// Waits for the end of a quotation, as any reader sees it.
    pub async fn end(&self, key: &QuotationKey) -> QuotationStatus {
        loop {
            let quotation = self.direct.store.quotation(key).await.unwrap().unwrap();
            match quotation.status_at(self.direct.clock.now()) {
                QuotationStatus::Pending => sleep(LOOK).await,
                ended => return ended,
            }
        }
    }

    /// Asks again and again, each time as somebody new, until there is an answer.
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

    /// Waits until the schedule and a worker have seen to the warm user after this time.
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

    /// Waits until nothing is left of anything urgent; returns how many messages were given up.
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
