//! One immutable snapshot of all products, in the shape that pricing and packing want.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ids::Ids;
use super::pack::{self, PackError};
use super::{Currency, Money};
use crate::model::{Digest, DigestBuilder, ProductId};

/// A part never has more products than this; the pack module says why it then fits 32 KB.
pub const MAX_PRODUCTS_PER_PART: usize = 1024;

/// A product as it is loaded and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// What people call it.
    pub name: String,
    /// Its list price.
    pub price: Money,
}

/// Why products do not make a catalogue.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// Two products have one id.
    #[error("product `{id}` is in the catalogue twice")]
    Duplicate {
        /// Which id.
        id: ProductId,
    },
    /// The shared columns could not be packed.
    #[error("packing the catalogue")]
    Pack(#[from] PackError),
}

/// All products at one version, as columns sorted by product id.
///
/// Names are not part of it: no price depends on them, and they are fetched when a quote is
/// written. The ids and list prices of each part are packed here, once per snapshot, and copied
/// into every user's table.
#[derive(Debug)]
pub struct Catalogue {
    version: u64,
    currency: Currency,
    digest: Digest,
    ids: Ids,
    prices: Vec<Money>,
    /// The highest of them.
    highest_price: Money,
    parts: Vec<CataloguePart>,
}

/// A range of products that are stored together, and their packed ids and list prices.
#[derive(Debug)]
pub(super) struct CataloguePart {
    pub(super) range: Range<usize>,
    pub(super) packed: Vec<u8>,
}

/// The digest of a catalogue whose products pass by in the order of their ids.
pub struct CatalogueDigest(DigestBuilder);

impl CatalogueDigest {
    /// Of a catalogue in this currency.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self(DigestBuilder::new("catalogue").part(currency.code().as_bytes()))
    }

    /// Adds the next product.
    pub fn add(&mut self, product: &ProductId, price: Money) {
        self.0.add(product.as_str().as_bytes());
        self.0.add(&price.minor().to_le_bytes());
    }

    /// The digest of the products that were added.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.0.finish()
    }
}

impl Catalogue {
    /// Builds a snapshot. The order of the products does not matter.
    ///
    /// # Errors
    /// [`CatalogueError`] when an id comes twice or the columns cannot be packed.
    pub fn new(
        version: u64,
        currency: Currency,
        mut products: Vec<(ProductId, Money)>,
    ) -> Result<Self, CatalogueError> {
        products.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some(pair) = products.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(CatalogueError::Duplicate { id: pair[0].0.clone() });
        }
        let mut digest = CatalogueDigest::new(currency);
        let mut ids = Ids::with_capacity(products.len());
        let mut prices = Vec::with_capacity(products.len());
        for (id, price) in &products {
            digest.add(id, *price);
            ids.push(id.as_str());
            prices.push(*price);
        }
        let highest_price = prices.iter().copied().max().unwrap_or_default();
        let digest = digest.finish();
        let mut catalogue =
            Self { version, currency, digest, ids, prices, highest_price, parts: vec![] };
        catalogue.parts = catalogue.pack_parts()?;
        Ok(catalogue)
    }

    fn pack_parts(&self) -> Result<Vec<CataloguePart>, PackError> {
        (0..self.len())
            .step_by(MAX_PRODUCTS_PER_PART)
            .flat_map(|start| self.split(start..(start + MAX_PRODUCTS_PER_PART).min(self.len())))
            .map(|range| {
                let packed = pack::pack_catalogue(self, range.clone())?;
                Ok(CataloguePart { range, packed })
            })
            .collect()
    }

    /// Halves a range until its ids are short enough for a part.
    fn split(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let bytes = self.ids.end(range.end) - self.ids.end(range.start);
        if bytes <= pack::MAX_ID_BYTES_PER_PART || range.len() == 1 {
            return vec![range];
        }
        let middle = range.start + range.len() / 2;
        let mut halves = self.split(range.start..middle);
        halves.extend(self.split(middle..range.end));
        halves
    }

    /// The version of the catalogue that this is a snapshot of.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The currency of all prices.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The hash of all that prices depend on: currency, ids, list prices.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How many products there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prices.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }

    /// The id of the product at an index.
    #[must_use]
    pub fn id(&self, index: usize) -> &str {
        self.ids.get(index)
    }

    /// The list price of the product at an index.
    #[must_use]
    pub fn price(&self, index: usize) -> Money {
        self.prices[index]
    }

    pub(super) const fn ids(&self) -> &Ids {
        &self.ids
    }

    /// All list prices, in the order of the ids.
    pub(super) fn prices(&self) -> &[Money] {
        &self.prices
    }

    pub(super) const fn highest_price(&self) -> Money {
        self.highest_price
    }

    pub(super) fn parts(&self) -> &[CataloguePart] {
        &self.parts
    }
}
