//! Makes the base of the products in force, once, for all customers.
//!
//! Nobody else reads the whole catalogue. A base that is made is stored; every other process reads it
//! from there, and nothing of the catalogue but its head.

use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::info;

use super::base_claims::{BaseClaims, Waiting};
use super::base_draft::{Draft, Reading};
use super::base_shelf::BaseShelf;
use super::doubts::Doubts;
use crate::model::Timestamp;
use crate::ports::{AtHead, BaseName, CatalogueHead, Clock, PortError, Ports, Store, StoredBase};
use crate::pricing::{BaseError, BasePart, Currency, PackedBase};

/// How often a base is begun again because a load came between.
const MAX_SCANS: u32 = 5;

/// Why there is no base to price against.
#[derive(Debug, Error)]
pub enum MakeBaseError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Another process makes it, and has not done so within the time that one waits for it.
    #[error("another process is making the base of the catalogue")]
    Claimed,
    /// Loads came into force faster than the products could be read.
    #[error("the catalogue kept changing while it was read")]
    Unsettled,
    /// The stored products do not make a base.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The task that packs the base died.
    #[error("packing the catalogue")]
    Pack(#[from] tokio::task::JoinError),
}

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
    shelf: Arc<BaseShelf>,
    claims: BaseClaims,
    /// The lock is held while a base is made, so that one task makes it and the others wait for that
    /// one. What was read stays here when that task is given up: the next one goes on from there.
    draft: Mutex<Draft>,
    doubts: Arc<Doubts>,
    /// The head that was read last, and when.
    head: std::sync::Mutex<Option<(CatalogueHead, Timestamp)>>,
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
            shelf,
            claims: BaseClaims::new(ports),
            draft: Mutex::default(),
            doubts: Arc::default(),
            head: std::sync::Mutex::default(),
        }
    }

    /// Where its bases are kept in memory.
    #[must_use]
    pub const fn shelf(&self) -> &Arc<BaseShelf> {
        &self.shelf
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
        if let Some(base) = self.stored(&name, keep_until).await? {
            return Ok(AtHead::Read(base));
        }
        let mut draft = self.draft.lock().await;
        // Somebody else may have made it while we waited.
        if let Some(base) = self.stored(&name, keep_until).await? {
            return Ok(AtHead::Read(base));
        }
        let mut waiting = Waiting::default();
        while !self.claims.claim(&name).await? {
            waiting.a_while().await?;
            if let Some(base) = self.stored(&name, keep_until).await? {
                return Ok(AtHead::Read(base));
            }
        }
        let making = Box::pin(self.make(name, head, &mut draft, keep_until));
        self.claims.hold(&name, making).await
    }

    /// Has some bases made again before their next use: a reader did not find all of them.
    pub(super) fn doubt(&self, names: impl IntoIterator<Item = BaseName>) {
        self.doubts.raise(names);
    }

    /// Which of all processes makes a base.
    pub(super) const fn claims(&self) -> &BaseClaims {
        &self.claims
    }

    /// Which bases are to be made again.
    pub(super) const fn doubts(&self) -> &Arc<Doubts> {
        &self.doubts
    }

    /// A base, if it is stored for long enough.
    async fn stored(
        &self,
        name: &BaseName,
        keep_until: Timestamp,
    ) -> Result<Option<Arc<StoredBase>>, PortError> {
        if self.doubts.are_about(name) {
            return Ok(None);
        }
        let base = self.shelf.base(name).await?;
        Ok(base.filter(|base| base.index.products == 0 || base.expires_at >= keep_until))
    }

    /// Makes a base of a head and stores it.
    async fn make(
        &self,
        name: BaseName,
        head: &CatalogueHead,
        draft: &mut Draft,
        keep_until: Timestamp,
    ) -> Result<AtHead<Arc<StoredBase>>, MakeBaseError> {
        let is_doubtful = self.doubts.are_about(&name);
        self.shelf.forget(&name);
        // For twice the time, so that it is not written again with every calculation.
        let mut expires_at = keep_until.plus(keep_until.since(self.clock.now()));
        let stored = if is_doubtful { None } else { self.packed(&name).await? };
        let packed = match stored {
            Some((packed, stored_until)) => {
                // Our clock may be behind that of others, whose tables count on what they stored.
                expires_at = expires_at.max(stored_until);
                packed
            }
            None => {
                let (store, now) = (&*self.store, self.clock.now());
                let AtHead::Read(packed) = draft.finish(Reading { store, name, head, now }).await?
                else {
                    return Ok(AtHead::Moved);
                };
                packed
            }
        };
        let parts: Vec<Bytes> = packed.parts.into_iter().map(Bytes::from).collect();
        let base = StoredBase { index: packed.index, expires_at };
        if base.index.products > 0 {
            self.store.put_base(&name, &base, &parts).await?;
        }
        info!(%name, products = base.index.products, parts = parts.len(), "base stored");
        let base = Arc::new(base);
        self.shelf.keep::<BasePart>(name, base.clone(), &parts);
        self.doubts.settle(&name);
        Ok(AtHead::Read(base))
    }

    /// A base that is stored, whole, to be stored for longer, and until when it is.
    async fn packed(&self, name: &BaseName) -> Result<Option<(PackedBase, Timestamp)>, PortError> {
        let Some(base) = self.store.base(name).await? else { return Ok(None) };
        let numbers: Vec<u32> = (0..).take(base.index.parts.len()).collect();
        let parts = self.store.base_parts(name, &numbers).await?;
        let parts: Option<Vec<Vec<u8>>> =
            parts.into_iter().map(|part| part.map(|bytes| bytes.to_vec())).collect();
        let packed = parts.map(|parts| PackedBase { index: base.index, parts });
        Ok(packed.map(|packed| (packed, base.expires_at)))
    }
}

#[cfg(test)]
mod tests;
