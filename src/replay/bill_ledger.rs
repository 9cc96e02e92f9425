//! The records of a replay under way.

use std::collections::HashMap;
use std::time::Duration;

use super::adaptive::Intervals;
use crate::model::{Timestamp, UserId};
use crate::ports::{ActiveUser, Quotation, QuotationStatus};

/// The figures so far, and the state for the next ones.
#[derive(Default)]
pub(super) struct BillLedger {
    pub(super) stored: StorageUse,
    pub(super) answered: u64,
    pub(super) failed: u64,
    /// The number of answers that were given at once.
    pub(super) warm: u64,
    /// The number of answers that were marked stale.
    pub(super) stale: u64,
    /// How long each other answer took, in milliseconds.
    pub(super) waits_ms: Vec<u64>,
    /// The number of answers with outdated prices, and the sum of the milliseconds since these had
    /// changed.
    pub(super) outdated: u64,
    pub(super) outdated_ms: u128,
    /// The number of calculated tables, and of tables that were found still right.
    pub(super) calculated: u64,
    pub(super) validated: u64,
    /// The number of both that nobody read before the next one.
    pub(super) wasted: u64,
    /// How long a change took to reach the table of each user who stayed active, in milliseconds.
    pub(super) reached_ms: Vec<u64>,
    /// The intervals of an adaptive schedule.
    pub(super) intervals: Option<Intervals>,
    users: HashMap<UserId, LedgerUser>,
    /// The number and the bytes of the rows of active users, including expired rows.
    rows: (u64, u64),
    table_millis: u128,
    active_until: Timestamp,
    catalogue_changed_at: Timestamp,
    kept_until: HashMap<String, Timestamp>,
}

/// What was stored, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageUse {
    /// The number of price tables, times hours.
    pub table_hours: u64,
    /// The bytes of price tables, times hours.
    pub table_byte_hours: u128,
    /// The bytes of everything else, times hours.
    pub other_byte_hours: u128,
}

/// The state of a user.
#[derive(Default)]
struct LedgerUser {
    expires_at: Timestamp,
    row_bytes: u64,
    has_unread_table: bool,
    changed_at: Timestamp,
    /// Since when a change waits to reach the table.
    unreached: Option<Timestamp>,
}

impl BillLedger {
    /// Counts the storage of a head, the parts of a price table, or a base, until it is deleted.
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

    /// Counts the storage of another record until it is deleted.
    pub(super) fn keep(&mut self, name: String, bytes: u64, now: Timestamp, end: Timestamp) {
        let more = self.keep_until(name, now, end);
        self.stored.other_byte_hours += hours(u128::from(bytes) * more.as_millis());
    }

    /// Returns the additional time. A record of the same name that was stored before is already counted
    /// until its end.
    fn keep_until(&mut self, name: String, now: Timestamp, end: Timestamp) -> Duration {
        let counted_until = self.kept_until.insert(name, end).unwrap_or(now).max(now);
        end.since(counted_until)
    }

    /// Forgets deleted records, so that memory does not grow with the replayed time.
    pub(super) fn forget_stored(&mut self, now: Timestamp) {
        self.kept_until.retain(|_, end| *end > now);
    }

    /// Returns until when any user is active.
    pub(super) const fn active_until(&self) -> Timestamp {
        self.active_until
    }

    /// Returns the number and the bytes of the rows of active users, including expired rows.
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
            // A change need not reach a user who was away.
            known.unreached = None;
        }
        known.expires_at = expires_at;
        self.active_until = self.active_until.max(expires_at);
    }

    /// Notes that the row of an expired user was deleted.
    pub(super) fn swept(&mut self, user: &UserId) {
        if let Some(known) = self.users.get_mut(user) {
            let bytes = std::mem::take(&mut known.row_bytes);
            self.rows = (self.rows.0 - 1, self.rows.1 - bytes);
        }
    }

    /// Notes that a load changed the prices of everybody, or of the users in `whose`. `active` are the
    /// active users.
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

    /// Returns the active users who are due, if each has a separate interval; otherwise all.
    pub(super) fn due(&mut self, active: Vec<ActiveUser>, now: Timestamp) -> Vec<ActiveUser> {
        match &mut self.intervals {
            Some(intervals) => intervals.due(active, now),
            None => active,
        }
    }

    /// Notes that a table was calculated, or found still right.
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

    /// Notes that a quotation was settled.
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

    /// Ends the records. Tables that nobody has read by now were wasted.
    pub(super) fn end(&mut self) {
        let unread = self.users.values().filter(|known| known.has_unread_table).count();
        self.wasted += unread as u64;
        self.stored.table_hours = u64::try_from(hours(self.table_millis)).unwrap_or(u64::MAX);
    }
}

fn hours(millis: u128) -> u128 {
    millis / 3_600_000
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
