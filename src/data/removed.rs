//! Rows to remove by name. The changes of another table and incremental exports of `DynamoDB` say what is
//! deleted; other files only say what exists.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::given::{FilePlace, GivenPrices};
use crate::model::{PriceListId, ProductId, UserId};
use crate::pricing::{MinQuantity, Scope};

/// The key of a row. A row replaces one with the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowKey {
    /// A product.
    Product(ProductId),
    /// The record of a customer.
    Customer(UserId),
    /// A row of a customer's own list.
    Own(UserId, ProductId, MinQuantity),
    /// A price list, with all its rows.
    PriceList(PriceListId),
    /// A row of a price list.
    Price(PriceListId, Scope, MinQuantity),
}

/// The keys of the rows to remove, grouped by kind.
#[derive(Debug, Default)]
pub(super) struct RemovedRows<'a> {
    pub(super) products: Vec<&'a ProductId>,
    pub(super) customers: BTreeSet<&'a UserId>,
    pub(super) own: BTreeMap<&'a UserId, HashSet<(&'a ProductId, MinQuantity)>>,
    pub(super) lists: HashSet<&'a PriceListId>,
    prices: BTreeMap<(&'a PriceListId, &'a Scope), HashSet<MinQuantity>>,
}

impl<'a> RemovedRows<'a> {
    pub(super) fn of(keys: &'a [(RowKey, FilePlace)]) -> Self {
        let mut removed = Self::default();
        for (key, _) in keys {
            match key {
                RowKey::Product(id) => removed.products.push(id),
                RowKey::Customer(user) => drop(removed.customers.insert(user)),
                RowKey::Own(user, product, min_quantity) => {
                    removed.own.entry(user).or_default().insert((product, *min_quantity));
                }
                RowKey::PriceList(list) => drop(removed.lists.insert(list)),
                RowKey::Price(list, scope, min_quantity) => {
                    removed.prices.entry((list, scope)).or_default().insert(*min_quantity);
                }
            }
        }
        removed
    }

    /// Whether a row of a customer's own list is removed.
    pub(super) fn has_own(&self, user: &UserId, row: (&ProductId, MinQuantity)) -> bool {
        self.own.get(user).is_some_and(|rows| rows.contains(&row))
    }

    /// Whether a list is removed.
    pub(super) fn has_list(&self, list: &PriceListId) -> bool {
        self.lists.contains(list)
    }

    /// Whether a row of a list is removed.
    pub(super) fn has_price(&self, list: &PriceListId, scope: &Scope, from: MinQuantity) -> bool {
        self.prices.get(&(list, scope)).is_some_and(|rows| rows.contains(&from))
    }

    /// Returns the ladders that lose rows and get none, each without rows: they are not in `given`, and
    /// their lists stay.
    pub(super) fn ladders(&self, given: &[GivenPrices]) -> Vec<GivenPrices> {
        let given: HashSet<(&PriceListId, &Scope)> =
            given.iter().map(|prices| (&prices.list, &prices.scope)).collect();
        let others = self.prices.keys().filter(|(list, scope)| {
            !given.contains(&(*list, *scope)) && !self.lists.contains(list)
        });
        let empty = |(list, scope): &(&PriceListId, &Scope)| GivenPrices {
            list: (*list).clone(),
            scope: (*scope).clone(),
            rungs: vec![],
        };
        others.map(empty).collect()
    }
}
