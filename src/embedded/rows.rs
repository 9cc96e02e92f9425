//! Reading columns that hold more than a number or any text.

use std::str::FromStr;

use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::{Failure, Text};

/// A text column that is parsed; `what` names the record if it cannot be.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize, what: &str) -> Result<T, Failure>
where
    T: FromStr,
    T::Err: ToString,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| Failure::unreadable(what, Text(error.to_string())))
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
