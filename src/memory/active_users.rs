//! The table of active customers.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::engine::Memory;
use super::paging::page;
use crate::model::{Timestamp, UserId};
use crate::ports::{ActiveUser, ActiveUsers, Cursor, Page, PortError, Segment};

pub(super) type ActiveUserTable = BTreeMap<UserId, ActiveUser>;

#[async_trait]
impl ActiveUsers for Memory {
    async fn active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError> {
        Ok(self.state().active_users.get(user).cloned())
    }

    async fn record_visit(
        &self,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<ActiveUser>, PortError> {
        let table = &mut self.state().active_users;
        let first_seen = table.get(user).map_or(now, |before| before.first_seen);
        let expires_at = Timestamp::from_secs(expires_at.secs_rounded_up());
        let row = ActiveUser { user: user.clone(), expires_at, first_seen, last_seen: now };
        Ok(table.insert(user.clone(), row))
    }

    async fn remove_active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError> {
        Ok(self.state().active_users.remove(user))
    }

    async fn list_active_users(
        &self,
        segment: Segment,
        now: Timestamp,
        from: Option<Cursor>,
    ) -> Result<Page<ActiveUser>, PortError> {
        Ok(page(&self.state().active_users, from.as_ref(), |user, row| {
            (row.is_active(now) && segment.has(user)).then(|| row.clone())
        }))
    }
}
