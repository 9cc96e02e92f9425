//! Brings a data set into the store, writing only what differs.
//!
//! Products are written under the catalogue's loading mark, so that no table is priced from a
//! half-written catalogue; the version moves when all of them are there. Loading the same data
//! again writes nothing.

use std::collections::HashSet;

use thiserror::Error;

use super::Dataset;
use super::difference::{Counts, Difference};
use crate::model::{ConnectionId, ProductId, Timestamp};
use crate::ports::{
    BeginLoad, CatalogueHead, Clock, LoadId, LoadMark, PortError, Randomness, Store, UserDiscounts,
};
use crate::pricing::{Currency, Product};
use crate::stages::change::Change;

/// So many items are written at once.
const CHUNK: usize = 5_000;
/// How often the comparison starts over because another load came between.
const MAX_TRIES: u32 = 3;

/// How to load.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// The currency of the prices in the data.
    pub currency: Currency,
    /// Remove stored products that the data does not name, if it names any; the same for users'
    /// discounts.
    pub prune: bool,
}

/// What a load did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Products.
    pub products: Counts,
    /// Users with a list of discounts.
    pub users: Counts,
    /// The catalogue's version afterwards.
    pub version: u64,
    /// What has changed for price tables.
    pub change: Change,
    /// Products that have discounts but do not exist, sorted.
    pub unknown_products: Vec<ProductId>,
    /// What was stored and could not be read, and why: the data has taken its place.
    pub unreadable: Vec<String>,
}

/// Why data was not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Another load is going on.
    #[error("another load is writing products, at the latest until {until}")]
    Busy {
        /// Its deadline.
        until: Timestamp,
    },
    /// Other loads kept coming between.
    #[error("the catalogue kept changing while this load compared it")]
    Contended,
    /// The mark was taken over: the loader was too slow, or its clock is far off.
    #[error("this load took so long that it was given up; what it had written stays")]
    GivenUp,
    /// The prices stored are in another currency, and not all of them would be replaced.
    #[error("the stored prices are in {stored}, the data is in {given}")]
    Currency {
        /// The currency in the store.
        stored: Currency,
        /// The currency asked for.
        given: Currency,
    },
    /// A load in another currency died, and not all of what it may have written would be replaced.
    #[error("a load of prices in {loaded} was never finished, the data is in {given}")]
    HalfLoaded {
        /// The currency of the load that died.
        loaded: Currency,
        /// The currency asked for.
        given: Currency,
    },
}

/// Loads a data set. `progress` is called with the number of rows done so far.
///
/// # Errors
/// [`LoadError`]. Before anything is written the store is unchanged; a load that fails later can
/// simply be repeated.
pub async fn load(
    store: &dyn Store,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
    data: &Dataset,
    options: LoadOptions,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<LoadReport, LoadError> {
    let loader = Loader { store, clock, randomness, data, options, progress };
    for _ in 0..MAX_TRIES {
        if let Some(report) = loader.try_load().await? {
            return Ok(report);
        }
    }
    Err(LoadError::Contended)
}

struct Loader<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    randomness: &'a dyn Randomness,
    data: &'a Dataset,
    options: LoadOptions,
    progress: &'a (dyn Fn(u64) + Sync),
}

impl Loader<'_> {
    /// `None` when another load changed the catalogue between comparing and writing.
    async fn try_load(&self) -> Result<Option<LoadReport>, LoadError> {
        let head = self.store.catalogue_head().await?;
        self.check_head(head.as_ref())?;
        let mut difference = Difference::of(self.data, self.store, self.progress).await?;
        if self.options.prune {
            difference.prune(self.data, self.store).await?;
        }
        let mut version = head.as_ref().map_or(0, |head| head.version);
        // Also that of a load which died: with its mark nobody can tell what the prices are in.
        let is_other = |currency: Currency| currency != self.options.currency;
        let new_currency = head.as_ref().is_some_and(|head| {
            is_other(head.currency)
                || head.loading.as_ref().is_some_and(|mark| is_other(mark.currency))
        });
        let changed_catalogue = difference.products.wrote() || new_currency;
        let load = ConnectionId::from_random(self.randomness.bits()).to_string();
        if changed_catalogue {
            let mut mark = self.mark(LoadId(load.clone()));
            let expected = head.map(|head| head.version);
            let begun = self.store.begin_load(&mark, expected, self.clock.now()).await?;
            if begun == BeginLoad::Conflict {
                return Ok(None);
            }
            self.write_products(&difference, &mut mark).await?;
            self.write_discounts(&difference, Some(&mut mark)).await?;
            version = self.store.finish_load(&mark.id).await?.ok_or(LoadError::GivenUp)?;
        } else {
            self.write_discounts(&difference, None).await?;
        }
        let unknown_products = self.unknown_products().await?;
        let Difference { products, users, put_discounts, delete_discounts, unreadable, .. } =
            difference;
        let put = put_discounts.into_iter().map(|list| list.user.clone());
        Ok(Some(LoadReport {
            products,
            users,
            version,
            change: Change {
                load,
                version,
                catalogue: changed_catalogue,
                users: put.chain(delete_discounts).collect(),
            },
            unknown_products,
            unreadable,
        }))
    }

    fn check_head(&self, head: Option<&CatalogueHead>) -> Result<(), LoadError> {
        let Some(head) = head else { return Ok(()) };
        let replaces_all = self.options.prune && !self.data.products.is_empty();
        if head.version > 0 && head.currency != self.options.currency && !replaces_all {
            return Err(LoadError::Currency {
                stored: head.currency,
                given: self.options.currency,
            });
        }
        match &head.loading {
            Some(mark) if mark.deadline > self.clock.now() => {
                Err(LoadError::Busy { until: mark.deadline })
            }
            Some(mark) if mark.currency != self.options.currency && !replaces_all => {
                Err(LoadError::HalfLoaded { loaded: mark.currency, given: self.options.currency })
            }
            _ => Ok(()),
        }
    }

    fn mark(&self, id: LoadId) -> LoadMark {
        let deadline = self.clock.now().plus(LoadMark::LEASE);
        LoadMark { id, deadline, currency: self.options.currency }
    }

    async fn write_products(
        &self,
        difference: &Difference<'_>,
        mark: &mut LoadMark,
    ) -> Result<(), LoadError> {
        for chunk in difference.put_products.chunks(CHUNK) {
            self.keep(mark).await?;
            let products: Vec<Product> = chunk.iter().map(|&product| product.clone()).collect();
            self.store.put_products(&products).await?;
        }
        for chunk in difference.delete_products.chunks(CHUNK) {
            self.keep(mark).await?;
            self.store.delete_products(chunk).await?;
        }
        self.keep(mark).await
    }

    /// Moves the deadline of the mark on once half of its time has passed.
    async fn keep(&self, mark: &mut LoadMark) -> Result<(), LoadError> {
        if mark.deadline.since(self.clock.now()) > LoadMark::LEASE / 2 {
            return Ok(());
        }
        *mark = self.mark(mark.id.clone());
        match self.store.extend_load(mark).await? {
            true => Ok(()),
            false => Err(LoadError::GivenUp),
        }
    }

    /// Writes lists of discounts, while a load of products stays marked if there is one.
    async fn write_discounts(
        &self,
        difference: &Difference<'_>,
        mut mark: Option<&mut LoadMark>,
    ) -> Result<(), LoadError> {
        for chunk in difference.put_discounts.chunks(CHUNK) {
            if let Some(mark) = mark.as_deref_mut() {
                self.keep(mark).await?;
            }
            let lists: Vec<UserDiscounts> = chunk.iter().map(|&list| list.clone()).collect();
            self.store.put_discounts(&lists).await?;
        }
        for chunk in difference.delete_discounts.chunks(CHUNK) {
            if let Some(mark) = mark.as_deref_mut() {
                self.keep(mark).await?;
            }
            self.store.delete_discounts(chunk).await?;
        }
        Ok(())
    }

    async fn unknown_products(&self) -> Result<Vec<ProductId>, LoadError> {
        let named: HashSet<&ProductId> =
            self.data.products.iter().map(|product| &product.id).collect();
        let discounted = self.data.discounts.iter().flat_map(|list| list.discounts.as_slice());
        let unsure: HashSet<&ProductId> = discounted
            .map(|discount| &discount.product_id)
            .filter(|id| !named.contains(id))
            .collect();
        let mut unsure: Vec<ProductId> = unsure.into_iter().cloned().collect();
        unsure.sort_unstable();
        let known = self.store.products(&unsure).await?;
        let known: HashSet<ProductId> = known.into_iter().map(|product| product.id).collect();
        unsure.retain(|id| !known.contains(id));
        Ok(unsure)
    }
}
