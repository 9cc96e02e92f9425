//! What `/metrics` answers.

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

/// What the answer is written in.
pub const CONTENT_TYPE: &str = prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
/// Whoever asks more often than this is told the same depths again: on AWS a look at them is billed.
const DEPTHS_AGE: Duration = Duration::from_secs(1);
/// The same of the processes that live.
const PROCESSES_AGE: Duration = Duration::from_secs(10);

/// The counters of a process, and the depths of the queues it works on.
pub struct Scrape {
    metrics: Metrics,
    queues: Arc<dyn Queues>,
    presence: Arc<dyn Presence>,
    clock: Arc<dyn Clock>,
    /// None where the engine has nothing to delete.
    housekeeping: Option<Arc<dyn Housekeeping>>,
    /// Of a gateway.
    sockets: Option<Arc<Sockets>>,
    /// Held while the queues are looked at, so that only one task does it.
    looked: Mutex<Option<(Instant, Depths)>>,
    /// The processes that lived, and when they were looked at.
    living: Mutex<Option<(Instant, Vec<ProcessRecord>)>>,
}

/// How many messages each queue holds; those that could not be looked at are left out.
type Depths = Vec<(Queue, Depth)>;

impl Scrape {
    /// Of these counters, of the queues and processes of a stack, of a store that ocache keeps in order, and of a gateway's sockets.
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

    /// The counters, for what else wants to know.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How deep the queues are, as of a second ago at most.
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

    /// Tells the metrics which processes live, as of a few seconds ago at most. If they cannot be read, it
    /// is told what was read before.
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

    /// Everything, in the text format of Prometheus.
    ///
    /// # Errors
    /// None in practice: text is written to memory.
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
