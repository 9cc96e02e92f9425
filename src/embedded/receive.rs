//! Receives messages: looks first, and begins a transaction only if there is something to take.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::engine::Embedded;
use super::take::{ReceiveRequest, Taken, next_ready, take};
use crate::model::Timestamp;
use crate::ports::{MAX_BATCH, PortError, Queue, Received};

impl Embedded {
    /// See [`crate::ports::Queues::receive`].
    pub(super) async fn receive_from(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Received>, PortError> {
        let max = max.min(MAX_BATCH);
        if max == 0 {
            return Ok(vec![]);
        }
        let token = self.delivery_token().await?;
        let request = ReceiveRequest { queue, max, visibility, token };
        let found = match self.next_ready(queue).await? {
            Some(at) if at <= self.now() => self.take(&request).await?,
            _ => vec![],
        };
        if !found.is_empty() || wait.is_zero() {
            return Ok(found);
        }
        self.wait_for(&request, Instant::now().checked_add(wait)).await
    }

    /// Waits for messages, for ever if there is no end. Only waiting is cut off at the end, never a
    /// transaction that may have taken something.
    ///
    /// Messages that this process makes ready are handed over in the transaction that makes them ready.
    /// Messages of other processes are looked for.
    async fn wait_for(
        &self,
        request: &ReceiveRequest,
        end: Option<Instant>,
    ) -> Result<Vec<Received>, PortError> {
        let wake = self.wake();
        let bell = wake.bell(request.queue);
        let _waiting = wake.wait();
        let Some(_turn) = before(end, bell.turns.acquire()).await else { return Ok(vec![]) };
        loop {
            let rung = bell.rung.notified();
            tokio::pin!(rung);
            // From here on a ring is remembered, so none is missed between looking and waiting.
            rung.as_mut().enable();
            let mut place = bell.waiters.enter(request, self.writer(), self.clock());
            let next = self.next_ready(request.queue).await?;
            let is_ready = next.is_some_and(|at| at <= self.now());
            let is_over = end.is_some_and(|end| end <= Instant::now());
            let until = next.and_then(|at| Instant::now().checked_add(at.since(self.now())));
            let until = [until, end].into_iter().flatten().min();
            if !is_ready && !is_over {
                tokio::select! {
                    biased;
                    handed = place.handed() => match handed {
                        Some(messages) => return Ok(messages),
                        None => continue,
                    },
                    // It does not matter what ended the wait, because the loop looks again.
                    _ = before(until, rung) => {}
                }
            }
            // A receiver that can no longer leave the line is handed messages, or looks again.
            if !place.leave() {
                match place.handed().await {
                    Some(messages) => return Ok(messages),
                    None => continue,
                }
            }
            if is_ready {
                let found = self.take(request).await?;
                if !found.is_empty() {
                    return Ok(found);
                }
            } else if is_over {
                return Ok(vec![]);
            }
        }
    }

    /// Returns when the next message of the queue is ready, if there is one. Writes nothing.
    async fn next_ready(&self, queue: Queue) -> Result<Option<Timestamp>, PortError> {
        self.look_once(move |connection| Ok(next_ready(connection, queue)?)).await
    }

    async fn take(&self, request: &ReceiveRequest) -> Result<Vec<Received>, PortError> {
        let (request, way_back, clock) =
            (request.clone(), self.writer().clone(), Arc::clone(self.clock()));
        let (asked, now) = (request.clone(), Arc::clone(&clock));
        let taken = self
            .writer()
            .run_then(
                move |tx| take(tx, &asked, now.now()).map(|take| take.messages),
                move |messages| Taken::new(messages, &request, way_back, clock),
            )
            .await
            .map_err(|failure| self.port_error(failure))?;
        Ok(taken.into_messages())
    }
}

/// Returns the output of a future, or `None` if the end comes first.
async fn before<F: Future>(end: Option<Instant>, future: F) -> Option<F::Output> {
    match end {
        None => Some(future.await),
        Some(end) => tokio::time::timeout_at(end, future).await.ok(),
    }
}

#[cfg(test)]
mod history;
#[cfg(test)]
mod tests;
