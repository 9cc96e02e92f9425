//! Prices by user: a head that names a base, and the rows that only this user has.

use bytes::Bytes;

use super::{BaseName, CatalogueHead, Cursor, Page, PortError, port};
use crate::model::{Digest, Generation, Timestamp, UserId};
use crate::pricing::{Currency, UnitRounding};

mod packed;

/// With more bytes of own rows than this, the item of a head would be larger than a kilobyte, and cost a
/// second write unit of DynamoDB.
pub const MAX_INLINE_BYTES: usize = 640;

/// Where the rows are that only this user has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// In the head: one packed part, or nothing when there are no rows.
    Inline(Bytes),
    /// In parts of their own. The index of the first row of each, sorted.
    Parts(Vec<u32>),
}

impl Own {
    /// No rows: every product at its list price.
    pub const NONE: Self = Self::Inline(Bytes::new());

    /// How many parts of their own they have.
    #[must_use]
    pub fn parts(&self) -> usize {
        match self {
            Self::Inline(_) => 0,
            Self::Parts(first) => first.len(),
        }
    }

    /// Which of these parts has the row of the product at an index, if one has it.
    #[must_use]
    pub fn part_of(&self, index: u32) -> Option<u32> {
        let Self::Parts(first) = self else { return None };
        let after = first.partition_point(|first| *first <= index);
        after.checked_sub(1).and_then(|part| u32::try_from(part).ok())
    }
}

/// What a user's products cost while the same price lists are in force.
///
/// A product that has a ladder here costs what that says; else, one that has a discount of the user's own,
/// that; else, one that has a row by the terms, that; else its list price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    /// The terms that the user has in common with others; `None` when every product costs its list price
    /// by them.
    pub terms: Option<Digest>,
    /// The number of the first part of the ladders. Parts of discounts come before.
    pub first_part: u32,
    /// Ladders that only this user has, whole: what the terms say of these products is in them.
    pub ladders: Own,
}

/// Prices that come into force when a price list begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPrices {
    /// When.
    pub from: Timestamp,
    /// Which.
    pub prices: Prices,
}

/// Describes a user's current table: every product of a base, at the prices of the base or at those of
/// the user's own rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHead {
    /// Grows by one with every flip; the condition of the next one.
    pub version: u64,
    /// The name of these prices; parts are stored under it.
    pub generation: Generation,
    /// The hash of all inputs beside the base.
    pub fingerprint: Digest,
    /// The version of the pricing rules.
    pub pricing_version: u32,
    /// The version of the catalogue that it was calculated or found right at.
    pub catalogue_version: u64,
    /// The base that it was priced against: the version of its products.
    pub base_version: u64,
    /// The currency of all prices.
    pub currency: Currency,
    /// How unit prices are rounded.
    pub rounding: UnitRounding,
    /// How many products the table has.
    pub products: u64,
    /// Discounts on every quantity that only this user has.
    pub own: Own,
    /// The prices up to the next time a price list begins or ends.
    pub prices: Prices,
    /// The prices from then on, made ahead, in the order in which they come into force.
    pub next: Vec<NextPrices>,
    /// When a price list begins or ends that no prices are made for yet.
    pub valid_until: Option<Timestamp>,
    /// When the parts may be deleted, unless they are written again before.
    pub parts_expire_at: Timestamp,
    /// When the prices were calculated.
    pub priced_at: Timestamp,
    /// When it was last written down that they are still right: not at every check.
    pub validated_at: Timestamp,
    /// Until when a quote from this table is not marked stale.
    pub fresh_until: Timestamp,
    /// Until when a quote is answered from this table at all.
    pub usable_until: Timestamp,
}

impl TableHead {
    /// Whether quotes may be answered from it.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        now < self.usable_until
    }

    /// Whether its answers need no mark.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until
    }

    /// The prices that are in force at a time.
    #[must_use]
    pub fn prices_at(&self, now: Timestamp) -> &Prices {
        let begun = self.next.iter().rev().find(|next| next.from <= now);
        begun.map_or(&self.prices, |next| &next.prices)
    }

    /// All prices, in the order in which they come into force.
    pub fn periods(&self) -> impl Iterator<Item = &Prices> + Clone {
        std::iter::once(&self.prices).chain(self.next.iter().map(|next| &next.prices))
    }

    /// The base that all prices are priced against.
    #[must_use]
    pub const fn base(&self) -> BaseName {
        BaseName { version: self.base_version, currency: self.currency, terms: None }
    }

    /// What some prices have in common with those of other customers, beside the base.
    #[must_use]
    pub fn base_of(&self, prices: &Prices) -> Option<BaseName> {
        prices.terms.map(|terms| BaseName { terms: Some(terms), ..self.base() })
    }

    /// All bases that it names.
    pub fn bases(&self) -> impl Iterator<Item = BaseName> {
        let of_terms = self.periods().filter_map(|prices| self.base_of(prices));
        std::iter::once(self.base()).chain(of_terms)
    }

    /// How many parts it has.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.own.parts() + self.periods().map(|prices| prices.ladders.parts()).sum::<usize>()
    }
}

impl Prices {
    /// Every product at its list price.
    pub const LIST: Self = Self { terms: None, first_part: 0, ladders: Own::NONE };

    /// The number of the part that has the ladder of the product at an index, if one has it.
    #[must_use]
    pub fn ladder_part_of(&self, index: u32) -> Option<u32> {
        self.ladders.part_of(index).map(|part| self.first_part + part)
    }
}

/// What became of an attempt to flip a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flip {
    /// The head is now the new one.
    Done,
    /// So it is, and the message about it is published.
    Published,
    /// Somebody else flipped it since it was read.
    Conflict,
}

impl Flip {
    /// Whether the head is now the new one.
    #[must_use]
    pub fn is_done(&self) -> bool {
        *self != Self::Conflict
    }
}

/// Some parts of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedParts {
    /// Whose.
    pub user: UserId,
    /// Of which generation.
    pub generation: Generation,
    /// Which ones.
    pub numbers: Vec<u32>,
}

port!(
    /// The table of price tables.
    pub trait PriceTables: Send + Sync {
        /// The heads of those users that have one, in any order, read consistently. Any number may
        /// be asked for. A head that another version of ocache wrote in another form is not there.
        async fn table_heads(
            &self,
            users: &[UserId],
        ) -> Result<Vec<(UserId, TableHead)>, PortError>;

        /// The same heads and that of the catalogue, all of one moment, on an engine that reads them at
        /// once. `None` on one that does not, and before the first load.
        async fn heads_with_catalogue(
            &self,
            users: &[UserId],
        ) -> Result<Option<(Vec<(UserId, TableHead)>, CatalogueHead)>, PortError>;

        /// Writes the parts of the head's generation, numbered from 0, and then replaces the head, if its
        /// version is still `expected` (`None`: there is none, or one that another version of ocache
        /// wrote in another form). Both are stored until `expire_at`. Without parts those that are stored
        /// stay as they are; writing them again is harmless.
        ///
        /// On a conflict parts may have been written that nobody will read; an error may also leave only
        /// some of them. An engine that can do both at once does.
        ///
        /// If a quotation waits for the table, `awaited` is the message about it for the topic. An engine that
        /// keeps tables and topic in one place publishes it with the flip, and returns
        /// [`Flip::Published`]; for all others the caller publishes it.
        async fn put_table(
            &self,
            user: &UserId,
            head: &TableHead,
            parts: &[Bytes],
            expected: Option<u64>,
            expire_at: Timestamp,
            awaited: Option<&str>,
        ) -> Result<Flip, PortError>;

        /// Parts of any number of tables, in the order asked for, read consistently; `None` for one that
        /// is not there. Those of a generation that was replaced may be gone at once. No part may be asked
        /// for twice.
        async fn parts(&self, wanted: &[WantedParts])
        -> Result<Vec<Vec<Option<Bytes>>>, PortError>;

        /// The most bytes of own rows that are worth keeping in a head. More of them are read apart from
        /// it, and only as far as they are needed.
        fn inline_bytes(&self) -> usize;

        /// Deletes a user's head and every part that is stored for the user.
        async fn delete_table(&self, user: &UserId) -> Result<(), PortError>;

        /// All heads, page by page. No order is promised.
        async fn list_table_heads(
            &self,
            from: Option<Cursor>,
        ) -> Result<Page<(UserId, TableHead)>, PortError>;
    }
);

/// Parts of one table, as [`PriceTables::parts`] gives them.
///
/// # Errors
/// When they cannot be read.
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
