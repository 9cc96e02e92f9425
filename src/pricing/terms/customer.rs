//! Customers, and the rows that only one of them has.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::Currency;
use super::Ladder;
use crate::model::{CustomerGroup, ProductId, UserId};

/// What is known of a customer beside their own rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Who.
    pub user: UserId,
    /// In which currency they buy; that of the stack if none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Which groups they are in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<CustomerGroup>,
}

/// The ladder of one product in a customer's own list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLadder {
    /// Which product. It need not exist (yet).
    pub product_id: ProductId,
    /// Its rows.
    pub ladder: Ladder,
}

/// The products of a customer's own list for which more is agreed than a discount on every quantity,
/// sorted by id, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLadders {
    /// In which currency their prices and amounts were loaded: they hold in no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The ladders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladders: Vec<OwnLadder>,
}

impl Customer {
    /// A customer of whom nothing is known.
    #[must_use]
    pub const fn unknown(user: UserId) -> Self {
        Self { user, currency: None, groups: BTreeSet::new() }
    }
}

impl OwnLadders {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ladders.is_empty()
    }

    /// The ladder of a product.
    #[must_use]
    pub fn of(&self, product: &ProductId) -> Option<&Ladder> {
        let place = self.ladders.binary_search_by(|ladder| ladder.product_id.cmp(product)).ok()?;
        Some(&self.ladders[place].ladder)
    }
}
