//! Finds out what a load has done when it ends without saying so: it was interrupted, or the store did not
//! answer.

use std::sync::{Mutex, PoisonError};

use super::committing::LoadProgress;
use crate::ports::{LoadId, PortError, Store};

/// How far a load has come. It can be read after the load was dropped.
#[derive(Debug, Default)]
pub struct Watched(Mutex<Phase>);

#[derive(Clone, Debug, Default)]
enum Phase {
    /// The load has written nothing that can take effect.
    #[default]
    Comparing,
    /// The load has a journal, which is to take effect in place of this version.
    Writing(LoadId, u64),
    /// The same, and the store may have brought it into force.
    Committing(LoadId, u64),
    /// The load is in force as this version.
    InForce(u64),
}

/// What a load has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// Nothing, and it never will.
    Nothing,
    /// All of it, as this version.
    All(u64),
    /// All of it or nothing.
    Unknown,
}

impl Watched {
    /// Notes how far the load has come.
    pub fn note(&self, progress: &LoadProgress<'_>) {
        let mut phase = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            // What it wrote before has no effect.
            LoadProgress::Compared(_) => *phase = Phase::Comparing,
            LoadProgress::Began(load, version) => {
                *phase = Phase::Writing((*load).clone(), *version)
            }
            LoadProgress::Committing => {
                if let Phase::Writing(load, before) = std::mem::take(&mut *phase) {
                    *phase = Phase::Committing(load, before);
                }
            }
            LoadProgress::InForce(version) => *phase = Phase::InForce(*version),
            LoadProgress::Written(..) | LoadProgress::Folded(..) => {}
        }
    }

    /// Whether a load that has ended is known to have done nothing, without a look into the store.
    #[must_use]
    pub fn has_no_effect(&self) -> bool {
        matches!(self.phase(), Phase::Comparing | Phase::Writing(..))
    }

    /// Returns what a load that has ended has done. Drops its journal if nobody will ever read it.
    pub async fn did(&self, store: &dyn Store) -> Did {
        match self.phase() {
            Phase::Comparing => Did::Nothing,
            Phase::Writing(load, _) => {
                // If this fails, a later load or tick drops it.
                let _ = store.drop_journal(&load).await;
                Did::Nothing
            }
            Phase::Committing(load, before) => {
                committed(store, &load, before).await.unwrap_or(Did::Unknown)
            }
            Phase::InForce(version) => Did::All(version),
        }
    }

    fn phase(&self) -> Phase {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn committed(store: &dyn Store, load: &LoadId, before: u64) -> Result<Did, PortError> {
    // Drop the journal first, so that the load cannot take effect afterwards. A load that is in force and
    // not folded keeps its journal.
    store.drop_journal(load).await?;
    let head = store.catalogue_head().await?;
    let version = head.as_ref().map_or(0, |head| head.version);
    Ok(match head.and_then(|head| head.unfolded) {
        Some(unfolded) if unfolded == *load => Did::All(version),
        _ if version == before => Did::Nothing,
        // Another load came in between, or another process has already folded this one.
        _ => Did::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::Memory;
    use crate::model::Timestamp;
    use crate::ports::{Changes, Commit, Committed};
    use crate::ports::{SystemClock, SystemRandomness};
    use crate::pricing::{Currency, UnitRounding};

    fn store() -> Arc<dyn Store> {
        Memory::new(Arc::new(SystemClock), Arc::new(SystemRandomness)).ports().store
    }

    async fn begun(store: &dyn Store) -> (Watched, LoadId) {
        let (watched, load) = (Watched::default(), LoadId("a".to_owned()));
        store.begin_load(&load, Timestamp::default()).await.unwrap();
        watched.note(&LoadProgress::Began(&load, 0));
        (watched, load)
    }

    async fn commit(store: &dyn Store, watched: &Watched, load: &LoadId) -> Committed {
        watched.note(&LoadProgress::Committing);
        let commit = Commit {
            load: load.clone(),
            currency: Currency::USD,
            rounding: UnitRounding::PLAIN,
            changes: Changes::PRODUCTS,
        };
        store.commit_load(&commit, None).await.unwrap()
    }

    #[tokio::test]
    async fn a_load_without_a_journal_has_done_nothing() {
        let store = store();
        assert_eq!(Watched::default().did(&*store).await, Did::Nothing);
    }

    #[tokio::test]
    async fn a_load_that_was_interrupted_never_comes_into_force() {
        let store = store();
        let (watched, load) = begun(&*store).await;
        assert!(watched.has_no_effect());
        assert_eq!(watched.did(&*store).await, Did::Nothing);
        assert_eq!(commit(&*store, &watched, &load).await, Committed::Dropped);
        assert!(!watched.has_no_effect());
        assert_eq!(watched.did(&*store).await, Did::Nothing);
    }

    #[tokio::test]
    async fn a_load_that_just_came_into_force_has_done_all() {
        let store = store();
        let (watched, load) = begun(&*store).await;
        commit(&*store, &watched, &load).await;
        assert_eq!(watched.did(&*store).await, Did::All(1));
    }

    #[tokio::test]
    async fn a_load_that_others_have_folded_is_not_said_to_have_done_nothing() {
        let store = store();
        let (watched, load) = begun(&*store).await;
        commit(&*store, &watched, &load).await;
        store.finish_load(&load).await.unwrap();
        store.drop_journal(&load).await.unwrap();
        assert_eq!(watched.did(&*store).await, Did::Unknown);
    }
}
