//! The tables of active users and of discounts, counted.

use super::layer::Metered;
use super::operation::Resource;
use super::sizes;
use crate::ports::prelude::*;

layer!(
    #[over(inner.store)]
    impl ActiveUsers for Metered {
        async fn active_user(&self, user: _) -> _ {
            let found = self.inner.store.active_user(user).await?;
            self.read_one(Resource::ActiveUsers, found.as_ref().map(sizes::active_user), false);
            Ok(found)
        }

        async fn record_visit(&self, user: _, now: _, expires_at: _) -> _ {
            let before = self.inner.store.record_visit(user, now, expires_at).await?;
            let first_seen = before.as_ref().map_or(now, |before| before.first_seen);
            let row = ActiveUser { user: user.clone(), expires_at, first_seen, last_seen: now };
            self.wrote_one(Resource::ActiveUsers, sizes::active_user(&row));
            Ok(before)
        }

        async fn remove_active_user(&self, user: _) -> _ {
            let removed = self.inner.store.remove_active_user(user).await?;
            self.wrote_one(Resource::ActiveUsers, 0);
            Ok(removed)
        }

        async fn list_active_users(&self, segment: _, now: _, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_active_users(segment, now, from).await?;
            let sizes = page.items.iter().map(sizes::active_user);
            self.scanned(Resource::ActiveUsers, is_first, sizes, false);
            Ok(page)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl DiscountStore for Metered {
        async fn discounts(&self, users: _) -> _ {
            let found = self.inner.store.discounts(users).await?;
            let sizes = found.iter().map(|list| sizes::discounts(&list.user, &list.discounts));
            self.read_many(Resource::Discounts, users.len(), sizes, true);
            Ok(found)
        }

        async fn put_discounts(&self, lists: _) -> _ {
            self.inner.store.put_discounts(lists).await?;
            let sizes = lists.iter().map(|list| sizes::discounts(&list.user, &list.discounts));
            self.wrote_many(Resource::Discounts, sizes);
            Ok(())
        }

        async fn delete_discounts(&self, users: _) -> _ {
            self.inner.store.delete_discounts(users).await?;
            self.wrote_many(Resource::Discounts, users.iter().map(|_| 0));
            Ok(())
        }

        async fn list_discounted_users(&self, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_discounted_users(from).await?;
            // The lists are read and billed too, but nobody here sees how long they are.
            let sizes = page.items.iter().map(|user| sizes::discounts(user, &Default::default()));
            self.scanned(Resource::Discounts, is_first, sizes, false);
            Ok(page)
        }
    }
);
