//! Products, and the head that gives each state of all loaded rows a version.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Changes, Commit, Cursor, LoadId, Page, PortError, Segment, port};
use crate::model::ProductId;
use crate::pricing::{Currency, Product, UnitRounding};

/// Which state of products and discounts is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueHead {
    /// Grows by one with every load that changed something. The first load makes it 1.
    pub version: u64,
    /// The version of the last load that changed a product or the currency. Until it moves, the
    /// products are what they were.
    pub base_version: u64,
    /// The version of the last load that changed a price list or one of its rows; 0 when none ever did.
    #[serde(default)]
    pub lists_version: u64,
    /// The version of the last load that changed something that customers have in common: a product, the
    /// currency, or a price list that is given to a group or to everyone.
    #[serde(default)]
    pub shared_version: u64,
    /// Whether a load has ever brought a customer.
    #[serde(default)]
    pub has_customers: bool,
    /// The currency of prices for which none is named, and of customers for whom none is.
    pub currency: Currency,
    /// How unit prices are rounded.
    #[serde(default)]
    pub rounding: UnitRounding,
    /// The load that made this version, while its journal is not folded into the rows.
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

    /// The head after a load.
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

/// What a read at a head gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtHead<T> {
    /// What was in force at that head.
    Read(T),
    /// A later load is in force, and what was in force before it can no longer be told: read the
    /// head again.
    Moved,
}

impl<T> AtHead<T> {
    /// What was read, if the head still was in force.
    pub const fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Moved => None,
        }
    }

    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> AtHead<U> {
        match self {
            Self::Read(value) => AtHead::Read(change(value)),
            Self::Moved => AtHead::Moved,
        }
    }
}

impl AtHead<Page<Product>> {
    /// What of a page is in a segment, for an engine that has no segments of its own.
    #[must_use]
    pub fn within(self, segment: Segment) -> Self {
        self.map(|mut page| {
            page.items.retain(|product| segment.has(&product.id));
            page
        })
    }
}

port!(
    /// The table of products and the head.
    ///
    /// Rows are read at a head: what was in force when that head was, with the journal of its load laid
    /// over rows that it is not yet folded into.
    pub trait CatalogueStore: Send + Sync {
        /// The head, read consistently; `None` before the first load.
        async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError>;

        /// For how long a process does well to keep a head that it has read, where a head somewhat older
        /// will do. More than nothing only where all processes read one item, and each read is billed.
        fn head_kept_for(&self) -> Duration;

        /// Those of the products that exist, in any order. Any number may be asked for.
        async fn products(
            &self,
            products: &[ProductId],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<Product>>, PortError>;

        /// All products of a segment, page by page. No order is promised. Every product is in one segment;
        /// [`Segment::ALL`] has all of them.
        async fn list_products(
            &self,
            at: &CatalogueHead,
            segment: Segment,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<Product>>, PortError>;

        /// In how many segments a process does well to read all of many products, side by side. More than
        /// one only where each page is waited for; there, what was read is worth keeping, too.
        fn product_segments(&self) -> u32;
    }
);
