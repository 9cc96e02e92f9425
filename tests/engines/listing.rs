//! Reading listings to their end.

use ocache::ports::{Cursor, Page, PortError};

/// Everything on all pages.
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

/// The same in the order of a key, because listings promise no order.
pub fn sorted_by<T, K: Ord>(mut items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    items.sort_by_key(key);
    items
}
