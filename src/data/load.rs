//! Loads a data set into the store. Only what differs is written, and it takes effect at one moment.
//!
//! The differences go into a journal that nobody reads. One write brings all of them into force, and then
//! they are folded into the rows. A load that ends before that write has changed nothing; one that ends
//! after it has changed everything. Loading the same data again writes nothing.

use super::committing::{CHUNK, Committing, LoadProgress};
use super::comparison::{Comparison, KindCounts};
use super::difference::Difference;
use super::load_error::LoadError;
use super::mentions::Mentions;
use super::own_lists::LostRows;
use super::removed::RemovedRows;
use super::stored::{Halt, StoreAt};
use super::{Amounts, Dataset};
use crate::model::ConnectionId;
use crate::ports::{CatalogueHead, Clock, Commit, LoadId, Randomness, Store};
use crate::pricing::Currency;
use crate::stages::change::LoadChange;
use crate::stages::folding::tidy;

/// How often the comparison starts again because another load came between. Each time, that load has
/// succeeded.
pub(super) const MAX_TRIES: u32 = 20;

/// How to load.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// The currency of the prices in the data.
    pub currency: Currency,
    /// Whether to remove stored products that the data does not name, if it names any, and likewise for
    /// each other kind. Rows of price lists are removed only from lists that the data names.
    pub prune: bool,
    /// Whether to keep the stored rows of a user's own list that the data does not have, instead of
    /// replacing the list.
    pub merge: bool,
}

/// What a load did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// What the load did to the rows of each kind.
    pub counts: KindCounts,
    /// The version of the catalogue after the load.
    pub version: u64,
    /// What the load changed for price tables.
    pub change: LoadChange,
    /// Things that may be unintended.
    pub mentions: Mentions,
    /// Rows that own lists lost because the data replaces these lists.
    pub lost: LostRows,
    /// Stored rows that could not be read, and why. The data has replaced them.
    pub unreadable: Vec<String>,
    /// Why folding the changes into the rows failed. They are in force all the same, and the next load or
    /// tick folds them.
    pub unfolded: Option<String>,
}

/// Loads a data set. `progress` is told how far the load has come.
///
/// # Errors
/// [`LoadError`]. Then the load can be repeated. Nothing is changed, unless the store did not answer when the
/// load was brought into force; [`Watched`](super::Watched) finds out whether it was.
pub async fn load(
    store: &dyn Store,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
    data: &Dataset,
    options: LoadOptions,
    progress: &(dyn Fn(LoadProgress<'_>) + Sync),
) -> Result<LoadReport, LoadError> {
    let loader = Loader { store, clock, randomness, data, options, progress, mentions: true };
    loader.load().await
}

/// Loads a data set without looking for unintended things, for callers that would not read them. This saves
/// reads.
///
/// # Errors
/// Those of [`load`].
pub async fn load_unread(
    store: &dyn Store,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
    data: &Dataset,
    options: LoadOptions,
) -> Result<LoadReport, LoadError> {
    let progress = &|_: LoadProgress<'_>| {};
    let loader = Loader { store, clock, randomness, data, options, progress, mentions: false };
    loader.load().await
}

struct Loader<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    randomness: &'a dyn Randomness,
    data: &'a Dataset,
    options: LoadOptions,
    progress: &'a (dyn Fn(LoadProgress<'_>) + Sync),
    /// Whether to look for unintended things.
    mentions: bool,
}

impl Loader<'_> {
    async fn load(&self) -> Result<LoadReport, LoadError> {
        for _ in 0..MAX_TRIES {
            if let Some(report) = self.try_load().await? {
                return Ok(report);
            }
        }
        Err(LoadError::Contended)
    }

    /// Tries to load once. Returns `None` if another load came between the comparison and the commit.
    async fn try_load(&self) -> Result<Option<LoadReport>, LoadError> {
        tidy(self.store, self.clock).await?;
        let stored = self.store.catalogue_head().await?;
        let head = stored.clone().unwrap_or(CatalogueHead::EMPTY);
        let at = StoreAt { store: self.store, head: &head };
        let compared = |rows| (self.progress)(LoadProgress::Compared(rows));
        let comparing = compare(self.data, self.options, at, self.mentions, &compared);
        let (difference, mentions) = match comparing.await {
            Ok(compared) => compared,
            Err(Halt::Moved) => return Ok(None),
            Err(Halt::Failed(error)) => return Err(error),
        };
        let load = LoadId(ConnectionId::from_random(self.randomness.bits()).to_string());
        let mut report = LoadReport { version: head.version, mentions, ..LoadReport::default() };
        report.change.load.clone_from(&load.0);
        let new_currency = stored.is_some() && head.currency != self.options.currency;
        let changes = difference.changes_in(new_currency);
        if new_currency || difference.counts.wrote() || changes.lists {
            let expected = stored.map(|head| head.version);
            let (currency, rounding) = (self.options.currency, head.rounding);
            let commit = Commit { load, currency, rounding, changes };
            let (store, clock, progress) = (self.store, self.clock, self.progress);
            let committing = Committing { store, clock, rows: difference.changes(), progress };
            let Some(in_force) =
                committing.take_effect(difference.in_chunks(CHUNK), &commit, expected).await?
            else {
                return Ok(None);
            };
            report.version = in_force.version;
            report.unfolded = in_force.unfolded;
        }
        report.change.version = report.version;
        report.change.catalogue = changes.products || changes.shared_lists;
        report.change.users = difference.users();
        let Difference { counts, unreadable, lost, .. } = difference;
        Ok(Some(LoadReport { counts, unreadable, lost, ..report }))
    }
}

/// Compares data with the store. Looks for unintended things only if `mentions` is true.
pub(super) async fn compare<'a>(
    data: &'a Dataset,
    options: LoadOptions,
    at: StoreAt<'a>,
    mentions: bool,
    progress: &'a (dyn Fn(u64) + Sync),
) -> Result<(Difference<'a>, Mentions), Halt> {
    check(data, options, at.head)?;
    let LoadOptions { currency, prune, merge } = options;
    let amounts = Amounts { currency, unit_decimals: at.head.rounding.unit_decimals };
    let removed = RemovedRows::of(&data.removed);
    let comparison = Comparison { data, at, amounts, prune, merge, removed, progress };
    let difference = Difference::of(&comparison).await?;
    let mentions = match mentions {
        true => Mentions::of(&difference, &comparison).await?,
        false => Mentions::default(),
    };
    Ok((difference, mentions))
}

/// Checks that the prices of the data fit the stored ones.
fn check(data: &Dataset, options: LoadOptions, head: &CatalogueHead) -> Result<(), LoadError> {
    let (stored, given) = (head.rounding.unit_decimals, data.unit_decimals);
    if stored != given {
        return Err(LoadError::UnitDecimals { stored, given });
    }
    let replaces_all = options.prune && !data.products.is_empty();
    // While no product was ever loaded, no price is in any currency.
    if head.base_version > 0 && head.currency != options.currency && !replaces_all {
        let (stored, given) = (head.currency, options.currency);
        return Err(LoadError::Currency { stored, given });
    }
    Ok(())
}
