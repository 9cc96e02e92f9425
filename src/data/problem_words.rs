//! Parts of error messages.

use super::names::shown;
use super::ways_out::Advised;
use crate::model::{PriceListId, Timestamp};

/// Returns the message of a JSON error without its place, which counts from the start of a row.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}

/// Returns the message for text that is not UTF-8, and says how to load it.
pub(super) fn not_text() -> String {
    let [one, other] = ["windows-1252", "utf-16le"].map(Advised::Encoding);
    format!("is not text in UTF-8; if it has another encoding, name it, such as {one} or {other}")
}

/// Returns why a deletion cannot be loaded, and how to export one that can.
pub(super) fn deletion() -> String {
    format!(
        "is a deletion without the deleted item; export with ExportViewType=NEW_AND_OLD_IMAGES, or load all rows that \
         should stay, with {}",
        Advised::Prune
    )
}

/// Returns why changes are not loaded together with the removal of all other rows.
pub(super) fn pruned_change() -> String {
    format!(
        "is of an incremental export, so the files have only what changed, and {} would remove all other rows; load \
         them without it",
        Advised::Prune
    )
}

/// Returns the message for a row of an unknown list, and says how to make the list.
pub(super) fn unknown_list(list: &PriceListId) -> String {
    format!(
        "price list `{list}` is neither in the files nor in the store; give it a row, such as \
         {{\"price_list\":\"{list}\",\"everyone\":true}}"
    )
}

/// Returns what an amount of money needs in a list without a currency.
pub(super) fn no_currency(field: &str, text: &str, list: &PriceListId) -> String {
    let text = shown(text);
    format!(
        "`{field}` `{text}` needs a currency, and price list `{list}` has none; give the list a `currency`, or use \
         `percentage`"
    )
}

/// Returns how to state a surcharge, which a negative amount may be meant to be.
pub(super) fn surcharge(field: &str) -> &'static str {
    match field {
        "amount" => "; for a surcharge use a negative `percentage`",
        _ => "",
    }
}

/// Returns a delimiter as people see it in a file.
pub(super) fn separator(sign: char) -> String {
    match sign {
        '\t' => "tabs".to_owned(),
        sign => format!("`{sign}`"),
    }
}

/// Returns how the value must be written.
pub(super) fn or_write(right: Option<&str>) -> String {
    right.map_or_else(String::new, |right| format!("; write {right}"))
}

/// Returns why a time is too early, and what a price list does without that time.
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
