//! Products and price lists as they are stored, read row by row and never from a base.

use std::collections::HashSet;

use tokio::sync::Mutex;

use super::list_prices::{ListPrices, Unsorted};
use super::price_lists::{KeptRows, PriceLists};
use super::{Audience, Step, VerifyError};
use crate::model::PriceListId;
use crate::ports::{AtHead, BaseName, CatalogueHead, CatalogueStore, Segment, Store};

/// How often the products are read anew because a load came between.
pub(super) const MAX_READS: u32 = 5;

/// One state of products and price lists.
pub(super) struct Inputs {
    /// The head that it was in force at.
    pub(super) head: CatalogueHead,
    pub(super) prices: ListPrices,
    pub(super) lists: PriceLists,
    /// Rows of those of the lists that were needed.
    pub(super) rows: Mutex<KeptRows>,
    /// Terms that were found to be what these lists give.
    pub(super) known_terms: Mutex<HashSet<(BaseName, Vec<PriceListId>)>>,
}

impl Inputs {
    /// Reads all products and lists, of one version.
    pub(super) async fn read(
        store: &dyn Store,
        audience: &mut dyn Audience,
    ) -> Result<Self, VerifyError> {
        for _ in 0..MAX_READS {
            let head = store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
            let AtHead::Read(products) = products(store, &head, audience).await? else { continue };
            if let AtHead::Read(lists) = PriceLists::read(store, &head).await? {
                let prices = ListPrices::of(products);
                let (rows, known_terms) = Default::default();
                return Ok(Self { head, prices, lists, rows, known_terms });
            }
        }
        Err(VerifyError::Loading)
    }

    /// The lists that are in force at a head, where products are read one by one.
    pub(super) async fn without_products(
        store: &dyn Store,
        head: CatalogueHead,
    ) -> Result<Self, VerifyError> {
        let AtHead::Read(lists) = PriceLists::read(store, &head).await? else {
            return Err(VerifyError::Loading);
        };
        let (prices, rows, known_terms) = Default::default();
        Ok(Self { head, prices, lists, rows, known_terms })
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
    store: &dyn Store,
    head: &CatalogueHead,
    audience: &mut dyn Audience,
) -> Result<AtHead<Unsorted>, VerifyError> {
    let mut products = Unsorted::new();
    let mut from = None;
    loop {
        let AtHead::Read(page) = store.list_products(head, Segment::ALL, from).await? else {
            return Ok(AtHead::Moved);
        };
        audience.progress(Step::Products, page.items.len() as u64);
        for product in &page.items {
            products.push(product);
        }
        from = page.next;
        if from.is_none() {
            return Ok(AtHead::Read(products));
        }
    }
}
