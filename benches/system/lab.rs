//! A store for measurements inside this process, and figures of a process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ocache::data::{self, Dataset, LoadOptions};
use ocache::embedded::Embedded;
use ocache::memory::MemoryConnections;
use ocache::model::UserId;
use ocache::ports::{ActiveUser, Ports, Queue, SystemClock, SystemRandomness};
use ocache::pricing::{Currency, Money};
use ocache::runtime::metrics::Metrics;
use ocache::runtime::{Role, SHORT_POLL, Shutdown, Slots, Worker};
use ocache::stages::change::LoadChange;
use ocache::stages::refresh::{Tick, order};
use ocache::stages::{Lookup, Policy, Setting, set};
use ocache::supervisor::Supervisor;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::server::cpu_time_of;

/// The share of a row's full size that is measured.
#[derive(Clone, Copy)]
pub struct Scale(pub f64);

impl Scale {
    /// Returns the scaled size, but at least 1.
    pub fn of(self, full: u32) -> u32 {
        ((f64::from(full) * self.0) as u32).max(1)
    }
}

/// A new store on a disk, with products and discounts.
pub struct Lab {
    pub ports: Ports,
    pub dataset: Dataset,
    store: Embedded,
    dir: TempDir,
    ticks: u64,
}

/// Workers that can be stopped.
pub struct Workers {
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

impl Workers {
    pub async fn stop(self) {
        self.shutdown.begin();
        self.task.await.expect("workers end well");
    }
}

impl Lab {
    pub async fn new(dataset: Dataset) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the store");
        let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
        let store = Embedded::open(dir.path(), clock, randomness, &Supervisor::new())
            .expect("a store can be made");
        let ports = store.ports(Arc::new(MemoryConnections::default()));
        let lab = Self { ports, dataset, store, dir, ticks: 0 };
        lab.load(&lab.dataset).await;
        // A build that is started beside this process follows the stored settings. One from before they
        // existed follows its flags.
        let settings = [(Setting::Ttl, "1h".to_owned()), (Setting::RefreshEvery, "10m".to_owned())];
        set(&*lab.ports.store, &settings).await.expect("the settings of the stack can be set");
        lab
    }

    pub async fn load(&self, dataset: &Dataset) -> LoadChange {
        let options = LoadOptions { currency: Currency::USD, prune: false, merge: false };
        let Ports { store, clock, randomness, .. } = &self.ports;
        let loaded = data::load(&**store, &**clock, &**randomness, dataset, options, &|_| {}).await;
        loaded.expect("generated data can be loaded").change
    }

    /// Changes a price, so that every table must be calculated again.
    pub async fn change_the_catalogue(&mut self) -> LoadChange {
        let product = &mut self.dataset.products[0];
        let price = product.price.expect("every product has a price");
        product.price = Some(Money::from_minor(price.minor() + 1));
        let (products, discounts) = (vec![product.clone()], vec![]);
        let changed = Dataset { products, discounts, ..Dataset::default() };
        self.load(&changed).await
    }

    /// Orders a scheduled calculation for each user.
    pub async fn order_refreshes(&mut self, users: &[UserId]) {
        self.ticks += 1;
        let now = self.ports.clock.now();
        let interval = Duration::from_secs(60 * 60);
        let tick = Tick { number: self.ticks, due: now, interval };
        let active = users.iter().map(|user| ActiveUser {
            user: user.clone(),
            expires_at: now.plus(interval),
            first_seen: now,
            last_seen: now,
        });
        let ordered = order(&*self.ports.queues, active, tick).await;
        assert_eq!(ordered.expect("orders can be sent"), (users.len(), 0));
    }

    pub fn work(&self, roles: &'static [Role]) -> Workers {
        let shutdown = Shutdown::new();
        let until = shutdown.clone();
        let (ports, policy) = (self.ports.clone(), Policy::default());
        let (slots, metrics) = (Slots::default(), Metrics::new());
        let worker = Worker {
            lookup: Lookup::new(&ports),
            ports,
            policy: policy.into(),
            slots,
            poll_wait: SHORT_POLL,
            metrics,
            supervisor: Supervisor::new(),
        };
        let task = tokio::spawn(async move { worker.run(roles, &until).await });
        Workers { shutdown, task }
    }

    /// Waits until no refresh is waiting or in progress.
    pub async fn until_refreshed(&self) {
        loop {
            let depth = self.ports.queues.depth(Queue::Refresh).await.expect("depths can be read");
            if depth.waiting == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2 + depth.waiting / 20)).await;
        }
    }

    /// Returns the size of the store's files in megabytes.
    pub fn megabytes(&self) -> u64 {
        let files = std::fs::read_dir(self.dir.path()).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum::<u64>()
            / 1_000_000
    }

    /// Returns the engine itself.
    pub const fn store(&self) -> &Embedded {
        &self.store
    }

    pub async fn close(self) {
        self.store.close().await;
    }
}

pub fn users(kind: &str, count: u32) -> Vec<UserId> {
    (0..count).map(|n| UserId::new(format!("{kind}-{n}")).expect("it is an id")).collect()
}

/// Measures elapsed time and processor time.
pub struct Stopwatch {
    begun: Instant,
    cpu: Duration,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { begun: Instant::now(), cpu: cpu_time() }
    }

    pub fn wall(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Returns the processor time of all threads of this process. Other work on the machine hardly changes
    /// it.
    pub fn cpu(&self) -> Duration {
        cpu_time() - self.cpu
    }
}

fn cpu_time() -> Duration {
    cpu_time_of("self")
}

/// Returns the time within which this share of the calls was done.
pub fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let index = (times.len() as f64 * share) as usize;
    times.get(index.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}
