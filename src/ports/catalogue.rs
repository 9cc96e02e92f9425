//! Products, and the catalogue's head, which gives each state of all loaded rows a version.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Changes, Commit, Cursor, LoadId, Page, PortError, Segment, port};
use crate::model::ProductId;
use crate::pricing::{Currency, Product, UnitRounding};

/// The head of the catalogue: which load is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueHead {
    /// Grows by one with every load that changes something. The first load makes it 1.
    pub version: u64,
    /// The version of the last load that changed a product, the currency or the rounding.
    pub base_version: u64,
    /// The version of the last load that changed a price list or one of its rows; 0 if there was none.
    #[serde(default)]
    pub lists_version: u64,
    /// The version of the last load that changed something that customers share: a product, the currency, the
    /// rounding, or a price list that is given to a group or to everyone.
    #[serde(default)]
    pub shared_version: u64,
    /// Whether a load has ever brought a customer.
    #[serde(default)]
    pub has_customers: bool,
    /// The currency of prices and customers that have none of their own.
    pub currency: Currency,
    /// How unit prices are rounded.
    #[serde(default)]
    pub rounding: UnitRounding,
    /// The load that made this version, until its journal is folded into the rows.
    pub unfolded: Option<LoadId>,
}

impl CatalogueHead {
    /// The state before the first load.
    pub const EMPTY: Self = Self {
        version: 0,
        base_version: 0,
        lists_version: 0,
        shared_version: 0,
        has_customers: false,
        currency: Currency::USD,
        rounding: UnitRounding::PLAIN,
        unfolded: None,
    };

    /// Returns the head after a load.
    #[must_use]
    pub fn after(&self, commit: &Commit) -> Self {
        let version = self.version + 1;
        let moved = |is_changed, before| if is_changed { version } else { before };
        let Changes { products, lists, shared_lists, customers } = commit.changes;
        Self {
            version,
            base_version: moved(products, self.base_version),
            lists_version: moved(lists, self.lists_version),
            shared_version: moved(products || shared_lists, self.shared_version),
            has_customers: self.has_customers || customers,
            currency: commit.currency,
            rounding: commit.rounding,
            unfolded: Some(commit.load.clone()),
        }
    }
}

/// The result of a read at a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtHead<T> {
    /// The data as it was at that head.
    Read(T),
    /// A later load is in force, and the data as of that head can no longer be read. The caller must read the
    /// head again.
    Moved,
}

impl<T> AtHead<T> {
    /// Returns what was read, if the head could still be read at.
    pub const fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Moved => None,
        }
    }

    /// Changes the value that was read.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> AtHead<U> {
        match self {
            Self::Read(value) => AtHead::Read(change(value)),
            Self::Moved => AtHead::Moved,
        }
    }
}

impl AtHead<Page<Product>> {
    /// Keeps the products of a segment, for an engine that has no segments of its own.
    #[must_use]
    pub fn within(self, segment: Segment) -> Self {
        self.map(|mut page| {
            page.items.retain(|product| segment.has(&product.id));
            page
        })
    }
}

port!(
    /// The table of products, and the head.
    ///
    /// Rows are read as of a head. If the journal of its load is not yet folded into the rows, it is laid
    /// over them.
    pub trait CatalogueStore: Send + Sync {
        /// The head, read consistently; `None` before the first load.
        async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError>;

        /// How long a process should keep a head that it has read, where a slightly older head is enough.
        /// This is not zero only on engines where all processes read one item and each read is billed.
        fn head_kept_for(&self) -> Duration;

        /// Returns those of the products that exist, in any order. Any number may be requested.
        async fn products(
            &self,
            products: &[ProductId],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<Product>>, PortError>;

        /// Returns a page of the products of a segment, in any order. Every product is in exactly one
        /// segment; [`Segment::ALL`] has all.
        async fn list_products(
            &self,
            at: &CatalogueHead,
            segment: Segment,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<Product>>, PortError>;

        /// The number of segments in which a process should read many products, side by side. This is more
        /// than one only on engines that wait for each page. There, what was read is also worth storing.
        fn product_segments(&self) -> u32;
    }
);
