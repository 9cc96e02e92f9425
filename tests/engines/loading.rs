//! Functions that do a load step by step.

use ocache::model::Timestamp;
use ocache::ports::{CatalogueHead, Changes, Commit, Committed, LoadId, Ports, RowChange};
use ocache::pricing::{Currency, UnitRounding};

use super::listing::{all_pages, sorted_by};

pub fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

pub fn forget_at() -> Timestamp {
    Timestamp::from_secs(1_900_000_000)
}

pub fn load(id: &str) -> LoadId {
    LoadId(id.to_owned())
}

/// Returns the commit of a load that changes products.
pub fn commit(id: &str) -> Commit {
    let (currency, rounding) = (Currency::USD, UnitRounding::PLAIN);
    Commit { load: load(id), currency, rounding, changes: Changes::PRODUCTS }
}

/// Begins a load and writes its journal.
pub async fn journal(ports: &Ports, id: &str, changes: &[RowChange]) {
    ports.store.begin_load(&load(id), now()).await.unwrap();
    assert!(ports.store.write_journal(&load(id), changes).await.unwrap());
}

/// Brings a load into force and leaves it unfolded.
pub async fn bring(ports: &Ports, id: &str, changes: &[RowChange]) -> CatalogueHead {
    let expected = ports.store.catalogue_head().await.unwrap().map(|head| head.version);
    journal(ports, id, changes).await;
    let committed = ports.store.commit_load(&commit(id), expected).await.unwrap();
    assert_eq!(committed, Committed::Version(expected.unwrap_or(0) + 1));
    head(ports).await
}

/// Returns all changes in the journal of a load.
pub async fn journal_of(ports: &Ports, id: &str) -> Vec<RowChange> {
    let id = load(id);
    sorted_by(all_pages(|from| ports.store.list_journal(&id, from)).await, RowChange::key)
}

/// Folds the whole journal of the load that made a version.
pub async fn fold(ports: &Ports, id: &str, version: u64) {
    let changes = journal_of(ports, id).await;
    ports.store.fold(&load(id), version, &changes, forget_at()).await.unwrap();
}

/// Ends a load that is folded.
pub async fn finish(ports: &Ports, id: &str) {
    ports.store.finish_load(&load(id)).await.unwrap();
    ports.store.drop_journal(&load(id)).await.unwrap();
}

/// Does a whole load.
pub async fn load_all(ports: &Ports, id: &str, changes: &[RowChange]) -> CatalogueHead {
    let at = bring(ports, id, changes).await;
    fold(ports, id, at.version).await;
    finish(ports, id).await;
    head(ports).await
}

/// Returns the current head.
pub async fn head(ports: &Ports) -> CatalogueHead {
    ports.store.catalogue_head().await.unwrap().unwrap()
}
