//! The websockets that are open in this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::model::ConnectionId;
use crate::ports::Delivery;

/// So many frames wait for a client that does not read; then its connection counts as gone.
const MAX_WAITING_FRAMES: usize = 256;
/// So many bytes of frames wait for one client.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// So many bytes of frames wait for all clients together. Beyond it, clients that have frames
/// waiting get no more; those that keep up are not concerned.
const MAX_WAITING_BYTES_IN_ALL: usize = 128 * 1024 * 1024;

/// Finds an open socket by its connection id.
#[derive(Debug, Default)]
pub struct Sockets {
    open: Mutex<HashMap<ConnectionId, Inbox>>,
    waiting_bytes: AtomicUsize,
}

/// The way to one socket.
#[derive(Debug)]
struct Inbox {
    frames: mpsc::Sender<Bytes>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// An open socket's place among [`Sockets`], for as long as it is open.
#[derive(Debug)]
pub struct OpenSocket {
    sockets: Arc<Sockets>,
    id: ConnectionId,
    frames: mpsc::Receiver<Bytes>,
    waiting_bytes: Arc<AtomicUsize>,
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
        let waiting_bytes = Arc::<AtomicUsize>::default();
        let inbox = Inbox { frames: sender, waiting_bytes: waiting_bytes.clone() };
        self.lock().insert(id.clone(), inbox);
        OpenSocket { sockets: self.clone(), id, frames, waiting_bytes }
    }

    /// Hands a frame to a socket. One that has stopped reading is given up.
    pub fn push(&self, id: &ConnectionId, frame: Bytes) -> Delivery {
        let mut sockets = self.lock();
        let Some(inbox) = sockets.get(id) else { return Delivery::Gone };
        let bytes = frame.len();
        let fits = self.has_room(inbox, bytes);
        // Before it is sent: the receiver counts down.
        inbox.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if fits && inbox.frames.try_send(frame).is_ok() {
            return Delivery::Delivered;
        }
        // The count of what was not sent goes with the socket. Dropping the sender ends the session.
        sockets.remove(id);
        Delivery::Gone
    }

    fn has_room(&self, inbox: &Inbox, bytes: usize) -> bool {
        let waiting = inbox.waiting_bytes.load(Ordering::Relaxed);
        let in_all = self.waiting_bytes.load(Ordering::Relaxed);
        waiting == 0
            || (waiting + bytes <= MAX_WAITING_BYTES && in_all + bytes <= MAX_WAITING_BYTES_IN_ALL)
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Inbox>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
        let frame = self.frames.recv().await?;
        self.waiting_bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        self.sockets.waiting_bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        Some(frame)
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        // Nothing can be pushed to it after this.
        self.sockets.lock().remove(&self.id);
        let left = self.waiting_bytes.load(Ordering::Relaxed);
        self.sockets.waiting_bytes.fetch_sub(left, Ordering::Relaxed);
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

    #[tokio::test]
    async fn what_waits_is_limited_in_bytes_for_one_and_for_all() {
        let sockets = Sockets::new();
        let mut open: Vec<_> =
            (0..20).map(|n| sockets.open(ConnectionId::from_random([n; 16]))).collect();
        let large = Bytes::from(vec![b'x'; MAX_WAITING_BYTES]);
        let push = |socket: &OpenSocket, frame: &Bytes| sockets.push(socket.id(), frame.clone());
        assert_eq!(push(&open[0], &large), Delivery::Delivered);
        assert_eq!(push(&open[0], &Bytes::from("x")), Delivery::Gone, "more than one may have");
        for socket in &open[1..17] {
            assert_eq!(push(socket, &large), Delivery::Delivered);
        }
        assert_eq!(push(&open[17], &Bytes::from("x")), Delivery::Delivered, "it keeps up");
        assert_eq!(push(&open[17], &Bytes::from("x")), Delivery::Gone, "it does not");
        // What is read or closed makes room.
        assert_eq!(open[1].next_frame().await.unwrap().len(), MAX_WAITING_BYTES);
        open.drain(2..17);
        for _ in 0..2 {
            assert_eq!(push(&open[2 + 1], &Bytes::from("x")), Delivery::Delivered);
        }
        open.clear();
        assert_eq!(sockets.waiting_bytes.load(Ordering::Relaxed), 0);
    }
}
