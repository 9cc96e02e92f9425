//! The rows of price lists in memory, up to a limit: a list that many terms include is read once.
//!
//! A revision of a list never changes, so what is kept is never wrong.

use std::sync::Arc;

use futures_util::future::try_join_all;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::base_shelf::ByBytes;
use crate::model::PriceListId;
use crate::ports::{AtHead, CatalogueHead, PortError, PriceListStore, read_all};
use crate::pricing::{ListRows, PriceList};

/// The most memory that rows take, in bytes. A list larger than this is read for each use.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// The estimated number of kept lists.
const LISTS: usize = 1024;

/// Reads the rows of price lists and keeps them.
pub(super) struct ListShelf {
    store: Arc<dyn PriceListStore>,
    lists: Cache<(PriceListId, u64), Arc<ListRows>, ByBytes>,
}

impl Weighter<(PriceListId, u64), Arc<ListRows>> for ByBytes {
    fn weight(&self, _: &(PriceListId, u64), rows: &Arc<ListRows>) -> u64 {
        rows.weight() as u64
    }
}

impl ListShelf {
    pub(super) fn new(store: Arc<dyn PriceListStore>) -> Self {
        Self { store, lists: Cache::with_weighter(LISTS, MOST_BYTES, ByBytes) }
    }

    /// Returns the rows of some lists, read at this head. If several tasks need a list, one reads it and the
    /// others wait.
    pub(super) async fn rows(
        &self,
        lists: &[Arc<PriceList>],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<Arc<ListRows>>>, PortError> {
        let rows = lists.iter().map(async |list| {
            let key = (list.id.clone(), list.revision);
            self.lists.get_or_insert_async(&key, self.read(&list.id, at)).await
        });
        match try_join_all(rows).await {
            Ok(rows) => Ok(AtHead::Read(rows)),
            Err(NotRead::Moved) => Ok(AtHead::Moved),
            Err(NotRead::Port(error)) => Err(error),
        }
    }

    async fn read(&self, list: &PriceListId, at: &CatalogueHead) -> Result<Arc<ListRows>, NotRead> {
        match read_all(|from| self.store.list_prices(list, at, from)).await? {
            AtHead::Read(rows) => Ok(Arc::new(ListRows::new(rows))),
            AtHead::Moved => Err(NotRead::Moved),
        }
    }
}

/// Why a list was not read. The next task that waits for it tries again.
enum NotRead {
    /// Another head is in force.
    Moved,
    Port(PortError),
}

impl From<PortError> for NotRead {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

#[cfg(test)]
mod tests;
