//! Customers, and the rows that only one of them has.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::Currency;
use super::Ladder;
use crate::model::{CustomerGroup, ProductId, UserId};

/// The data of a customer other than their own rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The customer.
    pub user: UserId,
    /// The currency in which they buy; `None` for that of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The groups that they belong to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<CustomerGroup>,
}

/// The ladder of one product in a customer's own list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLadder {
    /// The product. It need not exist yet.
    pub product_id: ProductId,
    /// Its rows.
    pub ladder: Ladder,
}

/// The products of a customer's own list for which more is agreed than one discount at every quantity. They
/// are sorted by id, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLadders {
    /// The currency in which their prices and amounts were loaded. They are not valid in any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The ladders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladders: Vec<OwnLadder>,
}

impl Customer {
    /// Creates a customer without any stored data.
    #[must_use]
    pub const fn unknown(user: UserId) -> Self {
        Self { user, currency: None, groups: BTreeSet::new() }
    }
}

impl OwnLadders {
    /// Whether there are no ladders.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ladders.is_empty()
    }

    /// Returns the ladder of a product.
    #[must_use]
    pub fn of(&self, product: &ProductId) -> Option<&Ladder> {
        let place = self.ladders.binary_search_by(|ladder| ladder.product_id.cmp(product)).ok()?;
        Some(&self.ladders[place].ladder)
    }
}
