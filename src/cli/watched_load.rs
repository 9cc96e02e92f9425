//! Finds out what a load has done when it is interrupted.

use std::sync::{Mutex, PoisonError};

use super::failure::{ExitCode, Failure};
use crate::ports::{LoadId, PortError, Store};

/// The phase of a load, which an interruption reads.
#[derive(Debug, Default)]
pub(super) struct Watched(Mutex<Phase>);

#[derive(Clone, Debug, Default)]
enum Phase {
    /// The load has written nothing that can take effect.
    #[default]
    Comparing,
    /// The load has a journal, and may just have taken effect in place of this version.
    Writing(LoadId, u64),
    /// The load is in force as this version.
    InForce(u64),
}

/// What a load has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    Nothing,
    /// All of it, as this version.
    All(u64),
    /// All of it or nothing.
    Unknown,
}

impl Watched {
    /// Notes that the load compares. What it wrote before has no effect.
    pub(super) fn comparing(&self) {
        self.set(Phase::Comparing);
    }

    /// Notes that the load has a journal.
    pub(super) fn began(&self, load: &LoadId, version: u64) {
        self.set(Phase::Writing(load.clone(), version));
    }

    /// Notes that the load is in force.
    pub(super) fn in_force(&self, version: u64) {
        self.set(Phase::InForce(version));
    }

    fn set(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// Returns the failure of an interrupted load, which says what it has done. Drops its journal if
    /// nobody will ever read it.
    pub(super) async fn interrupted(&self, store: &dyn Store) -> Failure {
        let interrupted = |message: &str| Failure::new(ExitCode::Interrupted, message);
        match self.did(store).await.unwrap_or(Did::Unknown) {
            Did::Nothing => nothing_changed(),
            Did::All(version) => interrupted(&format!(
                "interrupted after all of it came into force, as catalogue version {version}"
            ))
            .hint("tables change at the next refresh, not at once"),
            Did::Unknown => interrupted(
                "interrupted; all of it came into force or nothing, and which is not known",
            )
            .hint("load the files again: only what differs is written"),
        }
    }

    async fn did(&self, store: &dyn Store) -> Result<Did, PortError> {
        let phase = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (load, before) = match phase {
            Phase::Comparing => return Ok(Did::Nothing),
            Phase::InForce(version) => return Ok(Did::All(version)),
            Phase::Writing(load, before) => (load, before),
        };
        // Drop the journal first, so that the load cannot take effect afterwards. A load that is in force
        // and not folded keeps its journal.
        store.drop_journal(&load).await?;
        let head = store.catalogue_head().await?;
        let version = head.as_ref().map_or(0, |head| head.version);
        Ok(match head.and_then(|head| head.unfolded) {
            Some(unfolded) if unfolded == load => Did::All(version),
            _ if version == before => Did::Nothing,
            // Another load came in between, or another process has already folded this one.
            _ => Did::Unknown,
        })
    }
}

/// Returns the failure of a load that was interrupted before it did anything.
pub(super) fn nothing_changed() -> Failure {
    Failure::new(ExitCode::Interrupted, "interrupted; nothing was changed")
        .hint("load the files again")
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
        watched.began(&load, 0);
        (watched, load)
    }

    async fn commit(store: &dyn Store, load: &LoadId) -> Committed {
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
        assert_eq!(Watched::default().did(&*store).await.unwrap(), Did::Nothing);
    }

    #[tokio::test]
    async fn a_load_that_was_interrupted_never_comes_into_force() {
        let store = store();
        let (watched, load) = begun(&*store).await;
        assert_eq!(watched.did(&*store).await.unwrap(), Did::Nothing);
        assert_eq!(commit(&*store, &load).await, Committed::Dropped);
    }

    #[tokio::test]
    async fn a_load_that_just_came_into_force_has_done_all() {
        let store = store();
        let (watched, load) = begun(&*store).await;
        commit(&*store, &load).await;
        assert_eq!(watched.did(&*store).await.unwrap(), Did::All(1));
    }

    #[tokio::test]
    async fn a_load_that_others_have_folded_is_not_said_to_have_done_nothing() {
        let store = store();
        let (watched, load) = begun(&*store).await;
        commit(&*store, &load).await;
        store.finish_load(&load).await.unwrap();
        store.drop_journal(&load).await.unwrap();
        assert_eq!(watched.did(&*store).await.unwrap(), Did::Unknown);
    }
}
