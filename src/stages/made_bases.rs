//! Bases that are made once: by one task of one process, while all others wait for it.
//!
//! A base is made where it is not stored, and where a reader did not find all of it. One that is stored for
//! less time than it is needed is stored for longer.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use tracing::info;

use super::base_claims::{BaseClaims, ClaimLost, LONGEST_WAIT, Waiting};
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

/// What a base is stored as.
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
    /// Held while a base is made, so that one task makes it and the others wait for that one.
    making: Mutex<HashMap<BaseName, Weak<AsyncMutex<()>>>>,
    /// When another process was last waited for in vain. Whoever comes soon after does not wait again: the
    /// customers of a batch would do so one after the other, for longer than a function may run.
    given_up: Mutex<HashMap<BaseName, Instant>>,
}

impl MadeBases {
    /// For a process that keeps its bases on this shelf.
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

    /// Has some bases made again before their next use: a reader did not find all of them.
    pub(super) fn doubt(&self, names: impl IntoIterator<Item = BaseName>) {
        self.doubts.raise(names);
    }

    /// Whether a base is to be made again.
    pub(super) fn is_in_doubt(&self, name: &BaseName) -> bool {
        self.doubts.are_about(name)
    }

    /// A base that is stored until `keep_until` at least. `make` is what makes it, if need be.
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
        let mut waiting = Waiting::default();
        loop {
            // Another task or process may have made it, or stored it for longer, while this one waited.
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

    /// Notes that a base is waited for in vain, unless that is known.
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

    /// A base, if by what is kept of it it is stored for long enough.
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

    /// The same, where the store is asked if what is kept does not last for so long.
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

    /// Makes a base that is claimed, or stores it for longer.
    async fn make<P: Part>(
        &self,
        name: &BaseName,
        keep_until: Timestamp,
        make: impl Future<Output = Result<AtHead<Packed>, MakeBaseError>> + Send,
    ) -> Result<AtHead<Arc<StoredBase>>, MakeBaseError> {
        // For twice the time, so that it is not written again with every calculation.
        let now = self.clock.now();
        let expires_at = keep_until.plus(keep_until.since(now));
        let stored = if self.is_in_doubt(name) { None } else { self.store.base(name).await? };
        if let Some(base) = stored {
            // Whoever had the claim before may have just stored it.
            if base.expires_at >= keep_until {
                return Ok(AtHead::Read(self.shelf.put(*name, base)));
            }
            if let Some(parts) = self.parts(name, &base).await? {
                // Never for less than it is stored: our clock may be behind that of others, whose tables
                // count on it.
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

    /// The parts of a base that is stored; `None` when not all of them are there.
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
