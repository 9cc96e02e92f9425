//! Bases are made once: one task of one process makes a base, and all others wait for it.
//!
//! A base is made if it is not stored, or if a reader found it incomplete. If a stored base would expire too
//! soon, its expiry is extended.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use tracing::info;

use super::base_claims::{BaseClaims, ClaimLost, ClaimPauses, LONGEST_WAIT};
use super::base_shelf::{BaseShelf, Part};
use super::base_storing::store_base;
use super::doubts::Doubts;
use crate::model::Timestamp;
use crate::ports::{AtHead, BaseName, Clock, PortError, Ports, Store, StoredBase};
use crate::pricing::{BaseError, BaseIndex};

/// Why there is no base to price against.
#[derive(Debug, Error)]
pub enum MakeBaseError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Another process is making the base, and did not finish within the longest wait.
    #[error("another process is making the base of the catalogue")]
    Claimed,
    /// Loads came into force faster than the products could be read.
    #[error("the catalogue kept changing while it was read")]
    Unsettled,
    /// The stored products cannot be made into a base.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The thread that packs the base died.
    #[error("packing the catalogue")]
    Pack(#[from] tokio::task::JoinError),
}

/// A packed base: its index and its parts.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub(super) index: BaseIndex,
    pub(super) parts: Vec<Bytes>,
}

/// The bases of a process.
pub(super) struct MadeBases {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    shelf: Arc<BaseShelf>,
    claims: BaseClaims,
    doubts: Doubts,
    /// The locks of the bases being made, so that one task makes a base and the other tasks wait for it.
    making: Mutex<HashMap<BaseName, Weak<AsyncMutex<()>>>>,
    /// When this process last waited in vain for another process. A task that comes soon after does not wait
    /// again. Otherwise the customers of a batch would wait one after the other, for longer than a function
    /// may run.
    given_up: Mutex<HashMap<BaseName, Instant>>,
}

impl MadeBases {
    /// Creates the bases of a process, which keeps them on this shelf.
    pub(super) fn new(ports: &Ports, shelf: Arc<BaseShelf>) -> Self {
        Self {
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            shelf,
            claims: BaseClaims::new(ports),
            doubts: Doubts::default(),
            making: Mutex::default(),
            given_up: Mutex::default(),
        }
    }

    pub(super) const fn shelf(&self) -> &Arc<BaseShelf> {
        &self.shelf
    }

    /// Marks bases as incomplete, so that they are made again before their next use.
    pub(super) fn doubt(&self, names: impl IntoIterator<Item = BaseName>) {
        self.doubts.raise(names);
    }

    /// Whether a base must be made again.
    pub(super) fn is_in_doubt(&self, name: &BaseName) -> bool {
        self.doubts.are_about(name)
    }

    /// Returns a base that is stored until `keep_until` at least. Awaits `make` to make it, if necessary.
    pub(super) async fn base<P: Part>(
        &self,
        name: &BaseName,
        keep_until: Timestamp,
        make: impl Future<Output = Result<AtHead<Packed>, MakeBaseError>> + Send,
    ) -> Result<AtHead<Arc<StoredBase>>, MakeBaseError> {
        if let Some(base) = self.kept(name, keep_until).await? {
            return Ok(AtHead::Read(base));
        }
        let lock = self.lock(*name);
        let _held = lock.lock().await;
        let mut waiting = ClaimPauses::default();
        loop {
            // While this task waited, another task or process may have made the base or extended its expiry.
            if let Some(base) = self.stored(name, keep_until).await? {
                return Ok(AtHead::Read(base));
            }
            if self.claims.claim(name).await? {
                break;
            }
            if self.has_given_up(name) || !waiting.a_while().await {
                self.give_up(name);
                return Err(MakeBaseError::Claimed);
            }
        }
        let making = Box::pin(self.make::<P>(name, keep_until, make));
        match self.claims.hold(name, making).await {
            Ok(made) => made,
            Err(ClaimLost) => Err(MakeBaseError::Claimed),
        }
    }

    fn has_given_up(&self, name: &BaseName) -> bool {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.get(name).is_some_and(|at| at.elapsed() < LONGEST_WAIT)
    }

    /// Remembers when a wait for a base ended in vain, unless that is remembered already.
    fn give_up(&self, name: &BaseName) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.retain(|_, at| at.elapsed() < LONGEST_WAIT);
        given_up.entry(*name).or_insert_with(Instant::now);
    }

    fn lock(&self, name: BaseName) -> Arc<AsyncMutex<()>> {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = making.get(&name).and_then(Weak::upgrade) {
            return lock;
        }
        making.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        making.insert(name, Arc::downgrade(&lock));
        lock
    }

    /// Returns a base, if the shelf's copy expires late enough.
    async fn kept(
        &self,
        name: &BaseName,
        keep_until: Timestamp,
    ) -> Result<Option<Arc<StoredBase>>, PortError> {
        if self.is_in_doubt(name) {
            return Ok(None);
        }
        let base = self.shelf.base(name).await?;
        Ok(base.filter(|base| base.expires_at >= keep_until))
    }

    /// Returns a base, if it expires late enough. Asks the store if the shelf's copy expires too soon.
    async fn stored(
        &self,
        name: &BaseName,
        keep_until: Timestamp,
    ) -> Result<Option<Arc<StoredBase>>, PortError> {
        match self.is_in_doubt(name) {
            true => Ok(None),
            false => self.shelf.base_until(name, keep_until).await,
        }
    }

    /// Makes a claimed base, or extends the expiry of the stored one.
    async fn make<P: Part>(
        &self,
        name: &BaseName,
        keep_until: Timestamp,
        make: impl Future<Output = Result<AtHead<Packed>, MakeBaseError>> + Send,
    ) -> Result<AtHead<Arc<StoredBase>>, MakeBaseError> {
        // Twice the time is requested, so that the base is not written again with every calculation.
        let now = self.clock.now();
        let expires_at = keep_until.plus(keep_until.since(now));
        let stored = if self.is_in_doubt(name) { None } else { self.store.base(name).await? };
        if let Some(base) = stored {
            // The previous holder of the claim may have just stored the base.
            if base.expires_at >= keep_until {
                return Ok(AtHead::Read(self.shelf.put(*name, base)));
            }
            if let Some(parts) = self.parts(name, &base).await? {
                // The expiry is never shortened: our clock may be behind that of other processes, whose
                // tables rely on it.
                let (keep_until, expires_at) =
                    (keep_until.max(base.expires_at), expires_at.max(base.expires_at));
                let base = StoredBase { expires_at, ..base };
                let base = self.put(name, base, &parts, (keep_until, now)).await?;
                return Ok(AtHead::Read(self.shelf.put(*name, base)));
            }
        }
        let AtHead::Read(Packed { index, parts }) = make.await? else { return Ok(AtHead::Moved) };
        let base = if index.products == 0 && name.terms.is_none() {
            StoredBase::nothing(name.currency)
        } else {
            let base = StoredBase { index, expires_at };
            self.put(name, base, &parts, (keep_until, now)).await?
        };
        self.shelf.forget(name);
        let base = self.shelf.put(*name, base);
        self.shelf.keep_parts::<P>(name, &base.index, &parts);
        self.doubts.settle(name);
        Ok(AtHead::Read(base))
    }

    async fn put(
        &self,
        name: &BaseName,
        base: StoredBase,
        parts: &[Bytes],
        times: (Timestamp, Timestamp),
    ) -> Result<StoredBase, PortError> {
        let base = store_base(&*self.store, name, base, parts, times).await?;
        info!(%name, products = base.index.products, parts = parts.len(), "base stored");
        Ok(base)
    }

    /// Reads the parts of a stored base; `None` if one of them is missing.
    async fn parts(
        &self,
        name: &BaseName,
        base: &StoredBase,
    ) -> Result<Option<Vec<Bytes>>, PortError> {
        let numbers: Vec<u32> = (0..).take(base.index.parts.len()).collect();
        let parts = self.store.base_parts(name, &numbers).await?;
        Ok(parts.into_iter().collect())
    }
}
