//! The journals of loads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use async_trait::async_trait;

use super::catalogue::LoadedTables;
use super::engine::Memory;
use super::limits::check_item;
use super::paging::PAGE_ROWS;
use crate::model::Timestamp;
use crate::ports::{
    CatalogueHead, Commit, Committed, Cursor, Journal, LoadId, Loads, Page, PortError, RecordKey,
    RowChange,
};

/// The journals by load. Dropped journals are not kept.
#[derive(Default)]
pub(super) struct Journals(BTreeMap<LoadId, StoredJournal>);

struct StoredJournal {
    began_at: Timestamp,
    is_over: bool,
    changes: BTreeMap<RecordKey, RowChange>,
}

impl Journals {
    pub(super) fn changes(&self, load: &LoadId) -> Option<&BTreeMap<RecordKey, RowChange>> {
        self.0.get(load).map(|journal| &journal.changes)
    }

    /// Whether the head names this load.
    fn is_unfolded(head: Option<&CatalogueHead>, load: &LoadId) -> bool {
        head.is_some_and(|head| head.unfolded.as_ref() == Some(load))
    }
}

/// Returns the cursor of a page, which is the key of the page's last change.
pub(super) fn cursor_at(key: &RecordKey) -> Result<Cursor, PortError> {
    let text = serde_json::to_string(key);
    text.map(Cursor).map_err(|error| PortError::corrupt("a change of a journal", error))
}

pub(super) fn key_at(cursor: &Cursor) -> Result<RecordKey, PortError> {
    serde_json::from_str(&cursor.0)
        .map_err(|error| PortError::corrupt("a cursor of a journal", error))
}

/// Refuses a change that does not fit into an item of DynamoDB.
fn check(change: &RowChange) -> Result<(), PortError> {
    match change {
        RowChange::Put(record) => check_item(&record.key().to_string(), record),
        RowChange::Delete(_) => Ok(()),
    }
}

impl LoadedTables {
    fn commit(&mut self, commit: &Commit, expected: Option<u64>) -> Committed {
        let Some(journal) = self.journals.0.get(&commit.load) else { return Committed::Dropped };
        if journal.is_over {
            return Committed::Dropped;
        }
        let head = self.head.as_ref();
        let is_folded = head.is_none_or(|head| head.unfolded.is_none());
        if head.map(|head| head.version) != expected || !is_folded {
            return Committed::Conflict;
        }
        let next = head.unwrap_or(&CatalogueHead::EMPTY).after(commit);
        let version = next.version;
        self.head = Some(next);
        Committed::Version(version)
    }
}

#[async_trait]
impl Loads for Memory {
    async fn begin_load(&self, load: &LoadId, now: Timestamp) -> Result<(), PortError> {
        let journal = StoredJournal { began_at: now, is_over: false, changes: BTreeMap::new() };
        if let Entry::Vacant(new) = self.state().loaded.journals.0.entry(load.clone()) {
            new.insert(journal);
        }
        Ok(())
    }

    async fn write_journal(&self, load: &LoadId, changes: &[RowChange]) -> Result<bool, PortError> {
        changes.iter().try_for_each(check)?;
        let mut state = self.state();
        let journal = state.loaded.journals.0.get_mut(load).filter(|journal| !journal.is_over);
        let Some(journal) = journal else { return Ok(false) };
        journal.changes.extend(changes.iter().map(|change| (change.key(), change.clone())));
        Ok(true)
    }

    async fn commit_load(
        &self,
        commit: &Commit,
        expected: Option<u64>,
    ) -> Result<Committed, PortError> {
        Ok(self.state().loaded.commit(commit, expected))
    }

    async fn list_journal(
        &self,
        load: &LoadId,
        from: Option<Cursor>,
    ) -> Result<Page<RowChange>, PortError> {
        let state = self.state();
        let Some(changes) = state.loaded.journals.changes(load) else {
            return Ok(Page { items: vec![], next: None });
        };
        let after = from.map(|cursor| key_at(&cursor)).transpose()?;
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = changes.range((after, Bound::Unbounded)).peekable();
        let page: Vec<_> = rest.by_ref().take(PAGE_ROWS).collect();
        let last = page.last().filter(|_| rest.peek().is_some());
        let next = last.map(|(key, _)| cursor_at(key)).transpose()?;
        Ok(Page { items: page.into_iter().map(|(_, change)| change.clone()).collect(), next })
    }

    async fn fold(
        &self,
        _load: &LoadId,
        version: u64,
        changes: &[RowChange],
        forget_at: Timestamp,
    ) -> Result<(), PortError> {
        let loaded = &mut self.state().loaded;
        for change in changes {
            loaded.fold(version, change, forget_at);
        }
        Ok(())
    }

    async fn finish_load(&self, load: &LoadId) -> Result<(), PortError> {
        let loaded = &mut self.state().loaded;
        loaded.forget(self.clock().now());
        let unfolded = loaded.head.as_mut().map(|head| &mut head.unfolded);
        let Some(unfolded) = unfolded.filter(|unfolded| unfolded.as_ref() == Some(load)) else {
            return Ok(());
        };
        *unfolded = None;
        if let Some(journal) = loaded.journals.0.get_mut(load) {
            journal.is_over = true;
        }
        Ok(())
    }

    async fn drop_journal(&self, load: &LoadId) -> Result<(), PortError> {
        let loaded = &mut self.state().loaded;
        if !Journals::is_unfolded(loaded.head.as_ref(), load) {
            loaded.journals.0.remove(load);
        }
        Ok(())
    }

    async fn journals(&self) -> Result<Vec<Journal>, PortError> {
        let loaded = &self.state().loaded;
        let of_others = loaded
            .journals
            .0
            .iter()
            .filter(|(load, _)| !Journals::is_unfolded(loaded.head.as_ref(), load));
        let journal = |(load, stored): (&LoadId, &StoredJournal)| Journal {
            load: load.clone(),
            began_at: stored.began_at,
            is_over: stored.is_over,
        };
        Ok(of_others.map(journal).collect())
    }
}
