//! Products and price lists as they are stored. They are read row by row and never from a base.

use std::collections::HashSet;

use tokio::sync::Mutex;

use super::error::still;
use super::list_prices::{ListedProducts, Unsorted};
use super::price_lists::{KeptRows, PriceLists};
use super::{Audience, VerifyError, VerifyStep};
use crate::model::PriceListId;
use crate::ports::{BaseName, CatalogueHead, CatalogueStore, Segment, Store, pages};

/// The most times that the products are read again because a load came in between.
pub(super) const MAX_READS: u32 = 5;

/// One state of products and price lists.
pub(super) struct SharedInputs {
    /// The head of the catalogue that was in force.
    pub(super) head: CatalogueHead,
    pub(super) prices: ListedProducts,
    pub(super) lists: PriceLists,
    /// The rows of price lists that were needed recently.
    pub(super) rows: Mutex<KeptRows>,
    /// Terms whose ladders were already found right for these lists.
    pub(super) known_terms: Mutex<HashSet<(BaseName, Vec<PriceListId>)>>,
}

impl SharedInputs {
    /// Reads all products and lists of one version.
    pub(super) async fn read(
        store: &dyn Store,
        audience: &mut dyn Audience,
    ) -> Result<Self, VerifyError> {
        for _ in 0..MAX_READS {
            match Self::try_read(store, audience).await {
                Err(VerifyError::Loading) => {}
                done => return done,
            }
        }
        Err(VerifyError::Loading)
    }

    async fn try_read(store: &dyn Store, audience: &mut dyn Audience) -> Result<Self, VerifyError> {
        let head = store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
        let prices = ListedProducts::of(products(store, &head, audience).await?);
        Ok(Self { prices, ..Self::without_products(store, head).await? })
    }

    /// Reads the lists in force at a head, for callers that read products one by one.
    pub(super) async fn without_products(
        store: &dyn Store,
        head: CatalogueHead,
    ) -> Result<Self, VerifyError> {
        let lists = PriceLists::read(store, &head).await?;
        let (prices, rows, known_terms) = Default::default();
        Ok(Self { head, prices, lists, rows, known_terms })
    }

    /// Fails if a load has come into force since the products were read. A difference found after that
    /// proves nothing.
    pub(super) async fn check_current(
        &self,
        store: &dyn CatalogueStore,
    ) -> Result<(), VerifyError> {
        let version = store.catalogue_head().await?.map_or(0, |head| head.version);
        if version == self.head.version { Ok(()) } else { Err(VerifyError::Loading) }
    }
}

async fn products(
    store: &dyn Store,
    head: &CatalogueHead,
    audience: &mut dyn Audience,
) -> Result<Unsorted, VerifyError> {
    let mut products = Unsorted::new();
    let mut pages = pages(|from| store.list_products(head, Segment::ALL, from));
    while let Some(page) = pages.next().await? {
        let page = still(page)?;
        audience.progress(VerifyStep::Products, page.len() as u64);
        for product in &page {
            products.push(product);
        }
    }
    Ok(products)
}
