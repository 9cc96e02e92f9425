//! Reads columns that hold more than a number or plain text.

use rusqlite::Row;
use rusqlite::types::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::{Failure, TextError};
use crate::model::{IdError, PackedError};
use crate::pricing::Currency;

/// Reads a currency. `what` names the record in the error.
pub(super) fn currency(row: &Row<'_>, column: usize, what: &str) -> Result<Currency, Failure> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| Failure::unreadable(what, TextError(error)))
}

/// Reads an id, which `UserId::stored` or a similar function makes. `what` names the record in the error.
pub(super) fn id<T>(
    row: &Row<'_>,
    column: usize,
    what: &str,
    stored: impl FnOnce(String) -> Result<T, IdError>,
) -> Result<T, Failure> {
    stored(row.get(column)?).map_err(|error| Failure::unreadable(what, error))
}

/// Reads a packed value, or JSON that an earlier version wrote. Returns `None` if the column is null;
/// `what` names the record in the error.
pub(super) fn from_packed<T: DeserializeOwned>(
    value: &Value,
    what: impl FnOnce() -> String,
    unpack: impl FnOnce(&[u8]) -> Result<T, PackedError>,
) -> Result<Option<T>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::Blob(bytes) => {
            unpack(bytes).map(Some).map_err(|error| Failure::unreadable(what(), error))
        }
        Value::Text(text) => from_json(text, what).map(Some),
        other => {
            let why = format!("a column of it is {}", other.data_type());
            Err(Failure::unreadable(what(), TextError(why)))
        }
    }
}

/// Returns how many bytes [`from_packed`] reads.
pub(super) fn packed_bytes(value: &Value) -> usize {
    match value {
        Value::Blob(bytes) => bytes.len(),
        Value::Text(text) => text.len(),
        _ => 0,
    }
}

/// Parses JSON text. `what` names the record in the error.
pub(super) fn from_json<T: DeserializeOwned>(
    text: &str,
    what: impl FnOnce() -> String,
) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::unreadable(what(), error))
}

/// Writes a value as JSON text. `what` names the record in the error.
pub(super) fn to_json<T: Serialize>(
    value: &T,
    what: impl FnOnce() -> String,
) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::rejected(what(), error.to_string()))
}
