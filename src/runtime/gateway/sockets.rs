//! The websockets that are open in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::model::ConnectionId;
use crate::ports::Delivery;

/// So many frames wait for a client that does not read; then its connection counts as gone.
const MAX_WAITING_FRAMES: usize = 256;

/// Finds an open socket by its connection id.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<HashMap<ConnectionId, mpsc::Sender<Bytes>>>);

/// An open socket's place among [`Sockets`], for as long as it is open.
#[derive(Debug)]
pub struct OpenSocket {
    sockets: Arc<Sockets>,
    id: ConnectionId,
    frames: mpsc::Receiver<Bytes>,
}

impl Sockets {
    /// No sockets.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Enters a socket that has just been opened.
    #[must_use]
    pub fn open(self: &Arc<Self>, id: ConnectionId) -> OpenSocket {
        let (sender, frames) = mpsc::channel(MAX_WAITING_FRAMES);
        self.lock().insert(id.clone(), sender);
        OpenSocket { sockets: self.clone(), id, frames }
    }

    /// Hands a frame to a socket. One that has stopped reading is given up.
    pub fn push(&self, id: &ConnectionId, frame: Bytes) -> Delivery {
        let mut sockets = self.lock();
        match sockets.get(id).map(|socket| socket.try_send(frame)) {
            Some(Ok(())) => Delivery::Delivered,
            Some(Err(_)) => {
                // Dropping the sender ends the session.
                sockets.remove(id);
                Delivery::Gone
            }
            None => Delivery::Gone,
        }
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, mpsc::Sender<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenSocket {
    /// Its connection id.
    #[must_use]
    pub const fn id(&self) -> &ConnectionId {
        &self.id
    }

    /// The next frame pushed to it; `None` when it was given up.
    pub async fn next_frame(&mut self) -> Option<Bytes> {
        self.frames.recv().await
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.sockets.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_found_while_it_is_open() {
        let sockets = Sockets::new();
        let id = ConnectionId::from_random([1; 16]);
        assert_eq!(sockets.push(&id, Bytes::new()), Delivery::Gone);
        let mut socket = sockets.open(id.clone());
        assert_eq!(sockets.push(&id, Bytes::from("x")), Delivery::Delivered);
        assert_eq!(socket.next_frame().await, Some(Bytes::from("x")));
        drop(socket);
        assert_eq!(sockets.push(&id, Bytes::new()), Delivery::Gone);
        assert_eq!(sockets.count(), 0);
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_given_up() {
        let sockets = Sockets::new();
        let mut socket = sockets.open(ConnectionId::from_random([1; 16]));
        let id = socket.id().clone();
        for _ in 0..MAX_WAITING_FRAMES {
            assert_eq!(sockets.push(&id, Bytes::new()), Delivery::Delivered);
        }
        assert_eq!(sockets.push(&id, Bytes::new()), Delivery::Gone);
        for _ in 0..MAX_WAITING_FRAMES {
            assert!(socket.next_frame().await.is_some());
        }
        assert_eq!(socket.next_frame().await, None);
    }
}
