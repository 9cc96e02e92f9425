//! What all customers have in common: the catalogue base of each version of the products.

use std::fmt;

use bytes::Bytes;

use super::{PortError, port};
use crate::model::{Digest, Timestamp};
use crate::pricing::{BaseIndex, Currency};

/// Which base.
///
/// The base of a version and a currency has all products, at their list prices. One with terms has only
/// the products that cost something else by these terms; it goes with the other, whose numbers it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BaseName {
    /// The version of the products.
    pub version: u64,
    /// The currency of all prices.
    pub currency: Currency,
    /// The terms, for what is different by them.
    pub terms: Option<Digest>,
}

impl fmt::Display for BaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.version, self.currency)?;
        self.terms.map_or(Ok(()), |terms| write!(f, "/{terms}"))
    }
}

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
    /// The table of bases.
    ///
    /// The products of a version ([`super::CatalogueHead::base_version`]) never change, nor do
    /// terms, so everybody who writes a base writes the same, and what was read once is right for ever.
    pub trait Bases: Send + Sync {
        /// Writes a base: its parts first, then the index. Writing it again is harmless.
        async fn put_base(
            &self,
            name: &BaseName,
            base: &StoredBase,
            parts: &[Bytes],
        ) -> Result<(), PortError>;

        /// What a base consists of; `None` when there is none, or one that another version of ocache
        /// wrote in another form.
        async fn base(&self, name: &BaseName) -> Result<Option<StoredBase>, PortError>;

        /// Parts of a base by number, in the order asked for; `None` for one that is not there.
        async fn base_parts(
            &self,
            name: &BaseName,
            numbers: &[u32],
        ) -> Result<Vec<Option<Bytes>>, PortError>;
    }
);
