//! A customer's own list of discounts and ladders.

use serde::{Deserialize, Serialize};

use crate::model::UserId;
use crate::pricing::{Discounts, OwnLadders};

/// A customer's own discounts and ladders, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDiscounts {
    /// The customer.
    pub user: UserId,
    /// The products that only have a discount at every quantity.
    pub discounts: Discounts,
    /// The ladders of all other products of the list.
    #[serde(default, skip_serializing_if = "OwnLadders::is_empty")]
    pub ladders: OwnLadders,
}

impl UserDiscounts {
    /// Creates a list that has only discounts at every quantity.
    #[must_use]
    pub const fn new(user: UserId, discounts: Discounts) -> Self {
        let ladders = OwnLadders { currency: None, ladders: vec![] };
        Self { user, discounts, ladders }
    }
}
