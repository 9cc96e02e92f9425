//! The products as they are stored, read row by row and never from a base.

use super::list_prices::{ListPrices, Unsorted};
use super::{Audience, Step, VerifyError};
use crate::ports::{AtHead, CatalogueHead, CatalogueStore};

/// How often the products are read anew because a load came between.
const MAX_READS: u32 = 5;

/// One state of the products.
pub(super) struct Inputs {
    /// The head that it was in force at.
    pub(super) head: CatalogueHead,
    pub(super) prices: ListPrices,
}

impl Inputs {
    /// Reads all products, of one version.
    pub(super) async fn read(
        store: &dyn CatalogueStore,
        audience: &mut dyn Audience,
    ) -> Result<Self, VerifyError> {
        for _ in 0..MAX_READS {
            let head = store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
            if let AtHead::Read(products) = products(store, &head, audience).await? {
                return Ok(Self { head, prices: ListPrices::of(products) });
            }
        }
        Err(VerifyError::Loading)
    }

    /// Whether the products are still those that were read. What differs after a load ended is
    /// no finding.
    pub(super) async fn check_current(
        &self,
        store: &dyn CatalogueStore,
    ) -> Result<(), VerifyError> {
        let version = store.catalogue_head().await?.map_or(0, |head| head.version);
        if version == self.head.version { Ok(()) } else { Err(VerifyError::Loading) }
    }
}

async fn products(
    store: &dyn CatalogueStore,
    head: &CatalogueHead,
    audience: &mut dyn Audience,
) -> Result<AtHead<Unsorted>, VerifyError> {
    let mut products = Unsorted::new();
    let mut from = None;
    loop {
        let AtHead::Read(page) = store.list_products(head, from).await? else {
            return Ok(AtHead::Moved);
        };
        audience.progress(Step::Products, page.items.len() as u64);
        for product in &page.items {
            products.push(&product.id, product.price.minor(), &product.name);
        }
        from = page.next;
        if from.is_none() {
            return Ok(AtHead::Read(products));
        }
    }
}
