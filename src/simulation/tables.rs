//! What the price tables of all users are, and whether each is right.

use std::collections::BTreeMap;

use super::Invariant;
use super::checks::Checks;
use super::inputs::Inputs;
use super::loaded::Loaded;
use super::oracle;
use super::report::Breach;
use crate::model::Quantity;
use crate::model::{Generation, ProductId, Timestamp, UserId};
use crate::ports::{TableError, TableHead, TableRow};

/// What is stored under a head: as it was priced, and then at each of the instants that are looked at.
pub(super) type Periods = Vec<(Timestamp, Vec<TableRow>)>;

/// Unit prices at some quantities, by product.
type Content = BTreeMap<ProductId, Vec<Option<i128>>>;

/// Where ladders are looked at, in thousandths: below, at and above every quantity that rungs begin at.
const QUANTITIES: [i64; 6] = [1, 1_000, 2_000, 11_999, 12_000, 750_000];

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
        rows: Result<Periods, TableError>,
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
        match rows {
            Ok(periods) => self.check_prices(user, head, periods, inputs, checks)?,
            // Its base may be gone as well: by the right time nobody is answered from it.
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

    /// A table has the prices that its generation had before, and those of what was loaded.
    fn check_prices(
        &mut self,
        user: &UserId,
        head: &TableHead,
        periods: Periods,
        inputs: &Inputs,
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

/// What is wrong with the table of a head, if anything is.
fn wrong(
    user: &UserId,
    head: &TableHead,
    periods: impl Iterator<Item = (Timestamp, Content)>,
    inputs: &Inputs,
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

/// What rows say.
fn content(rows: &[TableRow]) -> Content {
    rows.iter().map(|row| (row.product.clone(), prices(row))).collect()
}

/// Below the first step of a ladder the list price holds.
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

/// What it should say at an instant.
fn priced(loaded: &Loaded, user: &UserId, at: Timestamp) -> Content {
    let products = loaded.products.values().map(|product| {
        let of = |quantity| oracle::cost(loaded, user, product, quantity, at).map(|cost| cost.unit);
        (product.id.clone(), quantities().map(of).collect())
    });
    products.collect()
}
