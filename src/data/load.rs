//! Brings a data set into the store, writing only what differs, in one moment.
//!
//! What differs goes into a journal that nobody reads. One write brings all of it into force, and
//! then it is folded into the rows. A load that ends before that write has changed nothing; one that
//! ends after it has changed everything. Loading the same data again writes nothing.

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
use crate::stages::change::Change;
use crate::stages::folding::tidy;

/// How often the comparison starts over because another load came between. Each time another load has
/// succeeded.
pub(super) const MAX_TRIES: u32 = 20;

/// How to load.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// The currency of the prices in the data.
    pub currency: Currency,
    /// Remove stored products that the data does not name, if it names any; the same for each other
    /// kind. Rows of price lists are removed from the lists that the data names.
    pub prune: bool,
    /// Keep the stored rows of a user's own list for which the data has none, instead of replacing the list.
    pub merge: bool,
}

/// What a load did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// What became of the rows of each kind.
    pub counts: KindCounts,
    /// The catalogue's version afterwards.
    pub version: u64,
    /// What has changed for price tables.
    pub change: Change,
    /// What may not be meant.
    pub mentions: Mentions,
    /// What own lists have lost that the data replaces.
    pub lost: LostRows,
    /// What was stored and could not be read, and why: the data has taken its place.
    pub unreadable: Vec<String>,
    /// Why the changes, which are in force, are not folded into the rows. Whoever comes next does it.
    pub unfolded: Option<String>,
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
    let loader = Loader { store, clock, randomness, data, options, progress, mentions: true };
    loader.load().await
}

/// The same, for nobody who would read what may not be meant: it is not looked for, which saves reads.
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
    /// Whether somebody reads what may not be meant.
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

    /// `None` when another load came between comparing and committing.
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

/// What data changes in the store, and what of it may not be meant if somebody reads that.
pub(super) async fn compare<'a>(
    data: &'a Dataset,
    options: LoadOptions,
    at: StoreAt<'a>,
    mentions: bool,
    progress: &'a (dyn Fn(u64) + Sync),
) -> Result<(Difference<'a>, Mentions), Halt> {
    check(data, options, at.head).map_err(Halt::Failed)?;
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

/// That the prices of the data go with those that are stored.
fn check(data: &Dataset, options: LoadOptions, head: &CatalogueHead) -> Result<(), LoadError> {
    let (stored, given) = (head.rounding.unit_decimals, data.unit_decimals);
    if stored != given {
        return Err(LoadError::UnitDecimals { stored, given });
    }
    let replaces_all = options.prune && !data.products.is_empty();
    // Where no product was ever loaded, no price is in any currency.
    if head.base_version > 0 && head.currency != options.currency && !replaces_all {
        let (stored, given) = (head.currency, options.currency);
        return Err(LoadError::Currency { stored, given });
    }
    Ok(())
}
