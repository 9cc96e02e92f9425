//! Reads and writes DynamoDB items, field by field.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::meter::rules::{CONTAINER_BYTES, ELEMENT_BYTES, number_bytes};
use crate::model::Timestamp;
use crate::ports::PortError;

/// An item, or the key of one.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The greatest size of an item in bytes, names included.
pub(super) const MAX_ITEM_BYTES: usize = 400 * 1024;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a field of an item cannot be read.
#[derive(Debug, Error)]
pub(super) enum FieldError {
    #[error("it has no {name} of the expected type")]
    Absent { name: &'static str },
    #[error("its {name} is not as expected")]
    Malformed {
        name: &'static str,
        #[source]
        source: Source,
    },
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn blob(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// Returns a time in milliseconds.
pub(super) fn millis(time: Timestamp) -> AttributeValue {
    number(time.millis())
}

/// Returns a time in the form that DynamoDB needs for expiry: a Number of whole epoch seconds. DynamoDB
/// silently ignores any other type.
pub(super) fn ttl(time: Timestamp) -> AttributeValue {
    number(time.secs_rounded_up())
}

/// Returns a value as JSON text.
pub(super) fn json<T: Serialize>(what: &str, value: &T) -> Result<AttributeValue, PortError> {
    let json = serde_json::to_string(value).map_err(|error| PortError::corrupt(what, error))?;
    Ok(AttributeValue::S(json))
}

pub(super) fn item<const N: usize>(fields: [(&str, AttributeValue); N]) -> Item {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn read_text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, FieldError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or(FieldError::Absent { name })
}

pub(super) fn read_number<T>(item: &Item, name: &'static str) -> Result<T, FieldError>
where
    T: FromStr<Err: Into<Source>>,
{
    let value = item.get(name).and_then(|value| value.as_n().ok());
    let value = value.ok_or(FieldError::Absent { name })?;
    value.parse().map_err(|error: T::Err| FieldError::Malformed { name, source: error.into() })
}

pub(super) fn read_millis(item: &Item, name: &'static str) -> Result<Timestamp, FieldError> {
    read_number(item, name).map(Timestamp::from_millis)
}

pub(super) fn read_json<T>(item: &Item, name: &'static str) -> Result<T, FieldError>
where
    T: DeserializeOwned,
{
    let text = read_text(item, name)?;
    serde_json::from_str(text).map_err(|error| FieldError::Malformed { name, source: error.into() })
}

/// Reads a value that is packed into bytes.
pub(super) fn read_packed<T, E>(
    item: &Item,
    name: &'static str,
    unpack: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<T, FieldError>
where
    E: Into<Source>,
{
    let value = item.get(name).and_then(|value| value.as_b().ok());
    let bytes = value.ok_or(FieldError::Absent { name })?;
    unpack(bytes.as_ref()).map_err(|error| FieldError::Malformed { name, source: error.into() })
}

/// Reads a text and converts it, such as to an id.
pub(super) fn read_as<T, E>(
    item: &Item,
    name: &'static str,
    make: impl FnOnce(String) -> Result<T, E>,
) -> Result<T, FieldError>
where
    E: Into<Source>,
{
    let text = read_text(item, name)?.to_owned();
    make(text).map_err(|error| FieldError::Malformed { name, source: error.into() })
}

/// Returns the size that DynamoDB counts for an item in bytes, or slightly more.
pub(super) fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => number_bytes(digits.len()),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::L(list) => {
            let elements = list.iter().map(|value| ELEMENT_BYTES + value_bytes(value));
            CONTAINER_BYTES + elements.sum::<usize>()
        }
        AttributeValue::M(map) => CONTAINER_BYTES + map.len() * ELEMENT_BYTES + item_bytes(map),
        // No other type is written here.
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_a_number_of_seconds_never_too_early() {
        assert_eq!(ttl(Timestamp::from_millis(1001)), AttributeValue::N("2".to_owned()));
    }

    #[test]
    fn sizes_count_names_and_nesting() {
        let flat = item([("ab", text("cde")), ("n", number(123))]);
        assert_eq!(item_bytes(&flat), 2 + 3 + 1 + 3);
        let nested = item([("l", AttributeValue::L(vec![AttributeValue::M(flat)]))]);
        assert_eq!(item_bytes(&nested), 1 + 3 + 1 + 3 + 2 + 9);
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        let item = item([("n", text("1")), ("m", number("x"))]);
        assert!(read_number::<i64>(&item, "n").unwrap_err().to_string().contains("no n"));
        assert!(read_number::<i64>(&item, "m").unwrap_err().to_string().contains("its m"));
    }
}
