//! A user's whole price table.

use std::iter;

use super::catalogue::Catalogue;
use super::pack::{FORMAT_VERSION, PackError, PricesPacker};
use super::{Discounts, Money, Percentage};
use crate::model::{Digest, DigestBuilder, ProductId};

/// The version of the pricing rules. A change of any rule changes it, and with it every
/// fingerprint, so that all tables are calculated anew.
pub const PRICING_VERSION: u32 = 1;

/// What a stored price table depends on: equal fingerprints mean equal tables, packed alike.
#[must_use]
pub fn fingerprint(catalogue: &Catalogue, discounts: &Discounts) -> Digest {
    fingerprint_of(catalogue.digest(), discounts)
}

/// The same, of a catalogue whose digest is known.
#[must_use]
pub fn fingerprint_of(catalogue: Digest, discounts: &Discounts) -> Digest {
    let (ids, lengths) = discounts.ids().bytes();
    let millionths = discounts.percentages().iter().map(|discount| discount.millionths());
    let millionths: Vec<u8> = millionths.flat_map(u32::to_le_bytes).collect();
    DigestBuilder::new("table")
        .number(u64::from(PRICING_VERSION))
        .number(u64::from(FORMAT_VERSION))
        .part(catalogue.to_string().as_bytes())
        .part(ids)
        .part(lengths)
        .part(&millionths)
        .finish()
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

/// A discounted product: its index in the catalogue, its discount, and what that takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DiscountedEntry {
    pub(super) index: usize,
    pub(super) discount: Percentage,
    pub(super) saving: Money,
}

/// Every product of a catalogue at one user's prices.
///
/// Only discounted products are held; all others cost what the catalogue says.
#[derive(Debug)]
pub struct PriceTable<'a> {
    catalogue: &'a Catalogue,
    discounts: &'a Discounts,
    runs: Vec<Run>,
    /// What each product of the runs costs less.
    savings: Vec<Money>,
}

/// Discounts that follow each other, of products that follow each other too.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// The index of the first product.
    product: usize,
    /// The index of its discount.
    discount: usize,
    count: usize,
}

impl<'a> PriceTable<'a> {
    /// Prices a whole catalogue for one user. Discounts of products that are not in it have no
    /// effect.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue, discounts: &'a Discounts) -> Self {
        let runs = join(catalogue, discounts);
        let mut savings = Vec::with_capacity(discounts.percentages().len());
        let is_narrow = catalogue.highest_price() <= Money::MAX_NARROW;
        for &Run { product, discount, count } in &runs {
            let prices = &catalogue.prices()[product..product + count];
            let percentages = &discounts.percentages()[discount..discount + count];
            let pairs = prices.iter().zip(percentages);
            // Two loops, because which one it is cannot be asked for each product.
            if is_narrow {
                savings.extend(pairs.map(|(price, discount)| price.saving_narrow(*discount)));
            } else {
                savings.extend(pairs.map(|(price, discount)| price.saving(*discount)));
            }
        }
        Self { catalogue, discounts, runs, savings }
    }

    fn discounted(&self) -> impl Iterator<Item = DiscountedEntry> {
        let pairs = self.runs.iter().flat_map(|run| {
            let discounts = run.discount..run.discount + run.count;
            (run.product..).zip(&self.discounts.percentages()[discounts])
        });
        pairs.zip(&self.savings).map(|((index, &discount), &saving)| DiscountedEntry {
            index,
            discount,
            saving,
        })
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
            .filter_map(|part| ProductId::stored(self.catalogue.id(part.range.start)).ok())
    }

    /// The table packed into parts, each at most [`super::PackedPart::MAX_BYTES`], sorted by product.
    ///
    /// # Errors
    /// [`PackError`] when the compressor fails.
    pub fn pack(&self) -> Result<Vec<Vec<u8>>, PackError> {
        let mut packer = PricesPacker::new();
        let mut discounted = self.discounted().peekable();
        let mut here = Vec::new();
        let parts = self.catalogue.parts().iter().map(|part| {
            here.clear();
            here.extend(iter::from_fn(|| discounted.next_if(|e| e.index < part.range.end)));
            packer.pack_part(part, &here)
        });
        parts.collect()
    }
}

/// Finds the products of discounts: both are sorted, so both are gone through once.
fn join(catalogue: &Catalogue, discounts: &Discounts) -> Vec<Run> {
    let (products, wanted) = (catalogue.ids(), discounts.ids());
    let mut runs = Vec::new();
    let (mut product, mut discount) = (0, 0);
    while discount < wanted.len() && product < products.len() {
        // As far as from one to the next if they are spread evenly.
        let step = (products.len() - product).div_ceil(wanted.len() - discount);
        product = products.first_from(product, step, wanted.get(discount));
        let count = products.run(product, wanted, discount);
        if count > 0 {
            runs.push(Run { product, discount, count });
        }
        product += count;
        // A discount of no product is passed over.
        discount += count.max(1);
    }
    runs
}
