//! Every state of the loaded data, and when it was in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Invariant;
use super::checks::Checks;
use super::loaded::Loaded;
use super::oracle;
use super::report::Breach;
use crate::model::{Item, Timestamp, UserId};
use crate::ports::{LoadId, RecordKey, RowChange, TableHead};
use crate::protocol::QuotationFrame;

/// A state, and when it was in force.
#[derive(Debug)]
struct Version {
    loaded: Arc<Loaded>,
    since: Timestamp,
    until: Option<Timestamp>,
}

/// The inputs of prices.
#[derive(Debug)]
pub(super) struct InputHistory {
    /// The states by version. The one before the first load is empty.
    versions: Vec<Version>,
    /// What was written to the journal of each load.
    journals: BTreeMap<LoadId, BTreeMap<RecordKey, RowChange>>,
    committed: Vec<LoadId>,
}

impl InputHistory {
    pub(super) fn new(start: Timestamp) -> Self {
        let empty = Version { loaded: Arc::default(), since: start, until: None };
        Self { versions: vec![empty], journals: BTreeMap::new(), committed: vec![] }
    }

    /// Notes changes that were written to the journal of a load.
    pub(super) fn journaled(
        &mut self,
        load: &LoadId,
        changes: &[RowChange],
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        checks.hold(Invariant::WholeLoad, !self.committed.contains(load), || {
            format!("the journal of load {} is written to after its commit", load.0)
        })?;
        let journal = self.journals.entry(load.clone()).or_default();
        journal.extend(changes.iter().map(|change| (change.key(), change.clone())));
        Ok(())
    }

    /// Notes that a load came into force with this journal.
    pub(super) fn committed(
        &mut self,
        load: &LoadId,
        version: u64,
        journal: &[RowChange],
        now: Timestamp,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        let next = self.versions.len() as u64;
        checks.hold(Invariant::NothingGoesBack, version == next, || {
            format!("the catalogue's version became {version}, not {next}")
        })?;
        let written = self.journals.get(load);
        let is_whole = written.map_or(0, BTreeMap::len) == journal.len()
            && journal.iter().all(|change| {
                written.is_some_and(|written| written.get(&change.key()) == Some(change))
            });
        checks.hold(Invariant::WholeLoad, is_whole, || {
            format!("load {} came into force with another journal than it had written", load.0)
        })?;
        self.committed.push(load.clone());
        let mut loaded = self.last().clone();
        journal.iter().for_each(|change| loaded.apply(change));
        if let Some(last) = self.versions.last_mut() {
            last.until = Some(now);
        }
        self.versions.push(Version { loaded: Arc::new(loaded), since: now, until: None });
        Ok(())
    }

    fn last(&self) -> Loaded {
        self.versions.last().map(|last| (*last.loaded).clone()).unwrap_or_default()
    }

    /// Returns the state of a version, if there was one.
    pub(super) fn version(&self, version: u64) -> Option<Arc<Loaded>> {
        let index = usize::try_from(version).ok()?;
        self.versions.get(index).map(|version| version.loaded.clone())
    }

    /// Whether an answer that was calculated at `at` matches one state that was in force at some time
    /// between `from` and `to`. Prices and names must come from the same version.
    pub(super) fn explain(
        &self,
        (shown, asked): (&QuotationFrame, &[Item]),
        user: &UserId,
        (from, to): (Timestamp, Timestamp),
        at: Timestamp,
    ) -> bool {
        let mut in_force =
            self.versions.iter().rev().filter(|version| {
                version.since <= to && version.until.is_none_or(|end| end >= from)
            });
        in_force.any(|version| oracle::agrees(shown, asked, &version.loaded, user, at))
    }

    /// Returns the instants at which the table of a head is checked: now, if it is usable, and whenever a
    /// list of its user begins or ends while it is.
    pub(super) fn edges_of(&self, user: &UserId, head: &TableHead) -> Vec<Timestamp> {
        let now = head.validated_at;
        let Some(loaded) = self.version(head.catalogue_version) else { return vec![] };
        let usable = (head.usable_until > now).then_some(now);
        let edges = loaded.edges_of(user, now, head.usable_until);
        usable.into_iter().chain(edges).collect()
    }

    /// Returns how many loads came into force.
    pub(super) fn loads(&self) -> u64 {
        self.versions.len() as u64 - 1
    }

    /// Whether there are products now.
    pub(super) fn has_products(&self) -> bool {
        self.versions.last().is_some_and(|last| !last.loaded.products.is_empty())
    }
}
