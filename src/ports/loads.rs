//! Loads: rows that come into force together, by one write.
//!
//! A load writes its changes to a journal of its own, which no reader sees. One conditional write
//! moves the head to the next version and names the journal. From that moment on the changes are in
//! force: readers lay the journal over the rows. Then the journal is folded into the rows, by the
//! loader or by whoever finds it unfolded, and is dropped. A load that dies before it is committed
//! leaves a journal that nobody reads, and that later loads drop.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cursor, Page, PortError, UserDiscounts, port};
use crate::model::{PriceListId, ProductId, Timestamp, UserId};
use crate::pricing::{Currency, Customer, ListPrices, PriceList, Product, Scope, UnitRounding};

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
    /// What is known of a customer.
    Customer(Customer),
    /// A price list, without its rows.
    PriceList(PriceList),
    /// The rows of a price list for one scope.
    Prices(ListPrices),
}

/// Which row. Sorted by kind, then by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKey {
    /// A product.
    Product(ProductId),
    /// The discounts of a user.
    Discounts(UserId),
    /// What is known of a customer.
    Customer(UserId),
    /// A price list.
    PriceList(PriceListId),
    /// The rows of a price list for one scope.
    Prices(PriceListId, Scope),
}

/// What kind of row. Engines store the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// A product.
    Product = 0,
    /// The discounts of a user.
    Discounts = 1,
    /// What is known of a customer.
    Customer = 2,
    /// A price list.
    PriceList = 3,
    /// The rows of a price list for one scope.
    Prices = 4,
}

impl RecordKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Product, Self::Discounts, Self::Customer, Self::PriceList, Self::Prices];
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product(id) => write!(f, "product `{id}`"),
            Self::Discounts(user) => write!(f, "discounts of customer `{user}`"),
            Self::Customer(user) => write!(f, "customer `{user}`"),
            Self::PriceList(list) => write!(f, "price list `{list}`"),
            Self::Prices(list, scope) => write!(f, "prices of list `{list}` for {scope}"),
        }
    }
}

impl RecordKey {
    /// What kind of row it is.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Product(_) => RecordKind::Product,
            Self::Discounts(_) => RecordKind::Discounts,
            Self::Customer(_) => RecordKind::Customer,
            Self::PriceList(_) => RecordKind::PriceList,
            Self::Prices(..) => RecordKind::Prices,
        }
    }
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
            Self::Customer(customer) => RecordKey::Customer(customer.user.clone()),
            Self::PriceList(list) => RecordKey::PriceList(list.id.clone()),
            Self::Prices(prices) => RecordKey::Prices(prices.list.clone(), prices.scope.clone()),
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
    /// The currency from then on of prices for which none is named.
    pub currency: Currency,
    /// How unit prices are rounded from then on.
    pub rounding: UnitRounding,
    /// What it changes beside single customers' discounts.
    pub changes: Changes,
}

/// Which kinds of records a load changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// A product, the currency or the rounding.
    pub products: bool,
    /// A price list, or a row of one.
    pub lists: bool,
    /// A price list, or a row of one, that is given to a group or to everyone.
    pub shared_lists: bool,
    /// A customer.
    pub customers: bool,
}

impl Changes {
    /// Nothing but discounts.
    pub const NONE: Self =
        Self { products: false, lists: false, shared_lists: false, customers: false };
    /// Products.
    pub const PRODUCTS: Self = Self { products: true, ..Self::NONE };
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
