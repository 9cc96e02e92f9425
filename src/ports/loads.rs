//! Loads: sets of changes that come into force together, by one write.
//!
//! A load writes its changes to its own journal, which no reader sees. One conditional write moves the head
//! to the next version and names the journal. From then on the changes are in force: readers lay the journal
//! over the rows. Then the loader, or any process that finds the journal unfolded, folds it into the rows and
//! drops it. A load that dies before its commit leaves a journal that nobody reads and that later loads drop.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cursor, Page, PortError, UserDiscounts, port};
use crate::model::{PriceListId, ProductId, Timestamp, UserId, listed};
use crate::pricing::{Currency, Customer, ListPrices, PriceList, Product, Scope, UnitRounding};

/// How long a journal may stay uncommitted. After that its load counts as dead, and it is dropped.
pub const JOURNAL_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The random name of one load.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoadId(pub String);

/// A row that a load can write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A product.
    Product(Product),
    /// All discounts of one customer.
    Discounts(UserDiscounts),
    /// The currency and groups of a customer.
    Customer(Customer),
    /// A price list, without its rows.
    PriceList(PriceList),
    /// The rows of a price list for one scope.
    Prices(ListPrices),
}

/// The key of a row. Keys are sorted by kind, then by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKey {
    /// A product.
    Product(ProductId),
    /// The discounts of a customer.
    Discounts(UserId),
    /// The currency and groups of a customer.
    Customer(UserId),
    /// A price list.
    PriceList(PriceListId),
    /// The rows of a price list for one scope.
    Prices(PriceListId, Scope),
}

listed! {
    /// The kind of a row. Engines store the numbers.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum RecordKind {
        /// A product.
        Product = 0,
        /// The discounts of a customer.
        Discounts = 1,
        /// The currency and groups of a customer.
        Customer = 2,
        /// A price list.
        PriceList = 3,
        /// The rows of a price list for one scope.
        Prices = 4,
    }
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
    /// Returns the kind of row that this key names.
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

/// A load's change of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowChange {
    /// Writes the row, replacing an existing one.
    Put(Record),
    /// Deletes the row, if it exists.
    Delete(RecordKey),
}

impl Record {
    /// Returns the key of this row.
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
    /// Returns the key of the row that it changes.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Put(record) => record.key(),
            Self::Delete(key) => key.clone(),
        }
    }
}

/// A commit: what comes into force with a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The load whose journal it is.
    pub load: LoadId,
    /// The currency of prices that have none of their own, from then on.
    pub currency: Currency,
    /// How unit prices are rounded from then on.
    pub rounding: UnitRounding,
    /// The kinds of rows that it changes, apart from discounts of single customers.
    pub changes: Changes,
}

/// Whether a load changes rows of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Whether it changes a product, the currency or the rounding.
    pub products: bool,
    /// Whether it changes a price list or a row of one.
    pub lists: bool,
    /// Whether it changes a price list, or a row of one, that is given to a group or to everyone.
    pub shared_lists: bool,
    /// Whether it changes a customer.
    pub customers: bool,
}

impl Changes {
    /// Only discounts.
    pub const NONE: Self =
        Self { products: false, lists: false, shared_lists: false, customers: false };
    /// Products.
    pub const PRODUCTS: Self = Self { products: true, ..Self::NONE };
}

/// The result of an attempt to commit a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The load is in force, with this version.
    Version(u64),
    /// The head has another version than expected, or a journal is still unfolded. The load must start over
    /// from the current head.
    Conflict,
    /// The journal was dropped: the load took so long that another process considered it dead.
    Dropped,
}

/// A stored journal that the head does not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// The load that it belongs to.
    pub load: LoadId,
    /// When the load began.
    pub began_at: Timestamp,
    /// Whether it can never be committed: it is already folded, or its deletion has begun.
    pub is_over: bool,
}

impl Journal {
    /// Whether it should be deleted.
    #[must_use]
    pub fn is_waste(&self, now: Timestamp) -> bool {
        self.is_over || now.since(self.began_at) >= JOURNAL_KEPT_FOR
    }
}

port!(
    /// The journals of loads, and the writes that bring them into force.
    pub trait Loads: Send + Sync {
        /// Registers a load, so that its journal is found and dropped if the load dies.
        async fn begin_load(&self, load: &LoadId, now: Timestamp) -> Result<(), PortError>;

        /// Adds changes to the journal of a load. Any number is allowed. Over all calls, the changes must be
        /// in the order of their keys, each key once. No reader sees them. Returns `false` if the journal was
        /// dropped.
        async fn write_journal(
            &self,
            load: &LoadId,
            changes: &[RowChange],
        ) -> Result<bool, PortError>;

        /// Brings a load into force by one write, if the head's version is still `expected` (`None`: there is
        /// no head) and the head names no unfolded journal.
        async fn commit_load(
            &self,
            commit: &Commit,
            expected: Option<u64>,
        ) -> Result<Committed, PortError>;

        /// Returns a page of the changes in a journal; none if it was dropped.
        async fn list_journal(
            &self,
            load: &LoadId,
            from: Option<Cursor>,
        ) -> Result<Page<RowChange>, PortError>;

        /// Writes the changes of the load that made `version` into the rows. A row of this or a later version
        /// stays as it is, so repeating this is harmless, however late.
        ///
        /// A deleted row leaves its version behind until `forget_at`, for readers and loads that are behind.
        async fn fold(
            &self,
            load: &LoadId,
            version: u64,
            changes: &[RowChange],
            forget_at: Timestamp,
        ) -> Result<(), PortError>;

        /// Ends a load whose journal is folded: the head no longer names it. Does nothing if the head names
        /// another journal.
        async fn finish_load(&self, load: &LoadId) -> Result<(), PortError>;

        /// Deletes a journal. As soon as the deletion begins, the load cannot be committed. Does nothing to
        /// the journal that the head names.
        async fn drop_journal(&self, load: &LoadId) -> Result<(), PortError>;

        /// Returns all journals but the head's, in any order.
        async fn journals(&self) -> Result<Vec<Journal>, PortError>;
    }
);
