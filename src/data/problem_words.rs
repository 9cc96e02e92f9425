//! Parts of the sentences that say what is wrong.

use super::names::shown;
use crate::model::Timestamp;

/// The message of a JSON error without the place, which counts from the start of a row.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}

/// How to charge more, if that is what a negative amount is meant to do.
pub(super) fn surcharge(field: &str) -> &'static str {
    match field {
        "amount" => "; for a surcharge use a negative `percentage`",
        _ => "",
    }
}

/// How a value must be written.
pub(super) fn or_write(right: Option<&str>) -> String {
    right.map_or_else(String::new, |right| format!("; write {right}"))
}

/// Why a time is too early, and what a price list does without it.
pub(super) fn before_1970(field: &str, text: &str, instant: Timestamp) -> String {
    let without = match field {
        "from" => "is in force from the start",
        _ => "does not end",
    };
    let text = shown(text);
    format!(
        "`{field}` `{text}` is before 1970 (it is {instant}); without `{field}` the list {without}"
    )
}
