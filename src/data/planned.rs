//! One change of a load. It borrows from the data where it can.

use crate::model::ProductId;
use crate::ports::{Record, RecordKey, RecordKind, RowChange, UserDiscounts};
use crate::pricing::{Customer, ListPrices, PriceList, Product, Scope};

/// A record to write, or a key to delete.
#[derive(Debug)]
pub(super) enum Planned<'a> {
    Product(&'a Product),
    Discounts(&'a UserDiscounts),
    /// A list that differs from the one in the data: its amounts were text there, or it is merged with the
    /// stored list.
    Own(Box<UserDiscounts>),
    Customer(&'a Customer),
    List(Box<PriceList>),
    Prices(Box<ListPrices>),
    Delete(RecordKey),
}

impl Planned<'_> {
    /// Returns the key of the row, in the order of [`RecordKey`]s.
    pub(super) fn order(&self) -> (RecordKind, &str, Option<&Scope>) {
        match self {
            Self::Product(product) => (RecordKind::Product, product.id.as_str(), None),
            Self::Discounts(list) => (RecordKind::Discounts, list.user.as_str(), None),
            Self::Own(list) => (RecordKind::Discounts, list.user.as_str(), None),
            Self::Customer(customer) => (RecordKind::Customer, customer.user.as_str(), None),
            Self::List(list) => (RecordKind::PriceList, list.id.as_str(), None),
            Self::Prices(prices) => (RecordKind::Prices, prices.list.as_str(), Some(&prices.scope)),
            Self::Delete(key) => match key {
                RecordKey::Product(id) => (RecordKind::Product, id.as_str(), None),
                RecordKey::Discounts(user) => (RecordKind::Discounts, user.as_str(), None),
                RecordKey::Customer(user) => (RecordKind::Customer, user.as_str(), None),
                RecordKey::PriceList(list) => (RecordKind::PriceList, list.as_str(), None),
                RecordKey::Prices(list, scope) => (RecordKind::Prices, list.as_str(), Some(scope)),
            },
        }
    }

    pub(super) fn to_change(&self) -> RowChange {
        match self {
            Self::Product(product) => RowChange::Put(Record::Product((*product).clone())),
            Self::Discounts(list) => RowChange::Put(Record::Discounts((*list).clone())),
            Self::Own(list) => RowChange::Put(Record::Discounts((**list).clone())),
            Self::Customer(customer) => RowChange::Put(Record::Customer((*customer).clone())),
            Self::List(list) => RowChange::Put(Record::PriceList((**list).clone())),
            Self::Prices(prices) => RowChange::Put(Record::Prices((**prices).clone())),
            Self::Delete(key) => RowChange::Delete(key.clone()),
        }
    }
}

/// Returns the product of a scope that is for one product.
pub(super) const fn product_of(scope: &Scope) -> Option<&ProductId> {
    match scope {
        Scope::Product(product) => Some(product),
        Scope::All | Scope::Category(_) => None,
    }
}
