//! Folding: the changes of a load that is in force are written into the rows.
//!
//! Repeating it is safe, and so is doing it twice at the same time: a load never overwrites a row of a later
//! load. Only the next load waits for it.

use std::time::Duration;

use tracing::info;

use crate::meter::{Reason, Scope, Stage};
use crate::ports::{CatalogueHead, Clock, LoadId, Loads, PortError, Store, pages};

/// How long a deleted row keeps its version: longer than any read or load takes.
const FORGET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The meter counts the calls of folding under this scope.
const ACCOUNT: Scope = Scope::new(Stage::Refresh, Reason::Load);

/// Folds the journal of a load into the rows, and deletes the journal. Calls `progress` with the number of
/// changes folded so far.
///
/// # Errors
/// [`PortError`] if the store fails. The load is in force all the same, and the next caller continues.
pub async fn fold(
    store: &dyn Loads,
    clock: &dyn Clock,
    load: &LoadId,
    version: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), PortError> {
    let mut done = 0;
    let mut pages = pages(|from| store.list_journal(load, from));
    while let Some(changes) = pages.next().await? {
        let forget_at = clock.now().plus(FORGET_AFTER);
        store.fold(load, version, &changes, forget_at).await?;
        done += changes.len() as u64;
        progress(done);
    }
    store.finish_load(load).await?;
    store.drop_journal(load).await
}

/// Folds the journal that the last load left unfolded. If there is none, reads only the head.
///
/// # Errors
/// [`PortError`] if the store fails.
pub async fn fold_left(store: &dyn Store, clock: &dyn Clock) -> Result<(), PortError> {
    ACCOUNT.of(fold_head(store, clock)).await
}

async fn fold_head(store: &dyn Store, clock: &dyn Clock) -> Result<(), PortError> {
    let head = store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
    match &head.unfolded {
        None => Ok(()),
        Some(load) => {
            info!(load = load.0, version = head.version, "folding what a load left");
            fold(store, clock, load, head.version, &|_| ()).await
        }
    }
}

/// Cleans up after loads that died: folds the journal that is in force, and deletes expired journals that
/// will never be.
///
/// # Errors
/// [`PortError`] if the store fails.
pub async fn tidy(store: &dyn Store, clock: &dyn Clock) -> Result<(), PortError> {
    let tidied = async {
        fold_head(store, clock).await?;
        let now = clock.now();
        for journal in store.journals().await? {
            if journal.is_waste(now) {
                store.drop_journal(&journal.load).await?;
            }
        }
        Ok(())
    };
    ACCOUNT.of(tidied).await
}
