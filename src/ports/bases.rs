//! What all customers have in common: the catalogue base of each version of the products.

use bytes::Bytes;

use super::{PortError, port};
use crate::model::Timestamp;
use crate::pricing::{BaseIndex, Currency};

/// A base that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBase {
    /// What it consists of.
    pub index: BaseIndex,
    /// From when on the base may be deleted, unless it is written again before.
    pub expires_at: Timestamp,
}

impl StoredBase {
    /// The base of no products, which nobody has to store.
    #[must_use]
    pub const fn nothing(currency: Currency) -> Self {
        let index = BaseIndex { currency, products: 0, parts: vec![] };
        Self { index, expires_at: Timestamp::from_millis(i64::MAX) }
    }
}

port!(
    /// The table of bases, by the version of the products ([`super::CatalogueHead::base_version`]).
    ///
    /// The products of a version never change, so everybody who writes its base writes the same, and
    /// what was read once is right for ever.
    pub trait Bases: Send + Sync {
        /// Writes a base: its parts first, then the index. Writing it again is harmless.
        async fn put_base(
            &self,
            version: u64,
            base: &StoredBase,
            parts: &[Bytes],
        ) -> Result<(), PortError>;

        /// What a base consists of; `None` when there is none, or one that another version of ocache
        /// wrote in another form.
        async fn base(&self, version: u64) -> Result<Option<StoredBase>, PortError>;

        /// Parts of a base by number, in the order asked for; `None` for one that is not there.
        async fn base_parts(
            &self,
            version: u64,
            numbers: &[u32],
        ) -> Result<Vec<Option<Bytes>>, PortError>;
    }
);
