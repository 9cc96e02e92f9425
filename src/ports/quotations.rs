//! Quotations: asked, then settled once.

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
    /// Where it is stored.
    pub key: QuotationKey,
    /// The id the client knows it by.
    pub request_id: RequestId,
    /// Who asked.
    pub user: UserId,
    /// For what.
    pub items: Vec<Item>,
    /// Where the answer goes; nowhere for a client that asks for it.
    pub connection: Option<ConnectionRef>,
    /// How the client wants it written.
    pub dialect: Dialect,
    /// When it was asked.
    pub accepted_at: Timestamp,
    /// Until when an answer counts.
    pub deadline: Timestamp,
    /// When it may be deleted.
    pub expires_at: Timestamp,
    /// How it stands.
    pub status: QuotationStatus,
}

impl Quotation {
    /// Whether it is kept at a time. Stores delete what has expired days later; for every reader it
    /// is gone before.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// How it stands at a time: a pending quotation whose deadline has passed *has* failed, for
    /// every reader, whether or not anybody wrote that down.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> QuotationStatus {
        match self.fails_at(now) {
            true => QuotationStatus::Failed(FailureReason::DeadlinePassed),
            false => self.status.clone(),
        }
    }

    /// Whether it is stored as pending, and has failed by then.
    #[must_use]
    pub fn fails_at(&self, now: Timestamp) -> bool {
        self.status == QuotationStatus::Pending && now >= self.deadline
    }
}

/// How a quotation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotationStatus {
    /// Nobody has settled it.
    Pending,
    /// It has its one answer.
    Answered(Box<Answer>),
    /// It has its one failure.
    Failed(FailureReason),
}

/// Why a quotation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// Nothing settled it in time.
    DeadlinePassed,
    /// There are no products at all.
    EmptyCatalogue,
    /// The table was calculated again and again, and was still not there.
    NoTable,
    /// The answer does not fit the one message that it would be sent in.
    AnswerTooLarge,
    /// The total does not fit; the text says where.
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

/// What became of an attempt to create a quotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is new.
    New,
    /// Its key exists already: this is what is stored there.
    Existing(Box<Quotation>),
}

/// How somebody wants to settle a quotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// With this answer, which counts only before the deadline.
    Answer(Box<Answer>),
    /// With this failure.
    Failure(FailureReason),
}

/// What became of an attempt to settle a quotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The verdict is stored; this is the quotation with it.
    Settled(Box<Quotation>),
    /// It was settled before, or the answer came after the deadline: this is what is stored.
    Refused(Box<Quotation>),
    /// There is no such quotation.
    Missing,
}

port!(
    /// The table of quotations.
    pub trait Quotations: Send + Sync {
        /// Stores a quotation, unless its key exists, with one that had not expired when this one was
        /// accepted. If it is new, publishes a message about it. It is never published without being
        /// stored; an error may leave it stored and not published.
        ///
        /// An engine that keeps quotations and topic in one place does both at once, to its own topic.
        async fn create_quotation(
            &self,
            quotation: &Quotation,
            topic: &dyn Topic,
            body: &str,
        ) -> Result<Created, PortError>;

        /// Stores a quotation that is settled already, unless its key exists, with one that had not
        /// expired when this one was accepted. One write; nothing is published.
        async fn store_answered(&self, quotation: &Quotation) -> Result<Created, PortError>;

        /// A quotation, read consistently.
        async fn quotation(&self, key: &QuotationKey) -> Result<Option<Quotation>, PortError>;

        /// Sends the answer of a quotation elsewhere: the client came back on another connection.
        /// `false` when there is no such quotation.
        async fn redirect_quotation(
            &self,
            key: &QuotationKey,
            connection: &ConnectionRef,
            dialect: Dialect,
        ) -> Result<bool, PortError>;

        /// Stores a verdict, if the quotation is pending and, for an answer, `now` is before its
        /// deadline.
        async fn settle_quotation(
            &self,
            key: &QuotationKey,
            verdict: &Verdict,
            now: Timestamp,
        ) -> Result<Settlement, PortError>;

        /// All quotations, page by page. No order is promised.
        async fn list_quotations(&self, from: Option<Cursor>)
        -> Result<Page<Quotation>, PortError>;

        /// Deletes a quotation.
        async fn delete_quotation(&self, key: &QuotationKey) -> Result<(), PortError>;
    }
);
