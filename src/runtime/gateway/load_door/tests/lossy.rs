//! A store whose answer to a commit is lost.

use std::future::pending;

use crate::ports::Ports;
use crate::ports::prelude::*;

/// A store that gives no good answer to the call that brings a load into force.
pub(super) struct Lossy {
    pub(super) inner: Ports,
    pub(super) loss: Loss,
}

/// What happens to the call.
#[derive(Clone, Copy)]
pub(super) enum Loss {
    /// The store does nothing, and the caller waits.
    Call,
    /// The store brings the load into force, and the caller waits.
    Answer,
    /// The store brings the load into force, and the connection breaks.
    Broken,
    /// The same, and another process folds the load at once.
    BrokenAndFolded,
}

layer!(
    #[over(inner.store)]
    impl Loads for Lossy {
        async fn commit_load(&self, commit: _, expected: _) -> _ {
            let store = &self.inner.store;
            if matches!(self.loss, Loss::Call) {
                return pending().await;
            }
            store.commit_load(commit, expected).await?;
            match self.loss {
                Loss::Call | Loss::Answer => return pending().await,
                Loss::Broken => {}
                Loss::BrokenAndFolded => {
                    store.finish_load(&commit.load).await?;
                    store.drop_journal(&commit.load).await?;
                }
            }
            Err(PortError::Throttled { what: "the store".to_owned() })
        }
    }
);

layer!(
    #[over(inner.store)]
    impl ActiveUsers, Bases, CatalogueStore, CustomerStore, DiscountStore, PriceListStore, PriceTables, Quotations,
        SettingsStore for Lossy {}
);
