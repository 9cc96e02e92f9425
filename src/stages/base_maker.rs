//! Makes the base of the products in force, once, for all customers.
//!
//! Nobody else reads the whole catalogue. A base that is made is stored; every other process reads it
//! from there, and nothing of the catalogue but its head.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use super::base_draft::Draft;
use super::base_pieces::Reading;
use super::base_shelf::BaseShelf;
use super::made_bases::{MadeBases, MakeBaseError, Packed};
use crate::model::Timestamp;
use crate::ports::{AtHead, BaseName, CatalogueHead, Clock, PortError, Ports, Store, StoredBase};
use crate::pricing::{BasePart, Currency};

/// How often a base is begun again because a load came between.
const MAX_SCANS: u32 = 5;

/// The products that are in force.
#[derive(Clone, Debug)]
pub struct Current {
    /// The head that says so.
    pub head: CatalogueHead,
    /// Their base.
    pub base: Arc<StoredBase>,
}

/// Gives everybody the base of the products in force, and makes it where there is none.
pub struct BaseMaker {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    made: Arc<MadeBases>,
    /// What was read and packed stays here when the task that makes a base is given up: the next one goes on
    /// from there.
    draft: AsyncMutex<Draft>,
    /// The head that was read last, and when.
    head: Mutex<Option<(CatalogueHead, Timestamp)>>,
}

/// Which head of the catalogue will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AsOf {
    /// One that was in force a moment ago, but none before this version. On AWS the head is one item: if it
    /// were read for every batch of the schedule's work, it would be the first to be throttled.
    Lately(u64),
    /// The one that is in force.
    Now,
}

impl BaseMaker {
    /// A maker that has made nothing yet, for a process that keeps its bases on this shelf.
    pub fn new(ports: &Ports, shelf: Arc<BaseShelf>) -> Self {
        Self {
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            made: Arc::new(MadeBases::new(ports, shelf)),
            draft: AsyncMutex::default(),
            head: Mutex::default(),
        }
    }

    /// Where its bases are kept in memory.
    #[must_use]
    pub fn shelf(&self) -> &Arc<BaseShelf> {
        self.made.shelf()
    }

    /// The products that are in force now: one read of the head, and of anything else only when they
    /// changed. Before the first load there are none, at version 0.
    ///
    /// The base is stored until `keep_until` at least.
    ///
    /// # Errors
    /// [`MakeBaseError::Unsettled`] passes by itself.
    pub async fn current(&self, keep_until: Timestamp) -> Result<Current, MakeBaseError> {
        self.current_as_of(AsOf::Now, keep_until).await
    }

    /// The same, where a head that was read a moment ago may do.
    pub(super) async fn current_as_of(
        &self,
        as_of: AsOf,
        keep_until: Timestamp,
    ) -> Result<Current, MakeBaseError> {
        for _ in 0..MAX_SCANS {
            let head = self.head(as_of).await?;
            if let AtHead::Read(base) = self.base_in(head.currency, &head, keep_until).await? {
                return Ok(Current { head, base });
            }
            self.forget_head();
        }
        Err(MakeBaseError::Unsettled)
    }

    async fn head(&self, as_of: AsOf) -> Result<CatalogueHead, PortError> {
        let now = self.clock.now();
        let mut kept = self.kept_head().clone();
        if let (Some((head, read_at)), AsOf::Lately(version)) = (kept.take(), as_of)
            && head.version >= version
            && read_at <= now
            && now < read_at.plus(self.store.head_kept_for())
        {
            return Ok(head);
        }
        let head = self.store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
        *self.kept_head() = Some((head.clone(), now));
        Ok(head)
    }

    /// The head is read anew before its next use: it is in force no longer.
    pub(super) fn forget_head(&self) {
        *self.kept_head() = None;
    }

    fn kept_head(&self) -> MutexGuard<'_, Option<(CatalogueHead, Timestamp)>> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The base of a head in a currency.
    pub(super) async fn base_in(
        &self,
        currency: Currency,
        head: &CatalogueHead,
        keep_until: Timestamp,
    ) -> Result<AtHead<Arc<StoredBase>>, MakeBaseError> {
        let name = BaseName { version: head.base_version, currency, terms: None };
        let mut is_packed = false;
        let pack = async {
            is_packed = true;
            self.pack(name, head).await
        };
        let base = self.made.base::<BasePart>(&name, keep_until, pack).await?;
        if is_packed {
            self.draft.lock().await.forget(&name);
        }
        Ok(base)
    }

    /// Has some bases made again before their next use: a reader did not find all of them.
    pub(super) fn doubt(&self, names: impl IntoIterator<Item = BaseName>) {
        self.made.doubt(names);
    }

    /// All bases of the process.
    pub(super) const fn made(&self) -> &Arc<MadeBases> {
        &self.made
    }

    /// Reads and packs the products of a head.
    async fn pack(
        &self,
        name: BaseName,
        head: &CatalogueHead,
    ) -> Result<AtHead<Packed>, MakeBaseError> {
        let (store, now) = (&*self.store, self.clock.now());
        let is_in_doubt = self.made.is_in_doubt(&name);
        let mut draft = self.draft.lock().await;
        draft.finish(Reading { store, name, head, now, is_in_doubt }).await
    }
}

#[cfg(test)]
mod tests;
