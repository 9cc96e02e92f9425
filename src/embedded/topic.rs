//! The topic. Its one subscriber is the provider queue, so publishing is sending to that queue.

use std::time::Duration;

use async_trait::async_trait;

use super::engine::Embedded;
use crate::ports::{FailedEntry, Outgoing, PortError, Posting, Queue, Queues as _, Topic};

#[async_trait]
impl Topic for Embedded {
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        let messages: Vec<_> = bodies.iter().map(|body| published(body)).collect();
        self.send(Queue::Provider, &messages).await
    }
}

/// Returns a message of the topic as its subscriber gets it.
pub(super) fn published(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), posting: Posting::Standard { delay: Duration::ZERO } }
}
