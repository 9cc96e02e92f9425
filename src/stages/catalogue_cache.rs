//! One immutable snapshot of the products, shared by every calculation of a worker.

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::info;

use crate::model::{ProductId, Timestamp};
use crate::ports::{AtHead, BaseIndex, CatalogueHead, Clock, PortError, Store};
use crate::pricing::{Catalogue, CatalogueError, Money, PackError, PackedNames, Product};

/// How often a scan is begun again because a load came between.
const MAX_SCANS: u32 = 5;

/// Why there is no snapshot to price from.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Loads came into force faster than the products could be read.
    #[error("the catalogue kept changing while it was read")]
    Unsettled,
    /// The stored products do not make a catalogue.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The names could not be packed.
    #[error(transparent)]
    Names(#[from] PackError),
    /// The task that builds the snapshot died.
    #[error("building the catalogue")]
    Build(#[from] tokio::task::JoinError),
}

/// Packing a larger catalogue than this would hold up the other tasks of its thread, so it gets a
/// thread of its own; for a smaller one changing threads costs more than it saves.
const LARGEST_IN_PLACE: usize = 1_000;

/// Keeps the current snapshot and replaces it when a load changes the products.
pub struct CatalogueCache {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// The lock is held while a snapshot is read, so that only one task reads it and the others
    /// wait for that one.
    snapshot: Mutex<Option<Snapshot>>,
}

struct Snapshot {
    catalogue: Arc<Catalogue>,
    base: Base,
    /// When the stored base may be deleted.
    stored_until: Timestamp,
}

/// What tables of this snapshot share, packed.
struct Base {
    first: Vec<ProductId>,
    parts: Vec<Bytes>,
}

impl CatalogueCache {
    /// A cache that has read nothing yet.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, snapshot: Mutex::default() }
    }

    /// The products that are in force now, and the head that says so: one read of the head, and of
    /// the products only when they changed. Before the first load there are none, at version 0.
    ///
    /// The base of the snapshot is stored until `keep_until` at least.
    ///
    /// # Errors
    /// [`SnapshotError::Unsettled`] passes by itself.
    pub async fn current(
        &self,
        keep_until: Timestamp,
    ) -> Result<(Arc<Catalogue>, CatalogueHead), SnapshotError> {
        let mut kept = self.snapshot.lock().await;
        for _ in 0..MAX_SCANS {
            let head = self.store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
            if kept.as_ref().is_none_or(|kept| kept.catalogue.version() != head.base_version) {
                let AtHead::Read(products) = self.scan(&head).await? else { continue };
                *kept = Some(self.snapshot_of(&head, products).await?);
            }
            if let Some(snapshot) = &mut *kept {
                self.keep_base(snapshot, keep_until).await?;
                return Ok((snapshot.catalogue.clone(), head));
            }
        }
        Err(SnapshotError::Unsettled)
    }

    /// Has the base of the snapshot written again with the next [`Self::current`]: a reader did not
    /// find it.
    pub async fn doubt_base(&self) {
        if let Some(snapshot) = &mut *self.snapshot.lock().await {
            snapshot.stored_until = Timestamp::default();
        }
    }

    async fn scan(&self, head: &CatalogueHead) -> Result<AtHead<Vec<Product>>, PortError> {
        let mut products = Vec::new();
        let mut from = None;
        loop {
            match self.store.list_products(head, from).await? {
                AtHead::Moved => return Ok(AtHead::Moved),
                AtHead::Read(page) => {
                    products.extend(page.items);
                    from = page.next;
                }
            }
            if from.is_none() {
                return Ok(AtHead::Read(products));
            }
        }
    }

    async fn snapshot_of(
        &self,
        head: &CatalogueHead,
        products: Vec<Product>,
    ) -> Result<Snapshot, SnapshotError> {
        let (version, currency) = (head.base_version, head.currency);
        let in_place = products.len() <= LARGEST_IN_PLACE;
        let build = move || {
            let base = Base::of(&products)?;
            let prices: Vec<(ProductId, Money)> =
                products.into_iter().map(|product| (product.id, product.price)).collect();
            let catalogue = Catalogue::new(version, currency, prices)?;
            Ok::<_, SnapshotError>((Arc::new(catalogue), base))
        };
        let built = if in_place { build() } else { tokio::task::spawn_blocking(build).await? };
        let (catalogue, base) = built?;
        info!(version = head.version, products = catalogue.len(), "catalogue read");
        let stored = match catalogue.is_empty() {
            true => None,
            false => self.store.base(version).await?,
        };
        // Stored in another form, it is written again.
        let stored = stored.filter(|index| index.parts == base.first);
        let stored_until = stored.map_or_else(Timestamp::default, |index| index.expires_at);
        Ok(Snapshot { catalogue, base, stored_until })
    }

    /// Writes the base, unless it is stored long enough already.
    async fn keep_base(
        &self,
        snapshot: &mut Snapshot,
        keep_until: Timestamp,
    ) -> Result<(), SnapshotError> {
        if snapshot.stored_until >= keep_until || snapshot.catalogue.is_empty() {
            return Ok(());
        }
        // For twice the time, so that it is not written again with every calculation.
        let expires_at = keep_until.plus(keep_until.since(self.clock.now()));
        let index = BaseIndex { parts: snapshot.base.first.clone(), expires_at };
        let version = snapshot.catalogue.version();
        self.store.put_base(version, &index, &snapshot.base.parts).await?;
        snapshot.stored_until = expires_at;
        Ok(())
    }
}

impl Base {
    fn of(products: &[Product]) -> Result<Self, PackError> {
        let mut sorted: Vec<&Product> = products.iter().collect();
        sorted.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let names = sorted.into_iter().map(|product| (&product.id, product.name.as_str()));
        let PackedNames { first, parts } = PackedNames::new(names)?;
        Ok(Self { first, parts: parts.into_iter().map(Bytes::from).collect() })
    }
}
