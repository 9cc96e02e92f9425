//! The websockets that are open in this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::model::ConnectionId;
use crate::ports::Delivery;
use crate::supervisor::lock;

/// The most frames that wait for a client that does not read. With more, its connection counts as gone.
const MAX_WAITING_FRAMES: usize = 256;
/// The most bytes of frames that wait for one client.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// The most bytes of frames that wait for all clients together. Beyond this, clients with waiting frames
/// get no more. Clients that keep up are not affected.
const MAX_WAITING_BYTES_IN_ALL: usize = 128 * 1024 * 1024;

/// Finds an open socket by its connection id.
#[derive(Debug, Default)]
pub struct Sockets {
    open: Mutex<HashMap<ConnectionId, Inbox>>,
    waiting: Arc<WaitingTotals>,
}

/// The channel to one socket. The limit is counted separately from the channel, because a frame that was
/// taken from the channel may still wait.
#[derive(Debug)]
struct Inbox {
    frames: mpsc::UnboundedSender<WaitingFrame>,
    waiting: Arc<WaitingTotals>,
}

/// The frames and bytes that wait, for one client or for all.
#[derive(Debug, Default)]
struct WaitingTotals {
    frames: AtomicUsize,
    bytes: AtomicUsize,
}

/// A frame on its way to its client. It counts as waiting until it is dropped.
#[derive(Debug)]
pub struct WaitingFrame {
    frame: Bytes,
    /// The counters of its client, and of all clients.
    counted: [Arc<WaitingTotals>; 2],
}

/// An open socket's entry in [`Sockets`], for as long as it is open.
#[derive(Debug)]
pub struct OpenSocket {
    sockets: Arc<Sockets>,
    id: ConnectionId,
    frames: mpsc::UnboundedReceiver<WaitingFrame>,
}

impl Sockets {
    /// Creates an empty set of sockets.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Adds a socket that has just been opened.
    #[must_use]
    pub fn open(self: &Arc<Self>, id: ConnectionId) -> OpenSocket {
        let (sender, frames) = mpsc::unbounded_channel();
        lock(&self.open).insert(id.clone(), Inbox { frames: sender, waiting: Arc::default() });
        OpenSocket { sockets: self.clone(), id, frames }
    }

    /// Hands a frame to a socket. A client that has stopped reading is given up.
    pub fn push(&self, id: &ConnectionId, frame: Bytes) -> Delivery {
        let mut sockets = lock(&self.open);
        let Some(inbox) = sockets.get(id) else { return Delivery::Gone };
        if self.has_room(inbox, frame.len()) {
            let counted = [inbox.waiting.clone(), self.waiting.clone()];
            if inbox.frames.send(WaitingFrame::new(frame, counted)).is_ok() {
                return Delivery::Delivered;
            }
        }
        // Dropping the sender ends the session.
        sockets.remove(id);
        Delivery::Gone
    }

    fn has_room(&self, inbox: &Inbox, bytes: usize) -> bool {
        let frames = inbox.waiting.frames.load(Ordering::Relaxed);
        let own = inbox.waiting.bytes.load(Ordering::Relaxed);
        let in_all = self.waiting.bytes.load(Ordering::Relaxed);
        frames == 0
            || (frames < MAX_WAITING_FRAMES
                && own + bytes <= MAX_WAITING_BYTES
                && in_all + bytes <= MAX_WAITING_BYTES_IN_ALL)
    }

    /// Returns the number of open sockets.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.open).len()
    }
}

impl OpenSocket {
    /// Returns its connection id.
    #[must_use]
    pub const fn id(&self) -> &ConnectionId {
        &self.id
    }

    /// Waits for the next frame that is pushed to this socket; `None` when the socket was given up.
    pub async fn next_frame(&mut self) -> Option<WaitingFrame> {
        self.frames.recv().await
    }

    /// Returns a frame that was pushed already, without waiting.
    pub fn ready_frame(&mut self) -> Option<WaitingFrame> {
        self.frames.try_recv().ok()
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        // After this, nothing can be pushed to this socket.
        lock(&self.sockets.open).remove(&self.id);
    }
}

impl WaitingFrame {
    fn new(frame: Bytes, counted: [Arc<WaitingTotals>; 2]) -> Self {
        for waiting in &counted {
            waiting.frames.fetch_add(1, Ordering::Relaxed);
            waiting.bytes.fetch_add(frame.len(), Ordering::Relaxed);
        }
        Self { frame, counted }
    }

    /// Returns the bytes that the client will get.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.frame
    }
}

impl Drop for WaitingFrame {
    fn drop(&mut self) {
        for waiting in &self.counted {
            waiting.frames.fetch_sub(1, Ordering::Relaxed);
            waiting.bytes.fetch_sub(self.frame.len(), Ordering::Relaxed);
        }
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
        assert_eq!(socket.next_frame().await.unwrap().bytes(), "x");
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
        assert!(socket.next_frame().await.is_none());
    }

    #[tokio::test]
    async fn a_frame_counts_until_it_is_dropped() {
        let sockets = Sockets::new();
        let mut socket = sockets.open(ConnectionId::from_random([1; 16]));
        let id = socket.id().clone();
        let mut held = vec![];
        for _ in 0..MAX_WAITING_FRAMES {
            assert_eq!(sockets.push(&id, Bytes::from("x")), Delivery::Delivered);
            held.push(socket.ready_frame().unwrap());
        }
        held.pop();
        assert_eq!(sockets.push(&id, Bytes::from("x")), Delivery::Delivered);
        assert_eq!(sockets.push(&id, Bytes::from("x")), Delivery::Gone);
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
        // Frames that are read, and sockets that are closed, make room.
        assert_eq!(open[1].next_frame().await.unwrap().bytes().len(), MAX_WAITING_BYTES);
        open.drain(2..17);
        for _ in 0..2 {
            assert_eq!(push(&open[2 + 1], &Bytes::from("x")), Delivery::Delivered);
        }
        open.clear();
        assert_eq!(sockets.waiting.bytes.load(Ordering::Relaxed), 0);
    }
}
