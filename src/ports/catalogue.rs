//! Products, and the head that gives each state of them a version.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cursor, Page, PortError, port};
use crate::model::{ProductId, Timestamp};
use crate::pricing::{Currency, Product};

/// The random name of one load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoadId(pub String);

/// Says that products are being written, by whom, and until when that is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadMark {
    /// Which load.
    pub id: LoadId,
    /// When the loader counts as dead by its own clock. It moves the deadline on while it works.
    pub deadline: Timestamp,
    /// The currency of the prices that it writes.
    pub currency: Currency,
}

impl LoadMark {
    /// So far ahead a loader sets its deadline, and well within this time it moves it on. Whoever
    /// sees a mark unchanged for so long knows that its loader has died, whatever the clocks say.
    pub const LEASE: Duration = Duration::from_secs(30);
}

/// What the products are at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueHead {
    /// Grows with every load that changed something. The first load makes it 1.
    pub version: u64,
    /// The currency of all prices.
    pub currency: Currency,
    /// A load that is going on, or died.
    pub loading: Option<LoadMark>,
}

/// What became of an attempt to begin a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeginLoad {
    /// The mark is set.
    Begun,
    /// Another load is going on, or the version has moved: look at the head again.
    Conflict,
}

port!(
    /// The table of products and its head.
    pub trait CatalogueStore: Send + Sync {
        /// The head, read consistently; `None` before the first load.
        async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError>;

        /// Sets the mark, if the head still has `expected` as its version (`None`: there is no head
        /// yet) and carries no mark whose deadline is after `now`.
        async fn begin_load(
            &self,
            mark: &LoadMark,
            expected: Option<u64>,
            now: Timestamp,
        ) -> Result<BeginLoad, PortError>;

        /// Moves the deadline of a load on; `false` when its mark is no longer there.
        async fn extend_load(&self, mark: &LoadMark) -> Result<bool, PortError>;

        /// Takes the mark of a load away, sets the currency to the load's, and increments the version.
        /// Returns the new version, or `None` when that mark is no longer there.
        async fn finish_load(&self, load: &LoadId) -> Result<Option<u64>, PortError>;

        /// Upserts products, any number of them.
        async fn put_products(&self, products: &[Product]) -> Result<(), PortError>;

        /// Deletes products, any number of them.
        async fn delete_products(&self, products: &[ProductId]) -> Result<(), PortError>;

        /// Those of the products that exist, in any order. Any number may be asked for.
        async fn products(&self, products: &[ProductId]) -> Result<Vec<Product>, PortError>;

        /// All products, page by page, read consistently. No order is promised.
        async fn list_products(&self, from: Option<Cursor>) -> Result<Page<Product>, PortError>;
    }
);
