//! Many tasks that need the same lists.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::task::yield_now;

use super::super::terms_book::TermsBooks;
use super::*;
use crate::data::apply;
use crate::memory::{ManualClock, Memory};
use crate::model::Timestamp;
use crate::ports::prelude::*;
use crate::ports::testing::{one_price, price_list};
use crate::ports::{Ports, Record, RowChange, SystemRandomness};
use crate::pricing::{Currency, Money, Recipients};

const CROWD: usize = 20;

/// A store that yields for each page of lists, and counts them.
struct CountingStore {
    inner: Ports,
    lists: AtomicUsize,
    rows: AtomicUsize,
    fails: AtomicUsize,
}

layer!(
    #[over(inner.store)]
    impl PriceListStore for CountingStore {
        async fn list_price_lists(&self, at: _, from: _) -> _ {
            self.lists.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
            self.inner.store.list_price_lists(at, from).await
        }

        async fn list_prices(&self, list: _, at: _, from: _) -> _ {
            self.rows.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
            let count = |fails: usize| fails.checked_sub(1);
            if self.fails.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count).is_ok() {
                return Err(PortError::Throttled { what: "lists".to_owned() });
            }
            self.inner.store.list_prices(list, at, from).await
        }
    }
);

fn list(id: &str) -> PriceList {
    price_list(id, Recipients { everyone: true, ..Recipients::default() })
}

/// A store with these lists, each of which has one row, and its head.
async fn counted(lists: &[PriceList]) -> (Arc<CountingStore>, CatalogueHead) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1)));
    let inner = Memory::new(clock, Arc::new(SystemRandomness)).ports();
    let records = lists.iter().flat_map(|list| {
        [Record::PriceList(list.clone()), Record::Prices(one_price(&list.id, Money::ZERO))]
    });
    apply(&inner, records.map(RowChange::Put).collect(), Currency::USD).await.unwrap();
    let at = inner.store.catalogue_head().await.unwrap().unwrap();
    let (lists, rows, fails) = Default::default();
    (Arc::new(CountingStore { inner, lists, rows, fails }), at)
}

#[tokio::test]
async fn a_crowd_reads_the_rows_of_a_list_once() {
    let lists = [list("A"), list("B")].map(Arc::new);
    let (store, at) = counted(&lists.clone().map(|list| (*list).clone())).await;
    let shelf = ListShelf::new(store.clone());
    for read in join_all((0..CROWD).map(|_| shelf.rows(&lists, &at))).await {
        let AtHead::Read(rows) = read.unwrap() else { panic!("nobody loads") };
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|rows| rows.is_wide()));
    }
    assert_eq!(store.rows.load(Ordering::Relaxed), 2, "each list once");
}

#[tokio::test]
async fn whoever_cannot_read_a_list_leaves_it_to_the_next() {
    let lists = [Arc::new(list("A"))];
    let (store, at) = counted(&[list("A")]).await;
    store.fails.store(2, Ordering::Relaxed);
    let shelf = ListShelf::new(store.clone());
    let read = join_all((0..CROWD).map(|_| shelf.rows(&lists, &at))).await;
    assert_eq!(read.iter().filter(|read| read.is_err()).count(), 2);
    assert_eq!(store.rows.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_crowd_reads_the_lists_of_a_version_once() {
    let (store, at) = counted(&[list("A"), list("B")]).await;
    let books = TermsBooks::new(store.clone());
    for read in join_all((0..CROWD).map(|_| books.at(&at))).await {
        assert!(matches!(read, Ok(AtHead::Read(_))), "nobody loads");
    }
    assert_eq!(store.lists.load(Ordering::Relaxed), 1);
}
