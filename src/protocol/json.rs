//! Appends JSON field by field.
//!
//! A reply has hundreds of fields. A derived `Serialize` needs several times the instructions: serde_json
//! escapes each name, writes each quote, comma and colon separately, and checks each byte of a text.

use std::io::Write as _;

use serde::Serialize;

use crate::model::{ShownDecimal, Timestamp, words};

/// Appends a field: `name`, which includes the punctuation around the name, and the value.
pub(super) fn put(
    json: &mut Vec<u8>,
    name: &'static str,
    value: &(impl Serialize + ?Sized),
) -> serde_json::Result<()> {
    json.extend_from_slice(name.as_bytes());
    serde_json::to_writer(json, value)
}

/// The same for a text.
#[inline]
pub(super) fn put_text(
    json: &mut Vec<u8>,
    name: &'static str,
    text: &str,
) -> serde_json::Result<()> {
    if has_escapes(text) {
        return put(json, name, text);
    }
    json.extend_from_slice(name.as_bytes());
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
    Ok(())
}

/// The same for a decimal, which is written as a string. Digits, a point and a sign need no escapes.
#[inline]
pub(super) fn put_decimal(json: &mut Vec<u8>, name: &'static str, value: ShownDecimal) {
    json.extend_from_slice(name.as_bytes());
    value.append_quoted(json);
}

/// The same for a time, which is written as a string without escapes.
pub(super) fn put_time(json: &mut Vec<u8>, name: &'static str, value: Timestamp) {
    json.extend_from_slice(name.as_bytes());
    // Writing into memory does not fail.
    let _ = write!(json, "\"{value}\"");
}

/// Whether JSON escapes any byte of a text.
fn has_escapes(text: &str) -> bool {
    words::any_byte(text.as_bytes(), |word| {
        words::smaller(word, b' ') | words::equal(word, b'"') | words::equal(word, b'\\')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_and_decimals_are_those_of_serde(
            text in "\\PC{0,40}|[ -~\\x00-\\x1f\\x7f]{0,40}",
            units in prop_oneof![any::<i64>(), -1_000..200_000_000_i64],
            decimals in 0_u32..12,
            millis in any::<i64>(),
        ) {
            let mut json = vec![];
            put_text(&mut json, "", &text).unwrap();
            prop_assert_eq!(&json, &serde_json::to_vec(&text).unwrap());
            json.clear();
            let decimal = ShownDecimal::new(units, decimals);
            put_decimal(&mut json, "", decimal);
            prop_assert_eq!(&json, &serde_json::to_vec(&decimal).unwrap());
            json.clear();
            let time = Timestamp::from_millis(millis);
            put_time(&mut json, "", time);
            prop_assert_eq!(&json, &serde_json::to_vec(&time.to_string()).unwrap());
        }
    }
}
