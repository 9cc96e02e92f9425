//! A run: which quotes go where, and until when.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use hdrhistogram::CreationError;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::answers::ExpectedPrices;
use super::quotes::{QuoteMix, RequestNames};
use super::socket::Socket;
use super::tally::Tally;
use crate::runtime::client::{Client, ClientError, Destination};
use crate::tokens::Token;

/// Why a run ended before its end.
#[derive(Debug, Error)]
pub enum RunError {
    /// A websocket could not be opened, or broke.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// None in practice: times are counted within constant bounds.
    #[error("times cannot be counted")]
    Times(#[from] CreationError),
}

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

impl Run {
    /// Opens the websockets, sends the quotes, and waits for their answers. Every socket is a task
    /// of its own.
    ///
    /// # Errors
    /// [`RunError`] when a websocket cannot be opened or breaks. A quote without an answer is no error:
    /// the tally tells of it.
    pub async fn go(self, to: &Destination, token: Option<&Token>) -> Result<Tally, RunError> {
        let clients = (0..self.sockets.max(1)).map(|_| Client::connect(to, token));
        let clients = try_join_all(clients).await?;
        let tally = Mutex::new(Tally::begin()?);
        let (next, begun) = (AtomicU64::new(0), Instant::now());
        let shared = Arc::new(Shared { run: self, next, begun, tally });
        let mut sockets: JoinSet<Result<(), ClientError>> = JoinSet::new();
        for client in clients {
            sockets.spawn(Socket::new(client, shared.clone()).run());
        }
        while let Some(ended) = sockets.join_next().await {
            // A socket is never aborted, so it has panicked if it has not ended.
            ended.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
        }
        let tally = shared.tally().clone();
        Ok(tally)
    }
}

impl Shared {
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
