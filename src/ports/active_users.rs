//! Who uses the cache at present.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use super::{Cursor, Page, PortError, port};
use crate::model::{Timestamp, UserId};

/// A user whose table is kept warm until an expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveUser {
    /// Who.
    pub user: UserId,
    /// From when on the user counts as gone. The row may stay stored for days after that, so
    /// every reader asks [`Self::is_active`].
    pub expires_at: Timestamp,
    /// The first visit since the row is stored.
    pub first_seen: Timestamp,
    /// The last visit that was written down.
    pub last_seen: Timestamp,
}

impl ActiveUser {
    /// Whether the user has not expired.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// One of several shares of a table that are scanned in parallel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which share, from 0.
    pub index: u32,
    /// How many shares there are.
    pub count: u32,
}

impl Segment {
    /// The whole table.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// Whether something is in it, where a hash decides which is.
    #[must_use]
    pub fn has(&self, hashed: &impl Hash) -> bool {
        // Unlike a `RandomState`, this hasher always has the same keys.
        let mut hasher = DefaultHasher::new();
        hashed.hash(&mut hasher);
        hasher.finish() % u64::from(self.count.max(1)) == u64::from(self.index)
    }
}

port!(
    /// The table of active users.
    ///
    /// Expiry is kept in whole seconds, rounded up, because that is what a TTL attribute holds.
    pub trait ActiveUsers: Send + Sync {
        /// The row of a user, expired or not.
        async fn active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError>;

        /// Writes a visit: sets the expiry and `last_seen`, keeps `first_seen` if there is one.
        /// Returns the row as it was before.
        async fn record_visit(
            &self,
            user: &UserId,
            now: Timestamp,
            expires_at: Timestamp,
        ) -> Result<Option<ActiveUser>, PortError>;

        /// Removes a user; says whether there was one.
        async fn remove_active_user(&self, user: &UserId) -> Result<bool, PortError>;

        /// The users of a segment that have not expired at `now`, page by page.
        async fn list_active_users(
            &self,
            segment: Segment,
            now: Timestamp,
            from: Option<Cursor>,
        ) -> Result<Page<ActiveUser>, PortError>;
    }
);
