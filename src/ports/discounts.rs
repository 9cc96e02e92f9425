//! The discounts of each user.

use super::{Cursor, Page, PortError, port};
use crate::model::UserId;
use crate::pricing::Discounts;

/// A user's discounts as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserDiscounts {
    /// Whose.
    pub user: UserId,
    /// All of them.
    pub discounts: Discounts,
}

port!(
    /// The table of discounts: one item per user.
    pub trait DiscountStore: Send + Sync {
        /// Those of the users that have discounts, in any order, read consistently. Any number may be
        /// asked for.
        async fn discounts(&self, users: &[UserId]) -> Result<Vec<UserDiscounts>, PortError>;

        /// Replaces the lists of users, any number of them.
        async fn put_discounts(&self, lists: &[UserDiscounts]) -> Result<(), PortError>;

        /// Deletes the lists of users, any number of them.
        async fn delete_discounts(&self, users: &[UserId]) -> Result<(), PortError>;

        /// All users that have discounts, page by page. No order is promised.
        async fn list_discounted_users(
            &self,
            from: Option<Cursor>,
        ) -> Result<Page<UserId>, PortError>;
    }
);
