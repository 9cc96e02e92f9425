//! Changes as rows of a journal.

use super::failure::{Failure, TextError};
use super::rows::{from_json, to_json};
use crate::ports::{Record, RecordKey, RecordKind, RowChange};

/// The columns of a change.
pub(super) struct JournalColumns {
    pub(super) kind: RecordKind,
    pub(super) key: String,
    /// The record, or `None` if the row is deleted.
    pub(super) record: Option<String>,
}

impl JournalColumns {
    /// Returns the columns of a change.
    pub(super) fn of(change: &RowChange) -> Result<Self, Failure> {
        let key = change.key();
        let record = match change {
            RowChange::Put(record) => Some(to_json(record, || format!("the change of {key}"))?),
            RowChange::Delete(_) => None,
        };
        Ok(Self { kind: key.kind(), key: key.stored().into_owned(), record })
    }
}

/// Parses the stored record of a change.
pub(super) fn parse(record: &str, key: &str) -> Result<Record, Failure> {
    from_json(record, || format!("the change of `{}` in a journal", key.escape_debug()))
}

/// Returns the change that these columns hold.
pub(super) fn change(kind: i64, key: &str, record: Option<&str>) -> Result<RowChange, Failure> {
    if let Some(record) = record {
        return parse(record, key).map(RowChange::Put);
    }
    let unreadable = |why: String| Failure::unreadable("a row of a journal", TextError(why));
    let known = RecordKind::from_number(kind);
    let kind = known.ok_or_else(|| unreadable(format!("there is no kind {kind} of rows")))?;
    RecordKey::from_stored(kind, key).map(RowChange::Delete).map_err(unreadable)
}
