//! Compares price lists and their rows with the store.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::collect::Errors;
use super::comparison::{Comparison, RowCounts};
use super::difference::Difference;
use super::error::Problem;
use super::given::{Amounts, FilePlace, GivenPrices, GivenRung};
use super::planned::Planned;
use super::resolving::{check_ladder, resolve_relative, resolve_rungs};
use super::stored::{CHUNK, Halt, StoredRows, still};
use crate::model::{PriceListId, UserId};
use crate::ports::{RecordKey, pages};
use crate::pricing::{Currency, Ladder, ListPrices, PriceList, Rung, Scope};

/// What a load changes in price lists.
#[derive(Debug, Default)]
pub(super) struct ListChanges {
    /// Whether a list or a row of a list changes.
    pub(super) changed: bool,
    /// Whether a list that customers share changes.
    pub(super) shared: bool,
    /// The customers to whom changed lists are given by name.
    pub(super) users: BTreeSet<UserId>,
}

/// A price list that the data names, as given and as stored.
pub(super) struct NamedList<'a> {
    given: Option<&'a (PriceList, FilePlace)>,
    stored: Option<PriceList>,
    is_unreadable: bool,
    /// Whether the data has a row of this list for more than one product.
    gets_wide: bool,
    /// Whether a row of the list changes.
    rows_change: bool,
}

/// The lists that the data names, by id.
pub(super) type NamedLists<'a> = BTreeMap<PriceListId, NamedList<'a>>;

impl NamedList<'_> {
    /// Returns the list as it will be, or `None` if there will be none.
    pub(super) fn header(&self) -> Option<&PriceList> {
        self.given.map(|(list, _)| list).or(self.stored.as_ref())
    }

    /// Returns the list as it will be stored, if the list or a row of it changes.
    fn changed(&self, revision: u64) -> Option<PriceList> {
        let list = self.header()?;
        let was_wide = self.stored.as_ref().is_some_and(|stored| stored.is_wide);
        let is_wide = was_wide || self.gets_wide;
        let changes = !self.is_same() || self.rows_change || is_wide != was_wide;
        changes.then(|| PriceList { is_wide, revision, ..list.clone() })
    }

    /// Whether the stored list is the same, apart from what loads add to it.
    fn is_same(&self) -> bool {
        let (Some(list), Some(stored)) = (self.header(), &self.stored) else { return false };
        let (is_wide, revision) = (stored.is_wide, stored.revision);
        *stored == PriceList { is_wide, revision, ..list.clone() }
    }

    /// Returns the currency of stored prices, if the data gives the list another one.
    fn replaced_currency(&self) -> Option<(Currency, FilePlace)> {
        let ((given, place), stored) = (self.given?, self.stored.as_ref()?.currency?);
        (given.currency != Some(stored)).then_some((stored, *place))
    }
}

impl<'a> Difference<'a> {
    /// Compares price lists, then their rows, and plans to write the lists that have a change.
    pub(super) async fn compare_lists(
        &mut self,
        comparison: &Comparison<'a>,
        errors: &mut Errors,
    ) -> Result<(), Halt> {
        // Ladders that only lose rows are compared like those that get rows.
        let shortened = comparison.removed.ladders(&comparison.data.prices);
        let mut prices: Vec<&GivenPrices> =
            comparison.data.prices.iter().chain(&shortened).collect();
        let mut lists = self.named_lists(&prices, comparison).await?;
        prices.sort_unstable_by(|a, b| (&a.list, &a.scope).cmp(&(&b.list, &b.scope)));
        for chunk in prices.chunks(CHUNK) {
            self.compare_prices(chunk, &mut lists, comparison, errors).await?;
        }
        check_currencies(&lists, &prices, comparison, errors).await?;
        if comparison.prune && !prices.is_empty() {
            self.prune_prices(&prices, &mut lists, comparison).await?;
        }
        if comparison.prune && !comparison.data.lists.is_empty() {
            self.prune_lists(&lists, comparison).await?;
        }
        self.remove_lists(comparison).await?;
        let revision = comparison.at.head.version + 1;
        for list in lists.values() {
            let changed = list.changed(revision);
            if list.given.is_some() {
                let count = match &list.stored {
                    None if !list.is_unreadable => &mut self.counts.price_lists.added,
                    // If anything changes, it is a row of the list.
                    Some(_) if list.is_same() => &mut self.counts.price_lists.unchanged,
                    _ => &mut self.counts.price_lists.changed,
                };
                *count += 1;
            }
            if let Some(changed) = changed {
                self.lists.touch(list.stored.as_ref());
                self.lists.touch(Some(&changed));
                self.plan(Planned::List(Box::new(changed)));
            }
        }
        Ok(())
    }

    async fn named_lists(
        &mut self,
        prices: &[&GivenPrices],
        comparison: &Comparison<'a>,
    ) -> Result<NamedLists<'a>, Halt> {
        let Comparison { data, at, removed, .. } = comparison;
        let given = data.lists.iter().map(|given| (&given.0.id, given));
        let given: HashMap<&PriceListId, &'a (PriceList, FilePlace)> = given.collect();
        let mut wide: HashMap<&PriceListId, bool> =
            given.keys().map(|list| (*list, false)).collect();
        for prices in prices {
            let is_wide = !prices.rungs.is_empty() && prices.scope.is_wide();
            *wide.entry(&prices.list).or_default() |= is_wide;
        }
        let mut ids: Vec<PriceListId> = wide.keys().copied().cloned().collect();
        ids.sort_unstable();
        let mut lists = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            let read = |ids| at.store.price_lists(ids, at.head);
            let mut stored =
                StoredRows::read(chunk, |list: &PriceList| list.id.clone(), read).await?;
            for id in chunk {
                let list = NamedList {
                    given: given.get(id).copied(),
                    stored: stored.found.remove(id).filter(|_| !removed.has_list(id)),
                    is_unreadable: stored.unreadable.contains_key(id),
                    gets_wide: wide.get(id).copied().unwrap_or_default(),
                    rows_change: false,
                };
                lists.insert(id.clone(), list);
            }
            self.compared(comparison, chunk.len(), stored.unreadable);
        }
        Ok(lists)
    }

    async fn compare_prices(
        &mut self,
        chunk: &[&GivenPrices],
        lists: &mut NamedLists<'a>,
        comparison: &Comparison<'a>,
        errors: &mut Errors,
    ) -> Result<(), Halt> {
        let at = comparison.at;
        let keys: Vec<(PriceListId, Scope)> =
            chunk.iter().map(|prices| (prices.list.clone(), prices.scope.clone())).collect();
        let read = |keys| at.store.prices(keys, at.head);
        let key = |prices: &ListPrices| (prices.list.clone(), prices.scope.clone());
        let stored = StoredRows::read(&keys, key, read).await?;
        for (prices, key) in chunk.iter().zip(&keys) {
            let Some(list) = lists.get_mut(&prices.list) else { continue };
            let before = stored.found.get(key).map(|stored| &stored.ladder);
            match merged(prices, list, before, comparison) {
                Ok(None) => {}
                Ok(Some(Merged { ladder, given })) => {
                    self.counts.prices.count_rungs(&given, before, stored.unreadable.get(key));
                    if before != ladder.as_ref() {
                        list.rows_change = true;
                        let (list, scope) = key.clone();
                        self.plan(match ladder {
                            Some(ladder) => {
                                Planned::Prices(Box::new(ListPrices { list, scope, ladder }))
                            }
                            None => Planned::Delete(RecordKey::Prices(list, scope)),
                        });
                    }
                    let given: HashSet<_> = given.iter().map(|rung| rung.min_quantity).collect();
                    let goes = |rung: &&Rung| {
                        let from = rung.min_quantity;
                        comparison.removed.has_price(&key.0, &key.1, from)
                            || comparison.prune && !given.contains(&from)
                    };
                    let gone = before.into_iter().flat_map(Ladder::rungs).filter(goes);
                    self.counts.prices.removed += gone.count() as u64;
                }
                Err((place, problem)) => comparison.fault(errors, place, problem),
            }
        }
        self.compared(comparison, chunk.len(), stored.unreadable);
        Ok(())
    }

    /// Deletes the stored rows that the data does not have, in the lists that the data names.
    async fn prune_prices(
        &mut self,
        given: &[&GivenPrices],
        lists: &mut NamedLists<'a>,
        comparison: &Comparison<'a>,
    ) -> Result<(), Halt> {
        for (id, list) in lists.iter_mut().filter(|(_, list)| list.stored.is_some()) {
            let deleted =
                self.delete_prices(id, comparison, |scope| find(given, id, scope)).await?;
            list.rows_change |= deleted;
        }
        Ok(())
    }

    /// Deletes the lists that the data does not name, with their rows.
    async fn prune_lists(
        &mut self,
        named: &NamedLists<'a>,
        comparison: &Comparison<'a>,
    ) -> Result<(), Halt> {
        let at = comparison.at;
        let mut pages = pages(|from| at.store.list_price_lists(at.head, from));
        while let Some(page) = pages.next().await? {
            for list in still(page)?.into_iter().filter(|list| !named.contains_key(&list.id)) {
                self.delete_list(list, comparison).await?;
            }
        }
        Ok(())
    }

    /// Deletes a list with its rows.
    pub(super) async fn delete_list(
        &mut self,
        list: PriceList,
        comparison: &Comparison<'_>,
    ) -> Result<(), Halt> {
        self.delete_prices(&list.id, comparison, |_| None).await?;
        self.lists.touch(Some(&list));
        self.counts.price_lists.removed += 1;
        self.plan(Planned::Delete(RecordKey::PriceList(list.id)));
        Ok(())
    }

    /// Deletes the rows of a list, except in scopes for which `keeps` finds rows. Returns whether any row
    /// was deleted.
    async fn delete_prices<'g>(
        &mut self,
        list: &PriceListId,
        comparison: &Comparison<'_>,
        keeps: impl Fn(&Scope) -> Option<&'g GivenPrices>,
    ) -> Result<bool, Halt> {
        let at = comparison.at;
        let mut deleted = false;
        let mut pages = pages(|from| at.store.list_prices(list, at.head, from));
        while let Some(page) = pages.next().await? {
            for prices in still(page)?.into_iter().filter(|prices| keeps(&prices.scope).is_none()) {
                deleted = true;
                self.counts.prices.removed += prices.ladder.rungs().len() as u64;
                self.plan(Planned::Delete(RecordKey::Prices(prices.list, prices.scope)));
            }
        }
        Ok(deleted)
    }
}

/// The rows of a list for one scope.
struct Merged {
    /// The stored rows, replaced and completed by those of the data. `None` if no row is left.
    ladder: Option<Ladder>,
    /// The rows of the data.
    given: Vec<Rung>,
}

/// Lays the rows of the data over the stored ones. Returns `None` if there is nothing to do.
fn merged(
    prices: &GivenPrices,
    list: &NamedList<'_>,
    stored: Option<&Ladder>,
    comparison: &Comparison<'_>,
) -> Result<Option<Merged>, (FilePlace, Problem)> {
    let GivenPrices { list: id, scope, rungs } = prices;
    let first = rungs.first().map_or_else(FilePlace::default, |rung| rung.place);
    let Some(header) = list.header() else {
        // Nothing can be removed from a list that does not exist.
        return match rungs.is_empty() {
            true => Ok(None),
            false => Err((first, Problem::UnknownPriceList { list: id.clone() })),
        };
    };
    let amounts = |currency| Amounts { currency, ..comparison.amounts };
    let given = match header.currency {
        Some(currency) => resolve_rungs(rungs.iter(), amounts(currency))?,
        None => resolve_relative(rungs, id)?,
    };
    let mut by_quantity: BTreeMap<_, Rung> = BTreeMap::new();
    if !comparison.prune {
        let stays = |rung: &&Rung| !comparison.removed.has_price(id, scope, rung.min_quantity);
        let stored = stored.into_iter().flat_map(Ladder::rungs).filter(stays);
        by_quantity.extend(stored.map(|rung| (rung.min_quantity, *rung)));
    }
    by_quantity.extend(given.iter().map(|rung| (rung.min_quantity, *rung)));
    let Ok(ladder) = Ladder::new(by_quantity.into_values().collect()) else {
        return Ok(Some(Merged { ladder: None, given }));
    };
    let amounts = amounts(header.currency.unwrap_or(comparison.amounts.currency));
    check_ladder(&ladder, format!("price list `{id}`"), scope, amounts)
        .map_err(|(at, problem)| (blamed(rungs, at).unwrap_or(first), problem))?;
    Ok(Some(Merged { ladder: Some(ladder), given }))
}

/// Returns the row of the data that makes the price rise at a quantity: the row at that quantity, or else
/// the last one before it, below which the stored row at that quantity does not fall.
fn blamed(rungs: &[GivenRung], at: crate::pricing::MinQuantity) -> Option<FilePlace> {
    rungs.iter().rev().find(|rung| rung.min_quantity <= at).map(|rung| rung.place)
}

/// Checks that no stored price or amount stays when the currency of its list changes.
async fn check_currencies(
    lists: &NamedLists<'_>,
    given: &[&GivenPrices],
    comparison: &Comparison<'_>,
    errors: &mut Errors,
) -> Result<(), Halt> {
    let at = comparison.at;
    // With pruning, every row that the data does not have is deleted.
    if comparison.prune && !given.is_empty() {
        return Ok(());
    }
    for (id, list) in lists {
        let Some((currency, place)) = list.replaced_currency() else { continue };
        let mut pages = pages(|from| at.store.list_prices(id, at.head, from));
        while let Some(page) = pages.next().await? {
            let left = still(page)?.into_iter().find(|prices| {
                let given = find(given, id, &prices.scope);
                prices.ladder.rungs().iter().any(|rung| {
                    let is_replaced = given.is_some_and(|given| {
                        given.rungs.iter().any(|given| given.min_quantity == rung.min_quantity)
                    });
                    let goes = comparison.removed.has_price(id, &prices.scope, rung.min_quantity);
                    !rung.rule.is_relative() && !is_replaced && !goes
                })
            });
            if let Some(ListPrices { list, scope, .. }) = left {
                let problem = Problem::OtherCurrency { list, stored: currency, scope };
                comparison.fault(errors, place, problem);
                break;
            }
        }
    }
    Ok(())
}

/// Returns the rows of the data for a list and a scope. `given` is sorted by both.
fn find<'g>(
    given: &[&'g GivenPrices],
    list: &PriceListId,
    scope: &Scope,
) -> Option<&'g GivenPrices> {
    let place = given.binary_search_by(|prices| (&prices.list, &prices.scope).cmp(&(list, scope)));
    place.ok().map(|place| given[place])
}

impl ListChanges {
    /// Notes that a list changes. Called for the list as it was and as it will be.
    fn touch(&mut self, list: Option<&PriceList>) {
        let Some(list) = list else { return };
        self.changed = true;
        self.shared |= !list.is_individual() && !list.recipients.is_empty();
        self.users.extend(list.recipients.users.iter().cloned());
    }
}

impl RowCounts {
    /// Counts the rows of the data for one list and scope.
    fn count_rungs(&mut self, given: &[Rung], stored: Option<&Ladder>, why: Option<&String>) {
        for rung in given {
            let mut same = stored.into_iter().flat_map(Ladder::rungs);
            let count = match same.find(|stored| stored.min_quantity == rung.min_quantity) {
                Some(stored) if stored == rung => &mut self.unchanged,
                None if why.is_none() => &mut self.added,
                _ => &mut self.changed,
            };
            *count += 1;
        }
    }
}
