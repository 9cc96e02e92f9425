//! Takes messages for a receiver, inside a transaction.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::failure::Failure;
use super::groups::{code, remove, settle, settle_all};
use super::marks::{Tx, Writer};
use crate::model::Timestamp;
use crate::ports::{Clock, MAX_RECEIVES, Queue, Receipt, Received};

pub(super) const NEXT_READY: &str = "
    SELECT ready_at FROM message WHERE queue = ?1 AND ready_at IS NOT NULL
    ORDER BY ready_at LIMIT 1";
pub(super) const LEADERS: &str = "
    SELECT seq, grp FROM message WHERE queue = ?1 AND ready_at <= ?2
    ORDER BY ready_at, seq LIMIT ?3";
pub(super) const OF_GROUP: &str = "
    SELECT seq, sent_at, receives, body FROM message WHERE queue = ?1 AND grp = ?2
    ORDER BY seq LIMIT ?3";
pub(super) const ONE: &str = "SELECT seq, sent_at, receives, body FROM message WHERE seq = ?1";
pub(super) const HIDE: &str = "
    UPDATE message SET receives = receives + 1, hidden_until = ?2, token = ?3,
        ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE ?2 END
    WHERE seq = ?1";
pub(super) const BURY: &str = "
    INSERT INTO dead_letter (seq, queue, grp, sent_at, receives, died_at, body)
    SELECT seq, queue, grp, sent_at, receives, ?2, body FROM message WHERE seq = ?1";
pub(super) const SHOW: &str = "
    UPDATE message SET receives = receives - 1, hidden_until = NULL, token = NULL,
        ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE ?3 END
    WHERE seq = ?1 AND token = ?2 RETURNING grp";

/// The greatest number of expired and dead messages that one transaction clears away.
pub(super) const MAX_CLEARED: usize = 200;

/// Returns when the next message of a queue is ready, or `None` if none waits.
pub(super) fn next_ready(
    connection: &Connection,
    queue: Queue,
) -> rusqlite::Result<Option<Timestamp>> {
    connection
        .prepare_cached(NEXT_READY)?
        .query_row([code(queue)], |row| row.get(0).map(Timestamp::from_millis))
        .optional()
}

/// What a receive asks for.
#[derive(Clone)]
pub(super) struct ReceiveRequest {
    pub(super) queue: Queue,
    pub(super) max: usize,
    pub(super) visibility: Duration,
    pub(super) token: String,
}

/// Messages on their way to a receiver. If the receiver is gone, they become visible again at once, as if
/// they had never been received.
pub(super) struct Taken {
    messages: Vec<Received>,
    queue: Queue,
    way_back: Writer,
    clock: Arc<dyn Clock>,
}

impl Taken {
    /// Returns the messages of a request. If they are not received, they go back through the writer.
    pub(super) fn new(
        messages: Vec<Received>,
        request: &ReceiveRequest,
        way_back: Writer,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { messages, queue: request.queue, way_back, clock }
    }

    /// Returns the messages to the receiver that has come for them.
    pub(super) fn into_messages(mut self) -> Vec<Received> {
        std::mem::take(&mut self.messages)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let receipts: Vec<_> = self.messages.drain(..).map(|message| message.receipt).collect();
        let (queue, clock) = (self.queue, Arc::clone(&self.clock));
        drop(self.way_back.submit(move |tx| show(tx, queue, &receipts, clock.now())));
    }
}

/// A message that may be received, unless it has expired or was received too often.
struct Candidate {
    seq: i64,
    sent_at: Timestamp,
    receives: u32,
    body: String,
}

/// The result of an attempt to take messages.
pub(super) struct Take {
    pub(super) messages: Vec<Received>,
    /// Whether something else may be ready.
    pub(super) left_some: bool,
}

/// Takes what is ready, up to `max`. Clears away a limited number of expired and dead messages. If there
/// are more of them, it may return nothing although something is ready.
pub(super) fn take(tx: &Tx<'_>, request: &ReceiveRequest, now: Timestamp) -> Result<Take, Failure> {
    let mut taking =
        Taking { tx, request, now, cleared: 0, taken: Vec::with_capacity(request.max) };
    loop {
        let cleared = taking.cleared;
        for (seq, group) in leaders(tx, request.queue, now, request.max)? {
            match group {
                _ if taking.is_done() => break,
                Some(group) => taking.take_group(&group)?,
                None => taking.take_one(seq)?,
            }
        }
        // Messages that were cleared away may have been in front of one that is ready.
        if !taking.taken.is_empty() || taking.is_done() || taking.cleared == cleared {
            let left_some = taking.is_done() || taking.cleared > 0;
            return Ok(Take { messages: taking.taken, left_some });
        }
    }
}

fn leaders(
    tx: &Tx<'_>,
    queue: Queue,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(i64, Option<String>)>, Failure> {
    let mut statement = tx.prepare_cached(LEADERS)?;
    let rows = statement.query_map(params![code(queue), now.millis(), limit], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

struct Taking<'a, 'tx> {
    tx: &'a Tx<'tx>,
    request: &'a ReceiveRequest,
    now: Timestamp,
    cleared: usize,
    taken: Vec<Received>,
}

impl Taking<'_, '_> {
    fn is_done(&self) -> bool {
        self.taken.len() == self.request.max || self.cleared >= MAX_CLEARED
    }

    /// Takes messages from the front of a group that is ready, as many as are wanted.
    fn take_group(&mut self, group: &str) -> Result<(), Failure> {
        let (taken, mut cleared) = (self.taken.len(), None);
        while self.taken.len() == taken && !self.is_done() && cleared != Some(self.cleared) {
            cleared = Some(self.cleared);
            for candidate in self.front(group, self.request.max - taken)? {
                self.take_or_clear(candidate, Some(group))?;
            }
        }
        settle(self.tx, self.request.queue, group, self.now)
    }

    fn take_one(&mut self, seq: i64) -> Result<(), Failure> {
        let candidate = self.tx.prepare_cached(ONE)?.query_row([seq], candidate)?;
        self.take_or_clear(candidate, None)
    }

    fn front(&self, group: &str, limit: usize) -> Result<Vec<Candidate>, Failure> {
        let mut statement = self.tx.prepare_cached(OF_GROUP)?;
        let rows =
            statement.query_map(params![code(self.request.queue), group, limit], candidate)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn take_or_clear(&mut self, candidate: Candidate, group: Option<&str>) -> Result<(), Failure> {
        let expired = candidate.sent_at.plus(self.request.queue.retention()) <= self.now;
        let dead = candidate.receives >= MAX_RECEIVES;
        if dead && !expired {
            let died_at = self.now.millis();
            self.tx.prepare_cached(BURY)?.execute([candidate.seq, died_at])?;
        }
        if dead || expired {
            self.cleared += 1;
            return remove(self.tx, candidate.seq);
        }
        let hidden_until = self.now.plus(self.request.visibility).millis();
        let token = &self.request.token;
        self.tx.prepare_cached(HIDE)?.execute(params![candidate.seq, hidden_until, token])?;
        self.taken.push(Received {
            id: candidate.seq.to_string(),
            body: candidate.body,
            receipt: Receipt(format!("{}-{token}", candidate.seq)),
            group: group.map(str::to_owned),
            receive_count: candidate.receives + 1,
            sent_at: candidate.sent_at,
        });
        Ok(())
    }
}

fn candidate(row: &rusqlite::Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        seq: row.get(0)?,
        sent_at: Timestamp::from_millis(row.get(1)?),
        receives: row.get(2)?,
        body: row.get(3)?,
    })
}

/// Makes messages visible again that nobody got, as if they had not been received.
fn show(tx: &Tx<'_>, queue: Queue, receipts: &[Receipt], now: Timestamp) -> Result<(), Failure> {
    let mut groups = Vec::new();
    for (seq, token) in receipts.iter().filter_map(parse_receipt) {
        let shown = tx
            .prepare_cached(SHOW)?
            .query_row(params![seq, token, now.millis()], |row| row.get::<_, Option<String>>(0))
            .optional()?;
        tx.marks.wakes.add(queue);
        groups.extend(shown.flatten());
    }
    settle_all(tx, queue, groups, now)
}

/// Returns the message and the token of a receipt, or `None` if this engine did not write the receipt.
pub(super) fn parse_receipt(receipt: &Receipt) -> Option<(i64, &str)> {
    let (seq, token) = receipt.0.split_once('-')?;
    Some((seq.parse().ok()?, token))
}
