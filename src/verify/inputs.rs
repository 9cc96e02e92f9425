//! The products as they are stored, read without any snapshot.

use std::collections::BTreeMap;

use super::VerifyError;
use crate::model::ProductId;
use crate::ports::{AtHead, CatalogueHead, CatalogueStore};
use crate::pricing::{Catalogue, Currency, Discount, Discounts, Entry, fingerprint};

/// How often the products are read anew because a load came between.
const MAX_READS: u32 = 5;

/// One state of the products.
pub(super) struct Inputs {
    /// The head that it was in force at.
    pub(super) head: CatalogueHead,
    /// List prices in minor units.
    pub(super) prices: BTreeMap<ProductId, i64>,
}

impl Inputs {
    /// Reads all products, of one version.
    pub(super) async fn read(store: &dyn CatalogueStore) -> Result<Self, VerifyError> {
        for _ in 0..MAX_READS {
            let head = store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
            if let AtHead::Read(prices) = prices(store, &head).await? {
                return Ok(Self { head, prices });
            }
        }
        Err(VerifyError::Loading)
    }
}

async fn prices(
    store: &dyn CatalogueStore,
    head: &CatalogueHead,
) -> Result<AtHead<BTreeMap<ProductId, i64>>, VerifyError> {
    let mut prices = BTreeMap::new();
    let mut from = None;
    loop {
        let AtHead::Read(page) = store.list_products(head, from).await? else {
            return Ok(AtHead::Moved);
        };
        let rows = page.items.into_iter();
        prices.extend(rows.map(|product| (product.id, product.price.minor())));
        from = page.next;
        if from.is_none() {
            return Ok(AtHead::Read(prices));
        }
    }
}

/// Whether a table's content is what its fingerprint was made from. Discounts on products that a
/// table does not have leave no trace in it but count in its fingerprint; they are taken from the
/// user's present list.
pub(super) fn is_as_calculated(
    content: &BTreeMap<ProductId, Entry>,
    currency: Currency,
    present: &Discounts,
    stored: crate::model::Digest,
) -> bool {
    let products = content.iter().map(|(id, entry)| (id.clone(), entry.list_price)).collect();
    let Ok(catalogue) = Catalogue::new(0, currency, products) else { return false };
    let own = content
        .iter()
        .filter(|(_, entry)| entry.discount.millionths() > 0)
        .map(|(id, entry)| Discount { product_id: id.clone(), percentage: entry.discount });
    let own: Vec<Discount> = own.collect();
    let is_traceless = |discount: &&Discount| {
        let entry = content.get(&discount.product_id);
        entry.is_none_or(|entry| {
            entry.discount.millionths() == 0 && discount.percentage.millionths() == 0
        })
    };
    let others = present.as_slice().iter().filter(is_traceless).cloned();
    let with_others = own.iter().cloned().chain(others).collect();
    [own, with_others]
        .into_iter()
        .any(|list| Discounts::new(list).is_ok_and(|list| fingerprint(&catalogue, &list) == stored))
}
