//! What the price tables of all users are, and whether each is right.

use std::collections::BTreeMap;

use super::Invariant;
use super::checks::Checks;
use super::inputs::Inputs;
use super::oracle::{self, Products};
use super::report::Breach;
use crate::model::{Generation, Timestamp, UserId};
use crate::ports::{TableError, TableHead, TableRow};
use crate::pricing::{Discounts, Money};

/// List price and unit price, by product.
type Content = BTreeMap<String, (i64, i64)>;

/// The tables as their heads name them.
#[derive(Debug, Default)]
pub(super) struct Tables {
    by_user: BTreeMap<UserId, Table>,
    /// Of each generation that a head named, what it says.
    contents: BTreeMap<(UserId, Generation), Content>,
    flips: u64,
}

#[derive(Debug, Default)]
struct Table {
    version: u64,
    catalogue_version: u64,
    /// When it was made or validated.
    flipped_at: Vec<Timestamp>,
}

impl Tables {
    /// A head was flipped, and this is what is stored under it.
    pub(super) fn flip(
        &mut self,
        user: &UserId,
        head: &TableHead,
        rows: Result<Vec<TableRow>, TableError>,
        inputs: &Inputs,
        now: Timestamp,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        self.flips += 1;
        let (version, catalogue_version) = match self.by_user.get(user) {
            Some(before) => (before.version, before.catalogue_version),
            None => (0, 0),
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
        let content = match rows {
            Ok(rows) => content(rows),
            Err(error) => {
                let what = format!("{}: {error}", name());
                return Err(Breach { invariant: Invariant::WholeTable, what });
            }
        };
        let same = self.contents.entry((user.clone(), head.generation.clone()));
        let same = same.or_insert_with(|| content.clone());
        checks.hold(Invariant::WholeTable, *same == content, || {
            format!("{} has other prices than its generation had", name())
        })?;
        let is_right = inputs.version(head.catalogue_version).is_some_and(|loaded| {
            let base = inputs.version(head.base_version);
            base.is_some_and(|base| base.products == loaded.products)
                && is_priced_by(&content, &loaded.products, &loaded.discounts_of(user))
        });
        checks.hold(Invariant::RightPrice, is_right, || {
            let given = head.catalogue_version;
            format!("{} is not what products and discounts of version {given} give", name())
        })?;
        let table = self.by_user.entry(user.clone()).or_default();
        table.version = head.version;
        table.catalogue_version = head.catalogue_version;
        table.flipped_at.push(now);
        Ok(())
    }

    /// When the table of a user was last made or validated.
    pub(super) fn flipped_at(&self, user: &UserId) -> Option<Timestamp> {
        self.by_user.get(user).and_then(|table| table.flipped_at.last().copied())
    }

    /// The version that the table of a user is right at.
    pub(super) fn catalogue_version(&self, user: &UserId) -> Option<u64> {
        self.by_user.get(user).map(|table| table.catalogue_version)
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

fn content(rows: Vec<TableRow>) -> Content {
    let prices = |row: TableRow| {
        let TableRow { product, entry, .. } = row;
        let entry = entry?;
        Some((product.into(), (entry.list_price?.minor(), entry.unit_price.minor())))
    };
    rows.into_iter().filter_map(prices).collect()
}

fn is_priced_by(content: &Content, products: &Products, discounts: &Discounts) -> bool {
    content.len() == products.len()
        && products.values().all(|product| {
            let id = product.id.as_str();
            let known = content.get(id).zip(product.price.map(Money::minor));
            let Some(((is_list, is_unit), list)) = known else { return false };
            let unit = oracle::unit_price(list, oracle::discount(discounts, id));
            *is_list == list && i128::from(*is_unit) == unit
        })
}
