//! What `/metrics` answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::debug;

use super::Metrics;
use crate::ports::{Chain, Depth, Housekeeping, Queue, Queues};
use crate::runtime::gateway::Sockets;

/// What the answer is written in.
pub const CONTENT_TYPE: &str = prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
/// Whoever asks more often than this is told the same depths again: on AWS a look at them is billed.
const DEPTHS_AGE: Duration = Duration::from_secs(1);

/// The counters of a process, and the depths of the queues it works on.
pub struct Scrape {
    metrics: Metrics,
    queues: Arc<dyn Queues>,
    /// None where the engine has nothing to delete.
    housekeeping: Option<Arc<dyn Housekeeping>>,
    /// Of a gateway.
    sockets: Option<Arc<Sockets>>,
    /// Held while the queues are looked at, so that only one task does it.
    looked: Mutex<Option<(Instant, Depths)>>,
}

/// How many messages each queue holds; those that could not be looked at are left out.
type Depths = Vec<(Queue, Depth)>;

impl Scrape {
    /// Of these counters and queues, of a store that ocache keeps in order, and of a gateway's sockets.
    #[must_use]
    pub fn new(
        metrics: Metrics,
        queues: Arc<dyn Queues>,
        housekeeping: Option<Arc<dyn Housekeeping>>,
        sockets: Option<Arc<Sockets>>,
    ) -> Self {
        Self { metrics, queues, housekeeping, sockets, looked: Mutex::default() }
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

    /// Everything, in the text format of Prometheus.
    ///
    /// # Errors
    /// None in practice: text is written to memory.
    pub async fn render(&self) -> Result<String, fmt::Error> {
        for (queue, depth) in self.depths().await {
            self.metrics.depth(queue, depth);
        }
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
