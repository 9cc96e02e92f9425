//! Tracks the price tables of all users, and checks whether each is right.

use std::collections::BTreeMap;

use super::Invariant;
use super::checks::Checks;
use super::inputs::InputHistory;
use super::loaded::Loaded;
use super::oracle;
use super::report::Breach;
use crate::model::Quantity;
use crate::model::{Generation, ProductId, Timestamp, UserId};
use crate::ports::{TableError, TableHead, TableRow};

/// The stored table of a head: at its pricing time, then at each instant that is checked.
pub(super) type Periods = Vec<(Timestamp, Vec<TableRow>)>;

/// Unit prices at some quantities, by product.
type TablePrices = BTreeMap<ProductId, Vec<Option<i128>>>;

/// The checked quantities in thousandths: below, at and above every quantity at which rungs begin.
const QUANTITIES: [i64; 6] = [1, 1_000, 2_000, 11_999, 12_000, 750_000];

/// The tables that the current heads name.
#[derive(Debug, Default)]
pub(super) struct Tables {
    by_user: BTreeMap<UserId, TrackedTable>,
    /// The content of each generation that a head named.
    contents: BTreeMap<(UserId, Generation), TablePrices>,
    flips: u64,
}

#[derive(Debug, Default)]
struct TrackedTable {
    version: u64,
    catalogue_version: u64,
    /// When the table was calculated or validated.
    flipped_at: Vec<Timestamp>,
}

impl Tables {
    /// Notes that a head was replaced. `rows` is the table that is stored under it.
    pub(super) fn flip(
        &mut self,
        user: &UserId,
        head: &TableHead,
        rows: Result<Periods, TableError>,
        inputs: &InputHistory,
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
        match rows {
            Ok(periods) => self.check_prices(user, head, periods, inputs, checks)?,
            // The base may be gone as well. By the right time, no quote is answered from an unusable
            // table.
            Err(_) if !head.is_usable(now) => {}
            Err(error) => {
                let what = format!("{}: {error}", name());
                return Err(Breach { invariant: Invariant::WholeTable, what });
            }
        }
        let table = self.by_user.entry(user.clone()).or_default();
        table.version = head.version;
        table.catalogue_version = head.catalogue_version;
        table.flipped_at.push(now);
        Ok(())
    }

    /// Checks that a table has the prices of its generation, and those of the loaded data.
    fn check_prices(
        &mut self,
        user: &UserId,
        head: &TableHead,
        periods: Periods,
        inputs: &InputHistory,
        checks: &mut Checks,
    ) -> Result<(), Breach> {
        let name = || format!("the table of {user:?}, version {}", head.version);
        let mut periods = periods.into_iter().map(|(at, rows)| (at, content(&rows)));
        let Some((_, content)) = periods.next() else { return Ok(()) };
        let same = self.contents.entry((user.clone(), head.generation.clone()));
        let same = same.or_insert_with(|| content.clone());
        checks.hold(Invariant::WholeTable, *same == content, || {
            format!("{} has other prices than its generation had", name())
        })?;
        let wrong = wrong(user, head, periods, inputs);
        checks.hold(Invariant::RightPrice, wrong.is_none(), || {
            let (given, wrong) = (head.catalogue_version, wrong.unwrap_or_default());
            format!("{} is not what was loaded up to version {given}: {wrong}", name())
        })
    }

    /// Returns when the table of a user was last calculated or validated.
    pub(super) fn flipped_at(&self, user: &UserId) -> Option<Timestamp> {
        self.by_user.get(user).and_then(|table| table.flipped_at.last().copied())
    }

    /// Returns the catalogue version at which the table of a user is right.
    pub(super) fn catalogue_version(&self, user: &UserId) -> Option<u64> {
        self.by_user.get(user).map(|table| table.catalogue_version)
    }

    /// Returns how often the table of a user was calculated or validated since a time.
    pub(super) fn flips_since(&self, user: &UserId, since: Timestamp) -> usize {
        let table = self.by_user.get(user);
        table.map_or(0, |table| table.flipped_at.iter().filter(|at| **at >= since).count())
    }

    pub(super) fn flips(&self) -> u64 {
        self.flips
    }
}

/// Returns what is wrong with the table of a head, if anything is.
fn wrong(
    user: &UserId,
    head: &TableHead,
    periods: impl Iterator<Item = (Timestamp, TablePrices)>,
    inputs: &InputHistory,
) -> Option<String> {
    let versions = (inputs.version(head.catalogue_version), inputs.version(head.base_version));
    let (Some(loaded), Some(base)) = versions else { return Some("no such version".to_owned()) };
    if base.products != loaded.products {
        return Some(format!("its base is of version {}", head.base_version));
    }
    if head.currency != loaded.currency_of(user) {
        return Some(format!("it is in {}", head.currency));
    }
    let mut different = periods.filter_map(|(at, content)| {
        let priced = priced(&loaded, user, at);
        let products = priced.keys().chain(content.keys());
        let mut different = products.filter(|id| priced.get(*id) != content.get(*id));
        let product = different.next()?;
        let (is, should) = (content.get(product), priced.get(product));
        Some(format!("{product} is at {is:?} at {at}, and should be at {should:?}"))
    });
    different.next()
}

/// Returns the prices in rows.
fn content(rows: &[TableRow]) -> TablePrices {
    rows.iter().map(|row| (row.product.clone(), prices(row))).collect()
}

/// Returns the prices of a row. Below the first step of a ladder, the list price holds.
fn prices(row: &TableRow) -> Vec<Option<i128>> {
    let list_price = row.entry.as_ref().and_then(|entry| entry.list_price);
    let of = |quantity: Quantity| {
        let price = match row.ladder.as_slice() {
            [] => row.entry.as_ref().map(|entry| entry.unit_price),
            ladder => {
                let mut steps = ladder.iter().map(|(step, _)| step);
                let held = steps.rfind(|step| step.from.holds_at(quantity));
                held.map_or(list_price, |step| Some(step.price))
            }
        };
        price.map(|price| i128::from(price.minor()))
    };
    quantities().map(of).collect()
}

fn quantities() -> impl Iterator<Item = Quantity> {
    QUANTITIES.into_iter().filter_map(Quantity::from_thousandths)
}

/// Returns the right prices of a user at an instant.
fn priced(loaded: &Loaded, user: &UserId, at: Timestamp) -> TablePrices {
    let products = loaded.products.values().map(|product| {
        let of = |quantity| oracle::cost(loaded, user, product, quantity, at).map(|cost| cost.unit);
        (product.id.clone(), quantities().map(of).collect())
    });
    products.collect()
}
