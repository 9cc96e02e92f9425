//! Connections that keep the pushed frames.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use super::limits::check_frame;
use crate::model::ConnectionRef;
use crate::ports::{Connections, Delivery, PortError};

/// The clients' ends of all connections. A connection is open until [`Self::close`] is called.
#[derive(Debug, Default)]
pub struct MemoryConnections {
    state: Mutex<PushedFrames>,
    pushed: Notify,
}

#[derive(Debug, Default)]
struct PushedFrames {
    unread: HashMap<ConnectionRef, VecDeque<Bytes>>,
    closed: HashSet<ConnectionRef>,
}

impl MemoryConnections {
    /// Takes the oldest frame that was pushed and not taken yet, and waits if there is none. Cancelling the
    /// future loses no frame.
    pub async fn next_frame(&self, connection: &ConnectionRef) -> Bytes {
        loop {
            let mut pushed = pin!(self.pushed.notified());
            pushed.as_mut().enable();
            if let Some(frame) = self.try_next_frame(connection) {
                return frame;
            }
            pushed.await;
        }
    }

    /// Takes the oldest frame that was pushed and not taken yet, if there is one.
    pub fn try_next_frame(&self, connection: &ConnectionRef) -> Option<Bytes> {
        self.state().unread.get_mut(connection)?.pop_front()
    }

    /// Closes a connection. Frames that were pushed before can still be taken.
    pub fn close(&self, connection: &ConnectionRef) {
        self.state().closed.insert(connection.clone());
    }

    fn state(&self) -> MutexGuard<'_, PushedFrames> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connections for MemoryConnections {
    async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        check_frame(&format!("frame to connection `{}`", to.id), &frame)?;
        let mut state = self.state();
        if state.closed.contains(to) {
            return Ok(Delivery::Gone);
        }
        state.unread.entry(to.clone()).or_default().push_back(frame);
        drop(state);
        self.pushed.notify_waiters();
        Ok(Delivery::Delivered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConnectionId;

    fn connection(id: &str) -> ConnectionRef {
        let endpoint = "http://127.0.0.1:1".to_owned();
        ConnectionRef { endpoint, id: ConnectionId::new(id).unwrap() }
    }

    #[tokio::test]
    async fn frames_arrive_in_order_at_their_connection() {
        let connections = MemoryConnections::default();
        let (ann, bob) = (connection("ann"), connection("bob"));
        let push = async {
            for (to, frame) in [(&bob, "b1"), (&ann, "a1"), (&ann, "a2")] {
                let pushed = connections.push(to, Bytes::from_static(frame.as_bytes())).await;
                assert_eq!(pushed.unwrap(), Delivery::Delivered);
                tokio::task::yield_now().await;
            }
        };
        let read =
            async { [connections.next_frame(&ann).await, connections.next_frame(&ann).await] };
        let (frames, ()) = tokio::join!(read, push);
        assert_eq!(frames, ["a1", "a2"]);
        assert_eq!(connections.try_next_frame(&bob).unwrap(), "b1");
        assert_eq!(connections.try_next_frame(&bob), None);
    }

    #[tokio::test]
    async fn a_closed_connection_is_gone() {
        let connections = MemoryConnections::default();
        let ann = connection("ann");
        connections.push(&ann, Bytes::from_static(b"before")).await.unwrap();
        connections.close(&ann);
        let pushed = connections.push(&ann, Bytes::from_static(b"after")).await;
        assert_eq!(pushed.unwrap(), Delivery::Gone);
        assert_eq!(connections.next_frame(&ann).await, "before");
        assert_eq!(connections.try_next_frame(&ann), None);
    }

    #[tokio::test]
    async fn a_frame_over_the_limit_is_rejected() {
        let connections = MemoryConnections::default();
        let error = connections.push(&connection("ann"), vec![b' '; 128 * 1024 + 1].into()).await;
        assert!(matches!(error, Err(PortError::Rejected { what, .. }) if what.contains("`ann`")));
    }
}
