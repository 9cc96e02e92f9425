//! Makes the base of the products in force, once, for all customers.
//!
//! Nobody else reads the whole catalogue. A base that is made is stored; every other process reads it
//! from there, and nothing of the catalogue but its head.

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::info;

use super::base_shelf::BaseShelf;
use super::doubts::Doubts;
use crate::model::Timestamp;
use crate::ports::{
    AtHead, BaseName, CatalogueHead, Clock, Cursor, PortError, Ports, Store, StoredBase,
};
use crate::pricing::{BaseError, BasePart, Currency, PackedBase, Product};

/// How often a base is begun again because a load came between.
const MAX_SCANS: u32 = 5;

/// Why there is no base to price against.
#[derive(Debug, Error)]
pub enum MakeBaseError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
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

/// Packing a larger catalogue than this would hold up the other tasks of its thread, so it gets a
/// thread of its own; for a smaller one changing threads costs more than it saves.
const LARGEST_IN_PLACE: usize = 1_000;

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
    /// The lock is held while a base is made, so that one task makes it and the others wait for that
    /// one. What was read stays here when that task is given up: the next one goes on from there.
    scan: Mutex<Scan>,
    doubts: Arc<Doubts>,
}

/// Products at one head, as far as they were read.
#[derive(Default)]
struct Scan {
    head: Option<CatalogueHead>,
    products: Vec<Product>,
    from: Option<Cursor>,
}

impl BaseMaker {
    /// A maker that has made nothing yet, for a process that keeps its bases on this shelf.
    pub fn new(ports: &Ports, shelf: Arc<BaseShelf>) -> Self {
        Self {
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            shelf,
            scan: Mutex::default(),
            doubts: Arc::default(),
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
        for _ in 0..MAX_SCANS {
            let head = self.store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
            if let AtHead::Read(base) = self.base_in(head.currency, &head, keep_until).await? {
                return Ok(Current { head, base });
            }
        }
        Err(MakeBaseError::Unsettled)
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
        let mut scan = self.scan.lock().await;
        // Somebody else may have made it while we waited.
        if let Some(base) = self.stored(&name, keep_until).await? {
            return Ok(AtHead::Read(base));
        }
        self.make(name, head, &mut scan, keep_until).await
    }

    /// Has every base made again before its next use: a reader did not find all of one.
    pub fn doubt(&self) {
        self.doubts.raise();
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
        scan: &mut Scan,
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
                let AtHead::Read(products) = scan.go_on(&*self.store, head).await? else {
                    return Ok(AtHead::Moved);
                };
                pack((name.currency, head.currency), products).await?
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
        self.doubts.settle(name);
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

impl Scan {
    /// Reads what is not read yet; begins anew if the last one was at another head.
    async fn go_on(
        &mut self,
        store: &dyn Store,
        head: &CatalogueHead,
    ) -> Result<AtHead<Vec<Product>>, PortError> {
        if self.head.as_ref() != Some(head) {
            *self = Self { head: Some(head.clone()), ..Self::default() };
        }
        loop {
            let AtHead::Read(page) = store.list_products(head, self.from.clone()).await? else {
                *self = Self::default();
                return Ok(AtHead::Moved);
            };
            self.products.extend(page.items);
            self.from = page.next;
            if self.from.is_none() {
                return Ok(AtHead::Read(std::mem::take(self).products));
            }
        }
    }
}

/// Packs products in a currency, where the other is that of the catalogue.
async fn pack(
    (currency, catalogue): (Currency, Currency),
    products: Vec<Product>,
) -> Result<PackedBase, MakeBaseError> {
    if products.len() <= LARGEST_IN_PLACE {
        return Ok(PackedBase::in_currency(currency, catalogue, products)?);
    }
    let pack = move || PackedBase::in_currency(currency, catalogue, products);
    Ok(tokio::task::spawn_blocking(pack).await??)
}
