//! The loaded data as the oracle sees it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{PriceListId, ProductId, Timestamp, UserId};
use crate::ports::{Record, RecordKey, RowChange, UserDiscounts};
use crate::pricing::{
    Currency, Customer, Ladder, ListPrices, MinQuantity, Money, PriceList, PriceRule, Product,
    Rung, Scope,
};

/// The currency of the catalogue.
const CATALOGUE: Currency = Currency::USD;

/// The loaded data of one version.
#[derive(Clone, Debug, Default)]
pub(super) struct Loaded {
    pub(super) products: BTreeMap<ProductId, Product>,
    discounts: BTreeMap<UserId, UserDiscounts>,
    customers: BTreeMap<UserId, Customer>,
    lists: BTreeMap<PriceListId, PriceList>,
    prices: BTreeMap<(PriceListId, Scope), Ladder>,
}

impl Loaded {
    pub(super) fn apply(&mut self, change: &RowChange) {
        match change.clone() {
            RowChange::Put(Record::Product(product)) => {
                self.products.insert(product.id.clone(), product);
            }
            RowChange::Put(Record::Discounts(list)) => {
                self.discounts.insert(list.user.clone(), list);
            }
            RowChange::Put(Record::Customer(customer)) => {
                self.customers.insert(customer.user.clone(), customer);
            }
            RowChange::Put(Record::PriceList(list)) => {
                self.lists.insert(list.id.clone(), list);
            }
            RowChange::Put(Record::Prices(ListPrices { list, scope, ladder })) => {
                self.prices.insert((list, scope), ladder);
            }
            RowChange::Delete(RecordKey::Product(id)) => drop(self.products.remove(&id)),
            RowChange::Delete(RecordKey::Discounts(user)) => drop(self.discounts.remove(&user)),
            RowChange::Delete(RecordKey::Customer(user)) => drop(self.customers.remove(&user)),
            RowChange::Delete(RecordKey::PriceList(list)) => drop(self.lists.remove(&list)),
            RowChange::Delete(RecordKey::Prices(list, scope)) => {
                self.prices.remove(&(list, scope));
            }
        }
    }

    /// Returns the currency in which a user buys.
    pub(super) fn currency_of(&self, user: &UserId) -> Currency {
        self.customers.get(user).and_then(|customer| customer.currency).unwrap_or(CATALOGUE)
    }

    /// Returns the list price of a product in a currency.
    pub(super) fn list_price(&self, product: &Product, currency: Currency) -> Option<Money> {
        product.price_in(currency, CATALOGUE)
    }

    /// Returns the rungs of a user's own list for a product, and the currency of their amounts.
    pub(super) fn own_rungs(
        &self,
        user: &UserId,
        product: &ProductId,
    ) -> (Vec<Rung>, Option<Currency>) {
        let Some(own) = self.discounts.get(user) else { return (vec![], None) };
        let discounts = own.discounts.as_slice().iter().filter(|one| one.product_id == *product);
        let discounts = discounts.map(|one| Rung {
            min_quantity: MinQuantity::ZERO,
            rule: PriceRule::Percentage(one.percentage.into()),
        });
        let ladders = own.ladders.ladders.iter().filter(|ladder| ladder.product_id == *product);
        let rungs = ladders.flat_map(|ladder| ladder.ladder.rungs()).copied();
        (discounts.chain(rungs).collect(), own.ladders.currency)
    }

    /// Returns the lists that a user is given, in force or not.
    pub(super) fn lists_of(&self, user: &UserId) -> impl Iterator<Item = &PriceList> {
        let groups = self.customers.get(user).map(|customer| &customer.groups);
        self.lists.values().filter(move |list| {
            let to = &list.recipients;
            let is_in = |group| groups.is_some_and(|groups| groups.contains(group));
            to.everyone || to.users.contains(user) || to.groups.iter().any(is_in)
        })
    }

    /// Returns the rows of a list.
    pub(super) fn rows_of(&self, list: &PriceListId) -> impl Iterator<Item = (&Scope, &Ladder)> {
        let rows = self.prices.iter().filter(move |((of, _), _)| of == list);
        rows.map(|((_, scope), ladder)| (scope, ladder))
    }

    /// Returns when lists of a user begin or end between two instants.
    pub(super) fn edges_of(
        &self,
        user: &UserId,
        after: Timestamp,
        before: Timestamp,
    ) -> BTreeSet<Timestamp> {
        let edges = self.lists_of(user).flat_map(|list| [list.from, list.until]).flatten();
        edges.filter(|edge| *edge > after && *edge < before).collect()
    }
}
