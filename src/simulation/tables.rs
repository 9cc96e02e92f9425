//! What the price tables of all users are, and whether each is right.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Invariant;
use super::checks::Checks;
use super::inputs::Inputs;
use super::oracle::{self, ListPrices};
use super::report::Breach;
use crate::model::{Generation, Timestamp, UserId};
use crate::ports::TableHead;
use crate::pricing::{Discounts, PackedPart};

/// List price and unit price, by product.
type Content = BTreeMap<String, (i64, i64)>;

/// The tables as their heads name them.
#[derive(Debug, Default)]
pub(super) struct Tables {
    by_user: BTreeMap<UserId, Table>,
    /// Of each generation that a head named, what its parts say.
    contents: BTreeMap<(UserId, Generation), Content>,
    flips: u64,
}

#[derive(Debug, Default)]
struct Table {
    version: u64,
    catalogue_version: u64,
    /// The number of the oldest list of discounts it can be by.
    list: usize,
    /// When it was made or validated.
    flipped_at: Vec<Timestamp>,
}

impl Tables {
    /// A head was flipped, and this is what is stored under it.
    pub(super) fn flip(
        &mut self,
        user: &UserId,
        head: &TableHead,
        parts: &[Option<Bytes>],
        inputs: &mut Inputs,
        now: Timestamp,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        self.flips += 1;
        let (version, catalogue_version, list) = match self.by_user.get(user) {
            Some(before) => (before.version, before.catalogue_version, before.list),
            None => (0, 0, 0),
        };
        let name = || format!("the table of {user:?}, version {}", head.version);
        checks.hold(Invariant::NothingGoesBack, head.version == version + 1, || {
            format!("{} follows version {version}", name())
        })?;
        let is_older = head.catalogue_version < catalogue_version;
        checks.hold(Invariant::NothingGoesBack, !is_older, || {
            let given = head.catalogue_version;
            format!("{} is of catalogue {given}, after {catalogue_version}", name())
        })?;
        let whole = parts.iter().all(Option::is_some);
        checks.hold(Invariant::WholeTable, whole, || format!("{} has parts missing", name()))?;
        let content = self.content(user, head, parts).map_err(|why| Breach {
            invariant: Invariant::WholeTable,
            what: format!("{}: {why}", name()),
        })?;
        let prices = inputs.catalogue(head.catalogue_version).cloned();
        let list_of = |from, inputs: &mut Inputs| {
            let prices = prices.as_ref()?;
            let mut lists = inputs.lists_from(user, from);
            lists.find(|(_, list)| is_priced_by(content, prices, list)).map(|(number, _)| number)
        };
        checks.hold(Invariant::RightPrice, list_of(0, inputs).is_some(), || {
            let given = head.catalogue_version;
            format!("{} is not catalogue {given} less any list of discounts there was", name())
        })?;
        let at_list = list_of(list, inputs);
        checks.hold(Invariant::NothingGoesBack, at_list.is_some(), || {
            format!("{} is by discounts older than those of the version before", name())
        })?;
        let table = self.by_user.entry(user.clone()).or_default();
        table.version = head.version;
        table.catalogue_version = head.catalogue_version;
        table.list = at_list.unwrap_or(list);
        table.flipped_at.push(now);
        Ok(())
    }

    /// What the parts of a generation say; read once.
    fn content(
        &mut self,
        user: &UserId,
        head: &TableHead,
        parts: &[Option<Bytes>],
    ) -> Result<&Content, String> {
        let content = self.contents.entry((user.clone(), head.generation.clone()));
        Ok(match content {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(decode(parts)?),
        })
    }

    /// When the table of a user was last made or validated.
    pub(super) fn flipped_at(&self, user: &UserId) -> Option<Timestamp> {
        self.by_user.get(user).and_then(|table| table.flipped_at.last().copied())
    }

    /// How often the table of a user was made or validated since a time.
    pub(super) fn flips_since(&self, user: &UserId, since: Timestamp) -> usize {
        let table = self.by_user.get(user);
        table.map_or(0, |table| table.flipped_at.iter().filter(|at| **at >= since).count())
    }

    pub(super) fn flips(&self) -> u64 {
        self.flips
    }
}

fn decode(parts: &[Option<Bytes>]) -> Result<Content, String> {
    let mut content = Content::new();
    for bytes in parts.iter().flatten() {
        let part = PackedPart::decode(bytes).map_err(|error| error.to_string())?;
        for entry in part.iter() {
            let (product, entry) = entry.map_err(|error| error.to_string())?;
            let prices = (entry.list_price.minor(), entry.unit_price.minor());
            if content.insert(product.to_string(), prices).is_some() {
                return Err(format!("it has {product} twice"));
            }
        }
    }
    Ok(content)
}

fn is_priced_by(content: &Content, prices: &ListPrices, discounts: &Discounts) -> bool {
    content.len() == prices.len()
        && prices.iter().all(|(product, list)| {
            let discount = oracle::discount(discounts, product.as_str());
            let Some((is_list, is_unit)) = content.get(product.as_str()) else { return false };
            is_list == list && i128::from(*is_unit) == oracle::unit_price(*list, discount)
        })
}
