//! Queues: two that keep each customer's messages in order, and one that only delivers.

use std::time::Duration;

use super::{PortError, port};
use crate::model::{DeduplicationId, GroupId, Timestamp, named};

/// The most messages that one receive returns.
pub const MAX_BATCH: usize = 10;
/// After this many receives without an acknowledgement, a message becomes a dead letter.
pub const MAX_RECEIVES: u32 = 10;
/// The largest body of a message, in bytes. It is also the limit of all bodies in one call to AWS.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// The longest time that a message can be delayed.
pub const MAX_DELAY: Duration = Duration::from_secs(15 * 60);

named! {
    /// The queues of the system, by their names in commands, logs and storage.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Queue {
        /// Calculations that nobody waits for: by the schedule, after a load, and of stale tables. FIFO.
        Refresh => "refresh",
        /// Calculations that a quote or a new customer waits for. FIFO.
        Quotation => "quotation",
        /// Quotations to answer, from the topic. Not FIFO, but messages can be delayed.
        Provider => "provider",
    }
}

impl Queue {
    /// Whether the queue keeps groups in order and drops duplicates.
    #[must_use]
    pub const fn is_fifo(self) -> bool {
        matches!(self, Self::Refresh | Self::Quotation)
    }

    /// The visibility timeout: how long a received message is hidden from other receivers. A receiver that
    /// works longer extends it. If a receiver is killed, nobody gets its messages for this long, so it is
    /// short where a client waits. (The embedded engine notices the end of a process earlier.)
    #[must_use]
    pub const fn visibility(self) -> Duration {
        match self {
            Self::Refresh => Duration::from_secs(60),
            Self::Quotation | Self::Provider => Duration::from_secs(10),
        }
    }

    /// How long a message is kept before it is dropped unread. Refresh messages are kept only briefly,
    /// because every tick sends them again.
    #[must_use]
    pub const fn retention(self) -> Duration {
        match self {
            Self::Refresh => Duration::from_secs(10 * 60),
            Self::Quotation | Self::Provider => Duration::from_secs(4 * 24 * 60 * 60),
        }
    }
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its body: JSON, at most 256 KB.
    pub body: String,
    /// How it is queued. This must fit the kind of queue.
    pub posting: Posting,
}

impl Outgoing {
    /// Creates a message for a standard queue, without a delay.
    #[must_use]
    pub fn standard(body: impl Into<String>) -> Self {
        Self { body: body.into(), posting: Posting::Standard { delay: Duration::ZERO } }
    }
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
        /// The message is not delivered before this time has passed. At most [`MAX_DELAY`].
        delay: Duration,
    },
}

/// An entry of a batch that failed.
#[derive(Debug)]
pub struct FailedEntry {
    /// Its index in the batch.
    pub index: usize,
    /// Why.
    pub error: PortError,
}

/// The receipt of a delivery, with which the receiver acknowledges or postpones the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(pub String);

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its id, for logs.
    pub id: String,
    /// Its body.
    pub body: String,
    /// The receipt of this delivery.
    pub receipt: Receipt,
    /// Its group, in a FIFO queue.
    pub group: Option<String>,
    /// How many times it was received, including this one.
    pub receive_count: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// The numbers of messages in a queue. On AWS they are approximate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that wait to be received, including those of blocked groups in a FIFO queue.
    pub waiting: u64,
    /// Messages that were received, and are neither acknowledged nor visible again.
    pub in_flight: u64,
    /// Messages whose delay has not passed.
    pub delayed: u64,
    /// Dead letters.
    pub dead: u64,
}

port!(
    /// The queues.
    pub trait Queues: Send + Sync {
        /// Sends any number of messages, in batches. Returns the entries that could not be sent. An error
        /// means that none was sent.
        async fn send(
            &self,
            queue: Queue,
            messages: &[Outgoing],
        ) -> Result<Vec<FailedEntry>, PortError>;

        /// Receives up to `max` messages (at most [`MAX_BATCH`]), and waits up to `wait` for the first.
        /// Received messages are hidden for `visibility`; in a FIFO queue the rest of their groups is too.
        /// Cancelling the future loses no message: those that it had taken become visible again without
        /// waiting for the visibility timeout.
        async fn receive(
            &self,
            queue: Queue,
            max: usize,
            wait: Duration,
            visibility: Duration,
        ) -> Result<Vec<Received>, PortError>;

        /// Deletes received messages. A message whose receipt has expired is skipped, and will be received
        /// again.
        async fn acknowledge(&self, queue: Queue, receipts: &[Receipt]) -> Result<(), PortError>;

        /// Hides received messages for `visibility` from now on; zero makes them visible at once. A message
        /// whose receipt has expired is skipped.
        async fn change_visibility(
            &self,
            queue: Queue,
            receipts: &[Receipt],
            visibility: Duration,
        ) -> Result<(), PortError>;

        /// How many receives a consumer should have in progress at the same time. This is more than one only
        /// on engines where an empty receive costs nothing.
        fn receivers(&self) -> usize;

        /// Returns the numbers of messages in a queue.
        async fn depth(&self, queue: Queue) -> Result<Depth, PortError>;
    }
);

/// A dead letter: a message that was received too often without an acknowledgement.
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
    /// How many times it was received before it became a dead letter, if the engine knows.
    pub receive_count: Option<u32>,
}

/// A selection of dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All dead letters of the queue.
    All,
    /// The dead letters with these ids.
    Ids(Vec<String>),
}

impl Selection {
    /// Whether a dead letter is selected.
    #[must_use]
    pub fn includes(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Ids(ids) => ids.iter().any(|other| other == id),
        }
    }
}

port!(
    /// The dead letters of each queue.
    pub trait DeadLetters: Send + Sync {
        /// Returns up to `limit` dead letters of a queue.
        async fn dead_letters(
            &self,
            queue: Queue,
            limit: usize,
        ) -> Result<Vec<DeadLetter>, PortError>;

        /// Sends the selected dead letters to their queue again, and returns how many.
        async fn redrive(&self, queue: Queue, selection: &Selection) -> Result<u64, PortError>;

        /// Deletes the selected dead letters, and returns how many.
        async fn drop_dead_letters(
            &self,
            queue: Queue,
            selection: &Selection,
        ) -> Result<u64, PortError>;
    }
);
