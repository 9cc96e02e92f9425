//! The discounts of each customer.

use super::{AtHead, CatalogueHead, Cursor, Page, PortError, UserDiscounts, port};
use crate::model::UserId;

port!(
    /// The table of discounts. It has one item for each customer, which is read at a head as products are.
    pub trait DiscountStore: Send + Sync {
        /// Returns those of the customers who have discounts, in any order. Any number may be requested.
        async fn discounts(
            &self,
            users: &[UserId],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<UserDiscounts>>, PortError>;

        /// Returns a page of all customers who have discounts, in any order.
        async fn list_discounted_users(
            &self,
            at: &CatalogueHead,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<UserId>>, PortError>;
    }
);
