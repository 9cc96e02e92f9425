//! What is written down while a replay goes on.

use std::collections::HashMap;
use std::time::Duration;

use super::adaptive::Intervals;
use crate::model::{Timestamp, UserId};
use crate::ports::{ActiveUser, Quotation, QuotationStatus};

/// Figures so far, and what is needed for those to come.
#[derive(Default)]
pub(super) struct BillLedger {
    pub(super) stored: Stored,
    pub(super) answered: u64,
    pub(super) failed: u64,
    /// Answers that were there at once.
    pub(super) warm: u64,
    /// Answers that were marked stale.
    pub(super) stale: u64,
    /// How long each other answer took, in milliseconds.
    pub(super) waits_ms: Vec<u64>,
    /// Answers by prices that had changed, and how long ago they had, in milliseconds.
    pub(super) outdated: u64,
    pub(super) outdated_ms: u128,
    /// Tables calculated, and tables that were found to be still right.
    pub(super) calculated: u64,
    pub(super) validated: u64,
    /// Those of both that nobody read before the next one.
    pub(super) wasted: u64,
    /// How long a change took to reach the table of each user who stayed active, in milliseconds.
    pub(super) reached_ms: Vec<u64>,
    /// What an adaptive schedule goes by.
    pub(super) intervals: Option<Intervals>,
    users: HashMap<UserId, User>,
    /// The rows of active users, expired ones included: how many, and how many bytes.
    rows: (u64, u64),
    table_millis: u128,
    active_until: Timestamp,
    catalogue_changed_at: Timestamp,
    kept_until: HashMap<String, Timestamp>,
}

/// What was stored, for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Price tables, their number.
    pub table_hours: u64,
    /// Price tables, their bytes.
    pub table_byte_hours: u128,
    /// Everything else, its bytes.
    pub other_byte_hours: u128,
}

/// What is known of a user.
#[derive(Default)]
struct User {
    expires_at: Timestamp,
    row_bytes: u64,
    has_unread_table: bool,
    changed_at: Timestamp,
    /// Since when a change waits to reach the table.
    unreached: Option<Timestamp>,
}

impl BillLedger {
    /// A head, the parts of a price table, or a base are stored until they go away.
    pub(super) fn keep_table(
        &mut self,
        name: String,
        bytes: u64,
        is_head: bool,
        now: Timestamp,
        end: Timestamp,
    ) {
        let more = self.keep_until(name, now, end);
        self.stored.table_byte_hours += hours(u128::from(bytes) * more.as_millis());
        if is_head {
            self.table_millis += more.as_millis();
        }
    }

    /// Something else is stored until it goes away.
    pub(super) fn keep(&mut self, name: String, bytes: u64, now: Timestamp, end: Timestamp) {
        let more = self.keep_until(name, now, end);
        self.stored.other_byte_hours += hours(u128::from(bytes) * more.as_millis());
    }

    /// For how much longer: what was there before under the same name counts until then already.
    fn keep_until(&mut self, name: String, now: Timestamp, end: Timestamp) -> Duration {
        let counted_until = self.kept_until.insert(name, end).unwrap_or(now).max(now);
        end.since(counted_until)
    }

    /// Forgets what has gone away, so that memory does not grow with the years.
    pub(super) fn forget_stored(&mut self, now: Timestamp) {
        self.kept_until.retain(|_, end| *end > now);
    }

    /// Until when anybody is active.
    pub(super) const fn active_until(&self) -> Timestamp {
        self.active_until
    }

    /// How many rows of active users there are, expired ones included, and their bytes.
    pub(super) const fn rows(&self) -> (u64, u64) {
        self.rows
    }

    pub(super) fn came(
        &mut self,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
        bytes: u64,
    ) {
        let known = self.users.entry(user.clone()).or_default();
        if known.row_bytes == 0 {
            known.row_bytes = bytes;
            self.rows = (self.rows.0 + 1, self.rows.1 + bytes);
        }
        if known.expires_at <= now {
            // Whoever was away is nobody whom a change had to reach.
            known.unreached = None;
        }
        known.expires_at = expires_at;
        self.active_until = self.active_until.max(expires_at);
    }

    /// The row of an expired user was deleted.
    pub(super) fn swept(&mut self, user: &UserId) {
        if let Some(known) = self.users.get_mut(user) {
            let bytes = std::mem::take(&mut known.row_bytes);
            self.rows = (self.rows.0 - 1, self.rows.1 - bytes);
        }
    }

    /// A load changed prices for everybody, or discounts of some; these are active.
    pub(super) fn changed(
        &mut self,
        active: &[ActiveUser],
        whose: Option<&[UserId]>,
        now: Timestamp,
    ) {
        match whose {
            None => self.catalogue_changed_at = now,
            Some(users) => {
                for user in users {
                    self.users.entry(user.clone()).or_default().changed_at = now;
                }
            }
        }
        for user in active.iter().filter(|user| whose.is_none_or(|all| all.contains(&user.user))) {
            let known = self.users.entry(user.user.clone()).or_default();
            known.unreached.get_or_insert(now);
        }
    }

    /// Of active users those who are due, where each has an interval of its own.
    pub(super) fn due(&mut self, active: Vec<ActiveUser>, now: Timestamp) -> Vec<ActiveUser> {
        match &mut self.intervals {
            Some(intervals) => intervals.due(active, now),
            None => active,
        }
    }

    /// A table was calculated, or found to be still right.
    pub(super) fn prepared(&mut self, user: &UserId, changed: bool, now: Timestamp) {
        match changed {
            true => self.calculated += 1,
            false => self.validated += 1,
        }
        if let Some(intervals) = &mut self.intervals {
            intervals.prepared(user, changed, now);
        }
        let known = self.users.entry(user.clone()).or_default();
        self.wasted += u64::from(std::mem::replace(&mut known.has_unread_table, true));
        if let Some(since) = known.unreached.take().filter(|_| known.expires_at > now) {
            self.reached_ms.push(millis(now.since(since)));
        }
    }

    /// A quotation was settled.
    pub(super) fn settled(&mut self, quotation: &Quotation, now: Timestamp) {
        let QuotationStatus::Answered(answer) = &quotation.status else {
            self.failed += 1;
            return;
        };
        self.answered += 1;
        self.stale += u64::from(answer.stale);
        match millis(now.since(quotation.accepted_at)) {
            0 => self.warm += 1,
            wait_ms => self.waits_ms.push(wait_ms),
        }
        let known = self.users.entry(quotation.user.clone()).or_default();
        known.has_unread_table = false;
        let changed_at = known.changed_at.max(self.catalogue_changed_at);
        if answer.validated_at < changed_at {
            self.outdated += 1;
            self.outdated_ms += now.since(changed_at).as_millis();
        }
    }

    /// Nothing more comes: what nobody has read by now was wasted.
    pub(super) fn end(&mut self) {
        let unread = self.users.values().filter(|known| known.has_unread_table).count();
        self.wasted += unread as u64;
        self.stored.table_hours = u64::try_from(hours(self.table_millis)).unwrap_or(u64::MAX);
    }
}

fn hours(millis: u128) -> u128 {
    millis / 3_600_000
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
