//! The heads that this process has read: those of tables, each with that of the catalogue.
//!
//! Every warm quote needs both, and every quote is also a commit, after which SQLite reads its pages again. So
//! heads are kept for as long as no head can have changed: until another process commits, or this one commits
//! a change of a head. Nothing is kept that a new read would not return.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rusqlite::Connection;

use super::failure::Failure;
use super::wal_index::{LastCommit, WalIndex};
use crate::model::UserId;
use crate::ports::{CatalogueHead, OwnStorage, TableHead};

/// About the most memory for kept heads, in bytes: enough for 16,000 customers with 100 own rows each.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// The estimated size of what is kept of a customer, in bytes.
const CUSTOMER_BYTES: u64 = 1024;
/// The tables of which heads are read. All have row ids, so SQLite reports each change of a row.
const HEAD_TABLES: [&str; 3] = ["price_table", "catalogue_head", "journal"];

/// The head of a customer's table, if there is one, and that of the catalogue.
pub(super) type Heads = (Option<TableHead>, CatalogueHead);

/// The kept heads of a process.
pub(super) struct KnownHeads {
    /// `None` once the store is closed.
    index: RwLock<Option<WalIndex>>,
    /// The last commit that `moment` takes account of, as bits.
    seen: AtomicU64,
    /// Grows with every commit that may have changed a head.
    moment: AtomicU64,
    /// Whether the writing thread is committing something that changes no head.
    commits_no_head: AtomicBool,
    /// Whether the transaction of the writing thread has changed a head.
    changed: Arc<AtomicBool>,
    /// How many frames the log has since the transaction was written; 0 if it was not. A transaction that
    /// leaves all rows as they are writes nothing.
    written: Arc<AtomicU32>,
    heads: Cache<UserId, Arc<KeptHeads>, ByBytes>,
}

struct KeptHeads {
    heads: Heads,
    moment: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<UserId, Arc<KeptHeads>> for ByBytes {
    fn weight(&self, user: &UserId, kept: &Arc<KeptHeads>) -> u64 {
        /// The estimated memory for the entry of the cache, and for what it shares.
        const OF_ENTRY: usize = 128;
        let of_table = kept.heads.0.as_ref().map_or(0, |head| {
            let own = |own: &OwnStorage| match own {
                OwnStorage::Inline(bytes) => bytes.len(),
                OwnStorage::Parts(parts) => size_of_val(&**parts),
            };
            let later = head.next.iter().map(|next| size_of_val(next) + own(&next.prices.ladders));
            own(&head.own) + own(&head.prices.ladders) + later.sum::<usize>()
        });
        (OF_ENTRY + user.as_str().len() + size_of::<KeptHeads>() + of_table) as u64
    }
}

impl KnownHeads {
    pub(super) fn new(index: WalIndex) -> Self {
        let seen = index.last_commit().to_bits();
        Self {
            index: RwLock::new(Some(index)),
            seen: AtomicU64::new(seen),
            moment: AtomicU64::new(0),
            commits_no_head: AtomicBool::new(false),
            changed: Arc::default(),
            written: Arc::default(),
            heads: Cache::with_weighter((MAX_BYTES / CUSTOMER_BYTES) as usize, MAX_BYTES, ByBytes),
        }
    }

    /// Returns a number that is the same as before only if no head can have changed. Returns `None` while
    /// that is not known.
    pub(super) fn moment(&self) -> Option<u64> {
        let last = self.last_commit()?.to_bits();
        if self.seen.load(Ordering::SeqCst) == last {
            // Read after the comparison: it grows before `seen` changes.
            return Some(self.moment.load(Ordering::SeqCst));
        }
        if self.commits_no_head.load(Ordering::SeqCst) {
            return None;
        }
        let moment = self.moment.fetch_add(1, Ordering::SeqCst) + 1;
        self.seen.store(last, Ordering::SeqCst);
        Some(moment)
    }

    /// Returns the heads that were kept at this moment.
    pub(super) fn find(&self, user: &UserId, moment: u64) -> Option<Heads> {
        let kept = self.heads.get(user)?;
        (kept.moment == moment).then(|| kept.heads.clone())
    }

    /// Keeps heads that were read after this moment was asked for.
    pub(super) fn keep(&self, user: &UserId, moment: u64, heads: Heads) {
        self.heads.insert(user.clone(), Arc::new(KeptHeads { heads, moment }));
    }

    /// Finds nothing from now on, and closes the connection.
    pub(super) fn close(&self) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.heads.clear();
    }

    /// Watches the rows that the writing thread changes. Returns where the number of frames in the log
    /// must be stored after each commit that is written to it.
    pub(super) fn watch(&self, writer: &mut Connection) -> rusqlite::Result<Arc<AtomicU32>> {
        let changed = self.changed.clone();
        writer.update_hook(Some(move |_, _: &str, table: &str, _| {
            if HEAD_TABLES.contains(&table) {
                changed.store(true, Ordering::SeqCst);
            }
        }))?;
        Ok(self.written.clone())
    }

    /// Notes that the writing thread has begun a transaction.
    pub(super) fn begun(&self) {
        self.changed.store(false, Ordering::SeqCst);
    }

    /// Notes a change of heads that SQLite does not report row by row.
    pub(super) fn note_change(&self) {
        self.changed.store(true, Ordering::SeqCst);
    }

    /// Commits a transaction of the writing thread. If it has changed no head, all that is kept stays valid.
    pub(super) fn commit(
        &self,
        commit: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let before = self.last_commit().filter(|_| !self.changed.load(Ordering::SeqCst));
        let Some(before) = before else { return commit() };
        self.commits_no_head.store(true, Ordering::SeqCst);
        self.written.store(0, Ordering::SeqCst);
        let committed = commit();
        let frames = self.written.load(Ordering::SeqCst);
        // Until the commit nobody else could write. So if it was written, the next number is its own.
        if frames > 0
            && let Some(after) = self.last_commit().filter(|after| after.follows(before, frames))
        {
            // If another commit was not taken account of before, the next look takes account of both.
            let (before, after) = (before.to_bits(), after.to_bits());
            let _ = self.seen.compare_exchange(before, after, Ordering::SeqCst, Ordering::SeqCst);
        }
        self.commits_no_head.store(false, Ordering::SeqCst);
        committed
    }

    fn last_commit(&self) -> Option<LastCommit> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.as_ref().map(WalIndex::last_commit)
    }
}

#[cfg(test)]
mod tests;
