//! Queues: two that keep each user's messages in order, one that only delivers.

use std::fmt;
use std::time::Duration;

use super::{PortError, port};
use crate::model::{DeduplicationId, GroupId, Timestamp};

/// The most messages one receive returns.
pub const MAX_BATCH: usize = 10;
/// After this many receives without an acknowledgement a message becomes a dead letter.
pub const MAX_RECEIVES: u32 = 10;
/// The largest body of a message, in bytes; also all bodies of one call to AWS together.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// A message cannot be delayed for longer than this.
pub const MAX_DELAY: Duration = Duration::from_secs(15 * 60);

/// The queues of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// Calculations that nobody waits for: of the schedule, after a load, of stale tables. FIFO.
    Refresh,
    /// Calculations that a quote or a new user waits for. FIFO.
    Quotation,
    /// Quotations to answer: the topic's subscriber. Not FIFO, but messages can be delayed.
    Provider,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Refresh, Self::Quotation, Self::Provider];

    /// The word for commands, logs and storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Quotation => "quotation",
            Self::Provider => "provider",
        }
    }

    /// Whether the queue keeps groups in order and drops repetitions.
    #[must_use]
    pub const fn is_fifo(self) -> bool {
        matches!(self, Self::Refresh | Self::Quotation)
    }

    /// How long a received message is hidden from other receivers; whoever works on it for longer
    /// extends that. A message in the hands of a killed process is lost to everybody for this long
    /// (on the embedded engine the end of the process is noticed before), so it is short where a
    /// client waits.
    #[must_use]
    pub const fn visibility(self) -> Duration {
        match self {
            Self::Refresh => Duration::from_secs(60),
            Self::Quotation | Self::Provider => Duration::from_secs(10),
        }
    }

    /// How long a message waits before it is dropped unread. A refresh is repeated every tick, so
    /// it need not wait long.
    #[must_use]
    pub const fn retention(self) -> Duration {
        match self {
            Self::Refresh => Duration::from_secs(10 * 60),
            Self::Quotation | Self::Provider => Duration::from_secs(4 * 24 * 60 * 60),
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its body: JSON, at most 256 KB.
    pub body: String,
    /// How it is queued; must fit the queue.
    pub posting: Posting,
}

/// How a message is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posting {
    /// In a FIFO queue.
    Fifo {
        /// Messages of one group are delivered in order, one batch at a time.
        group: GroupId,
        /// Messages of the group with the same id within five minutes are delivered once.
        deduplication: DeduplicationId,
    },
    /// In a standard queue.
    Standard {
        /// Not before this time has passed; at most [`MAX_DELAY`].
        delay: Duration,
    },
}

/// An entry of a batch that was not done.
#[derive(Debug)]
pub struct FailedEntry {
    /// Its place in the batch.
    pub index: usize,
    /// Why.
    pub error: PortError,
}

/// What a receiver needs to acknowledge or postpone a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(pub String);

/// A message as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its id, for logs.
    pub id: String,
    /// Its body.
    pub body: String,
    /// To acknowledge or postpone this delivery of it.
    pub receipt: Receipt,
    /// Its group, in a FIFO queue.
    pub group: Option<String>,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// How many messages a queue holds. On AWS the figures are approximate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Waiting to be received. In a FIFO queue those of blocked groups too.
    pub waiting: u64,
    /// Received and neither acknowledged nor visible again.
    pub in_flight: u64,
    /// Sent with a delay that has not passed.
    pub delayed: u64,
    /// Given up.
    pub dead: u64,
}

port!(
    /// The queues.
    pub trait Queues: Send + Sync {
        /// Sends messages, any number of them, in batches. Returns the entries that could not be
        /// sent; an error means that none was.
        async fn send(
            &self,
            queue: Queue,
            messages: &[Outgoing],
        ) -> Result<Vec<FailedEntry>, PortError>;

        /// Receives up to `max` messages (at most [`MAX_BATCH`]), waiting up to `wait` for the first.
        /// What is received stays hidden for `visibility`, and with it, in a FIFO queue, the rest of
        /// its group. Cancelling the future loses no message: what it had taken becomes visible
        /// again, not only when its visibility ends.
        async fn receive(
            &self,
            queue: Queue,
            max: usize,
            wait: Duration,
            visibility: Duration,
        ) -> Result<Vec<Received>, PortError>;

        /// Deletes received messages. One whose receipt has expired is skipped: it will come again.
        async fn acknowledge(&self, queue: Queue, receipts: &[Receipt]) -> Result<(), PortError>;

        /// Hides received messages for this much longer from now; zero makes them visible at once.
        /// One whose receipt has expired is skipped.
        async fn change_visibility(
            &self,
            queue: Queue,
            receipts: &[Receipt],
            visibility: Duration,
        ) -> Result<(), PortError>;

        /// How many receives of one consumer are worth having under way at once. More than one only
        /// where a receive that waits in vain costs nothing.
        fn receivers(&self) -> usize;

        /// How many messages there are.
        async fn depth(&self, queue: Queue) -> Result<Depth, PortError>;
    }
);

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// Its group, if it was in a FIFO queue.
    pub group: Option<String>,
    /// When it was first sent.
    pub sent_at: Timestamp,
    /// How often it was received before it was given up, where the engine knows.
    pub receive_count: Option<u32>,
}

/// Which dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Every one of the queue.
    All,
    /// Those with these ids.
    Ids(Vec<String>),
}

impl Selection {
    /// Whether a dead letter is meant.
    #[must_use]
    pub fn includes(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Ids(ids) => ids.iter().any(|other| other == id),
        }
    }
}

port!(
    /// The messages that were given up, by the queue they come from.
    pub trait DeadLetters: Send + Sync {
        /// Up to `limit` of them.
        async fn dead_letters(
            &self,
            queue: Queue,
            limit: usize,
        ) -> Result<Vec<DeadLetter>, PortError>;

        /// Sends them to their queue again; returns how many.
        async fn redrive(&self, queue: Queue, selection: &Selection) -> Result<u64, PortError>;

        /// Deletes them; returns how many.
        async fn drop_dead_letters(
            &self,
            queue: Queue,
            selection: &Selection,
        ) -> Result<u64, PortError>;
    }
);
