//! Dead letters: listed, sent again, dropped.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};

use super::engine::Embedded;
use super::groups::{append, code};
use crate::model::Timestamp;
use crate::ports::{DeadLetter, DeadLetters, PortError, Queue, Selection};

/// The greatest number of dead letters that one job handles.
const CHUNK: usize = 250;

pub(super) const LIST: &str = "
    SELECT seq, body, grp, sent_at, receives FROM dead_letter
    WHERE queue = ?1 ORDER BY seq LIMIT ?2";
pub(super) const IDS: &str = "
    SELECT seq FROM dead_letter WHERE queue = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
const LAST: &str = "SELECT max(seq) FROM dead_letter WHERE queue = ?1";
const DIG_UP: &str = "DELETE FROM dead_letter WHERE seq = ?1 AND queue = ?2 RETURNING grp, body";

/// What is done with dead letters that are taken out.
#[derive(Clone, Copy)]
enum Fate {
    Redrive,
    Drop,
}

#[async_trait]
impl DeadLetters for Embedded {
    async fn dead_letters(&self, queue: Queue, limit: usize) -> Result<Vec<DeadLetter>, PortError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let rows = statement.query_map([code(queue), limit], |row| {
                Ok(DeadLetter {
                    id: row.get::<_, i64>(0)?.to_string(),
                    body: row.get(1)?,
                    group: row.get(2)?,
                    sent_at: Timestamp::from_millis(row.get(3)?),
                    receive_count: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn redrive(&self, queue: Queue, selection: &Selection) -> Result<u64, PortError> {
        self.dig_up(queue, selection, Fate::Redrive).await
    }

    async fn drop_dead_letters(
        &self,
        queue: Queue,
        selection: &Selection,
    ) -> Result<u64, PortError> {
        self.dig_up(queue, selection, Fate::Drop).await
    }
}

impl Embedded {
    async fn dig_up(
        &self,
        queue: Queue,
        selection: &Selection,
        fate: Fate,
    ) -> Result<u64, PortError> {
        let mut count = 0;
        match selection {
            Selection::Ids(ids) => {
                // An id in another form is not one of this engine, so no dead letter has it.
                let ids: Vec<i64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
                for chunk in ids.chunks(CHUNK) {
                    count += self.dig_up_chunk(queue, chunk.to_vec(), fate).await?;
                }
            }
            Selection::All => {
                let last: Option<i64> = self
                    .read(move |connection| {
                        Ok(connection.query_one(LAST, [code(queue)], |row| row.get(0))?)
                    })
                    .await?;
                let mut after = 0;
                // Messages that become dead letters meanwhile have later numbers, so the loop ends.
                while Some(after) < last {
                    let chunk = self.dead_after(queue, after).await?;
                    let Some(newest) = chunk.last() else { break };
                    after = *newest;
                    let chunk = chunk.into_iter().filter(|seq| Some(*seq) <= last).collect();
                    count += self.dig_up_chunk(queue, chunk, fate).await?;
                }
            }
        }
        Ok(count)
    }

    async fn dead_after(&self, queue: Queue, after: i64) -> Result<Vec<i64>, PortError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(IDS)?;
            let rows = statement.query_map(params![code(queue), after, CHUNK], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn dig_up_chunk(
        &self,
        queue: Queue,
        chunk: Vec<i64>,
        fate: Fate,
    ) -> Result<u64, PortError> {
        let clock = Arc::clone(self.clock());
        self.write(move |tx| {
            let now = clock.now();
            let mut count = 0;
            for &seq in &chunk {
                let taken: Option<(Option<String>, String)> = tx
                    .prepare_cached(DIG_UP)?
                    .query_row([seq, code(queue)], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let Some((group, body)) = taken else { continue };
                count += 1;
                if let Fate::Redrive = fate {
                    append(tx, queue, group.as_deref(), now, now, &body)?;
                    tx.marks.wakes.add(queue);
                }
            }
            Ok(count)
        })
        .await
    }
}
