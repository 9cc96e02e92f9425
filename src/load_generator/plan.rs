//! What a run is to do: which quotes go where, and until when.

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
    /// After so many quotes.
    Quotes(u64),
    /// When so much time has passed.
    For(Duration),
}

/// What answers on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A gateway, or what speaks its protocol.
    Gateway,
    /// What sends back all that it gets: each quote is answered by itself.
    Echo,
}

/// Quotes to be sent, and how.
pub struct Run {
    /// What is quoted, for whom.
    pub mix: Arc<QuoteMix>,
    /// How the quotes are called.
    pub names: RequestNames,
    /// When it ends.
    pub amount: Amount,
    /// Websockets to send them over.
    pub sockets: usize,
    /// Quotes a second, sent whether or not the earlier ones are answered. Without it each socket
    /// sends its next quote when the last one is answered.
    pub rate: Option<u32>,
    /// How long to wait for an answer.
    pub patience: Duration,
    /// Who answers.
    pub peer: Peer,
    /// Every so many answers, one is checked.
    pub check_every: u64,
    /// What the prices of checked answers have to be, if that is known.
    pub expected: Option<Arc<dyn ExpectedPrices>>,
    /// Called for each quote that has ended.
    pub on_end: Arc<dyn Fn() + Send + Sync>,
}

/// What the sockets of a run have in common.
pub(super) struct Shared {
    pub(super) run: Run,
    next: AtomicU64,
    begun: Instant,
    tally: Mutex<Tally>,
}

impl Shared {
    /// Those of a run that begins now.
    pub(super) fn new(run: Run, tally: Tally) -> Self {
        Self { run, next: AtomicU64::new(0), begun: Instant::now(), tally: Mutex::new(tally) }
    }

    /// The number of the next quote, if there is one more to send, and when it is to be sent.
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
        // Counts are whole after every statement, so a panic elsewhere has spoilt nothing.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
