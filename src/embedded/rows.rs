//! Reading columns that hold more than a number or any text.

use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::{Failure, Text};
use crate::model::IdError;
use crate::pricing::Currency;

/// A column that holds a currency; `what` names the record if it does not.
pub(super) fn currency(row: &Row<'_>, column: usize, what: &str) -> Result<Currency, Failure> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| Failure::unreadable(what, Text(error)))
}

/// A column that holds an id, made by `UserId::stored` and its like.
pub(super) fn id<T>(
    row: &Row<'_>,
    column: usize,
    what: &str,
    stored: impl FnOnce(String) -> Result<T, IdError>,
) -> Result<T, Failure> {
    stored(row.get(column)?).map_err(|error| Failure::unreadable(what, error))
}

/// What JSON text says; `what` names the record if it says something else.
pub(super) fn from_json<T: DeserializeOwned>(
    text: &str,
    what: impl FnOnce() -> String,
) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::unreadable(what(), error))
}

/// A value as JSON text; `what` names the record if it has none.
pub(super) fn to_json<T: Serialize>(
    value: &T,
    what: impl FnOnce() -> String,
) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::rejected(what(), error.to_string()))
}
