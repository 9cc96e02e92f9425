//! Price lists: to whom they are given, when they are in force, and their rows.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::Currency;
use super::{Category, Customer, Ladder};
use crate::model::{CustomerGroup, PriceListId, ProductId, Timestamp, UserId};

/// To whom a price list is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipients {
    /// To all customers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// To the customers of these groups.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<CustomerGroup>,
    /// To these customers.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<UserId>,
}

/// A price list without its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    /// Its id.
    pub id: PriceListId,
    /// Of lists that have a price, only those of the largest priority count.
    #[serde(default)]
    pub priority: i32,
    /// Only for customers of this currency, in which its prices and amounts are. A list without one has
    /// only percentages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// In force from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// No longer in force from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// To whom it is given.
    #[serde(default)]
    pub recipients: Recipients,
    /// Whether it has, or had, a row for a category or for all products.
    #[serde(default)]
    pub is_wide: bool,
    /// The version of the last load that changed it or one of its rows.
    #[serde(default)]
    pub revision: u64,
}

/// Which products a row is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of them.
    All,
    /// Those in a category.
    Category(Category),
    /// One.
    Product(ProductId),
}

/// The rows of one price list for one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPrices {
    /// Of which list.
    pub list: PriceListId,
    /// For which products.
    pub scope: Scope,
    /// What they say.
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
    /// Nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.everyone && self.groups.is_empty() && self.users.is_empty()
    }

    /// Whether customers have it that it does not name.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.everyone || !self.groups.is_empty()
    }

    /// Whether a customer has it because of a group, or because everyone has it.
    #[must_use]
    pub fn include_group_of(&self, customer: &Customer) -> bool {
        self.everyone || !self.groups.is_disjoint(&customer.groups)
    }

    /// Whether a customer has it.
    #[must_use]
    pub fn include(&self, customer: &Customer) -> bool {
        self.include_group_of(customer) || self.users.contains(&customer.user)
    }
}

impl PriceList {
    /// Whether it is in force at an instant.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Whether it has prices for a currency.
    #[must_use]
    pub fn is_for(&self, currency: Currency) -> bool {
        self.currency.is_none_or(|own| own == currency)
    }

    /// When it next begins or ends after an instant.
    #[must_use]
    pub fn next_edge(&self, after: Timestamp) -> Option<Timestamp> {
        [self.from, self.until].into_iter().flatten().filter(|edge| *edge > after).min()
    }

    /// That its window ends after it begins.
    ///
    /// # Errors
    /// [`WindowError`].
    pub fn check_window(&self) -> Result<(), WindowError> {
        match (self.from, self.until) {
            (Some(from), Some(until)) if until <= from => Err(WindowError { from, until }),
            _ => Ok(()),
        }
    }

    /// Whether its rows are priced with each customer that it is given to, instead of once for all that
    /// have the same lists: it is given to single customers and has rows of single products only, so that
    /// it does not multiply what customers have in common.
    #[must_use]
    pub fn is_individual(&self) -> bool {
        !self.is_wide && !self.recipients.is_shared()
    }
}

impl Scope {
    /// Whether it is for more than one product.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        !matches!(self, Self::Product(_))
    }

    /// Whether a product is in it.
    #[must_use]
    pub fn includes(&self, product: &ProductId, category: Option<&Category>) -> bool {
        match self {
            Self::All => true,
            Self::Category(wide) => category.is_some_and(|category| wide.covers(category)),
            Self::Product(id) => id == product,
        }
    }

    /// How narrow it is: of two scopes that include a product, the one with the larger number counts.
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
