//! Changes as they stand in a journal, and as they are laid over rows that they are not yet folded
//! into.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::catalogue::head;
use super::failure::Failure;
use super::rows::{from_json, to_json};
use crate::model::{ProductId, UserId};
use crate::ports::{Cursor, Page, Record, RecordKey, RowChange};

/// What a row is. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Product = 0,
    Discounts = 1,
}

const UNFOLDED: &str = "SELECT unfolded FROM catalogue_head";
const OVER: &str = "
    SELECT record FROM journal_row WHERE journal = ?1 AND kind = ?2 AND key = ?3";
const CHANGES: &str = "
    SELECT key, record FROM journal_row
    WHERE journal = ?1 AND kind = ?2 AND key > ?3 ORDER BY key LIMIT ?4";

/// The journal of the head, if it has one that is unfolded.
pub(super) struct Overlay<'a> {
    connection: &'a Connection,
    journal: Option<i64>,
}

impl<'a> Overlay<'a> {
    /// What is laid over the rows; `None` when another version is in force by now.
    pub(super) fn at(connection: &'a Connection, version: u64) -> Result<Option<Self>, Failure> {
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

    /// What the journal says of a row: nothing, that it is deleted, or what is in it.
    #[expect(clippy::option_option, reason = "two different questions")]
    pub(super) fn over(&self, kind: Kind, key: &str) -> Result<Option<Option<Record>>, Failure> {
        let Some(journal) = self.journal else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(OVER)?;
        let row = statement.query_row(params![journal, kind as i64, key], |row| row.get(0));
        let record: Option<Option<String>> = row.optional()?;
        record.map(|record| record.map(|record| parse(&record, key)).transpose()).transpose()
    }

    /// What the journal says of the first rows after a key, in their order: that each is deleted, or
    /// what is in it.
    fn changes(
        &self,
        kind: Kind,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, Option<Record>)>, Failure> {
        let Some(journal) = self.journal else { return Ok(vec![]) };
        let mut statement = self.connection.prepare_cached(CHANGES)?;
        let mut rows = statement.query(params![journal, kind as i64, after, limit])?;
        let mut changes = vec![];
        while let Some(row) = rows.next()? {
            let (key, record): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            let record = record.map(|record| parse(&record, &key)).transpose()?;
            changes.push((key, record));
        }
        Ok(changes)
    }
}

/// A page of a table with the journal laid over, in the order of the keys. A cursor is the last key.
///
/// Rows and journal are merged by key, so that a listing goes on rightly when the journal is folded
/// in between two of its pages: what comes after the cursor is in the rows by then.
pub(super) fn listed<T>(
    overlay: &Overlay<'_>,
    kind: Kind,
    from: Option<&Cursor>,
    size: usize,
    rows: impl Fn(&str) -> Result<Vec<T>, Failure>,
    of: impl Fn(Record) -> Option<T>,
    id: impl Fn(&T) -> &str,
) -> Result<Page<T>, Failure> {
    // No id is empty, so all come after the empty text.
    let after = from.map_or("", |cursor| &cursor.0);
    let rows = rows(after)?;
    let changes = overlay.changes(kind, after, size)?;
    let last_row = rows.last().filter(|_| rows.len() == size).map(|row| id(row).to_owned());
    let last_change = changes.last().filter(|_| changes.len() == size).map(|(key, _)| key.clone());
    // Beyond the last key of a full page there may be more, so the shorter of the two ends it.
    let end = match (last_row, last_change) {
        (Some(row), Some(change)) => Some(row.min(change)),
        (row, change) => row.or(change),
    };
    if changes.is_empty() {
        return Ok(Page { items: rows, next: end.map(Cursor) });
    }
    let mut merged: BTreeMap<String, Option<T>> =
        rows.into_iter().map(|row| (id(&row).to_owned(), Some(row))).collect();
    merged.extend(changes.into_iter().map(|(key, record)| (key, record.and_then(&of))));
    let on_page = |key: &str| end.as_deref().is_none_or(|end| key <= end);
    let items = merged.into_iter().filter(|(key, _)| on_page(key)).filter_map(|(_, item)| item);
    Ok(Page { items: items.collect(), next: end.map(Cursor) })
}

fn parse(record: &str, key: &str) -> Result<Record, Failure> {
    from_json(record, || format!("the change of `{key}` in a journal"))
}

/// Kind, key and record of a change, as they are stored.
pub(super) fn columns(change: &RowChange) -> Result<(Kind, String, Option<String>), Failure> {
    let (kind, key) = match change.key() {
        RecordKey::Product(id) => (Kind::Product, id.as_str().to_owned()),
        RecordKey::Discounts(user) => (Kind::Discounts, user.as_str().to_owned()),
    };
    let record = match change {
        RowChange::Put(record) => Some(to_json(record, || format!("the change of `{key}`"))?),
        RowChange::Delete(_) => None,
    };
    Ok((kind, key, record))
}

/// The change that these columns say.
pub(super) fn change(kind: i64, key: String, record: Option<&str>) -> Result<RowChange, Failure> {
    let unreadable = |error: &dyn ToString| {
        Failure::unreadable("a row of a journal", super::failure::Text(error.to_string()))
    };
    Ok(match record {
        Some(record) => RowChange::Put(parse(record, &key)?),
        None if kind == Kind::Product as i64 => {
            let id = ProductId::stored(key).map_err(|error| unreadable(&error))?;
            RowChange::Delete(RecordKey::Product(id))
        }
        None => {
            let user = UserId::stored(key).map_err(|error| unreadable(&error))?;
            RowChange::Delete(RecordKey::Discounts(user))
        }
    })
}
