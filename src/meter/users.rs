//! The tables of active users and of discounts, counted.

use async_trait::async_trait;

use super::layer::Metered;
use super::operation::Resource;
use super::sizes;
use crate::model::{Timestamp, UserId};
use crate::ports::{
    ActiveUser, ActiveUsers, Cursor, DiscountStore, Page, PortError, Segment, UserDiscounts,
};

#[async_trait]
impl ActiveUsers for Metered {
    async fn active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError> {
        let found = self.inner.store.active_user(user).await?;
        self.read_one(Resource::ActiveUsers, found.as_ref().map(sizes::active_user), false);
        Ok(found)
    }

    async fn record_visit(
        &self,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<ActiveUser>, PortError> {
        let before = self.inner.store.record_visit(user, now, expires_at).await?;
        let first_seen = before.as_ref().map_or(now, |before| before.first_seen);
        let row = ActiveUser { user: user.clone(), expires_at, first_seen, last_seen: now };
        self.wrote_one(Resource::ActiveUsers, sizes::active_user(&row));
        Ok(before)
    }

    async fn remove_active_user(&self, user: &UserId) -> Result<bool, PortError> {
        let removed = self.inner.store.remove_active_user(user).await?;
        self.wrote_one(Resource::ActiveUsers, 0);
        Ok(removed)
    }

    async fn list_active_users(
        &self,
        segment: Segment,
        now: Timestamp,
        from: Option<Cursor>,
    ) -> Result<Page<ActiveUser>, PortError> {
        let is_first = from.is_none();
        let page = self.inner.store.list_active_users(segment, now, from).await?;
        let sizes = page.items.iter().map(sizes::active_user);
        self.scanned(Resource::ActiveUsers, is_first, sizes, false);
        Ok(page)
    }
}

#[async_trait]
impl DiscountStore for Metered {
    async fn discounts(&self, users: &[UserId]) -> Result<Vec<UserDiscounts>, PortError> {
        let found = self.inner.store.discounts(users).await?;
        let sizes = found.iter().map(|list| sizes::discounts(&list.user, &list.discounts));
        self.read_many(Resource::Discounts, users.len(), sizes, true);
        Ok(found)
    }

    async fn put_discounts(&self, lists: &[UserDiscounts]) -> Result<(), PortError> {
        self.inner.store.put_discounts(lists).await?;
        let sizes = lists.iter().map(|list| sizes::discounts(&list.user, &list.discounts));
        self.wrote_many(Resource::Discounts, sizes);
        Ok(())
    }

    async fn delete_discounts(&self, users: &[UserId]) -> Result<(), PortError> {
        self.inner.store.delete_discounts(users).await?;
        self.wrote_many(Resource::Discounts, users.iter().map(|_| 0));
        Ok(())
    }

    async fn list_discounted_users(&self, from: Option<Cursor>) -> Result<Page<UserId>, PortError> {
        let is_first = from.is_none();
        let page = self.inner.store.list_discounted_users(from).await?;
        // The lists are read and billed too, but nobody here sees how long they are.
        let sizes = page.items.iter().map(|user| sizes::discounts(user, &Default::default()));
        self.scanned(Resource::Discounts, is_first, sizes, false);
        Ok(page)
    }
}
