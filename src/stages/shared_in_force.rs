//! The versions in force. Quotes use them to decide whether a table is stale or outdated.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Timestamp;
use crate::ports::{CatalogueHead, CatalogueStore, Clock, PortError};

/// The versions of the catalogue in force; 0 before the first load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Versions {
    /// The version of the last load.
    pub(super) all: u64,
    /// The version of the last load that changed shared data.
    pub(super) shared: u64,
}

/// Keeps the versions for a moment. On AWS the head of the catalogue is one item: if every quote read it, it
/// would be the first item to be throttled.
pub(super) struct SharedInForce {
    store: Arc<dyn CatalogueStore>,
    clock: Arc<dyn Clock>,
    /// The versions, and when they were read.
    kept: Mutex<Option<(Versions, Timestamp)>>,
}

impl Versions {
    pub(super) const fn of(head: &CatalogueHead) -> Self {
        Self { all: head.version, shared: head.shared_version }
    }
}

impl SharedInForce {
    pub(super) fn new(store: Arc<dyn CatalogueStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, kept: Mutex::default() }
    }

    /// Returns the version of the last load that changed shared data.
    pub(super) async fn version(&self) -> Result<u64, PortError> {
        Ok(self.versions().await?.shared)
    }

    pub(super) async fn versions(&self) -> Result<Versions, PortError> {
        let now = self.clock.now();
        let kept = *self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((versions, read_at)) = kept
            && read_at <= now
            && now < read_at.plus(self.store.head_kept_for())
        {
            return Ok(versions);
        }
        let head = self.store.catalogue_head().await?;
        let versions = head.as_ref().map(Versions::of).unwrap_or_default();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((versions, now));
        Ok(versions)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::memory::{ManualClock, Memory};
    use crate::ports::prelude::*;
    use crate::ports::{Ports, SystemRandomness};
    use crate::pricing::Currency;

    /// An engine on which heads are kept for a second.
    struct Kept {
        inner: Ports,
    }

    layer!(
        #[over(inner.store)]
        impl CatalogueStore for Kept {
            fn head_kept_for(&self) -> _ {
                Duration::from_secs(1)
            }
        }
    );

    async fn load(ports: &Ports, name: &str) {
        let (id, price) = ("P1".parse().unwrap(), crate::pricing::Money::from_minor(1));
        let product = Product::new(id, name.to_owned(), price);
        crate::data::apply(ports, vec![product.into()], Currency::USD).await.unwrap();
    }

    #[tokio::test]
    async fn a_version_is_kept_only_where_that_is_worth_it_and_not_for_long() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
        let ports = Memory::new(clock.clone(), Arc::new(SystemRandomness)).ports();
        let always = SharedInForce::new(ports.store.clone(), clock.clone());
        let kept = SharedInForce::new(Arc::new(Kept { inner: ports.clone() }), clock.clone());
        let versions = async || (always.version().await.unwrap(), kept.version().await.unwrap());
        assert_eq!(versions().await, (0, 0));
        load(&ports, "Desk").await;
        assert_eq!(versions().await, (1, 0));
        clock.set(clock.now().plus(Duration::from_millis(999)));
        assert_eq!(versions().await, (1, 0));
        clock.set(clock.now().plus(Duration::from_millis(1)));
        assert_eq!(versions().await, (1, 1));
        load(&ports, "Table").await;
        // After a clock was set back, the age of the kept version is unknown.
        clock.set(clock.now().minus(Duration::from_secs(1)));
        assert_eq!(versions().await, (2, 2));
    }
}
