//! The active customers.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use super::{Cursor, Page, PortError, port};
use crate::model::{Timestamp, UserId};

/// A customer whose table is kept warm until an expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveUser {
    /// The customer.
    pub user: UserId,
    /// When the customer stops being active. The row may stay stored for days after that, so every reader
    /// checks [`Self::is_active`].
    pub expires_at: Timestamp,
    /// The first visit since the row was created.
    pub first_seen: Timestamp,
    /// The last visit that was written.
    pub last_seen: Timestamp,
}

impl ActiveUser {
    /// Whether the customer has not expired at `now`.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// One of several shares of a table that is scanned in parallel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of this share, from 0.
    pub index: u32,
    /// How many shares there are.
    pub count: u32,
}

impl Segment {
    /// The whole table.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// Whether the hash of a value falls into this segment. For engines that have no segments of their own.
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
        /// Returns the row of a customer, expired or not.
        async fn active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError>;

        /// Writes a visit: sets the expiry and `last_seen`, and keeps an existing `first_seen`. Returns the
        /// previous row.
        async fn record_visit(
            &self,
            user: &UserId,
            now: Timestamp,
            expires_at: Timestamp,
        ) -> Result<Option<ActiveUser>, PortError>;

        /// Deletes the row of a customer, expired or not, and returns it. A row that cannot be read is an error,
        /// although it may be deleted.
        async fn remove_active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError>;

        /// Returns a page of the customers of a segment who have not expired at `now`.
        async fn list_active_users(
            &self,
            segment: Segment,
            now: Timestamp,
            from: Option<Cursor>,
        ) -> Result<Page<ActiveUser>, PortError>;
    }
);
