//! Brings a data set into the store, writing only what differs, in one moment.
//!
//! What differs goes into a journal that nobody reads. One write brings all of it into force, and
//! then it is folded into the rows. A load that ends before that write has changed nothing; one that
//! ends after it has changed everything. Loading the same data again writes nothing.

use std::collections::HashSet;

use thiserror::Error;
use tracing::warn;

use super::Dataset;
use super::difference::{Counts, Difference, StoreAt};
use crate::model::{ConnectionId, ProductId};
use crate::ports::{
    AtHead, CatalogueHead, Chain, Clock, Commit, Committed, LoadId, PortError, Randomness, Store,
};
use crate::pricing::Currency;
use crate::stages::change::Change;
use crate::stages::folding::{fold, tidy};

/// So many changes are written at once.
const CHUNK: usize = 5_000;
/// How often the comparison starts over because another load came between. Each time another load has
/// succeeded.
const MAX_TRIES: u32 = 20;

/// How to load.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// The currency of the prices in the data.
    pub currency: Currency,
    /// Remove stored products that the data does not name, if it names any; the same for users'
    /// discounts.
    pub prune: bool,
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadProgress<'a> {
    /// It has a journal of this name, and comes into force if the head still has this version then.
    Began(&'a LoadId, u64),
    /// So many rows are compared with the store.
    Compared(u64),
    /// So many changes of all are in the journal.
    Written(u64, u64),
    /// All of it is in force, as this version.
    InForce(u64),
    /// So many changes of all are folded into the rows.
    Folded(u64, u64),
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
    /// Why the changes, which are in force, are not folded into the rows. Whoever comes next does it.
    pub unfolded: Option<String>,
}

/// Why data was not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Other loads kept coming between.
    #[error("other loads kept changing the store while this one compared it; nothing was changed")]
    Contended,
    /// Somebody dropped the journal.
    #[error("this load took so long that others took it for dead; nothing was changed")]
    Dropped,
    /// The prices stored are in another currency, and not all of them would be replaced.
    #[error("the stored prices are in {stored}, the data is in {given}")]
    Currency {
        /// The currency in the store.
        stored: Currency,
        /// The currency asked for.
        given: Currency,
    },
}

/// Loads a data set. `progress` hears how far it is.
///
/// # Errors
/// [`LoadError`]. Nothing is changed then, and the load can simply be repeated.
pub async fn load(
    store: &dyn Store,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
    data: &Dataset,
    options: LoadOptions,
    progress: &(dyn Fn(LoadProgress<'_>) + Sync),
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
    progress: &'a (dyn Fn(LoadProgress<'_>) + Sync),
}

impl Loader<'_> {
    /// `None` when another load came between comparing and committing.
    async fn try_load(&self) -> Result<Option<LoadReport>, LoadError> {
        tidy(self.store, self.clock).await?;
        let stored = self.store.catalogue_head().await?;
        let head = stored.clone().unwrap_or(CatalogueHead::EMPTY);
        self.check_currency(&head)?;
        let at = StoreAt { store: self.store, head: &head };
        let compared = |rows| (self.progress)(LoadProgress::Compared(rows));
        let AtHead::Read(mut difference) = Difference::of(self.data, at, &compared).await? else {
            return Ok(None);
        };
        if self.options.prune && difference.prune(self.data, at).await? == AtHead::Moved {
            return Ok(None);
        }
        let unknown = self.unknown_products(at, &difference.delete_products).await?;
        let AtHead::Read(unknown_products) = unknown else {
            return Ok(None);
        };
        let new_currency = stored.is_some() && head.currency != self.options.currency;
        let changes_base = difference.products.wrote() || new_currency;
        let load = LoadId(ConnectionId::from_random(self.randomness.bits()).to_string());
        let mut report = LoadReport {
            version: head.version,
            unknown_products,
            change: Change { load: load.0.clone(), version: head.version, ..Change::default() },
            ..LoadReport::default()
        };
        if changes_base || difference.users.wrote() {
            let expected = stored.map(|head| head.version);
            let currency = self.options.currency;
            let commit = Commit { load, currency, changes_base };
            let Some(version) = self.commit(&difference, &commit, expected).await? else {
                return Ok(None);
            };
            report.version = version;
            report.unfolded = self.fold(&difference, &commit.load, version).await;
        }
        let Difference { products, users, put_discounts, delete_discounts, unreadable, .. } =
            difference;
        let put = put_discounts.into_iter().map(|list| list.user.clone());
        report.change.version = report.version;
        report.change.catalogue = changes_base;
        report.change.users = put.chain(delete_discounts).collect();
        Ok(Some(LoadReport { products, users, unreadable, ..report }))
    }

    fn check_currency(&self, head: &CatalogueHead) -> Result<(), LoadError> {
        let replaces_all = self.options.prune && !self.data.products.is_empty();
        if head.version > 0 && head.currency != self.options.currency && !replaces_all {
            let (stored, given) = (head.currency, self.options.currency);
            return Err(LoadError::Currency { stored, given });
        }
        Ok(())
    }

    /// Writes the journal and brings it into force; `None` when another load came between.
    async fn commit(
        &self,
        difference: &Difference<'_>,
        commit: &Commit,
        expected: Option<u64>,
    ) -> Result<Option<u64>, LoadError> {
        let all = difference.changes();
        (self.progress)(LoadProgress::Began(&commit.load, expected.unwrap_or(0)));
        self.store.begin_load(&commit.load, self.clock.now()).await?;
        let mut written = 0;
        for chunk in difference.in_chunks(CHUNK) {
            if !self.store.write_journal(&commit.load, &chunk).await? {
                return Err(LoadError::Dropped);
            }
            written += chunk.len() as u64;
            (self.progress)(LoadProgress::Written(written, all));
        }
        match self.store.commit_load(commit, expected).await? {
            Committed::Version(version) => {
                (self.progress)(LoadProgress::InForce(version));
                Ok(Some(version))
            }
            Committed::Conflict => {
                self.store.drop_journal(&commit.load).await?;
                Ok(None)
            }
            Committed::Dropped => Err(LoadError::Dropped),
        }
    }

    /// Folds the journal into the rows; says why, if that fails. The load is in force all the same.
    async fn fold(
        &self,
        difference: &Difference<'_>,
        load: &LoadId,
        version: u64,
    ) -> Option<String> {
        let all = difference.changes();
        let folded = |done| (self.progress)(LoadProgress::Folded(done, all));
        let error = fold(self.store, self.clock, load, version, &folded).await.err()?;
        let why = Chain(&error).to_string();
        warn!(load = load.0, version, error = why, "the load is in force and not folded yet");
        Some(why)
    }

    /// What has discounts and will not exist.
    async fn unknown_products(
        &self,
        at: StoreAt<'_>,
        deleted: &[ProductId],
    ) -> Result<AtHead<Vec<ProductId>>, PortError> {
        let named: HashSet<&ProductId> =
            self.data.products.iter().map(|product| &product.id).collect();
        let discounted = self.data.discounts.iter().flat_map(|list| list.discounts.as_slice());
        let unsure: HashSet<&ProductId> = discounted
            .map(|discount| &discount.product_id)
            .filter(|id| !named.contains(id))
            .collect();
        let mut unsure: Vec<ProductId> = unsure.into_iter().cloned().collect();
        unsure.sort_unstable();
        let AtHead::Read(known) = self.store.products(&unsure, at.head).await? else {
            return Ok(AtHead::Moved);
        };
        let deleted: HashSet<&ProductId> = deleted.iter().collect();
        let known = known.into_iter().map(|product| product.id);
        let known: HashSet<ProductId> = known.filter(|id| !deleted.contains(id)).collect();
        unsure.retain(|id| !known.contains(id));
        Ok(AtHead::Read(unsure))
    }
}
