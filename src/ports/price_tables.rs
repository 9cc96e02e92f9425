//! Price tables: a head that names a base, and the rows that only one customer has.

use bytes::Bytes;

use super::{BaseName, CatalogueHead, Cursor, Page, PortError, port};
use crate::model::{Digest, Generation, Timestamp, UserId};
use crate::pricing::{Currency, UnitRounding};

mod packed;

/// The most bytes of own rows in a head. With more, the head's item would be larger than a kilobyte and cost
/// a second write unit on DynamoDB.
pub const MAX_INLINE_BYTES: usize = 640;

/// Where the own rows of a customer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnStorage {
    /// In the head, as one packed part; empty if there are no rows.
    Inline(Bytes),
    /// In separate parts. The list has the index of each part's first row, sorted.
    Parts(Vec<u32>),
}

impl OwnStorage {
    /// No rows: every product has its list price.
    pub const NONE: Self = Self::Inline(Bytes::new());

    /// The number of separate parts.
    #[must_use]
    pub fn parts(&self) -> usize {
        match self {
            Self::Inline(_) => 0,
            Self::Parts(first) => first.len(),
        }
    }

    /// Returns the part that may have the row of the product with this index.
    #[must_use]
    pub fn part_of(&self, index: u32) -> Option<u32> {
        let Self::Parts(first) = self else { return None };
        let after = first.partition_point(|first| *first <= index);
        after.checked_sub(1).and_then(|part| u32::try_from(part).ok())
    }
}

/// The prices of a customer's products in one period, in which the same price lists are in force.
///
/// The first of these that has the product decides its price: a ladder here, the customer's own discount, a
/// row of the terms, the list price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    /// The terms that the customer shares with others; `None` if they change no list price.
    pub terms: Option<Digest>,
    /// The number of the first part with ladders. The parts with discounts come before it.
    pub first_part: u32,
    /// The ladders that only this customer has. They include what the terms say of these products.
    pub ladders: OwnStorage,
}

/// Prices that come into force at a window edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPrices {
    /// When they come into force.
    pub from: Timestamp,
    /// The prices.
    pub prices: Prices,
}

/// The head of a customer's table. The table has all products of a base, at the prices of the base or of the
/// customer's own rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHead {
    /// Grows by one each time the head is replaced. A replacement is conditional on the version that was
    /// read.
    pub version: u64,
    /// The random name under which the parts are stored.
    pub generation: Generation,
    /// The hash of all inputs other than the base.
    pub fingerprint: Digest,
    /// The version of the pricing rules.
    pub pricing_version: u32,
    /// The version of the catalogue at which the table was calculated or last validated.
    pub catalogue_version: u64,
    /// The version of the products in the base that it was priced against.
    pub base_version: u64,
    /// The currency of all prices.
    pub currency: Currency,
    /// How unit prices are rounded.
    pub rounding: UnitRounding,
    /// How many products the table has.
    pub products: u64,
    /// The discounts at every quantity that only this customer has.
    pub own: OwnStorage,
    /// The prices until the next edge of a price list.
    pub prices: Prices,
    /// The prices after each later edge, prepared ahead, in order.
    pub next: Vec<NextPrices>,
    /// The first edge for which no prices are prepared yet.
    pub valid_until: Option<Timestamp>,
    /// When the parts may be deleted, unless they are written again before.
    pub parts_expire_at: Timestamp,
    /// When the prices were calculated.
    pub priced_at: Timestamp,
    /// When the prices were last checked, as far as the store knows. Not every check writes this.
    pub validated_at: Timestamp,
    /// Until when quotes from this table are not marked stale.
    pub fresh_until: Timestamp,
    /// Until when quotes may be answered from this table.
    pub usable_until: Timestamp,
}

impl TableHead {
    /// Whether quotes may be answered from it at `now`.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        now < self.usable_until
    }

    /// Whether its answers at `now` are not marked stale. A table without prices for `now` answers nothing, so it is
    /// not fresh either.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until && self.is_usable(now)
    }

    /// Returns the prices in force at a time.
    #[must_use]
    pub fn prices_at(&self, now: Timestamp) -> &Prices {
        let begun = self.next.iter().rev().find(|next| next.from <= now);
        begun.map_or(&self.prices, |next| &next.prices)
    }

    /// The number of edges since the head was made, by which its prices in force are known among those
    /// that it has.
    #[must_use]
    pub fn begun(&self, now: Timestamp) -> usize {
        self.next.iter().filter(|next| next.from <= now).count()
    }

    /// The prices of all periods, in order.
    pub fn periods(&self) -> impl Iterator<Item = &Prices> + Clone {
        std::iter::once(&self.prices).chain(self.next.iter().map(|next| &next.prices))
    }

    /// The base of products that all prices are priced against.
    #[must_use]
    pub const fn base(&self) -> BaseName {
        BaseName { version: self.base_version, currency: self.currency, terms: None }
    }

    /// Returns the base of terms for the prices of a period, if they have terms.
    #[must_use]
    pub fn base_of(&self, prices: &Prices) -> Option<BaseName> {
        prices.terms.map(|terms| BaseName { terms: Some(terms), ..self.base() })
    }

    /// All bases that the head names.
    pub fn bases(&self) -> impl Iterator<Item = BaseName> {
        let of_terms = self.periods().filter_map(|prices| self.base_of(prices));
        std::iter::once(self.base()).chain(of_terms)
    }

    /// The number of its parts.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.own.parts() + self.periods().map(|prices| prices.ladders.parts()).sum::<usize>()
    }
}

impl Prices {
    /// Every product has its list price.
    pub const LIST: Self = Self { terms: None, first_part: 0, ladders: OwnStorage::NONE };

    /// Returns the number of the part that may have the ladder of the product with this index.
    #[must_use]
    pub fn ladder_part_of(&self, index: u32) -> Option<u32> {
        self.ladders.part_of(index).map(|part| self.first_part + part)
    }
}

/// A table that is to replace the current one of a customer.
#[derive(Clone, Copy, Debug)]
pub struct NewTable<'a> {
    /// The customer.
    pub user: &'a UserId,
    /// The new head.
    pub head: &'a TableHead,
    /// The parts of the head's generation, numbered from 0. If there are none, stored parts stay as they are.
    pub parts: &'a [Bytes],
    /// The version of the head that it replaces; `None` if there is no head, or one in the form of another
    /// version of ocache.
    pub expected: Option<u64>,
    /// The time until which head and parts are stored.
    pub expire_at: Timestamp,
    /// The topic's message about the quotation that waits for the table, if one does.
    pub awaited: Option<&'a str>,
}

impl<'a> NewTable<'a> {
    /// Returns a first table without parts, for which no quotation waits.
    #[must_use]
    pub const fn new(user: &'a UserId, head: &'a TableHead, expire_at: Timestamp) -> Self {
        Self { user, head, parts: &[], expected: None, expire_at, awaited: None }
    }

    /// Returns the same table with these parts.
    #[must_use]
    pub const fn with_parts(self, parts: &'a [Bytes]) -> Self {
        Self { parts, ..self }
    }

    /// Returns the same table, which replaces the head of this version.
    #[must_use]
    pub const fn replacing(self, expected: Option<u64>) -> Self {
        Self { expected, ..self }
    }
}

/// The result of an attempt to replace a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flip {
    /// The new head is stored.
    Done,
    /// The new head is stored, and the awaited message is published.
    Published,
    /// Another process replaced the head since it was read.
    Conflict,
}

impl Flip {
    /// Whether the new head is stored.
    #[must_use]
    pub fn is_done(&self) -> bool {
        *self != Self::Conflict
    }
}

/// A request for some parts of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedParts {
    /// The customer.
    pub user: UserId,
    /// The generation of the parts.
    pub generation: Generation,
    /// The numbers of the parts.
    pub numbers: Vec<u32>,
}

port!(
    /// The table of price tables.
    pub trait PriceTables: Send + Sync {
        /// Returns the heads of those customers who have one, in any order, read consistently. Any number may
        /// be requested. A head in another version's form counts as missing.
        async fn table_heads(
            &self,
            users: &[UserId],
        ) -> Result<Vec<(UserId, TableHead)>, PortError>;

        /// Returns the same heads and the catalogue's head, all as of one moment. Returns `None` on an engine
        /// that cannot read them at once, and before the first load.
        async fn heads_with_catalogue(
            &self,
            users: &[UserId],
        ) -> Result<Option<(Vec<(UserId, TableHead)>, CatalogueHead)>, PortError>;

        /// Writes the parts of a table. Then replaces the head, if its version is still the expected one.
        /// Writing parts again is harmless.
        ///
        /// On a conflict, parts may have been written that nobody will read; an error may also leave only
        /// some of them. An engine that can write both at once does so.
        ///
        /// An engine that keeps tables and topic in one place publishes the awaited message together with the
        /// head, and returns [`Flip::Published`]. On all other engines the caller publishes it.
        async fn put_table(&self, table: NewTable<'_>) -> Result<Flip, PortError>;

        /// Returns parts of any number of tables, in the order of the request, read consistently; `None` for
        /// a part that is missing. The parts of a replaced generation may be gone at once. No part may be
        /// requested twice.
        async fn parts(&self, wanted: &[WantedParts])
        -> Result<Vec<Vec<Option<Bytes>>>, PortError>;

        /// The most bytes of own rows that should be kept in a head. Larger rows are stored in parts, of
        /// which only the needed ones are read.
        fn inline_bytes(&self) -> usize;

        /// Deletes a customer's head, and all parts of the customer.
        async fn delete_table(&self, user: &UserId) -> Result<(), PortError>;

        /// Returns a page of all heads, in any order.
        async fn list_table_heads(
            &self,
            from: Option<Cursor>,
        ) -> Result<Page<(UserId, TableHead)>, PortError>;
    }
);

/// Returns parts of one table, as [`PriceTables::parts`] does.
///
/// # Errors
/// [`PortError`] if they cannot be read.
pub async fn parts_of(
    tables: &(impl PriceTables + ?Sized),
    user: &UserId,
    generation: &Generation,
    numbers: &[u32],
) -> Result<Vec<Option<Bytes>>, PortError> {
    let (user, generation, numbers) = (user.clone(), generation.clone(), numbers.to_vec());
    let found = tables.parts(&[WantedParts { user, generation, numbers }]).await?;
    Ok(found.into_iter().flatten().collect())
}
