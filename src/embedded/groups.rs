//! The order within groups: which message leads its group, and when the group may be received.
//!
//! Only the first message of a group has a time at which it is ready. The rest of the group waits behind it
//! at no cost to a receive. The messages in flight of a group are always at most [`MAX_BATCH`] at its
//! front, because nothing behind them is received.

use std::time::Duration;

use rusqlite::params;

use super::failure::Failure;
use super::marks::Tx;
use crate::model::Timestamp;
use crate::ports::{MAX_BATCH, Queue};

pub(super) const FRONT: &str = "
    SELECT seq, ready_at, hidden_until FROM message
    WHERE queue = ?1 AND grp = ?2 ORDER BY seq LIMIT ?3";
const SET_READY: &str = "UPDATE message SET ready_at = ?2 WHERE seq = ?1";

/// How long an id suppresses duplicates.
pub(super) const DEDUPLICATION: Duration = Duration::from_secs(5 * 60);

/// Returns the number of a queue in the tables.
pub(super) const fn code(queue: Queue) -> i64 {
    match queue {
        Queue::Refresh => 0,
        Queue::Quotation => 1,
        Queue::Provider => 2,
    }
}

/// Updates the leader of a group after messages were removed, hidden or made visible. The group is ready
/// when none of its messages is in flight. Wakes receivers if that is now.
pub(super) fn settle(
    tx: &Tx<'_>,
    queue: Queue,
    group: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut front = tx.prepare_cached(FRONT)?;
    let mut rows = front.query(params![code(queue), group, MAX_BATCH])?;
    let mut leader: Option<(i64, Option<i64>)> = None;
    let mut blocked_until: Option<i64> = None;
    while let Some(row) = rows.next()? {
        if leader.is_none() {
            leader = Some((row.get(0)?, row.get(1)?));
        }
        let hidden: Option<i64> = row.get(2)?;
        blocked_until = blocked_until.max(hidden.filter(|until| *until > now.millis()));
    }
    drop(rows);
    let Some((seq, ready_at)) = leader else { return Ok(()) };
    let target = match (blocked_until, ready_at) {
        (Some(until), _) => until,
        // A group that is ready keeps its place among the others.
        (None, Some(at)) if at <= now.millis() => at,
        (None, _) => now.millis(),
    };
    if ready_at != Some(target) {
        tx.prepare_cached(SET_READY)?.execute([seq, target])?;
    }
    if target <= now.millis() {
        tx.marks.wakes.add(queue);
    }
    Ok(())
}

/// Settles each group once.
pub(super) fn settle_all(
    tx: &Tx<'_>,
    queue: Queue,
    mut groups: Vec<String>,
    now: Timestamp,
) -> Result<(), Failure> {
    groups.sort_unstable();
    groups.dedup();
    groups.iter().try_for_each(|group| settle(tx, queue, group, now))
}

/// Deletes a message that nobody will receive again. The caller must settle its group afterwards.
pub(super) fn remove(tx: &Tx<'_>, seq: i64) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM message WHERE seq = ?1")?.execute([seq])?;
    Ok(())
}

/// Appends a message. If it is alone in its group, it leads the group and is ready at `ready_at`.
pub(super) fn append(
    tx: &Tx<'_>,
    queue: Queue,
    group: Option<&str>,
    sent_at: Timestamp,
    ready_at: Timestamp,
    body: &str,
) -> Result<(), Failure> {
    let ready_at = match group {
        Some(group) if is_waiting(tx, queue, group)? => None,
        _ => Some(ready_at.millis()),
    };
    tx.prepare_cached(
        "INSERT INTO message (queue, grp, sent_at, ready_at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![code(queue), group, sent_at.millis(), ready_at, body])?;
    Ok(())
}

fn is_waiting(tx: &Tx<'_>, queue: Queue, group: &str) -> Result<bool, Failure> {
    let mut statement =
        tx.prepare_cached("SELECT 1 FROM message WHERE queue = ?1 AND grp = ?2 LIMIT 1")?;
    Ok(statement.exists(params![code(queue), group])?)
}
