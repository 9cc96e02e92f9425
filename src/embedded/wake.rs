//! Wakes receivers: at once from inside the process, within 20 ms from another process.
//!
//! A thread asks SQLite every few milliseconds whether another connection has committed, which reads at most one
//! page. While nobody waits, the thread sleeps.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore};

use super::clock;
use super::handover::Waiters;
use super::marks::QueueSet;
use crate::ports::{Clock, Queue};
use crate::supervisor::Supervisor;

/// How often commits of other processes are looked for.
const WATCH_INTERVAL: Duration = Duration::from_millis(10);

/// How many waiting receivers of one queue look at the same time. The others wait for their turn, so that
/// one message does not wake all of them.
pub(super) const LOOKERS: usize = 4;

/// Where the receivers of one queue wait.
#[derive(Debug)]
pub(super) struct Bell {
    /// Rung when there may be something to receive.
    pub(super) rung: Notify,
    /// The turns of receivers that may look.
    pub(super) turns: Semaphore,
    /// The receivers to whom messages of this process are handed.
    pub(super) waiters: Waiters,
}

/// Where the receivers of all queues wait.
#[derive(Debug)]
pub(super) struct Wake {
    bells: [Bell; Queue::ALL.len()],
    waiting: AtomicUsize,
    stopped: AtomicBool,
    watcher: OnceLock<Thread>,
}

impl Wake {
    /// Returns bells without a watcher.
    pub(super) fn new() -> Self {
        Self {
            bells: Queue::ALL.map(|_| Bell {
                rung: Notify::new(),
                turns: Semaphore::new(LOOKERS),
                waiters: Waiters::default(),
            }),
            waiting: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            watcher: OnceLock::new(),
        }
    }

    /// Returns the bell of a queue.
    pub(super) fn bell(&self, queue: Queue) -> &Bell {
        &self.bells[queue as usize]
    }

    /// Wakes the receivers of these queues.
    pub(super) fn ring(&self, queues: QueueSet) {
        for queue in Queue::ALL {
            if queues.has(queue) {
                self.bell(queue).rung.notify_waiters();
            }
        }
    }

    /// Keeps the watcher awake while the result lives.
    pub(super) fn wait(&self) -> WaitingReceiver<'_> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) == 0 {
            self.nudge();
        }
        WaitingReceiver(self)
    }

    /// Ends the watcher, and wakes all receivers so that they notice the end.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.nudge();
        self.ring(QueueSet::ALL);
    }

    fn nudge(&self) {
        if let Some(watcher) = self.watcher.get() {
            watcher.unpark();
        }
    }

    fn rest(&self) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            // An unpark is remembered, so a receiver that comes right now is not missed.
            thread::park();
        } else {
            thread::sleep(WATCH_INTERVAL);
        }
    }
}

/// Counts a waiting receiver.
#[derive(Debug)]
pub(super) struct WaitingReceiver<'a>(&'a Wake);

impl Drop for WaitingReceiver<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Starts the thread that notices what other processes commit.
pub(super) fn spawn_watcher(
    wake: Arc<Wake>,
    connection: Connection,
    clock: Arc<dyn Clock>,
    supervisor: &Supervisor,
) -> std::io::Result<thread::JoinHandle<()>> {
    let watched = Arc::clone(&wake);
    let mut seen = None;
    let handle =
        supervisor.thread("ocache-watch", "the watching thread of the store", move || {
            if watched.stopped.load(Ordering::SeqCst) {
                return ControlFlow::Break(());
            }
            match data_version(&connection) {
                Ok(version) if seen == Some(version) => {}
                Ok(version) => {
                    seen = Some(version);
                    // The clock comes first, so that what others have just sent is not in the future.
                    clock::catch_up(&*clock, &connection);
                    watched.ring(QueueSet::ALL);
                }
                // Receivers look for themselves and report what is wrong.
                Err(_) => watched.ring(QueueSet::ALL),
            }
            watched.rest();
            ControlFlow::Continue(())
        })?;
    let _ = wake.watcher.set(handle.thread().clone());
    // A receiver that came before the line above could not wake the watcher.
    wake.nudge();
    Ok(handle)
}

/// Returns a number that changes whenever another connection of any process has committed.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
