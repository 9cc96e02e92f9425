//! A customer's own list of discounts and ladders.

use serde::{Deserialize, Serialize};

use crate::model::UserId;
use crate::pricing::{Discounts, OwnLadders};

/// A user's discounts as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDiscounts {
    /// Whose.
    pub user: UserId,
    /// All products for which a discount on every quantity is agreed, and nothing else.
    pub discounts: Discounts,
    /// All others.
    #[serde(default, skip_serializing_if = "OwnLadders::is_empty")]
    pub ladders: OwnLadders,
}

impl UserDiscounts {
    /// Discounts on every quantity, and nothing else.
    #[must_use]
    pub const fn new(user: UserId, discounts: Discounts) -> Self {
        let ladders = OwnLadders { currency: None, ladders: vec![] };
        Self { user, discounts, ladders }
    }
}
