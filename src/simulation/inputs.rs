//! Every catalogue and every list of discounts that existed, and when.

use std::collections::BTreeMap;

use super::Invariant;
use super::checks::Checks;
use super::oracle::{self, ListPrices};
use super::report::Breach;
use crate::model::{Timestamp, UserId};
use crate::pricing::Discounts;
use crate::protocol::QuotationFrame;

/// Something that was there for a time.
#[derive(Debug)]
pub(super) struct State<T> {
    pub(super) value: T,
    since: Timestamp,
    until: Option<Timestamp>,
}

/// The states of one thing, in their order.
#[derive(Debug)]
pub(super) struct States<T>(Vec<State<T>>);

impl<T: Default> States<T> {
    fn new(start: Timestamp) -> Self {
        Self(vec![State { value: T::default(), since: start, until: None }])
    }
}

impl<T> States<T> {
    fn push(&mut self, value: T, now: Timestamp) {
        if let Some(last) = self.0.last_mut() {
            last.until = Some(now);
        }
        self.0.push(State { value, since: now, until: None });
    }

    /// Those that were there at some time from `from` to `to`, the last first.
    fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &T> {
        let there =
            move |state: &&State<T>| state.since <= to && state.until.is_none_or(|end| end >= from);
        self.0.iter().rev().filter(there).map(|state| &state.value)
    }
}

/// What prices are made from.
#[derive(Debug)]
pub(super) struct Inputs {
    start: Timestamp,
    /// By version; the one before the first load is empty.
    catalogues: States<ListPrices>,
    discounts: BTreeMap<UserId, States<Discounts>>,
}

impl Inputs {
    pub(super) fn new(start: Timestamp) -> Self {
        Self { start, catalogues: States::new(start), discounts: BTreeMap::new() }
    }

    /// A load is finished, and this is the catalogue now.
    pub(super) fn publish(
        &mut self,
        version: u64,
        prices: ListPrices,
        now: Timestamp,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        let next = self.catalogues.0.len() as u64;
        self.catalogues.push(prices, now);
        checks.hold(Invariant::NothingGoesBack, version == next, || {
            format!("the catalogue's version became {version}, not {next}")
        })
    }

    /// A user has these discounts now.
    pub(super) fn set_discounts(&mut self, user: &UserId, discounts: Discounts, now: Timestamp) {
        self.lists_mut(user).push(discounts, now);
    }

    fn lists_mut(&mut self, user: &UserId) -> &mut States<Discounts> {
        let start = self.start;
        self.discounts.entry(user.clone()).or_insert_with(|| States::new(start))
    }

    /// The list prices of a version, if there was one.
    pub(super) fn catalogue(&self, version: u64) -> Option<&ListPrices> {
        let index = usize::try_from(version).ok()?;
        self.catalogues.0.get(index).map(|state| &state.value)
    }

    /// The lists of a user, by their number, from a number on.
    pub(super) fn lists_from(
        &mut self,
        user: &UserId,
        first: usize,
    ) -> impl Iterator<Item = (usize, &Discounts)> {
        let lists = self.lists_mut(user).0.iter().enumerate().skip(first);
        lists.map(|(number, state)| (number, &state.value))
    }

    /// Whether an answer is by one catalogue and one list that were there in a time.
    pub(super) fn explain(
        &mut self,
        shown: &QuotationFrame,
        user: &UserId,
        from: Timestamp,
        to: Timestamp,
    ) -> bool {
        self.lists_mut(user);
        let Some(lists) = self.discounts.get(user) else { return false };
        self.catalogues
            .between(from, to)
            .any(|prices| lists.between(from, to).any(|list| oracle::agrees(shown, prices, list)))
    }

    /// How many loads were finished.
    pub(super) fn loads(&self) -> u64 {
        self.catalogues.0.len() as u64 - 1
    }

    /// Whether there is anything to sell now.
    pub(super) fn has_products(&self) -> bool {
        self.catalogues.0.last().is_some_and(|state| !state.value.is_empty())
    }
}
