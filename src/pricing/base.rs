//! The base of products: ids, names and list prices of one version of the products, in parts.
//!
//! All customers share it, so it is packed, stored, read and unpacked once for all of them. The *index* of a
//! product is the number of products before it in the base.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::base_part::{self, BasePart};
use super::bytes::PackError;
use super::{Currency, LadderRows, Product};
use crate::model::ProductId;

/// A part is full at this many bytes before compression. One long name may exceed it.
const PART_BYTES: usize = 24 * 1024;
/// The approximate limit of the number of parts. In a large catalogue parts are larger instead, because the
/// index of all parts is one item in the store.
const MANY_PARTS: usize = 2_048;

/// Why products cannot be made into a base.
#[derive(Debug, Error)]
pub enum BaseError {
    /// Two products have the same id.
    #[error("product `{id}` is in the catalogue twice")]
    Duplicate {
        /// The id.
        id: ProductId,
    },
    /// There are more products than an index can count.
    #[error("{count} products are more than a catalogue can have")]
    TooMany {
        /// The number of products.
        count: usize,
    },
    /// A part could not be packed.
    #[error("packing the catalogue")]
    Pack(#[from] PackError),
}

/// The start of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStart {
    /// Its first product.
    pub product: ProductId,
    /// The index of that product.
    pub index: u32,
}

/// The index of a base: where each part starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseIndex {
    /// The currency of all prices.
    pub currency: Currency,
    /// The number of products.
    pub products: u32,
    /// The starts of the parts, sorted.
    pub parts: Vec<PartStart>,
}

/// A packed base, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedBase {
    /// The index of the parts.
    pub index: BaseIndex,
    /// The parts.
    pub parts: Vec<Vec<u8>>,
}

/// A whole base in memory. A process that serves quotes keeps only the parts that it needs.
#[derive(Debug)]
pub struct Base {
    index: BaseIndex,
    parts: Vec<Arc<BasePart>>,
}

impl BaseIndex {
    /// Creates the index of parts that have these ranges of all products. `id` returns the id of the product
    /// at a place.
    pub(super) fn new(
        currency: Currency,
        parts: &[Range<usize>],
        id: impl Fn(usize) -> ProductId,
    ) -> Self {
        let start =
            |part: &Range<usize>| PartStart { product: id(part.start), index: part.start as u32 };
        let products = parts.last().map_or(0, |part| part.end as u32);
        Self { currency, products, parts: parts.iter().map(start).collect() }
    }

    /// Returns the part that may have a product, if any part may.
    #[must_use]
    pub fn part_of(&self, product: &ProductId) -> Option<u32> {
        // Compared as texts, because comparing ids looks at each step how both are stored.
        let id = product.as_str();
        let after = self.parts.partition_point(|part| part.product.as_str() <= id);
        after.checked_sub(1).and_then(|part| u32::try_from(part).ok())
    }

    /// Returns the index of a part's first product.
    #[must_use]
    pub fn first_of(&self, part: u32) -> Option<u32> {
        self.parts.get(part as usize).map(|part| part.index)
    }

    /// Whether a part matches the index: it has the right first product and length.
    #[must_use]
    pub fn fits(&self, number: u32, part: &BasePart) -> bool {
        let Some((start, end)) = self.bounds(number) else { return false };
        let first = part.iter().next();
        end.checked_sub(start.index).is_some_and(|count| part.len() as u64 == u64::from(count))
            && first.is_some_and(|first| first.id == start.product.as_str())
    }

    /// Whether a part of the base of some terms matches the index: it has the right first product and ends
    /// before the next part.
    #[must_use]
    pub fn fits_ladders(&self, number: u32, part: &LadderRows) -> bool {
        let Some((start, end)) = self.bounds(number) else { return false };
        let bounds = part.first_index().zip(part.last_index());
        bounds.is_some_and(|(first, last)| first == start.index && last < end)
    }

    /// Returns the start of a part, and the index at which the next one starts.
    fn bounds(&self, number: u32) -> Option<(&PartStart, u32)> {
        let start = self.parts.get(number as usize)?;
        let end = self.parts.get(number as usize + 1).map_or(self.products, |next| next.index);
        Some((start, end))
    }

    /// Returns the part that may have the row of the product with this index.
    #[must_use]
    pub fn part_at(&self, index: u32) -> Option<u32> {
        let after = self.parts.partition_point(|part| part.index <= index);
        after.checked_sub(1).and_then(|part| u32::try_from(part).ok())
    }
}

impl PackedBase {
    /// Packs the products of one version. Their order does not matter; the same products always give the same
    /// bytes.
    ///
    /// # Errors
    /// [`BaseError`] if two products have the same id, or a part cannot be packed.
    pub fn new(currency: Currency, products: Vec<Product>) -> Result<Self, BaseError> {
        Self::in_currency(currency, currency, products)
    }

    /// Like [`Self::new`], with prices in another currency than the catalogue's.
    ///
    /// # Errors
    /// The same as [`Self::new`].
    pub fn in_currency(
        currency: Currency,
        catalogue: Currency,
        mut products: Vec<Product>,
    ) -> Result<Self, BaseError> {
        products.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        if let Some(pair) = products.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(BaseError::Duplicate { id: pair[0].id.clone() });
        }
        let parts = cut_into_parts(products.iter().map(base_part::plain_bytes))?;
        let index = BaseIndex::new(currency, &parts, |first| products[first].id.clone());
        let pack = |part| base_part::pack(&products[part], (currency, catalogue), base_part::SMALL);
        let parts = parts.into_iter().map(pack).collect::<Result<_, _>>()?;
        Ok(Self { index, parts })
    }
}

/// Cuts sorted products of these sizes into the parts of a base.
pub(super) fn cut_into_parts(
    sizes: impl ExactSizeIterator<Item = usize> + Clone,
) -> Result<Vec<Range<usize>>, BaseError> {
    let count = sizes.len();
    if u32::try_from(count).is_err() {
        return Err(BaseError::TooMany { count });
    }
    let full = PART_BYTES.max(sizes.clone().sum::<usize>() / MANY_PARTS);
    Ok(cuts(sizes, full).collect())
}

/// Returns consecutive ranges. Each ends when its sizes add up to `full`.
pub(super) fn cuts(
    sizes: impl ExactSizeIterator<Item = usize>,
    full: usize,
) -> impl Iterator<Item = Range<usize>> {
    let count = sizes.len();
    let (mut start, mut filled) = (0, 0);
    sizes.enumerate().filter_map(move |(place, size)| {
        filled += size;
        let end = place + 1;
        let is_full = filled >= full || end == count;
        is_full.then(|| {
            let range = start..end;
            (start, filled) = (end, 0);
            range
        })
    })
}

impl Base {
    /// Unpacks a whole base.
    ///
    /// # Errors
    /// [`PackError`] if a part cannot be unpacked.
    pub fn new(packed: &PackedBase) -> Result<Self, PackError> {
        let parts = packed.parts.iter().map(|part| BasePart::decode(part).map(Arc::new));
        Ok(Self { index: packed.index.clone(), parts: parts.collect::<Result<_, _>>()? })
    }

    /// The index of its parts.
    #[must_use]
    pub const fn index(&self) -> &BaseIndex {
        &self.index
    }

    /// Returns one of its parts.
    #[must_use]
    pub fn part(&self, number: u32) -> Option<&BasePart> {
        self.parts.get(number as usize).map(|part| &**part)
    }
}
