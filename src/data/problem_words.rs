//! Parts of the sentences that say what is wrong.

use super::names::shown;
use super::ways_out::Advised;
use crate::model::{PriceListId, Timestamp};

/// The message of a JSON error without the place, which counts from the start of a row.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}

/// How to read what is not UTF-8.
pub(super) fn not_text() -> String {
    let [one, other] = ["windows-1252", "utf-16le"].map(Advised::Encoding);
    format!("is not text in UTF-8; if it has another encoding, name it, such as {one} or {other}")
}

/// Why a deletion cannot be done, and how to have one that can.
pub(super) fn deletion() -> String {
    format!(
        "is a deletion without the deleted item; export with ExportViewType=NEW_AND_OLD_IMAGES, or load all rows that \
         should stay, with {}",
        Advised::Prune
    )
}

/// Why changes are not loaded beside the removal of all other rows.
pub(super) fn pruned_change() -> String {
    format!(
        "is of an incremental export, so the files have only what changed, and {} would remove all other rows; load \
         them without it",
        Advised::Prune
    )
}

/// How to make a list that a row is of.
pub(super) fn unknown_list(list: &PriceListId) -> String {
    format!(
        "price list `{list}` is neither in the files nor in the store; give it a row, such as \
         {{\"price_list\":\"{list}\",\"everyone\":true}}"
    )
}

/// What an amount of money of a list without a currency needs.
pub(super) fn no_currency(field: &str, text: &str, list: &PriceListId) -> String {
    format!(
        "`{field}` `{text}` needs a currency, and price list `{list}` has none; give the list a `currency`, or use \
         `percentage`"
    )
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
