//! Folding: what a load brought into force is written into the rows.
//!
//! Repeating it is safe, and so is doing it twice at once: a row is never written by a load that is
//! older than what it has. Nobody waits for it but the next load.

use std::time::Duration;

use tracing::info;

use crate::meter::{Reason, Scope, Stage};
use crate::ports::{CatalogueHead, Clock, LoadId, Loads, PortError, Store};

/// For so long what was deleted keeps its version: longer than any read or load is under way.
const FORGET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// On which the calls go.
const ACCOUNT: Scope = Scope::new(Stage::Refresh, Reason::Load);

/// Folds the journal of a load into the rows and drops it. `progress` hears how many changes are
/// done.
///
/// # Errors
/// Those of the ports. The load is in force all the same, and whoever comes next goes on.
pub async fn fold(
    store: &dyn Loads,
    clock: &dyn Clock,
    load: &LoadId,
    version: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), PortError> {
    let (mut from, mut done) = (None, 0);
    loop {
        let page = store.list_journal(load, from).await?;
        let forget_at = clock.now().plus(FORGET_AFTER);
        store.fold(load, version, &page.items, forget_at).await?;
        done += page.items.len() as u64;
        progress(done);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    store.finish_load(load).await?;
    store.drop_journal(load).await
}

/// Folds what the last load has left unfolded. One read of the head where there is nothing to do.
///
/// # Errors
/// Those of the ports.
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

/// Ends what loads that died have left: folds a journal that is in force, and drops those that
/// never will be.
///
/// # Errors
/// Those of the ports.
pub async fn tidy(store: &dyn Store, clock: &dyn Clock) -> Result<(), PortError> {
    ACCOUNT.of(tidy_all(store, clock)).await
}

async fn tidy_all(store: &dyn Store, clock: &dyn Clock) -> Result<(), PortError> {
    fold_head(store, clock).await?;
    let now = clock.now();
    for journal in store.journals().await? {
        if journal.is_waste(now) {
            store.drop_journal(&journal.load).await?;
        }
    }
    Ok(())
}
