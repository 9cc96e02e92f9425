//! Quotations: accepted once, and settled once.

mod packed;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Cursor, Page, PortError, Topic, port};
use crate::model::{ConnectionRef, Dialect, Item, QuotationKey, RequestId, Timestamp, UserId};
use crate::pricing::Answer;

pub use packed::{pack_target, unpack_target};

/// A quotation as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotation {
    /// The key under which it is stored.
    pub key: QuotationKey,
    /// The id that the client knows.
    pub request_id: RequestId,
    /// The customer who asked.
    pub user: UserId,
    /// The items that were asked for.
    pub items: Vec<Item>,
    /// The connection to push the answer to; `None` for a client that asks for its answer.
    pub connection: Option<ConnectionRef>,
    /// The dialect in which the answer is written.
    pub dialect: Dialect,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The time by which it must be answered.
    pub deadline: Timestamp,
    /// When it may be deleted.
    pub expires_at: Timestamp,
    /// Whether it is settled, and how.
    pub status: QuotationStatus,
}

impl Quotation {
    /// Whether it still exists for readers at `now`. Stores may delete it days after its expiry.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Returns its status at `now`. A pending quotation whose deadline has passed counts as failed for every
    /// reader, even if its failure is not written yet.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> QuotationStatus {
        match self.fails_at(now) {
            true => QuotationStatus::Failed(FailureReason::DeadlinePassed),
            false => self.status.clone(),
        }
    }

    /// Whether it is stored as pending, but its deadline has passed at `now`.
    #[must_use]
    pub fn fails_at(&self, now: Timestamp) -> bool {
        self.status == QuotationStatus::Pending && now >= self.deadline
    }
}

/// The status of a quotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotationStatus {
    /// It is not settled yet.
    Pending,
    /// It is settled with an answer.
    Answered(Box<Answer>),
    /// It is settled with a failure.
    Failed(FailureReason),
}

/// Why a quotation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// It was not answered before the deadline.
    DeadlinePassed,
    /// There are no products.
    EmptyCatalogue,
    /// The table was still missing after several calculations.
    NoTable,
    /// The answer does not fit into one message.
    AnswerTooLarge,
    /// An amount is too large. The text says which.
    TotalTooLarge(String),
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeadlinePassed => f.write_str("no price table was ready before the deadline"),
            Self::EmptyCatalogue => f.write_str("there are no products to price"),
            Self::NoTable => f.write_str("the price table could not be prepared"),
            Self::AnswerTooLarge => {
                f.write_str("the answer is too large for one message; quote fewer products at once")
            }
            Self::TotalTooLarge(why) => f.write_str(why),
        }
    }
}

/// The result of an attempt to create a quotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is new.
    New {
        /// The length of its packed form, in bytes.
        packed: usize,
    },
    /// Its key is taken. This is the stored quotation.
    Existing(Box<Quotation>),
}

impl Created {
    /// Whether the quotation is new.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::New { .. })
    }
}

/// What a quotation is to be settled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An answer, which is valid only before the deadline.
    Answer(Box<Answer>),
    /// A failure.
    Failure(FailureReason),
}

/// The result of an attempt to settle a quotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The verdict is stored. This is the quotation with it.
    Settled(Box<Quotation>),
    /// The quotation was already settled, or the answer came after the deadline. This is the stored
    /// quotation.
    Refused(Box<Quotation>),
    /// There is no such quotation.
    Missing,
}

port!(
    /// The table of quotations.
    pub trait Quotations: Send + Sync {
        /// Stores a quotation, unless its key is taken by one that had not expired when this one was
        /// accepted. If it is new, publishes `body`. It is never published without being stored, but an error
        /// may leave it stored and not published.
        ///
        /// An engine that keeps quotations and topic in one place does both at once, and uses its own topic.
        async fn create_quotation(
            &self,
            quotation: &Quotation,
            topic: &dyn Topic,
            body: &str,
        ) -> Result<Created, PortError>;

        /// Stores a settled quotation in one write, unless its key is taken by one that had not expired when
        /// this one was accepted. Publishes nothing.
        async fn store_answered(&self, quotation: &Quotation) -> Result<Created, PortError>;

        /// Reads a quotation consistently.
        async fn quotation(&self, key: &QuotationKey) -> Result<Option<Quotation>, PortError>;

        /// Changes where the answer of a quotation goes, because the client has a new connection. Returns
        /// `false` if there is no such quotation.
        async fn redirect_quotation(
            &self,
            key: &QuotationKey,
            connection: &ConnectionRef,
            dialect: Dialect,
        ) -> Result<bool, PortError>;

        /// Stores a verdict, if the quotation is pending. An answer is stored only if `now` is before the
        /// deadline.
        async fn settle_quotation(
            &self,
            key: &QuotationKey,
            verdict: &Verdict,
            now: Timestamp,
        ) -> Result<Settlement, PortError>;

        /// Returns a page of all quotations, in any order.
        async fn list_quotations(&self, from: Option<Cursor>)
        -> Result<Page<Quotation>, PortError>;

        /// Deletes a quotation.
        async fn delete_quotation(&self, key: &QuotationKey) -> Result<(), PortError>;
    }
);
