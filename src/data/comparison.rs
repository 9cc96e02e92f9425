//! What a load compares, and the counts that come from it.

use std::hash::Hash;

use serde::Serialize;

use super::Dataset;
use super::collect::Errors;
use super::error::{Fault, Problem};
use super::given::{Amounts, FilePlace};
use super::removed::RemovedRows;
use super::stored::{StoreAt, StoredRows};
use crate::model::UserId;
use crate::pricing::{Currency, Customer};

/// What a load did to the rows of one kind. Serialized as in the summaries of loads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowCounts {
    /// Rows that are new.
    pub added: u64,
    /// Rows that were stored with other values, or in a form that cannot be read.
    pub changed: u64,
    /// Rows that were stored with the same values.
    pub unchanged: u64,
    /// Rows that were stored and are removed.
    pub removed: u64,
}

impl RowCounts {
    /// Whether anything was written.
    #[must_use]
    pub const fn wrote(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

/// What a load did to the rows of each kind. Serialized as in the summaries of loads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindCounts {
    /// Products.
    pub products: RowCounts,
    /// Customers with a list of their own.
    pub users: RowCounts,
    /// Customers.
    pub customers: RowCounts,
    /// Price lists.
    pub price_lists: RowCounts,
    /// Rows of price lists.
    pub prices: RowCounts,
}

impl KindCounts {
    /// Returns the counts of each kind, with its name.
    #[must_use]
    pub const fn by_name(&self) -> [(&'static str, &RowCounts); 5] {
        [
            ("products", &self.products),
            ("customers' discounts", &self.users),
            ("customers", &self.customers),
            ("price lists", &self.price_lists),
            ("prices", &self.prices),
        ]
    }

    /// Whether anything was written.
    #[must_use]
    pub fn wrote(&self) -> bool {
        self.by_name().iter().any(|(_, counts)| counts.wrote())
    }
}

/// Everything that the comparison of a load with the store needs.
pub(super) struct Comparison<'a> {
    pub(super) data: &'a Dataset,
    pub(super) at: StoreAt<'a>,
    /// The currency of amounts that name none, and the decimals of unit prices.
    pub(super) amounts: Amounts,
    /// Whether stored rows that the data does not name are deleted.
    pub(super) prune: bool,
    /// Whether own lists keep the stored rows that the data does not name.
    pub(super) merge: bool,
    /// Rows to remove by name.
    pub(super) removed: RemovedRows<'a>,
    /// Is called with the number of rows compared so far.
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
}

impl RowCounts {
    /// Counts a row. Returns whether it must be written.
    pub(super) fn compare<I: Eq + Hash, T: PartialEq>(
        &mut self,
        stored: &StoredRows<I, T>,
        id: &I,
        given: &T,
    ) -> bool {
        let count = match stored.found.get(id) {
            Some(found) if found == given => &mut self.unchanged,
            None if !stored.unreadable.contains_key(id) => &mut self.added,
            _ => &mut self.changed,
        };
        *count += 1;
        stored.found.get(id) != Some(given)
    }
}

impl Comparison<'_> {
    /// Adds an error of a row of the data.
    pub(super) fn fault(&self, errors: &mut Errors, place: FilePlace, problem: Problem) {
        errors.add(&self.data.files, place.file, Fault::at(place.at, problem));
    }

    /// Whether this load keeps the stored record of a customer of whom the data has none.
    pub(super) fn keeps(&self, user: &UserId) -> bool {
        let is_pruned = self.prune && !self.data.customers.is_empty();
        !is_pruned && !self.removed.customers.contains(user)
    }

    /// Returns the currency of a customer: that of their record, else that of the catalogue.
    pub(super) fn currency_of(&self, customer: Option<&Customer>) -> Currency {
        customer.and_then(|customer| customer.currency).unwrap_or(self.amounts.currency)
    }
}
