//! Changes as they stand in a journal, and as they are laid over rows that they are not yet folded
//! into.

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
const PUTS: &str = "
    SELECT key, record FROM journal_row
    WHERE journal = ?1 AND kind = ?2 AND key > ?3 AND record IS NOT NULL ORDER BY key LIMIT ?4";

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

    fn puts(
        &self,
        kind: Kind,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, Failure> {
        let Some(journal) = self.journal else { return Ok(vec![]) };
        let mut statement = self.connection.prepare_cached(PUTS)?;
        let mut rows = statement.query(params![journal, kind as i64, after, limit])?;
        let mut puts = vec![];
        while let Some(row) = rows.next()? {
            let (key, record): (String, String) = (row.get(0)?, row.get(1)?);
            let record = parse(&record, &key)?;
            puts.push((key, record));
        }
        Ok(puts)
    }
}

/// A page of a table with the journal laid over: first the rows that it does not change, then what
/// it puts. A cursor is the last key, behind a letter for which of the two.
pub(super) fn listed<T>(
    overlay: &Overlay<'_>,
    kind: Kind,
    from: Option<Cursor>,
    size: usize,
    rows: impl Fn(&str) -> Result<Vec<T>, Failure>,
    of: impl Fn(Record) -> Option<T>,
    id: impl Fn(&T) -> String,
) -> Result<Page<T>, Failure> {
    // No id is empty, so all come after the empty text.
    let from = from.map_or_else(|| "r".to_owned(), |cursor| cursor.0);
    if let Some(after) = from.strip_prefix('j') {
        let puts = overlay.puts(kind, after, size)?;
        let last = puts.last().filter(|_| puts.len() == size);
        let next = last.map(|(key, _)| Cursor(format!("j{key}")));
        return Ok(Page { items: puts.into_iter().filter_map(|(_, put)| of(put)).collect(), next });
    }
    let items = rows(from.get(1..).unwrap_or_default())?;
    let next = match items.last().filter(|_| items.len() == size) {
        Some(last) => Some(Cursor(format!("r{}", id(last)))),
        None => overlay.journal.map(|_| Cursor("j".to_owned())),
    };
    let mut kept = vec![];
    for item in items {
        if overlay.over(kind, &id(&item))?.is_none() {
            kept.push(item);
        }
    }
    Ok(Page { items: kept, next })
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
