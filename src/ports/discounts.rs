//! The discounts of each user.

use serde::{Deserialize, Serialize};

use super::{AtHead, CatalogueHead, Cursor, Page, PortError, port};
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

port!(
    /// The table of discounts: one item per user, read at a head as products are.
    pub trait DiscountStore: Send + Sync {
        /// Those of the users that have discounts, in any order. Any number may be asked for.
        async fn discounts(
            &self,
            users: &[UserId],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<UserDiscounts>>, PortError>;

        /// All users that have discounts, page by page. No order is promised.
        async fn list_discounted_users(
            &self,
            at: &CatalogueHead,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<UserId>>, PortError>;
    }
);
