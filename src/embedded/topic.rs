//! The topic: its one subscriber is the provider queue, so publishing is sending to it.

use std::time::Duration;

use async_trait::async_trait;

use super::engine::Embedded;
use crate::ports::{FailedEntry, Outgoing, PortError, Posting, Queue, Queues as _, Topic};

#[async_trait]
impl Topic for Embedded {
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        let posting = Posting::Standard { delay: Duration::ZERO };
        let messages: Vec<_> =
            bodies.iter().map(|body| Outgoing { body: body.clone(), posting }).collect();
        self.send(Queue::Provider, &messages).await
    }
}
