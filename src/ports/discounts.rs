//! The discounts of each user.

use super::{AtHead, CatalogueHead, Cursor, Page, PortError, UserDiscounts, port};
use crate::model::UserId;

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
