//! Loads: rows that come into force together, by one write.
//!
//! A load writes its changes to a journal of its own, which no reader sees. One conditional write
//! moves the head to the next version and names the journal. From that moment on the changes are in
//! force: readers lay the journal over the rows. Then the journal is folded into the rows, by the
//! loader or by whoever finds it unfolded, and is dropped. A load that dies before it is committed
//! leaves a journal that nobody reads, and that later loads drop.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cursor, Page, PortError, UserDiscounts, port};
use crate::model::{ProductId, Timestamp, UserId};
use crate::pricing::{Currency, Product};

/// A journal that is not committed after this time is dropped: its load has died.
pub const JOURNAL_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The random name of one load.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoadId(pub String);

/// A row that loads bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A product.
    Product(Product),
    /// All discounts of one user.
    Discounts(UserDiscounts),
}

/// Which row. Sorted by kind, then by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKey {
    /// A product.
    Product(ProductId),
    /// The discounts of a user.
    Discounts(UserId),
}

/// What a load does to a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowChange {
    /// Writes it, in place of the one that is there.
    Put(Record),
    /// Deletes it, if it is there.
    Delete(RecordKey),
}

impl Record {
    /// Which row it is.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Product(product) => RecordKey::Product(product.id.clone()),
            Self::Discounts(list) => RecordKey::Discounts(list.user.clone()),
        }
    }
}

impl From<Product> for RowChange {
    fn from(product: Product) -> Self {
        Self::Put(Record::Product(product))
    }
}

impl From<UserDiscounts> for RowChange {
    fn from(list: UserDiscounts) -> Self {
        Self::Put(Record::Discounts(list))
    }
}

impl RowChange {
    /// Which row it changes.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Put(record) => record.key(),
            Self::Delete(key) => key.clone(),
        }
    }
}

/// What comes into force with a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Whose journal.
    pub load: LoadId,
    /// The currency of all prices from then on.
    pub currency: Currency,
    /// Whether it changes a product or the currency.
    pub changes_base: bool,
}

/// What became of an attempt to commit a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The load is in force, as this version.
    Version(u64),
    /// The head has another version than expected, or a journal is not folded yet: begin again from
    /// the head as it is now.
    Conflict,
    /// The journal was dropped: the load took too long, and whoever dropped it took it for dead.
    Dropped,
}

/// A journal that is stored and is not the head's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Whose.
    pub load: LoadId,
    /// When the load began.
    pub began_at: Timestamp,
    /// Whether it will never be committed any more: it is folded, or dropping it has begun.
    pub is_over: bool,
}

impl Journal {
    /// Whether it is to be dropped.
    #[must_use]
    pub fn is_waste(&self, now: Timestamp) -> bool {
        self.is_over || now.since(self.began_at) >= JOURNAL_KEPT_FOR
    }
}

port!(
    /// Journals, and the writes that bring them into force.
    pub trait Loads: Send + Sync {
        /// Announces a load, so that its journal is found and dropped if the load dies.
        async fn begin_load(&self, load: &LoadId, now: Timestamp) -> Result<(), PortError>;

        /// Adds changes to the journal of a load, any number of them, in the order of their keys over
        /// all calls, each key once. Nobody sees them. `false` when the journal was dropped.
        async fn write_journal(
            &self,
            load: &LoadId,
            changes: &[RowChange],
        ) -> Result<bool, PortError>;

        /// Brings a load into force by one write, if the head still has `expected` as its version
        /// (`None`: there is no head) and names no journal that is unfolded.
        async fn commit_load(
            &self,
            commit: &Commit,
            expected: Option<u64>,
        ) -> Result<Committed, PortError>;

        /// The changes in a journal, page by page; none when it was dropped.
        async fn list_journal(
            &self,
            load: &LoadId,
            from: Option<Cursor>,
        ) -> Result<Page<RowChange>, PortError>;

        /// Writes changes of the load that made `version` into the rows. A row that has this version or
        /// a later one stays as it is, so that it does no harm however late or often it is done.
        ///
        /// What is deleted leaves its version behind until `forget_at`, for readers and loads that are
        /// behind.
        async fn fold(
            &self,
            load: &LoadId,
            version: u64,
            changes: &[RowChange],
            forget_at: Timestamp,
        ) -> Result<(), PortError>;

        /// Ends a load whose journal is folded: the head names it no longer. Does nothing when the head
        /// names another.
        async fn finish_load(&self, load: &LoadId) -> Result<(), PortError>;

        /// Deletes a journal. From its first moment on that load cannot be committed. Does nothing to
        /// the one that the head names.
        async fn drop_journal(&self, load: &LoadId) -> Result<(), PortError>;

        /// All journals but the head's, in any order.
        async fn journals(&self) -> Result<Vec<Journal>, PortError>;
    }
);
