//! The queues: sends, acknowledges, postpones and counts messages.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::groups::{DEDUPLICATION, append, code, settle_all};
use super::marks::Tx;
use super::take::parse_receipt;
use super::wake::LOOKERS;
use super::writer::Urgency;
use crate::model::Timestamp;
use crate::ports::{
    Depth, FailedEntry, MAX_BODY_BYTES, MAX_DELAY, Outgoing, PortError, Posting, Queue, Queues,
    Receipt, Received,
};

/// The greatest number of messages sent in one job. A cold quote waits for several transactions, and each
/// of them may contain such a job of a tick that orders many refreshes.
const CHUNK: usize = 25;

const REMEMBER: &str = "
    INSERT INTO deduplication (queue, id, expires_at) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at WHERE expires_at <= ?4";
pub(super) const ACKNOWLEDGE: &str = "
    DELETE FROM message
    WHERE seq = ?1 AND queue = ?2 AND token = ?3 AND hidden_until > ?4 RETURNING grp";
pub(super) const POSTPONE: &str = "
    UPDATE message SET hidden_until = ?5,
        ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE ?5 END,
        token = CASE WHEN ?5 > ?4 THEN token END
    WHERE seq = ?1 AND queue = ?2 AND token = ?3 AND hidden_until > ?4 RETURNING grp";
/// Each counts the rows above a bound.
pub(super) const COUNTS: [&str; 4] = [
    "SELECT count(*) FROM message WHERE queue = ?1 AND sent_at > ?2",
    "SELECT count(*) FROM message WHERE queue = ?1 AND hidden_until > ?2",
    "SELECT count(*) FROM message WHERE queue = ?1 AND ready_at > ?2",
    "SELECT count(*) FROM dead_letter WHERE queue = ?1 AND seq > ?2",
];

#[async_trait]
impl Queues for Embedded {
    async fn send(
        &self,
        queue: Queue,
        messages: &[Outgoing],
    ) -> Result<Vec<FailedEntry>, PortError> {
        let mut failed = Vec::new();
        let mut entries = Vec::with_capacity(messages.len());
        for (index, message) in messages.iter().enumerate() {
            match check(queue, message) {
                Ok(()) => entries.push((index, message.clone())),
                Err(error) => failed.push(FailedEntry { index, error }),
            }
        }
        let urgency = match queue {
            Queue::Quotation => Urgency::Urgent,
            _ if entries.len() > CHUNK => Urgency::Bulk,
            _ => Urgency::Prompt,
        };
        let mut sent = false;
        for chunk in entries.chunks(CHUNK) {
            match self.send_chunk(queue, chunk, urgency).await {
                Ok(()) => sent = true,
                // Nothing was sent, so the whole batch has failed.
                Err(failure) if !sent => return Err(self.port_error(failure)),
                Err(failure) => failed.extend(chunk.iter().map(|(index, _)| FailedEntry {
                    index: *index,
                    error: self.port_error(failure.clone()),
                })),
            }
        }
        Ok(failed)
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Received>, PortError> {
        self.receive_from(queue, max, wait, visibility).await
    }

    fn receivers(&self) -> usize {
        LOOKERS
    }

    async fn acknowledge(&self, queue: Queue, receipts: &[Receipt]) -> Result<(), PortError> {
        let (receipts, clock) = (receipts.to_vec(), Arc::clone(self.clock()));
        self.write(move |tx| {
            let now = clock.now();
            let mut groups = Vec::new();
            for (seq, token) in receipts.iter().filter_map(parse_receipt) {
                let group = tx
                    .prepare_cached(ACKNOWLEDGE)?
                    .query_row(params![seq, code(queue), token, now.millis()], |row| row.get(0))
                    .optional()?;
                groups.extend(group.flatten());
            }
            settle_all(tx, queue, groups, now)
        })
        .await
    }

    async fn change_visibility(
        &self,
        queue: Queue,
        receipts: &[Receipt],
        visibility: Duration,
    ) -> Result<(), PortError> {
        let (receipts, clock) = (receipts.to_vec(), Arc::clone(self.clock()));
        self.write(move |tx| {
            let now = clock.now();
            let until = now.plus(visibility).millis();
            let mut groups = Vec::new();
            for (seq, token) in receipts.iter().filter_map(parse_receipt) {
                let group: Option<Option<String>> = tx
                    .prepare_cached(POSTPONE)?
                    .query_row(params![seq, code(queue), token, now.millis(), until], |row| {
                        row.get(0)
                    })
                    .optional()?;
                // Receivers that wait for the old time must learn the new one.
                tx.marks.later.add(queue);
                groups.extend(group.flatten());
            }
            settle_all(tx, queue, groups, now)
        })
        .await
    }

    async fn depth(&self, queue: Queue) -> Result<Depth, PortError> {
        let now = self.now();
        self.read(move |connection| depth(connection, queue, now)).await
    }
}

impl Embedded {
    async fn send_chunk(
        &self,
        queue: Queue,
        chunk: &[(usize, Outgoing)],
        urgency: Urgency,
    ) -> Result<(), Failure> {
        let (chunk, clock) = (chunk.to_vec(), Arc::clone(self.clock()));
        self.writer()
            .with(urgency)
            .run(move |tx| {
                // The time is taken in the writing thread, so that times follow the order of writes.
                let now = clock.now();
                chunk.iter().try_for_each(|(_, message)| send(tx, queue, message, now))
            })
            .await
    }
}

/// Checks that a queue accepts such a message at all.
pub(super) fn check(queue: Queue, message: &Outgoing) -> Result<(), PortError> {
    let refuse = |why: &str| Err(PortError::rejected(format!("a message to `{queue}`"), why));
    if message.body.len() > MAX_BODY_BYTES {
        return refuse("its body is larger than 256 KB");
    }
    match message.posting {
        Posting::Fifo { .. } if !queue.is_fifo() => refuse("the queue has no groups"),
        Posting::Standard { .. } if queue.is_fifo() => refuse("it has no group"),
        Posting::Standard { delay } if delay > MAX_DELAY => {
            refuse("its delay is longer than 15 minutes")
        }
        _ => Ok(()),
    }
}

/// Appends a message, unless it is a duplicate.
pub(super) fn send(
    tx: &Tx<'_>,
    queue: Queue,
    message: &Outgoing,
    now: Timestamp,
) -> Result<(), Failure> {
    match message.posting {
        Posting::Standard { delay } => {
            append(tx, queue, None, now, now.plus(delay), &message.body)?;
            if !delay.is_zero() {
                tx.marks.later.add(queue);
            }
        }
        Posting::Fifo { group, deduplication } => {
            let until = now.plus(DEDUPLICATION).millis();
            let values = params![code(queue), deduplication.to_string(), until, now.millis()];
            let remembered = tx.execute_often(REMEMBER, values)?;
            if remembered == 0 {
                return Ok(());
            }
            append(tx, queue, Some(&group.to_string()), now, now, &message.body)?;
        }
    }
    tx.marks.wakes.add(queue);
    Ok(())
}

fn depth(connection: &Connection, queue: Queue, now: Timestamp) -> Result<Depth, Failure> {
    let oldest = now.minus(queue.retention());
    let bounds = [oldest.millis(), now.millis(), now.millis(), 0];
    let mut counts = [0_u64; COUNTS.len()];
    for ((count, sql), bound) in counts.iter_mut().zip(COUNTS).zip(bounds) {
        *count =
            connection.prepare_cached(sql)?.query_one([code(queue), bound], |row| row.get(0))?;
    }
    let [all, in_flight, not_ready, dead] = counts;
    // In a queue without groups, a message that is not ready is in flight or delayed.
    let delayed = if queue.is_fifo() { 0 } else { not_ready.saturating_sub(in_flight) };
    let waiting = all.saturating_sub(in_flight).saturating_sub(delayed);
    Ok(Depth { waiting, in_flight, delayed, dead })
}
