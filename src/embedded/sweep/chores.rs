//! The chores: what is deleted of each kind of record that expires.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::super::failure::Failure;
use super::super::groups::{code, remove, settle_all};
use super::super::marks::Tx;
use crate::model::Timestamp;
use crate::ports::{Backlog, Queue};

/// How long an expired user is remembered, so that a returning one keeps its first visit.
const ACTIVE_USER_GRACE: Duration = Duration::from_secs(60 * 60);
/// How long dead letters are kept.
const DEAD_LETTER_RETENTION: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// This many rows take a few milliseconds.
const ROWS: Budget = Budget { least: 200, most: 3200 };
/// The parts of a base are deleted with it: a megabyte for about 50,000 products.
const BASES: Budget = Budget { least: 1, most: 4 };

/// How much of a chore one batch may do.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    /// The budget when there is little to do.
    pub(super) least: usize,
    /// The greatest budget, however much there is to do, so that writers never wait long.
    pub(super) most: usize,
}

/// The deletion of one kind of record, the oldest first.
#[derive(Clone, Copy)]
pub(super) struct Chore {
    /// What the records are called in metrics.
    name: &'static str,
    pub(super) budget: Budget,
    records: Records,
}

/// Which records, and how they are deleted.
#[derive(Clone, Copy)]
enum Records {
    /// Rows of one table.
    Rows(ExpiringRows),
    /// Messages that nobody received in time. Their groups continue without them.
    Messages(Queue),
}

/// The rows of a table whose value in one column is at most a bound.
#[derive(Clone, Copy)]
struct ExpiringRows {
    /// Selects the value of the oldest of these rows.
    oldest: &'static str,
    count: &'static str,
    delete: &'static str,
    unit: TimeUnit,
    /// How long a record stays after the time in its column.
    grace: Duration,
}

/// The unit of a column's time.
#[derive(Clone, Copy)]
enum TimeUnit {
    Seconds,
    Milliseconds,
}

impl TimeUnit {
    /// Returns the greatest value whose time is not after `now`.
    fn bound(self, now: Timestamp) -> i64 {
        match self {
            Self::Seconds => now.millis().div_euclid(1000),
            Self::Milliseconds => now.millis(),
        }
    }

    fn timestamp(self, value: i64) -> Timestamp {
        match self {
            Self::Seconds => Timestamp::from_secs(value),
            Self::Milliseconds => Timestamp::from_millis(value),
        }
    }
}

macro_rules! rows {
    ($name:literal: $table:literal, $key:literal, $column:literal, $unit:ident, $grace:expr) => {
        Chore {
            name: $name,
            budget: ROWS,
            records: Records::Rows(ExpiringRows {
                oldest: concat!(
                    "SELECT ",
                    $column,
                    " FROM ",
                    $table,
                    " WHERE ",
                    $column,
                    " <= ?1 ORDER BY ",
                    $column,
                    " LIMIT 1"
                ),
                count: concat!("SELECT count(*) FROM ", $table, " WHERE ", $column, " <= ?1"),
                delete: concat!(
                    "DELETE FROM ",
                    $table,
                    " WHERE (",
                    $key,
                    ") IN (SELECT ",
                    $key,
                    " FROM ",
                    $table,
                    " WHERE ",
                    $column,
                    " <= ?1 ORDER BY ",
                    $column,
                    " LIMIT ?2)"
                ),
                unit: TimeUnit::$unit,
                grace: $grace,
            }),
        }
    };
}

const fn messages(name: &'static str, queue: Queue) -> Chore {
    Chore { name, budget: ROWS, records: Records::Messages(queue) }
}

/// The number of chores. Types need it, and `CHORES.len()` makes an optimising compiler ask for the types of
/// `CHORES` while it works them out.
pub(super) const COUNT: usize = 11;

/// All chores. Records that refer to others come before these, because readers may still hold them.
pub(super) const CHORES: [Chore; COUNT] = [
    rows!("deduplication": "deduplication", "queue, id", "expires_at", Milliseconds, Duration::ZERO),
    rows!("price_table": "price_table", "id", "expires_at", Seconds, Duration::ZERO),
    Chore { budget: BASES, ..rows!("base": "base", "name", "expires_at", Seconds, Duration::ZERO) },
    QUOTATIONS,
    rows!("active_user": "active_user", "bucket, user", "expires_at", Seconds, ACTIVE_USER_GRACE),
    rows!("usage": "usage", "window, process", "expires_at", Seconds, Duration::ZERO),
    rows!("process": "process", "name", "lives_until", Milliseconds, Duration::ZERO),
    rows!("dead_letter": "dead_letter", "seq", "died_at", Milliseconds, DEAD_LETTER_RETENTION),
    messages("refresh_message", Queue::Refresh),
    messages("quotation_message", Queue::Quotation),
    messages("provider_message", Queue::Provider),
];

/// Quotations have no index of their expiry. All are kept equally long, so they expire in the order of their rows:
/// that in which made ids were made and others were stored. One that an earlier setting keeps longer delays those
/// behind it.
const QUOTATIONS: Chore = Chore {
    name: "quotation",
    budget: ROWS,
    records: Records::Rows(ExpiringRows {
        oldest: "SELECT expires_at FROM quotation
            WHERE id = (SELECT min(id) FROM quotation) AND expires_at <= ?1",
        count: "SELECT count(*) FROM quotation WHERE id < ifnull(
            (SELECT id FROM quotation WHERE id > 0 AND expires_at > ?1 ORDER BY id LIMIT 1),
            9223372036854775807)",
        delete: "DELETE FROM quotation WHERE id IN
            (SELECT id FROM quotation WHERE id > 0 ORDER BY id LIMIT ?2) AND expires_at <= ?1",
        unit: TimeUnit::Seconds,
        grace: Duration::ZERO,
    }),
};

const OLDEST_MESSAGE: &str = "
    SELECT sent_at FROM message WHERE queue = ?1 AND sent_at <= ?2 ORDER BY sent_at LIMIT 1";
const COUNT_MESSAGES: &str = "SELECT count(*) FROM message WHERE queue = ?1 AND sent_at <= ?2";
const OLD_MESSAGES: &str = "
    SELECT seq, grp FROM message WHERE queue = ?1 AND sent_at <= ?2 ORDER BY sent_at LIMIT ?3";

impl Chore {
    /// Whether there is anything to delete.
    pub(super) fn is_due(&self, connection: &Connection, now: Timestamp) -> Result<bool, Failure> {
        Ok(match self.records {
            Records::Rows(rows) => {
                connection.prepare_cached(rows.oldest)?.exists([rows.bound(now)])?
            }
            Records::Messages(queue) => {
                let values = [code(queue), sent_before(queue, now).millis()];
                connection.prepare_cached(OLDEST_MESSAGE)?.exists(values)?
            }
        })
    }

    /// Deletes what the budget allows, the oldest first. Returns how much of the budget was used.
    pub(super) fn work(
        &self,
        tx: &Tx<'_>,
        now: Timestamp,
        budget: usize,
    ) -> Result<usize, Failure> {
        match self.records {
            Records::Rows(rows) => {
                Ok(tx.prepare_cached(rows.delete)?.execute(params![rows.bound(now), budget])?)
            }
            Records::Messages(queue) => sweep_messages(tx, queue, now, budget),
        }
    }

    /// Returns what waits to be deleted.
    fn backlog(&self, connection: &Connection, now: Timestamp) -> Result<Backlog, Failure> {
        let (records, late) = match self.records {
            Records::Rows(rows) => {
                let bound = [rows.bound(now)];
                let since = |value| now.minus(rows.grace).since(rows.unit.timestamp(value));
                waiting(connection, rows.count, rows.oldest, bound, since)?
            }
            Records::Messages(queue) => {
                let before = sent_before(queue, now);
                let since = |value| before.since(Timestamp::from_millis(value));
                let bound = [code(queue), before.millis()];
                waiting(connection, COUNT_MESSAGES, OLDEST_MESSAGE, bound, since)?
            }
        };
        Ok(Backlog { kind: self.name, records, late })
    }
}

impl ExpiringRows {
    /// Returns the bound. Rows whose column has at most this value are deleted.
    fn bound(&self, now: Timestamp) -> i64 {
        self.unit.bound(now.minus(self.grace))
    }
}

/// Returns what waits to be deleted, of each kind.
pub(in crate::embedded) fn backlog(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<Backlog>, Failure> {
    CHORES.iter().map(|chore| chore.backlog(connection, now)).collect()
}

/// Returns how many records there are, and for how long the oldest of them has been due.
fn waiting(
    connection: &Connection,
    count: &str,
    oldest: &str,
    values: impl Params + Copy,
    since: impl Fn(i64) -> Duration,
) -> Result<(u64, Duration), Failure> {
    let oldest: Option<i64> =
        connection.prepare_cached(oldest)?.query_row(values, |row| row.get(0)).optional()?;
    let Some(oldest) = oldest else { return Ok((0, Duration::ZERO)) };
    let count = connection.prepare_cached(count)?.query_row(values, |row| row.get(0))?;
    Ok((count, since(oldest)))
}

/// Returns the time at or before which a message was sent if it is no longer delivered.
fn sent_before(queue: Queue, now: Timestamp) -> Timestamp {
    now.minus(queue.retention())
}

fn sweep_messages(
    tx: &Tx<'_>,
    queue: Queue,
    now: Timestamp,
    budget: usize,
) -> Result<usize, Failure> {
    let mut statement = tx.prepare_cached(OLD_MESSAGES)?;
    let values = params![code(queue), sent_before(queue, now).millis(), budget];
    let old: Vec<(i64, Option<String>)> = statement
        .query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (seq, _) in &old {
        remove(tx, *seq)?;
    }
    let count = old.len();
    settle_all(tx, queue, old.into_iter().filter_map(|(_, group)| group).collect(), now)?;
    Ok(count)
}

/// Returns the statements of a sweep, for the test of query plans.
#[cfg(test)]
pub(in crate::embedded) fn searches() -> Vec<&'static str> {
    let rows = CHORES.into_iter().filter_map(|chore| match chore.records {
        Records::Rows(rows) => Some([rows.oldest, rows.count, rows.delete]),
        _ => None,
    });
    let others = [OLDEST_MESSAGE, COUNT_MESSAGES, OLD_MESSAGES];
    rows.flatten().chain(others).collect()
}
