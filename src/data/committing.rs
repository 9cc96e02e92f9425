//! How changes take effect: they are written to a journal that nobody reads, one write brings the journal
//! into force, and then it is folded into the rows.

use tracing::warn;

use super::load_error::LoadError;
use crate::ports::{Chain, Clock, Commit, Committed, LoadId, RowChange, Store};
use crate::stages::folding::fold;

/// How many changes one write to the journal has at most.
pub(super) const CHUNK: usize = 5_000;

/// How far a load has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadProgress<'a> {
    /// The load has a journal of this name. It comes into force if the head still has this version then.
    Began(&'a LoadId, u64),
    /// This many rows are compared with the store.
    Compared(u64),
    /// This many changes of the total are in the journal.
    Written(u64, u64),
    /// The journal is complete. From now on the store may bring it into force.
    Committing,
    /// All changes are in force, as this version.
    InForce(u64),
    /// This many changes of the total are folded into the rows.
    Folded(u64, u64),
}

/// A load whose changes are being brought into force.
pub(super) struct Committing<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) clock: &'a dyn Clock,
    /// How many changes the load has.
    pub(super) rows: u64,
    pub(super) progress: &'a (dyn Fn(LoadProgress<'_>) + Sync),
}

/// A load that is in force.
pub(super) struct InForce {
    pub(super) version: u64,
    /// Why folding into the rows failed. The next load or tick folds them.
    pub(super) unfolded: Option<String>,
}

impl Committing<'_> {
    /// Writes the changes and brings them into force. Returns `None` if another load came into force first.
    ///
    /// # Errors
    /// [`LoadError`]. Then nothing is changed, unless the store did not answer the commit: then all of it may be
    /// in force.
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
        (self.progress)(LoadProgress::Committing);
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

    /// Folds the journal into the rows. Returns the reason if that fails; the changes are in force all the
    /// same.
    async fn fold(&self, commit: &Commit, version: u64) -> Option<String> {
        let folded = |done| (self.progress)(LoadProgress::Folded(done, self.rows));
        let load = &commit.load;
        let error = fold(self.store, self.clock, load, version, &folded).await.err()?;
        let why = Chain(&error).to_string();
        warn!(load = load.0, version, error = why, "the load is in force and not folded yet");
        Some(why)
    }
}
