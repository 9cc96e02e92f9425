//! Brings a data set into the store, writing only what differs.
//!
//! Products are written under the catalogue's loading mark, so that no table is priced from a
//! half-written catalogue; the version moves when all of them are there. Loading the same data
//! again writes nothing.

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use super::Dataset;
use crate::model::{ConnectionId, ProductId, Timestamp, UserId};
use crate::ports::{
    BeginLoad, CatalogueHead, Clock, LoadId, LoadMark, PortError, Randomness, Store, UserDiscounts,
};
use crate::pricing::{Currency, Product};
use crate::stages::change::Change;

/// So many items are compared, and then written, at once.
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

/// What became of the rows of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New.
    pub added: u64,
    /// Stored before, with other values.
    pub changed: u64,
    /// Stored before, just so.
    pub unchanged: u64,
    /// Stored before, and pruned.
    pub removed: u64,
}

impl Counts {
    /// Whether anything was written.
    #[must_use]
    pub const fn wrote(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
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

/// What has to be written.
#[derive(Default)]
struct Difference<'a> {
    put_products: Vec<&'a Product>,
    delete_products: Vec<ProductId>,
    put_discounts: Vec<&'a UserDiscounts>,
    delete_discounts: Vec<UserId>,
    products: Counts,
    users: Counts,
}

impl Loader<'_> {
    /// `None` when another load changed the catalogue between comparing and writing.
    async fn try_load(&self) -> Result<Option<LoadReport>, LoadError> {
        let head = self.store.catalogue_head().await?;
        self.check_head(head.as_ref())?;
        let difference = self.compare().await?;
        let mut version = head.as_ref().map_or(0, |head| head.version);
        let new_currency = head.as_ref().is_some_and(|head| head.currency != self.options.currency);
        let changed_catalogue = difference.products.wrote() || new_currency;
        let load = ConnectionId::from_random(self.randomness.bits()).to_string();
        if changed_catalogue {
            let mark = self.mark(LoadId(load.clone()));
            let expected = head.map(|head| head.version);
            let begun = self
                .store
                .begin_load(&mark, expected, self.options.currency, self.clock.now())
                .await?;
            if begun == BeginLoad::Conflict {
                return Ok(None);
            }
            self.write_products(&difference, mark.clone()).await?;
            self.write_discounts(&difference).await?;
            version = self
                .store
                .finish_load(&mark.id, Some(self.options.currency))
                .await?
                .ok_or(LoadError::GivenUp)?;
        } else {
            self.write_discounts(&difference).await?;
        }
        let unknown_products = self.unknown_products().await?;
        let Difference { products, users, put_discounts, delete_discounts, .. } = difference;
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
            _ => Ok(()),
        }
    }

    fn mark(&self, id: LoadId) -> LoadMark {
        LoadMark { id, deadline: self.clock.now().plus(LoadMark::LEASE) }
    }

    async fn compare(&self) -> Result<Difference<'_>, LoadError> {
        let mut difference = Difference::default();
        let mut done = 0;
        // Sorted, neighbours share the pages of a store that keeps them sorted: a million products
        // are read and written many times faster than in a random order.
        let mut products: Vec<&Product> = self.data.products.iter().collect();
        products.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        for chunk in products.chunks(CHUNK) {
            let ids: Vec<ProductId> = chunk.iter().map(|product| product.id.clone()).collect();
            let stored = self.store.products(&ids).await?;
            let stored: HashMap<&ProductId, &Product> =
                stored.iter().map(|product| (&product.id, product)).collect();
            for &product in chunk {
                let is = stored.get(&product.id).copied();
                if difference.products.compare(is, product) {
                    difference.put_products.push(product);
                }
            }
            done += chunk.len() as u64;
            (self.progress)(done);
        }
        for chunk in self.data.discounts.chunks(CHUNK) {
            let users: Vec<UserId> = chunk.iter().map(|list| list.user.clone()).collect();
            let stored = self.store.discounts(&users).await?;
            let stored: HashMap<&UserId, &UserDiscounts> =
                stored.iter().map(|list| (&list.user, list)).collect();
            for list in chunk {
                let is = stored.get(&list.user).copied();
                if difference.users.compare(is, list) {
                    difference.put_discounts.push(list);
                }
            }
            done += chunk.len() as u64;
            (self.progress)(done);
        }
        if self.options.prune {
            self.prune(&mut difference).await?;
        }
        Ok(difference)
    }

    async fn prune(&self, difference: &mut Difference<'_>) -> Result<(), LoadError> {
        if !self.data.products.is_empty() {
            let named: HashSet<&ProductId> =
                self.data.products.iter().map(|product| &product.id).collect();
            let mut from = None;
            loop {
                let page = self.store.list_products(from).await?;
                let ids = page.items.into_iter().map(|product| product.id);
                difference.delete_products.extend(ids.filter(|id| !named.contains(id)));
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        if !self.data.discounts.is_empty() {
            let named: HashSet<&UserId> =
                self.data.discounts.iter().map(|list| &list.user).collect();
            let mut from = None;
            loop {
                let page = self.store.list_discounted_users(from).await?;
                let users = page.items.into_iter();
                difference.delete_discounts.extend(users.filter(|user| !named.contains(user)));
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        difference.products.removed = difference.delete_products.len() as u64;
        difference.users.removed = difference.delete_discounts.len() as u64;
        Ok(())
    }

    async fn write_products(
        &self,
        difference: &Difference<'_>,
        mut mark: LoadMark,
    ) -> Result<(), LoadError> {
        for chunk in difference.put_products.chunks(CHUNK) {
            self.keep(&mut mark).await?;
            let products: Vec<Product> = chunk.iter().map(|&product| product.clone()).collect();
            self.store.put_products(&products).await?;
        }
        for chunk in difference.delete_products.chunks(CHUNK) {
            self.keep(&mut mark).await?;
            self.store.delete_products(chunk).await?;
        }
        self.keep(&mut mark).await
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

    async fn write_discounts(&self, difference: &Difference<'_>) -> Result<(), LoadError> {
        for chunk in difference.put_discounts.chunks(CHUNK) {
            let lists: Vec<UserDiscounts> = chunk.iter().map(|&list| list.clone()).collect();
            self.store.put_discounts(&lists).await?;
        }
        if !difference.delete_discounts.is_empty() {
            self.store.delete_discounts(&difference.delete_discounts).await?;
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

impl Counts {
    /// Counts a row; says whether it has to be written.
    fn compare<T: PartialEq>(&mut self, stored: Option<&T>, given: &T) -> bool {
        let count = match stored {
            None => &mut self.added,
            Some(stored) if stored == given => {
                self.unchanged += 1;
                return false;
            }
            Some(_) => &mut self.changed,
        };
        *count += 1;
        true
    }
}
