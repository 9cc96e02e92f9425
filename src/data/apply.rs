//! Loads changes without files, for tools and tests that know what they want stored.

use super::LoadError;
use crate::model::ConnectionId;
use crate::ports::{
    CatalogueHead, Changes, Commit, Committed, LoadId, Ports, RecordKey, RecordKind, RowChange,
};
use crate::pricing::Currency;
use crate::stages::folding::fold;

/// Brings changes into force as one load, folds them into the rows, and returns the version. Nothing is
/// compared with the store: rows that are already stored also make a new version.
///
/// # Errors
/// [`LoadError`]. If several changes are of one row, the last one counts.
pub async fn apply(
    ports: &Ports,
    changes: Vec<RowChange>,
    currency: Currency,
) -> Result<u64, LoadError> {
    let store = &*ports.store;
    let head = store.catalogue_head().await?;
    let before = head.clone().unwrap_or(CatalogueHead::EMPTY);
    let by_key = changes.into_iter().map(|change| (change.key(), change));
    let by_key: std::collections::BTreeMap<RecordKey, RowChange> = by_key.collect();
    let changes: Vec<RowChange> = by_key.into_values().collect();
    let load = LoadId(ConnectionId::from_random(ports.randomness.bits()).to_string());
    store.begin_load(&load, ports.clock.now()).await?;
    if !store.write_journal(&load, &changes).await? {
        return Err(LoadError::Dropped);
    }
    let has = |kind| changes.iter().any(|change| change.key().kind() == kind);
    let lists = has(RecordKind::PriceList) || has(RecordKind::Prices);
    let changed = Changes {
        products: before.currency != currency || has(RecordKind::Product),
        lists,
        // The recipients of the lists are not examined, so every list counts as shared.
        shared_lists: lists,
        customers: has(RecordKind::Customer),
    };
    let commit = Commit { load, currency, rounding: before.rounding, changes: changed };
    match store.commit_load(&commit, head.map(|head| head.version)).await? {
        Committed::Version(version) => {
            fold(store, &*ports.clock, &commit.load, version, &|_| ()).await?;
            Ok(version)
        }
        Committed::Conflict => Err(LoadError::Contended),
        Committed::Dropped => Err(LoadError::Dropped),
    }
}
