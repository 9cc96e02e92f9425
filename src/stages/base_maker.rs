//! Makes the base of the products in force, once for all customers.
//!
//! Nothing else reads the whole catalogue. A finished base is stored; other processes read it from there, and
//! of the catalogue they read only the head.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use super::base_draft::Draft;
use super::base_pieces::BaseReading;
use super::base_shelf::BaseShelf;
use super::made_bases::{MadeBases, MakeBaseError, Packed};
use crate::model::Timestamp;
use crate::ports::{AtHead, BaseName, CatalogueHead, Clock, PortError, Ports, Store, StoredBase};
use crate::pricing::{BasePart, Currency};

/// How often a base is started over because a load came into force meanwhile.
const MAX_SCANS: u32 = 5;

/// The products in force.
#[derive(Clone, Debug)]
pub struct Current {
    /// The catalogue's head that names them.
    pub head: CatalogueHead,
    /// The base of these products.
    pub base: Arc<StoredBase>,
}

/// Returns the base of the products in force, and makes it if there is none.
pub struct BaseMaker {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    made: Arc<MadeBases>,
    /// The products that were read and packed so far. They stay here when the task that makes a base is given
    /// up, so that the next task continues.
    draft: AsyncMutex<Draft>,
    /// The head that was read last, and when it was read.
    head: Mutex<Option<(CatalogueHead, Timestamp)>>,
}

/// How recent the catalogue's head must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AsOf {
    /// A head that was read a moment ago, of at least this version. On AWS the head is one item: if every
    /// batch of scheduled work read it, it would be the first item to be throttled.
    Lately(u64),
    /// The head that is in force now.
    Now,
}

impl BaseMaker {
    /// Creates a maker that has made nothing yet, for a process that keeps its bases on this shelf.
    pub fn new(ports: &Ports, shelf: Arc<BaseShelf>) -> Self {
        Self {
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            made: Arc::new(MadeBases::new(ports, shelf)),
            draft: AsyncMutex::default(),
            head: Mutex::default(),
        }
    }

    /// The shelf that keeps its bases in memory.
    #[must_use]
    pub fn shelf(&self) -> &Arc<BaseShelf> {
        self.made.shelf()
    }

    /// Returns the products that are in force now, with a base that is stored until `keep_until` at least.
    /// Reads the head, and more only if the products changed. Before the first load there are no products, at
    /// version 0.
    ///
    /// # Errors
    /// [`MakeBaseError::Unsettled`] is temporary; [`MakeBaseError`] names the other causes.
    pub async fn current(&self, keep_until: Timestamp) -> Result<Current, MakeBaseError> {
        self.current_as_of(AsOf::Now, keep_until).await
    }

    /// Like [`Self::current`], but may use a head that was read a moment ago.
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

    /// Drops the kept head, because it is no longer in force. The next use reads it again.
    pub(super) fn forget_head(&self) {
        *self.kept_head() = None;
    }

    fn kept_head(&self) -> MutexGuard<'_, Option<(CatalogueHead, Timestamp)>> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the base of a head in a currency.
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

    /// Marks bases as incomplete, so that they are made again before their next use.
    pub(super) fn doubt(&self, names: impl IntoIterator<Item = BaseName>) {
        self.made.doubt(names);
    }

    /// The bases that this process makes and keeps.
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
        draft.finish(BaseReading { store, name, head, now, is_in_doubt }).await
    }
}

#[cfg(test)]
mod tests;
