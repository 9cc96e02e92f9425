//! Counts the calls for active customers.

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
