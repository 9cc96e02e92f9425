//! The products as they are stored, read without any snapshot.

use super::list_prices::{ListPrices, Unsorted};
use super::{Audience, Step, VerifyError};
use crate::ports::CatalogueStore;
use crate::pricing::Currency;

/// How often the products are read anew because a load came between.
const MAX_READS: u32 = 5;

/// One state of the products.
pub(super) struct Inputs {
    pub(super) version: u64,
    pub(super) currency: Currency,
    pub(super) prices: ListPrices,
}

impl Inputs {
    /// Reads all products, of one version.
    pub(super) async fn read(
        store: &dyn CatalogueStore,
        audience: &mut dyn Audience,
    ) -> Result<Self, VerifyError> {
        for _ in 0..MAX_READS {
            let Some(head) = store.catalogue_head().await? else {
                let prices = ListPrices::default();
                return Ok(Self { version: 0, currency: Currency::USD, prices });
            };
            let mut products = Unsorted::new();
            let mut from = None;
            loop {
                let page = store.list_products(from).await?;
                audience.progress(Step::Products, page.items.len() as u64);
                for product in &page.items {
                    products.push(&product.id, product.price.minor());
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
            let is_same = store.catalogue_head().await?.as_ref() == Some(&head);
            if is_same && head.loading.is_none() {
                let prices = ListPrices::of(products);
                return Ok(Self { version: head.version, currency: head.currency, prices });
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
        if version == self.version { Ok(()) } else { Err(VerifyError::Loading) }
    }
}
