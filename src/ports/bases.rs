//! Bases: the parts of tables that customers share, for each version of the products.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{PortError, port};
use crate::model::{Digest, Timestamp};
use crate::pricing::{BaseIndex, Currency};

/// The name of a base.
///
/// The base of a version and a currency has all products with their list prices. A base of terms has only the
/// products whose price differs under these terms. It belongs to the base of the same version and currency,
/// and uses its indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BaseName {
    /// The version of the products.
    pub version: u64,
    /// The currency of all prices.
    pub currency: Currency,
    /// The terms; `None` for the base of all products.
    pub terms: Option<Digest>,
}

impl fmt::Display for BaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.version, self.currency)?;
        self.terms.map_or(Ok(()), |terms| write!(f, "/{terms}"))
    }
}

/// A stored base without its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBase {
    /// The index of its parts.
    pub index: BaseIndex,
    /// When the base may be deleted, unless it is written again before.
    pub expires_at: Timestamp,
}

/// The unique name of a process that makes bases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakerId(pub String);

/// A claim: one process makes a base, so others must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseClaim {
    /// The process that has the claim.
    pub maker: MakerId,
    /// When the claim expires, so that others may make the base.
    pub until: Timestamp,
}

impl BaseClaim {
    /// Returns the latest expiry of another maker's claim that is believed if this claim is made at `now`:
    /// twice this claim's time. A later expiry was written by a clock that is wrong.
    #[must_use]
    pub fn furthest(&self, now: Timestamp) -> Timestamp {
        self.until.plus(self.until.since(now))
    }

    /// Whether this stored claim prevents another claim.
    #[must_use]
    pub fn keeps_out(&self, other: &Self, now: Timestamp) -> bool {
        self.maker != other.maker && now < self.until && self.until <= other.furthest(now)
    }
}

impl StoredBase {
    /// The number of the first of the last `count` parts.
    #[must_use]
    pub fn first_of_last(&self, count: usize) -> u32 {
        let first = self.index.parts.len().saturating_sub(count);
        u32::try_from(first).unwrap_or(u32::MAX)
    }

    /// Returns the base without products, which need not be stored.
    #[must_use]
    pub const fn nothing(currency: Currency) -> Self {
        let index = BaseIndex { currency, products: 0, parts: vec![] };
        Self { index, expires_at: Timestamp::from_millis(i64::MAX) }
    }
}

port!(
    /// The table of bases.
    ///
    /// The products of a version ([`super::CatalogueHead::base_version`]) never change, and neither do terms.
    /// So all writers of a base write the same, and what was read once stays right.
    pub trait Bases: Send + Sync {
        /// Writes parts of a base, numbered from `first`. They stay stored until `expires_at` at least. No
        /// reader finds them before [`put_base`](Bases::put_base) has written the index.
        async fn put_base_parts(
            &self,
            name: &BaseName,
            first: u32,
            parts: &[Bytes],
            expires_at: Timestamp,
        ) -> Result<(), PortError>;

        /// Writes the last parts of a base, or all of them, and then the index. The other parts must already
        /// be written. Writing a base again is harmless.
        async fn put_base(
            &self,
            name: &BaseName,
            base: &StoredBase,
            parts: &[Bytes],
        ) -> Result<(), PortError>;

        /// Returns a base without its parts; `None` if there is none, or if another version of ocache wrote
        /// it in another form.
        async fn base(&self, name: &BaseName) -> Result<Option<StoredBase>, PortError>;

        /// Returns parts of a base by number, in the order of `numbers`; `None` for a part that is missing.
        async fn base_parts(
            &self,
            name: &BaseName,
            numbers: &[u32],
        ) -> Result<Vec<Option<Bytes>>, PortError>;

        /// Claims a base, unless another maker's claim is still in force. Returns whether this maker has the
        /// claim now. A claim that ends at once releases it.
        async fn claim_base(
            &self,
            name: &BaseName,
            claim: &BaseClaim,
            now: Timestamp,
        ) -> Result<bool, PortError>;

        /// Stores pieces of an unfinished base by number. They are not part of the base, and are deleted some
        /// time after `expires_at`.
        async fn put_drafts(
            &self,
            name: &BaseName,
            drafts: &[(u32, Bytes)],
            expires_at: Timestamp,
        ) -> Result<(), PortError>;

        /// Returns such pieces by number, in the order of `numbers`; `None` for a piece that is missing.
        async fn drafts(
            &self,
            name: &BaseName,
            numbers: &[u32],
        ) -> Result<Vec<Option<Bytes>>, PortError>;
    }
);
