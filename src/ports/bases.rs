//! What all tables of one version of the products have in common: the names, for now.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{PortError, port};
use crate::model::{ProductId, Timestamp};

/// Says what the base of a version consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseIndex {
    /// The first product of each part, sorted.
    pub parts: Vec<ProductId>,
    /// From when on the base may be deleted, unless it is written again before.
    pub expires_at: Timestamp,
}

impl BaseIndex {
    /// Which part a product is in, if it is in any.
    #[must_use]
    pub fn part_of(&self, product: &ProductId) -> Option<u32> {
        let after = self.parts.partition_point(|first| first <= product);
        after.checked_sub(1).and_then(|part| u32::try_from(part).ok())
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
            index: &BaseIndex,
            parts: &[Bytes],
        ) -> Result<(), PortError>;

        /// The index of a base; `None` when there is none.
        async fn base(&self, version: u64) -> Result<Option<BaseIndex>, PortError>;

        /// Parts of a base by number, in the order asked for; `None` for one that is not there.
        async fn base_parts(
            &self,
            version: u64,
            numbers: &[u32],
        ) -> Result<Vec<Option<Bytes>>, PortError>;
    }
);
