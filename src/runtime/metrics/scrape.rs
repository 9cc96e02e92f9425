//! Collects the metrics for `/metrics`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::debug;

use super::Metrics;
use crate::ports::{
    Chain, Clock, Depth, Housekeeping, Ports, Presence, ProcessRecord, Queue, Queues,
    living_processes,
};
use crate::runtime::gateway::Sockets;

/// The content type of the text format.
pub const CONTENT_TYPE: &str = prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
/// Depths are reused for this long, because each look at a queue is billed on AWS.
const DEPTHS_AGE: Duration = Duration::from_secs(1);
/// The list of live processes is reused for this long.
const PROCESSES_AGE: Duration = Duration::from_secs(10);

/// The counters of a process, and the depths of the stack's queues.
pub struct Scrape {
    metrics: Metrics,
    queues: Arc<dyn Queues>,
    presence: Arc<dyn Presence>,
    clock: Arc<dyn Clock>,
    /// The housekeeping of the store; `None` if the engine has nothing to delete.
    housekeeping: Option<Arc<dyn Housekeeping>>,
    /// The sockets of a gateway in this process.
    sockets: Option<Arc<Sockets>>,
    /// Held while the queues are read, so that only one task reads them.
    looked: Mutex<Option<(Instant, Depths)>>,
    /// The live processes, and when they were read.
    living: Mutex<Option<(Instant, Vec<ProcessRecord>)>>,
}

/// The number of messages in each queue. Queues that could not be read are left out.
type Depths = Vec<(Queue, Depth)>;

impl Scrape {
    /// Creates the source of these counters, for the queues and processes of a stack, and optionally for
    /// a store's housekeeping and a gateway's sockets.
    #[must_use]
    pub fn new(
        metrics: Metrics,
        ports: &Ports,
        housekeeping: Option<Arc<dyn Housekeeping>>,
        sockets: Option<Arc<Sockets>>,
    ) -> Self {
        let Ports { queues, presence, clock, .. } = ports.clone();
        let (looked, living) = (Mutex::default(), Mutex::default());
        Self { metrics, queues, presence, clock, housekeeping, sockets, looked, living }
    }

    /// Returns the counters.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns the depths of the queues, at most a second old.
    pub async fn depths(&self) -> Vec<(Queue, Depth)> {
        let mut looked = self.looked.lock().await;
        match &*looked {
            Some((at, depths)) if at.elapsed() < DEPTHS_AGE => depths.clone(),
            _ => {
                let depths = self.look().await;
                *looked = Some((Instant::now(), depths.clone()));
                depths
            }
        }
    }

    async fn look(&self) -> Depths {
        let looks = Queue::ALL.map(|queue| async move {
            match self.queues.depth(queue).await {
                Ok(depth) => Some((queue, depth)),
                Err(error) => {
                    debug!(%queue, error = %Chain(&error), "its depth is not known");
                    None
                }
            }
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    /// Updates the metrics of live processes, at most a few seconds old. If the processes cannot be read,
    /// the previous list is used.
    async fn look_at_processes(&self) {
        let mut living = self.living.lock().await;
        if living.as_ref().is_none_or(|(at, _)| at.elapsed() >= PROCESSES_AGE) {
            match living_processes(&*self.presence, &*self.clock).await {
                Ok(records) => *living = Some((Instant::now(), records)),
                Err(error) => debug!(error = %Chain(&error), "who lives is not known"),
            }
        }
        if let Some((_, records)) = &*living {
            self.metrics.living(records);
        }
        self.metrics.time_is(self.clock.now());
    }

    /// Renders all metrics in the text format of Prometheus.
    ///
    /// # Errors
    /// Does not fail in practice, because the text is written to memory.
    pub async fn render(&self) -> Result<String, fmt::Error> {
        for (queue, depth) in self.depths().await {
            self.metrics.depth(queue, depth);
        }
        self.look_at_processes().await;
        if let Some(sockets) = &self.sockets {
            self.metrics.sockets(sockets.count());
        }
        if let Some(housekeeping) = &self.housekeeping {
            match housekeeping.upkeep().await {
                Ok(upkeep) => self.metrics.upkeep(&upkeep),
                Err(error) => debug!(error = %Chain(&error), "the store's upkeep is not known"),
            }
        }
        self.metrics.render()
    }
}
