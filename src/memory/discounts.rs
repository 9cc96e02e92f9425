//! The table of discounts.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::engine::Memory;
use super::limits::check_item;
use super::paging::page;
use crate::model::UserId;
use crate::ports::{Cursor, DiscountStore, Page, PortError, UserDiscounts};

pub(super) type DiscountTable = BTreeMap<UserId, UserDiscounts>;

#[async_trait]
impl DiscountStore for Memory {
    async fn discounts(&self, users: &[UserId]) -> Result<Vec<UserDiscounts>, PortError> {
        let table = &self.state().discounts;
        Ok(users.iter().filter_map(|user| table.get(user).cloned()).collect())
    }

    async fn put_discounts(&self, lists: &[UserDiscounts]) -> Result<(), PortError> {
        for list in lists {
            let what = format!("discounts of user `{}`", list.user);
            check_item(&what, &(&list.user, &list.discounts))?;
        }
        let rows = lists.iter().map(|list| (list.user.clone(), list.clone()));
        self.state().discounts.extend(rows);
        Ok(())
    }

    async fn delete_discounts(&self, users: &[UserId]) -> Result<(), PortError> {
        let table = &mut self.state().discounts;
        for user in users {
            table.remove(user);
        }
        Ok(())
    }

    async fn list_discounted_users(&self, from: Option<Cursor>) -> Result<Page<UserId>, PortError> {
        Ok(page(&self.state().discounts, from.as_ref(), |user, _| Some(user.clone())))
    }
}
