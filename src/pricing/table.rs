//! A user's whole price table.

use super::catalogue::Catalogue;
use super::pack::{PackError, SectionPacker};
use super::{Discounts, Money, Percentage};
use crate::model::{Digest, DigestBuilder, ProductId};

/// The version of the pricing rules. A change of any rule changes it, and with it every
/// fingerprint, so that all tables are calculated anew.
pub const PRICING_VERSION: u32 = 1;

/// What a price table depends on: equal fingerprints mean equal tables.
#[must_use]
pub fn fingerprint(catalogue: &Catalogue, discounts: &Discounts) -> Digest {
    let mut digest = DigestBuilder::new("table")
        .number(u64::from(PRICING_VERSION))
        .part(catalogue.digest().to_string().as_bytes());
    for discount in discounts.as_slice() {
        digest.add(discount.product_id.as_str().as_bytes());
        digest.add(&discount.percentage.millionths().to_le_bytes());
    }
    digest.finish()
}

/// One product of a price table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The price before the discount.
    pub list_price: Money,
    /// The discount; zero for a product at list price.
    pub discount: Percentage,
    /// What the user pays for one.
    pub unit_price: Money,
}

/// A discounted product: its index in the catalogue, its discount, its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DiscountedEntry {
    pub(super) index: usize,
    pub(super) discount: Percentage,
    pub(super) unit_price: Money,
}

/// Every product of a catalogue at one user's prices.
///
/// Only discounted products are held; all others cost what the catalogue says.
#[derive(Debug)]
pub struct PriceTable<'a> {
    catalogue: &'a Catalogue,
    discounted: Vec<DiscountedEntry>,
}

impl<'a> PriceTable<'a> {
    /// Prices a whole catalogue for one user. Discounts of products that are not in it have no
    /// effect.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue, discounts: &Discounts) -> Self {
        let mut discounted = Vec::with_capacity(discounts.as_slice().len());
        let mut from = 0;
        for discount in discounts.as_slice() {
            match catalogue.find_from(from, discount.product_id.as_str()) {
                Ok(index) => {
                    discounted.push(DiscountedEntry {
                        index,
                        discount: discount.percentage,
                        unit_price: catalogue.price(index).less(discount.percentage),
                    });
                    from = index + 1;
                }
                Err(next) => from = next,
            }
        }
        Self { catalogue, discounted }
    }

    /// How many products it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.catalogue.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.catalogue.is_empty()
    }

    /// The first product of each part, in order: what a reader needs to find a product's part.
    pub fn first_products(&self) -> impl Iterator<Item = ProductId> {
        self.catalogue
            .parts()
            .iter()
            .filter_map(|part| ProductId::new(self.catalogue.id(part.range.start)).ok())
    }

    /// The table packed into parts, each at most [`super::PackedPart::MAX_BYTES`], sorted by product.
    ///
    /// # Errors
    /// [`PackError`] when the compressor fails.
    pub fn pack(&self) -> Result<Vec<Vec<u8>>, PackError> {
        let mut packer = SectionPacker::for_prices()?;
        let mut rest = self.discounted.as_slice();
        self.catalogue
            .parts()
            .iter()
            .map(|part| {
                let count = rest.partition_point(|entry| entry.index < part.range.end);
                let (here, later) = rest.split_at(count);
                rest = later;
                packer.pack_part(self.catalogue, part, here)
            })
            .collect()
    }
}
