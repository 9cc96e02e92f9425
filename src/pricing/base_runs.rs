//! Runs: products on their way into a base.
//!
//! A large catalogue is read by several readers, and by processes that may be cut off. So what is read is
//! packed at once into *runs*, which are small and may be stored. Each run is sorted, but runs overlap. When
//! all products are read, the runs are merged, and packed into the parts of the base, some parts at a time.
//! The result has the same bytes as a base that is packed directly from the products.

use std::ops::Range;

use super::base::{self, BaseError, BaseIndex};
use super::base_part::{self, BaseEntry, BasePart};
use super::{Currency, Product, ProductDetail};
use crate::model::ProductId;

/// A run is full at this many bytes before compression, because it is one item in the store.
const RUN_BYTES: usize = 256 * 1024;
/// The most bytes that prices, floors and quantity rules of a product take.
const COLUMN_BYTES: usize = 64;

/// Packs products into runs. The first currency is that of the base, the second that of the catalogue.
///
/// # Errors
/// [`BaseError::Pack`] if the compressor fails.
pub fn pack_runs(
    products: &[Product],
    currencies: (Currency, Currency),
) -> Result<Vec<Vec<u8>>, BaseError> {
    let mut sorted = products.to_vec();
    sorted.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let bytes = |product: &Product| {
        let category = product.category().map_or(0, |category| category.as_str().len());
        base_part::plain_bytes(product) + category + COLUMN_BYTES
    };
    let runs = base::cuts(sorted.iter().map(bytes), RUN_BYTES);
    let pack = |run| base_part::pack(&sorted[run], currencies, base_part::FAST);
    Ok(runs.map(pack).collect::<Result<_, _>>()?)
}

/// Merged runs: all products of a base, sorted and cut into its parts.
#[derive(Debug)]
pub struct MergedRuns {
    currency: Currency,
    runs: Vec<BasePart>,
    /// The run of each product, and its place in that run.
    order: Vec<(u32, u32)>,
    /// The range of products in each part.
    parts: Vec<Range<usize>>,
}

impl MergedRuns {
    /// Merges runs that were packed in this currency.
    ///
    /// # Errors
    /// [`BaseError`] if two products have the same id, or a run cannot be unpacked.
    pub fn new(currency: Currency, runs: &[impl AsRef<[u8]>]) -> Result<Self, BaseError> {
        let runs = runs.iter().map(|run| BasePart::decode(run.as_ref()));
        let runs: Vec<BasePart> = runs.collect::<Result<_, _>>()?;
        let id = |&(run, place): &(u32, u32)| runs[run as usize].entry(place as usize).id;
        let mut order: Vec<(u32, u32)> = (0..)
            .zip(&runs)
            .flat_map(|(number, run)| (0..run.len() as u32).map(move |place| (number, place)))
            .collect();
        order.sort_unstable_by(|a, b| id(a).cmp(id(b)));
        if let Some(pair) = order.windows(2).find(|pair| id(&pair[0]) == id(&pair[1])) {
            return Err(BaseError::Duplicate { id: ProductId::checked(id(&pair[0])) });
        }
        let sizes = order.iter().map(|&(run, place)| {
            let entry = runs[run as usize].entry(place as usize);
            base_part::plain_bytes_of(entry.id, entry.name)
        });
        let parts = base::cut_into_parts(sizes)?;
        Ok(Self { currency, runs, order, parts })
    }

    /// Returns the index of the base.
    #[must_use]
    pub fn index(&self) -> BaseIndex {
        BaseIndex::new(self.currency, &self.parts, |first| {
            ProductId::checked(self.entry(self.order[first]).id)
        })
    }

    /// Packs the parts with these numbers.
    ///
    /// # Errors
    /// [`BaseError::Pack`] if the compressor fails.
    pub fn pack(&self, parts: Range<usize>) -> Result<Vec<Vec<u8>>, BaseError> {
        let pack = |part: &Range<usize>| {
            let products = self.order[part.clone()].iter().map(|&place| self.product(place));
            let products: Vec<Product> = products.collect();
            base_part::pack(&products, (self.currency, self.currency), base_part::SMALL)
        };
        Ok(self.parts[parts].iter().map(pack).collect::<Result<_, _>>()?)
    }

    fn entry(&self, (run, place): (u32, u32)) -> BaseEntry<'_> {
        self.runs[run as usize].entry(place as usize)
    }

    fn product(&self, place: (u32, u32)) -> Product {
        let entry = self.entry(place);
        let detail = ProductDetail {
            floors: entry.floor.map(|floor| (self.currency, floor)).into_iter().collect(),
            category: entry.category.cloned(),
            quantities: entry.quantities,
            ..ProductDetail::default()
        };
        let (id, name) = (ProductId::checked(entry.id), entry.name.to_owned());
        let product = Product { id, name, price: entry.list_price, detail: None };
        product.with_detail(detail)
    }
}
