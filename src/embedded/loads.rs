//! The journals of loads, and the writes that bring them into force.
//!
//! Every call is one transaction or several small ones. So the head names a journal exactly as long as not
//! all its changes are in the rows, and no other journal is ever folded. Rows need no versions of their own
//! here, and a deletion leaves nothing behind.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::folding::fold;
use super::head::{head, put_head};
use super::journal_rows::{JournalColumns, change};
use super::marks::Tx;
use crate::model::Timestamp;
use crate::ports::{
    CatalogueHead, Commit, Committed, Cursor, Journal, LoadId, Loads, Page, PortError, RowChange,
};

/// The greatest number of changes in one job, which keeps the writer busy for a few milliseconds.
const CHUNK: usize = 500;
/// How many changes a page has.
const PAGE: usize = 2000;

const BEGIN: &str = "INSERT INTO journal (load, began_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const OPEN: &str = "SELECT id FROM journal WHERE load = ?1 AND NOT is_over";
const ADD: &str = "
    INSERT INTO journal_row (journal, kind, key, record) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET record = excluded.record";
const LIST: &str = "
    SELECT kind, key, record FROM journal_row JOIN journal ON journal.id = journal
    WHERE load = ?1 AND (kind, key) > (?2, ?3) ORDER BY kind, key LIMIT ?4";
const IS_UNFOLDED: &str = "
    SELECT 1 FROM catalogue_head JOIN journal ON journal.id = unfolded
    WHERE load = ?1 AND version = ?2";
const FINISH: &str = "
    UPDATE catalogue_head SET unfolded = NULL
    WHERE unfolded = (SELECT id FROM journal WHERE load = ?1)";
const CLOSE: &str = "
    UPDATE journal SET is_over = 1
    WHERE load = ?1 AND id NOT IN (SELECT unfolded FROM catalogue_head WHERE unfolded IS NOT NULL)
    RETURNING id";
const DROP_ROWS: &str = "
    DELETE FROM journal_row WHERE (journal, kind, key) IN
        (SELECT journal, kind, key FROM journal_row WHERE journal = ?1 LIMIT ?2)";
const OTHERS: &str = "
    SELECT load, began_at, is_over FROM journal
    WHERE id NOT IN (SELECT unfolded FROM catalogue_head WHERE unfolded IS NOT NULL)";

#[async_trait]
impl Loads for Embedded {
    async fn begin_load(&self, load: &LoadId, now: Timestamp) -> Result<(), PortError> {
        self.execute(BEGIN, (load.0.clone(), now.millis())).await.map(drop)
    }

    async fn write_journal(&self, load: &LoadId, changes: &[RowChange]) -> Result<bool, PortError> {
        for chunk in changes.chunks(CHUNK) {
            let rows = chunk.iter().map(JournalColumns::of).collect::<Result<Vec<_>, _>>();
            let rows = rows.map_err(|failure| self.port_error(failure))?;
            let load = load.clone();
            let written = self.write(move |tx| {
                let Some(journal) = open_journal(tx, &load)? else { return Ok(false) };
                let mut statement = tx.prepare_cached(ADD)?;
                for JournalColumns { kind, key, record } in &rows {
                    statement.execute(params![journal, *kind as i64, key, record])?;
                }
                Ok(true)
            });
            if !written.await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn commit_load(
        &self,
        commit: &Commit,
        expected: Option<u64>,
    ) -> Result<Committed, PortError> {
        let commit = commit.clone();
        self.write(move |tx| {
            let Some(journal) = open_journal(tx, &commit.load)? else {
                return Ok(Committed::Dropped);
            };
            let head = head(tx)?;
            let is_folded = head.as_ref().is_none_or(|head| head.unfolded.is_none());
            if head.as_ref().map(|head| head.version) != expected || !is_folded {
                return Ok(Committed::Conflict);
            }
            let next = head.unwrap_or(CatalogueHead::EMPTY).after(&commit);
            put_head(tx, &next, journal)?;
            Ok(Committed::Version(next.version))
        })
        .await
    }

    async fn list_journal(
        &self,
        load: &LoadId,
        from: Option<Cursor>,
    ) -> Result<Page<RowChange>, PortError> {
        let load = load.clone();
        // A cursor is the kind's digit and the key. No key is empty.
        let from = from.map_or_else(|| "0".to_owned(), |cursor| cursor.0);
        self.read(move |connection| {
            let kind: i64 = from.get(..1).and_then(|kind| kind.parse().ok()).unwrap_or(0);
            let after = from.get(1..).unwrap_or_default();
            let mut statement = connection.prepare_cached(LIST)?;
            let mut rows = statement.query(params![load.0, kind, after, PAGE])?;
            let (mut items, mut last) = (vec![], None);
            while let Some(row) = rows.next()? {
                let (kind, key, record): (i64, String, Option<String>) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                last = Some(format!("{kind}{key}"));
                items.push(change(kind, &key, record.as_deref())?);
            }
            let next = last.filter(|_| items.len() == PAGE).map(Cursor);
            Ok(Page { items, next })
        })
        .await
    }

    async fn fold(
        &self,
        load: &LoadId,
        version: u64,
        changes: &[RowChange],
        _forget_at: Timestamp,
    ) -> Result<(), PortError> {
        for chunk in changes.chunks(CHUNK) {
            let (load, chunk) = (load.clone(), chunk.to_vec());
            self.write(move |tx| {
                let mut statement = tx.prepare_cached(IS_UNFOLDED)?;
                if !statement.exists(params![load.0, version])? {
                    return Ok(());
                }
                chunk.iter().try_for_each(|change| fold(tx, change))
            })
            .await?;
        }
        Ok(())
    }

    async fn finish_load(&self, load: &LoadId) -> Result<(), PortError> {
        let load = load.clone();
        self.write(move |tx| {
            if tx.prepare_cached(FINISH)?.execute([&load.0])? > 0 {
                tx.prepare_cached(CLOSE)?.query_row([&load.0], |_| Ok(()))?;
            }
            Ok(())
        })
        .await
    }

    async fn drop_journal(&self, load: &LoadId) -> Result<(), PortError> {
        let load = load.clone();
        let close = move |tx: &Tx<'_>| {
            let mut statement = tx.prepare_cached(CLOSE)?;
            Ok(statement.query_row([&load.0], |row| row.get::<_, i64>(0)).optional()?)
        };
        let Some(journal) = self.write(close).await? else { return Ok(()) };
        loop {
            let deleted = self.write(move |tx| {
                let deleted = tx.prepare_cached(DROP_ROWS)?.execute(params![journal, CHUNK])?;
                if deleted < CHUNK {
                    tx.prepare_cached("DELETE FROM journal WHERE id = ?1")?.execute([journal])?;
                }
                Ok(deleted)
            });
            if deleted.await? < CHUNK {
                return Ok(());
            }
        }
    }

    async fn journals(&self) -> Result<Vec<Journal>, PortError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(OTHERS)?;
            let rows = statement.query_map([], |row| {
                Ok(Journal {
                    load: LoadId(row.get(0)?),
                    began_at: Timestamp::from_millis(row.get(1)?),
                    is_over: row.get(2)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Returns the number of a load's journal, if the journal can still be written and committed.
fn open_journal(tx: &Tx<'_>, load: &LoadId) -> Result<Option<i64>, Failure> {
    Ok(tx.prepare_cached(OPEN)?.query_row([&load.0], |row| row.get(0)).optional()?)
}
