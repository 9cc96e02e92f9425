//! How changes take effect: a journal that nobody reads, one write that brings it into force, and its fold
//! into the rows.

use tracing::warn;

use super::load_error::LoadError;
use crate::ports::{Chain, Clock, Commit, Committed, LoadId, RowChange, Store};
use crate::stages::folding::fold;

/// So many changes are written at once.
pub(super) const CHUNK: usize = 5_000;

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadProgress<'a> {
    /// It has a journal of this name, and comes into force if the head still has this version then.
    Began(&'a LoadId, u64),
    /// So many rows are compared with the store.
    Compared(u64),
    /// So many changes of all are in the journal.
    Written(u64, u64),
    /// All of it is in force, as this version.
    InForce(u64),
    /// So many changes of all are folded into the rows.
    Folded(u64, u64),
}

/// Changes of one load on their way into force.
pub(super) struct Committing<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) clock: &'a dyn Clock,
    /// How many changes it has.
    pub(super) rows: u64,
    pub(super) progress: &'a (dyn Fn(LoadProgress<'_>) + Sync),
}

/// Changes that are in force.
pub(super) struct InForce {
    pub(super) version: u64,
    /// Why they are not folded into the rows. Whoever comes next does it.
    pub(super) unfolded: Option<String>,
}

impl Committing<'_> {
    /// Writes changes, and brings them into force; `None` when another load came between.
    ///
    /// # Errors
    /// [`LoadError`]. Nothing is changed then.
    pub(super) async fn take_effect(
        &self,
        chunks: impl Iterator<Item = impl AsRef<[RowChange]>>,
        commit: &Commit,
        expected: Option<u64>,
    ) -> Result<Option<InForce>, LoadError> {
        (self.progress)(LoadProgress::Began(&commit.load, expected.unwrap_or(0)));
        self.store.begin_load(&commit.load, self.clock.now()).await?;
        let mut written = 0;
        for chunk in chunks {
            let chunk = chunk.as_ref();
            if !self.store.write_journal(&commit.load, chunk).await? {
                return Err(LoadError::Dropped);
            }
            written += chunk.len() as u64;
            (self.progress)(LoadProgress::Written(written, self.rows));
        }
        match self.store.commit_load(commit, expected).await? {
            Committed::Version(version) => {
                (self.progress)(LoadProgress::InForce(version));
                let unfolded = self.fold(commit, version).await;
                Ok(Some(InForce { version, unfolded }))
            }
            Committed::Conflict => {
                self.store.drop_journal(&commit.load).await?;
                Ok(None)
            }
            Committed::Dropped => Err(LoadError::Dropped),
        }
    }

    /// Folds the journal into the rows; says why, if that fails. The changes are in force all the same.
    async fn fold(&self, commit: &Commit, version: u64) -> Option<String> {
        let folded = |done| (self.progress)(LoadProgress::Folded(done, self.rows));
        let load = &commit.load;
        let error = fold(self.store, self.clock, load, version, &folded).await.err()?;
        let why = Chain(&error).to_string();
        warn!(load = load.0, version, error = why, "the load is in force and not folded yet");
        Some(why)
    }
}
