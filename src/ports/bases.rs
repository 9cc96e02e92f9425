//! What all customers have in common: the catalogue base of each version of the products.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

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

/// Who makes bases: a process, by a name that no other has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakerId(pub String);

/// That somebody makes a base, so that nobody else needs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseClaim {
    /// Who.
    pub maker: MakerId,
    /// From when on somebody else may make it.
    pub until: Timestamp,
}

impl BaseClaim {
    /// When a claim is made that ends then: the furthest end of a claim of others that is believed. One
    /// that is further off was made by a clock that is wrong.
    #[must_use]
    pub fn furthest(&self, now: Timestamp) -> Timestamp {
        self.until.plus(self.until.since(now))
    }

    /// Whether this claim, which is stored, keeps another one out.
    #[must_use]
    pub fn keeps_out(&self, other: &Self, now: Timestamp) -> bool {
        self.maker != other.maker && now < self.until && self.until <= other.furthest(now)
    }
}

impl StoredBase {
    /// The number of the first one of so many last parts.
    #[must_use]
    pub fn first_of_last(&self, count: usize) -> u32 {
        let first = self.index.parts.len().saturating_sub(count);
        u32::try_from(first).unwrap_or(u32::MAX)
    }

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
        /// Writes some parts of a base, from this number on. They stay until `expires_at` at least, and
        /// nobody finds them before [`put_base`](Bases::put_base) has written the index.
        async fn put_base_parts(
            &self,
            name: &BaseName,
            first: u32,
            parts: &[Bytes],
            expires_at: Timestamp,
        ) -> Result<(), PortError>;

        /// Writes a base: the last of its parts, which may be all of them, and then the index. The other
        /// parts are written already. Writing it again is harmless.
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

        /// Claims the making of a base, unless a claim of somebody else lasts; says whether it is claimed
        /// now. A claim that ends at once gives it up.
        async fn claim_base(
            &self,
            name: &BaseName,
            claim: &BaseClaim,
            now: Timestamp,
        ) -> Result<bool, PortError>;

        /// Keeps pieces of a base in the making, by number. They are no part of it, and go by themselves
        /// some time after `expires_at`.
        async fn put_drafts(
            &self,
            name: &BaseName,
            drafts: &[(u32, Bytes)],
            expires_at: Timestamp,
        ) -> Result<(), PortError>;

        /// Such pieces by number, in the order asked for; `None` for one that is not there.
        async fn drafts(
            &self,
            name: &BaseName,
            numbers: &[u32],
        ) -> Result<Vec<Option<Bytes>>, PortError>;
    }
);
