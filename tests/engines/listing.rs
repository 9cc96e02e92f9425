//! Reads listings to their end, and writes rows as loads do.

use ocache::data::apply;
use ocache::model::ProductId;
use ocache::ports::{
    Cursor, Page, PortError, Ports, Record, RecordKey, RowChange, UserDiscounts, first_products,
};
use ocache::pricing::{Currency, Product};

/// Returns the items of all pages.
pub async fn all_pages<T, F>(mut page: impl FnMut(Option<Cursor>) -> F) -> Vec<T>
where
    F: Future<Output = Result<Page<T>, PortError>>,
{
    let mut items = vec![];
    let mut from = None;
    for _ in 0..10_000 {
        let page = page(from).await.unwrap();
        items.extend(page.items);
        from = page.next;
        if from.is_none() {
            return items;
        }
    }
    panic!("the listing does not end");
}

/// Sorts items by a key, because listings promise no order.
pub fn sorted_by<T, K: Ord>(mut items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    items.sort_by_key(key);
    items
}

/// Returns all products in force.
pub async fn all_products(ports: &Ports) -> Vec<Product> {
    let products = first_products(&*ports.store, usize::MAX).await.unwrap();
    assert!(products.complete);
    sorted_by(products.rows, |product| product.id.clone())
}

/// Writes products as one load.
pub async fn put_products(ports: &Ports, products: &[Product]) {
    put_records(ports, products.iter().cloned().map(Record::Product).collect()).await;
}

/// Deletes products as one load.
pub async fn delete_products(ports: &Ports, products: &[ProductId]) {
    let ids = products.iter().cloned().map(RecordKey::Product);
    apply(ports, ids.map(RowChange::Delete).collect(), Currency::USD).await.unwrap();
}

/// Writes lists of discounts as one load.
pub async fn put_discounts(ports: &Ports, lists: &[UserDiscounts]) {
    put_records(ports, lists.iter().cloned().map(Record::Discounts).collect()).await;
}

/// Writes records as one load.
pub async fn put_records(ports: &Ports, records: Vec<Record>) {
    let puts = records.into_iter().map(RowChange::Put);
    apply(ports, puts.collect(), Currency::USD).await.unwrap();
}
