//! One immutable snapshot of the catalogue, shared by every calculation of a worker.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::model::{ProductId, Timestamp};
use crate::ports::{CatalogueHead, CatalogueStore, Clock, LoadMark, PortError};
use crate::pricing::{Catalogue, CatalogueError, Currency, Money};

/// How often the head is looked at while a load goes on, and for how long. The messages in hand stay
/// hidden meanwhile: sent back, they would only use up their receives.
const LOAD_POLL: Duration = Duration::from_millis(100);
/// A dead load is waited for: it is known to be dead after the lease of its mark.
const LOAD_PATIENCE: Duration = LoadMark::LEASE.saturating_add(Duration::from_secs(10));
/// No clock is wrong by so much that a mark could still be alive this long after its deadline.
const SURELY_DEAD: Duration = Duration::from_secs(24 * 60 * 60);
/// How often a scan is begun again because a load finished in the middle of it.
const MAX_SCANS: u32 = 5;

/// Why there is no snapshot to price from.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A load is going on, and there is no snapshot from before it.
    #[error("products are being loaded")]
    Loading,
    /// A load died that was changing the currency: some prices are in one, some in the other.
    #[error(
        "a load of prices in {loaded} died while prices were in {stored}; load all prices again"
    )]
    HalfLoaded {
        /// The currency that the load was writing.
        loaded: Currency,
        /// The currency from before it.
        stored: Currency,
    },
    /// Loads finished faster than the products could be read.
    #[error("the catalogue kept changing while it was read")]
    Unsettled,
    /// The stored products do not make a catalogue.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The task that builds the snapshot died.
    #[error("building the catalogue")]
    Build(#[from] tokio::task::JoinError),
}

/// Packing a larger catalogue than this would hold up the other tasks of its thread, so it gets a
/// thread of its own; for a smaller one changing threads costs more than it saves.
const LARGEST_IN_PLACE: usize = 1_000;

/// Keeps the current snapshot and replaces it when the catalogue's version moves.
pub struct CatalogueCache {
    store: Arc<dyn CatalogueStore>,
    clock: Arc<dyn Clock>,
    /// The lock is held while a snapshot is read, so that only one task reads it and the others
    /// wait for that one.
    seen: Mutex<Seen>,
}

/// What was read so far.
#[derive(Default)]
struct Seen {
    snapshot: Option<Snapshot>,
    /// The mark of a load that goes on, and since when it has not changed.
    mark: Option<(LoadMark, Instant)>,
}

struct Snapshot {
    catalogue: Arc<Catalogue>,
    taken_at: Timestamp,
}

impl CatalogueCache {
    /// A snapshot is read again at this age even if the version stands still, for products that
    /// were edited by other means.
    pub const MAX_AGE: Duration = Duration::from_secs(10 * 60);

    /// A cache that has read nothing yet.
    pub fn new(store: Arc<dyn CatalogueStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, seen: Mutex::default() }
    }

    /// The catalogue as of now: one read of its head, and of the products only when it moved.
    /// Before the first load it is empty, at version 0.
    ///
    /// While the first load goes on it waits for its end.
    ///
    /// # Errors
    /// [`SnapshotError::Loading`] and [`SnapshotError::Unsettled`] pass by themselves.
    pub async fn current(&self) -> Result<Arc<Catalogue>, SnapshotError> {
        let mut seen = self.seen.lock().await;
        let patient_until = Instant::now() + LOAD_PATIENCE;
        let mut scans = 0;
        while scans < MAX_SCANS {
            let (head, is_dead) = self.settled_head(&mut seen.mark).await?;
            let now = self.clock.now();
            if let Some(kept) = &seen.snapshot {
                let same = kept.catalogue.version() == head.version;
                let young = now.since(kept.taken_at) < Self::MAX_AGE;
                // While a load goes on, the snapshot from before it is the catalogue.
                if same && (young || head.loading.is_some()) {
                    return Ok(kept.catalogue.clone());
                }
            }
            if let Some(mark) = &head.loading {
                if is_dead {
                    let (loaded, stored) = (mark.currency, head.currency);
                    return Err(SnapshotError::HalfLoaded { loaded, stored });
                }
                if Instant::now() >= patient_until {
                    return Err(SnapshotError::Loading);
                }
                sleep(LOAD_POLL).await;
                continue;
            }
            scans += 1;
            let products = self.scan().await?;
            // What was read while a load began or ended is a mixture, and is thrown away.
            if self.head().await? != head {
                continue;
            }
            let catalogue = Arc::new(build(head.version, head.currency, products).await?);
            info!(version = head.version, products = catalogue.len(), "catalogue read");
            seen.snapshot = Some(Snapshot { catalogue: catalogue.clone(), taken_at: now });
            return Ok(catalogue);
        }
        Err(SnapshotError::Unsettled)
    }

    async fn head(&self) -> Result<CatalogueHead, PortError> {
        let head = self.store.catalogue_head().await?;
        Ok(head.unwrap_or(CatalogueHead { version: 0, currency: Currency::USD, loading: None }))
    }

    /// The head, after ending a load that has died. What a dead loader left behind is the
    /// catalogue from then on, under a version of its own; unless it was changing the currency,
    /// when nobody can tell which prices are in which. Says whether the head's load has died.
    async fn settled_head(
        &self,
        watched: &mut Option<(LoadMark, Instant)>,
    ) -> Result<(CatalogueHead, bool), PortError> {
        let head = self.head().await?;
        let Some(mark) = &head.loading else {
            *watched = None;
            return Ok((head, false));
        };
        let now = self.clock.now();
        // The deadline is by the loader's clock, which need not agree with ours: by a clock ahead
        // a load would be ended while it writes, by one behind never. How long the mark has not
        // changed is something that every clock can tell.
        let unchanged_since = match watched {
            Some((same, since)) if same == mark => *since,
            _ => watched.insert((mark.clone(), Instant::now())).1,
        };
        let is_dead =
            unchanged_since.elapsed() >= LoadMark::LEASE || now.since(mark.deadline) >= SURELY_DEAD;
        if !is_dead || mark.currency != head.currency {
            return Ok((head, is_dead));
        }
        warn!(load = mark.id.0, "a load was never finished; load its files again");
        self.store.finish_load(&mark.id).await?;
        Ok((self.head().await?, false))
    }

    async fn scan(&self) -> Result<Vec<(ProductId, Money)>, PortError> {
        let mut products = Vec::new();
        let mut from = None;
        loop {
            let page = self.store.list_products(from).await?;
            products.extend(page.items.into_iter().map(|product| (product.id, product.price)));
            from = page.next;
            if from.is_none() {
                return Ok(products);
            }
        }
    }
}

async fn build(
    version: u64,
    currency: Currency,
    products: Vec<(ProductId, Money)>,
) -> Result<Catalogue, SnapshotError> {
    let in_place = products.len() <= LARGEST_IN_PLACE;
    let build = move || Catalogue::new(version, currency, products);
    if in_place {
        return Ok(build()?);
    }
    Ok(tokio::task::spawn_blocking(build).await??)
}
