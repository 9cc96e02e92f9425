//! The plan of a run: the quotes, their destination and their number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::answers::ExpectedPrices;
use super::quotes::{QuoteMix, RequestNames};
use super::tally::Tally;

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// After this many quotes.
    Quotes(u64),
    /// After this time.
    For(Duration),
}

/// The kind of server on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// A gateway, or a server that speaks its protocol.
    Gateway,
    /// A server that sends back all that it receives, so each quote is its own answer.
    Echo,
}

/// The quotes to send, and how to send them.
pub struct LoadRun {
    /// The content of the quotes.
    pub mix: Arc<QuoteMix>,
    /// The request ids of the quotes.
    pub names: RequestNames,
    /// When the run ends.
    pub amount: Amount,
    /// The number of websockets.
    pub sockets: usize,
    /// The quotes a second, sent whether or not earlier ones are answered. Without a rate, each socket
    /// sends its next quote when the last one is answered.
    pub rate: Option<u32>,
    /// How long to wait for an answer.
    pub patience: Duration,
    /// The kind of server that answers.
    pub peer: ServerKind,
    /// One of this many answers is checked.
    pub check_every: u64,
    /// The prices that checked answers must have, if they are known.
    pub expected: Option<Arc<dyn ExpectedPrices>>,
    /// Called for each quote that has ended.
    pub on_end: Arc<dyn Fn() + Send + Sync>,
}

/// The state that the sockets of a run share.
pub(super) struct RunState {
    pub(super) run: LoadRun,
    next: AtomicU64,
    begun: Instant,
    tally: Mutex<Tally>,
}

impl RunState {
    /// Creates the state of a run that begins now.
    pub(super) fn new(run: LoadRun, tally: Tally) -> Self {
        Self { run, next: AtomicU64::new(0), begun: Instant::now(), tally: Mutex::new(tally) }
    }

    /// Returns the number of the next quote and, at a set rate, when it is due. Returns `None` when the
    /// run is over.
    pub(super) fn next(&self) -> Option<(u64, Option<Instant>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let at = self.run.rate.map(|rate| {
            self.begun + Duration::from_secs_f64(number as f64 / f64::from(rate.max(1)))
        });
        let is_one_more = match self.run.amount {
            Amount::Quotes(count) => number < count,
            Amount::For(time) => at.unwrap_or_else(Instant::now) < self.begun + time,
        };
        is_one_more.then_some((number, at))
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        // Counts are consistent after every statement, so a panic elsewhere has damaged nothing.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
