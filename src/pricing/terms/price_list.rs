//! Price lists: their recipients, their windows, and their rows.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::Currency;
use super::{Category, Customer, Ladder};
use crate::model::{CustomerGroup, PriceListId, ProductId, Timestamp, UserId};

/// The customers that a price list is given to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipients {
    /// Whether it is given to all customers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// The groups whose customers it is given to.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<CustomerGroup>,
    /// The customers it is given to by name.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<UserId>,
}

/// A price list without its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    /// Its id.
    pub id: PriceListId,
    /// Among the lists that have a price, only those with the largest priority count.
    #[serde(default)]
    pub priority: i32,
    /// The currency of its prices and amounts. The list is only for customers who buy in it. A list without a
    /// currency has only percentages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// When it comes into force; `None` if it always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When it is no longer in force; `None` if it does not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The customers that it is given to.
    #[serde(default)]
    pub recipients: Recipients,
    /// Whether it has, or ever had, a row for a category or for all products.
    #[serde(default)]
    pub is_wide: bool,
    /// The version of the last load that changed it or one of its rows.
    #[serde(default)]
    pub revision: u64,
}

/// The products that a row applies to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All products.
    All,
    /// The products in a category.
    Category(Category),
    /// One product.
    Product(ProductId),
}

/// The rows of one price list for one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPrices {
    /// The list.
    pub list: PriceListId,
    /// The products that the rows apply to.
    pub scope: Scope,
    /// The rules by quantity.
    pub ladder: Ladder,
}

/// A window that ends before it begins.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("until {until} is not after from {from}")]
pub struct WindowError {
    /// When it would begin.
    pub from: Timestamp,
    /// When it would end.
    pub until: Timestamp,
}

impl Recipients {
    /// Whether it is given to nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.everyone && self.groups.is_empty() && self.users.is_empty()
    }

    /// Whether it is given to customers whom it does not name.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.everyone || !self.groups.is_empty()
    }

    /// Whether it is given to a customer through a group, or to everyone.
    #[must_use]
    pub fn include_group_of(&self, customer: &Customer) -> bool {
        self.everyone || !self.groups.is_disjoint(&customer.groups)
    }

    /// Whether it is given to a customer.
    #[must_use]
    pub fn include(&self, customer: &Customer) -> bool {
        self.include_group_of(customer) || self.users.contains(&customer.user)
    }
}

impl PriceList {
    /// Whether it is in force at a time.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Whether it applies to customers who buy in a currency.
    #[must_use]
    pub fn is_for(&self, currency: Currency) -> bool {
        self.currency.is_none_or(|own| own == currency)
    }

    /// Returns its next edge after a time.
    #[must_use]
    pub fn next_edge(&self, after: Timestamp) -> Option<Timestamp> {
        [self.from, self.until].into_iter().flatten().filter(|edge| *edge > after).min()
    }

    /// Checks that its window ends after it begins.
    ///
    /// # Errors
    /// [`WindowError`] if it does not.
    pub fn check_window(&self) -> Result<(), WindowError> {
        match (self.from, self.until) {
            (Some(from), Some(until)) if until <= from => Err(WindowError { from, until }),
            _ => Ok(()),
        }
    }

    /// Whether its rows are priced with each customer, instead of once for all customers who have the same
    /// lists. That is so if it is given only to single customers and has only rows for single products. So
    /// such lists do not multiply the number of different terms.
    #[must_use]
    pub fn is_individual(&self) -> bool {
        !self.is_wide && !self.recipients.is_shared()
    }
}

impl Scope {
    /// Whether it applies to more than one product.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        !matches!(self, Self::Product(_))
    }

    /// Whether it applies to a product.
    #[must_use]
    pub fn includes(&self, product: &ProductId, category: Option<&Category>) -> bool {
        match self {
            Self::All => true,
            Self::Category(wide) => category.is_some_and(|category| wide.covers(category)),
            Self::Product(id) => id == product,
        }
    }

    /// How narrow it is. Among the scopes that apply to a product, the one with the largest number counts.
    #[must_use]
    pub fn narrowness(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Category(category) => category.depth(),
            Self::Product(_) => usize::MAX,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all products"),
            Self::Category(category) => write!(f, "category `{category}`"),
            Self::Product(product) => write!(f, "product `{product}`"),
        }
    }
}
