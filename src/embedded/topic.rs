//! The topic. Its one subscriber is the provider queue, so publishing is sending to that queue.

use async_trait::async_trait;

use super::engine::Embedded;
use crate::ports::{FailedEntry, Outgoing, PortError, Queue, Queues as _, Topic};

#[async_trait]
impl Topic for Embedded {
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        let messages: Vec<_> = bodies.iter().map(Outgoing::standard).collect();
        self.send(Queue::Provider, &messages).await
    }
}
