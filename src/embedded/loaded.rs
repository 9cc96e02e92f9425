//! Reads the tables that loads fill: rows, with the journal laid over them that is not yet folded.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::head::head;
use super::journal_rows::parse;
use crate::ports::{AtHead, CatalogueHead, Cursor, Page, PortError, Record, RecordKind};

const UNFOLDED: &str = "SELECT unfolded FROM catalogue_head";
const OVER: &str = "
    SELECT record FROM journal_row WHERE journal = ?1 AND kind = ?2 AND key = ?3";
pub(super) const CHANGES: &str = "
    SELECT key, record FROM journal_row
    WHERE journal = ?1 AND kind = ?2 AND key > ?3 AND key < ?4 ORDER BY key LIMIT ?5";

/// A table that loads fill, and how to read it.
pub(super) struct LoadedTable<T> {
    pub(super) kind: RecordKind,
    /// Selects the row whose key is the first parameter.
    pub(super) get: &'static str,
    /// Selects rows in the order of their keys, with the key as the first column. The parameters are the
    /// key before the first row, the key behind the last one, and the greatest number of rows.
    pub(super) list: &'static str,
    /// How many rows a page has.
    pub(super) page: usize,
    /// Parses a row.
    pub(super) row: fn(&Row<'_>) -> Result<T, Failure>,
    /// Takes the value out of a record of this kind.
    pub(super) of: fn(Record) -> Option<T>,
}

/// The range of keys that a page may have.
pub(super) struct Keys {
    after: String,
    below: Value,
}

impl Keys {
    /// Returns the range of the whole table, from a cursor on.
    pub(super) fn all(from: Option<Cursor>) -> Self {
        // No key is empty, so all keys come after the empty text. SQLite sorts every blob after all texts.
        let after = from.map_or_else(String::new, |cursor| cursor.0);
        Self { after, below: Value::Blob(vec![]) }
    }

    /// Returns the range between two texts, from a cursor on.
    pub(super) fn between((after, below): (String, String), from: Option<Cursor>) -> Self {
        Self { after: from.map_or(after, |cursor| cursor.0), below: Value::Text(below) }
    }
}

/// The journal of the head, if it is not yet folded.
pub(super) struct JournalOverlay<'a> {
    connection: &'a Connection,
    journal: Option<i64>,
}

impl<'a> JournalOverlay<'a> {
    /// Returns the journal to lay over the rows, or `None` if another version is in force by now.
    fn at(connection: &'a Connection, version: u64) -> Result<Option<Self>, Failure> {
        let head = head(connection)?;
        if head.as_ref().map_or(0, |head| head.version) != version {
            return Ok(None);
        }
        let journal = match head.and_then(|head| head.unfolded) {
            None => None,
            Some(_) => connection.prepare_cached(UNFOLDED)?.query_row([], |row| row.get(0))?,
        };
        Ok(Some(Self { connection, journal }))
    }

    /// Returns what the journal says of a row: nothing, that it is deleted, or its record.
    #[expect(clippy::option_option, reason = "two different questions")]
    fn over(&self, kind: RecordKind, key: &str) -> Result<Option<Option<Record>>, Failure> {
        let Some(journal) = self.journal else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(OVER)?;
        let row = statement.query_row(params![journal, kind as i64, key], |row| row.get(0));
        let record: Option<Option<String>> = row.optional()?;
        record.map(|record| record.map(|record| parse(&record, key)).transpose()).transpose()
    }

    /// Returns rows by their keys.
    fn rows<T>(&self, table: &LoadedTable<T>, keys: &[String]) -> Result<Vec<T>, Failure> {
        let mut statement = self.connection.prepare_cached(table.get)?;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            match self.over(table.kind, key)? {
                Some(change) => found.extend(change.and_then(table.of)),
                None => {
                    let row = statement.query_row([key], |row| Ok((table.row)(row)));
                    found.extend(row.optional()?.transpose()?);
                }
            }
        }
        Ok(found)
    }

    /// Returns the first stored rows of a range, with their keys.
    fn stored<T>(&self, table: &LoadedTable<T>, keys: &Keys) -> Result<Vec<(String, T)>, Failure> {
        let mut statement = self.connection.prepare_cached(table.list)?;
        let mut rows = statement.query(params![keys.after, keys.below, table.page])?;
        let mut stored = vec![];
        while let Some(row) = rows.next()? {
            stored.push((row.get(0)?, (table.row)(row)?));
        }
        Ok(stored)
    }

    /// Returns the first changes of a range in the journal, in the order of keys. `None` is a deletion.
    fn changes<T>(
        &self,
        table: &LoadedTable<T>,
        keys: &Keys,
    ) -> Result<Vec<(String, Option<T>)>, Failure> {
        let Some(journal) = self.journal else { return Ok(vec![]) };
        let mut statement = self.connection.prepare_cached(CHANGES)?;
        let (kind, Keys { after, below }) = (table.kind as i64, keys);
        let mut rows = statement.query(params![journal, kind, after, below, table.page])?;
        let mut changes = vec![];
        while let Some(row) = rows.next()? {
            let (key, record): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            let record = record.map(|record| parse(&record, &key)).transpose()?;
            changes.push((key, record.and_then(table.of)));
        }
        Ok(changes)
    }

    /// Returns a page in the order of keys. A cursor is the last key.
    ///
    /// Rows and journal are merged by key. So a listing continues correctly if the journal is folded
    /// between two pages: what comes after the cursor is then in the rows.
    fn page<T>(&self, table: &LoadedTable<T>, keys: &Keys) -> Result<Page<T>, Failure> {
        let rows = self.stored(table, keys)?;
        let changes = self.changes(table, keys)?;
        let last_row = rows.last().filter(|_| rows.len() == table.page).map(|(key, _)| key);
        let last_change =
            changes.last().filter(|_| changes.len() == table.page).map(|(key, _)| key);
        // There may be more keys behind the last one of a full page, so the page ends where the shorter of
        // the two does.
        let end = match (last_row, last_change) {
            (Some(row), Some(change)) => Some(row.min(change)),
            (row, change) => row.or(change),
        };
        let next = end.cloned().map(Cursor);
        if changes.is_empty() {
            return Ok(Page { items: rows.into_iter().map(|(_, item)| item).collect(), next });
        }
        let mut merged: BTreeMap<String, Option<T>> =
            rows.into_iter().map(|(key, item)| (key, Some(item))).collect();
        merged.extend(changes);
        let on_page = |key: &str| next.as_ref().is_none_or(|end| key <= end.0.as_str());
        let items = merged.into_iter().filter(|(key, _)| on_page(key)).filter_map(|(_, item)| item);
        Ok(Page { items: items.collect(), next })
    }
}

impl Embedded {
    /// Returns rows of a table by their stored keys, as of a head.
    pub(super) async fn rows_at<T: Send + 'static>(
        &self,
        table: &'static LoadedTable<T>,
        keys: Vec<String>,
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<T>>, PortError> {
        let version = at.version;
        self.look(keys.len(), move |connection| {
            Ok(match JournalOverlay::at(connection, version)? {
                Some(overlay) => AtHead::Read(overlay.rows(table, &keys)?),
                None => AtHead::Moved,
            })
        })
        .await
    }

    /// Returns a page of a table, as of a head.
    pub(super) async fn page_at<T: Send + 'static>(
        &self,
        table: &'static LoadedTable<T>,
        keys: Keys,
        at: &CatalogueHead,
    ) -> Result<AtHead<Page<T>>, PortError> {
        let version = at.version;
        self.read(move |connection| {
            Ok(match JournalOverlay::at(connection, version)? {
                Some(overlay) => AtHead::Read(overlay.page(table, &keys)?),
                None => AtHead::Moved,
            })
        })
        .await
    }
}

/// Returns ids in their stored form.
pub(super) fn keys<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
