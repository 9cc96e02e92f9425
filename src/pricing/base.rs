//! The catalogue base: ids, names and list prices of one version of the products, in parts.
//!
//! All customers have it in common, so it is packed, stored, read and unpacked once for all of them. A
//! product is known by its *index*: how many products of the base come before it.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::base_part::{self, BasePart};
use super::bytes::PackError;
use super::{Currency, LadderRows, Product};
use crate::model::ProductId;

/// A part is full when it has so many bytes before compression; one long name may take more.
const PART_BYTES: usize = 24 * 1024;
/// Of a large catalogue parts are larger, so that there are no more than about this many: the index
/// of all parts is one item of the store.
const MANY_PARTS: usize = 2_048;

/// Why products do not make a base.
#[derive(Debug, Error)]
pub enum BaseError {
    /// Two products have one id.
    #[error("product `{id}` is in the catalogue twice")]
    Duplicate {
        /// Which id.
        id: ProductId,
    },
    /// More products than an index counts.
    #[error("{count} products are more than a catalogue can have")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// A part could not be packed.
    #[error("packing the catalogue")]
    Pack(#[from] PackError),
}

/// Where a part begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStart {
    /// Its first product.
    pub product: ProductId,
    /// The index of that.
    pub index: u32,
}

/// Says what a base consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseIndex {
    /// The currency of all prices.
    pub currency: Currency,
    /// How many products there are.
    pub products: u32,
    /// Where each part begins, sorted.
    pub parts: Vec<PartStart>,
}

/// A base as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedBase {
    /// What it consists of.
    pub index: BaseIndex,
    /// The parts.
    pub parts: Vec<Vec<u8>>,
}

/// A base in memory, whole. A process that serves quotes keeps only the parts that it needs.
#[derive(Debug)]
pub struct Base {
    index: BaseIndex,
    parts: Vec<Arc<BasePart>>,
}

impl BaseIndex {
    /// Of parts that have these products, by their places among all of them. `id` gives the id at a place.
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

    /// Which part a product is in, if it is in any.
    #[must_use]
    pub fn part_of(&self, product: &ProductId) -> Option<u32> {
        let after = self.parts.partition_point(|part| part.product <= *product);
        after.checked_sub(1).and_then(|part| u32::try_from(part).ok())
    }

    /// The index of a part's first product.
    #[must_use]
    pub fn first_of(&self, part: u32) -> Option<u32> {
        self.parts.get(part as usize).map(|part| part.index)
    }

    /// Whether a part is the one that the index means: it begins and ends where it should.
    #[must_use]
    pub fn fits(&self, number: u32, part: &BasePart) -> bool {
        let Some(start) = self.parts.get(number as usize) else { return false };
        let end = self.parts.get(number as usize + 1).map_or(self.products, |next| next.index);
        let first = part.iter().next();
        end.checked_sub(start.index).is_some_and(|count| part.len() as u64 == u64::from(count))
            && first.is_some_and(|first| first.id == start.product.as_str())
    }
}

impl BaseIndex {
    /// Whether a part of what is different by some terms is the one that the index means: it begins where
    /// it should and ends before the next.
    #[must_use]
    pub fn fits_ladders(&self, number: u32, part: &LadderRows) -> bool {
        let Some(start) = self.parts.get(number as usize) else { return false };
        let end = self.parts.get(number as usize + 1).map_or(self.products, |next| next.index);
        let bounds = part.first_index().zip(part.last_index());
        bounds.is_some_and(|(first, last)| first == start.index && last < end)
    }

    /// Which part would have the row of the product at an index.
    #[must_use]
    pub fn part_at(&self, index: u32) -> Option<u32> {
        let after = self.parts.partition_point(|part| part.index <= index);
        after.checked_sub(1).and_then(|part| u32::try_from(part).ok())
    }
}

impl PackedBase {
    /// Packs the products of one version. Their order does not matter; the same products always give
    /// the same bytes.
    ///
    /// # Errors
    /// [`BaseError`] when an id comes twice or a part cannot be packed.
    pub fn new(currency: Currency, products: Vec<Product>) -> Result<Self, BaseError> {
        Self::in_currency(currency, currency, products)
    }

    /// The same with prices in another currency than that of the catalogue.
    ///
    /// # Errors
    /// As [`Self::new`].
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

/// Ranges that follow each other, each of which ends when its sizes add up to what is full.
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
    /// [`PackError`] when a part cannot be read.
    pub fn new(packed: &PackedBase) -> Result<Self, PackError> {
        let parts = packed.parts.iter().map(|part| BasePart::decode(part).map(Arc::new));
        Ok(Self { index: packed.index.clone(), parts: parts.collect::<Result<_, _>>()? })
    }

    /// What it consists of.
    #[must_use]
    pub const fn index(&self) -> &BaseIndex {
        &self.index
    }

    /// One of its parts.
    #[must_use]
    pub fn part(&self, number: u32) -> Option<&BasePart> {
        self.parts.get(number as usize).map(|part| &**part)
    }
}
