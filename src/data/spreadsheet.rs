//! Undoes or refuses what spreadsheets do to values: decimal commas, shortened ids, failed formulas.

use std::borrow::Cow;

use super::error::Problem;
use super::layout::Layout;
use super::target::Target;
use crate::model::{Decimal, DecimalError};

/// The results of formulas that failed, also of German spreadsheets.
const FAILED: [&str; 14] = [
    "#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!",
    "#ERROR!", "#NV", "#BEZUG!", "#WERT!", "#ZAHL!",
];

/// Returns the value of a field in ocache's notation.
pub(super) fn value<'a>(
    text: Cow<'a, str>,
    target: Target,
    layout: &Layout,
) -> Result<Cow<'a, str>, Problem> {
    let field = target.field();
    if text.starts_with('#') && FAILED.contains(&&*text) {
        return Err(Problem::FailedFormula { text: text.into_owned() });
    }
    if field.is_id() && is_shortened(&text) {
        return Err(Problem::ShortenedId { text: text.into_owned() });
    }
    match layout.decimal_comma && field.is_number() {
        true => with_point(text),
        false => Ok(text),
    }
}

/// Whether an id is a long number that a spreadsheet shows as `4.00638E+12`, so that digits are lost.
fn is_shortened(id: &str) -> bool {
    let Some((mantissa, exponent)) = id.split_once("E+") else { return false };
    let Some((whole, fraction)) = mantissa.split_once(['.', ',']) else { return false };
    [whole, fraction, exponent]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns a number with a decimal comma as one with a decimal point. Before a comma, points may separate
/// thousands. Without a comma, `1.234` is ambiguous and refused. A text that is no number either way is refused
/// here: a later error would show it with a point, which is not in the file.
fn with_point(text: Cow<'_, str>) -> Result<Cow<'_, str>, Problem> {
    let (whole, fraction) = match text.split_once(',') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (&*text, None),
    };
    if fraction.is_none() && !whole.contains('.') {
        return Ok(text);
    }
    let digits = whole.trim_start_matches(['-', '+']);
    let has_thousands = digits.contains('.');
    let is_grouped = digits.split('.').enumerate().all(|(place, group)| {
        let is_long_enough =
            if place == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
        is_long_enough && group.bytes().all(|byte| byte.is_ascii_digit())
    });
    let number = fraction
        .filter(|fraction| !fraction.contains(['.', ',']) && (is_grouped || !has_thousands))
        .map(|fraction| format!("{}.{fraction}", whole.replace('.', "")))
        .filter(|number| Decimal::parse(number) != Err(DecimalError::NotANumber));
    match number {
        Some(number) => Ok(Cow::Owned(number)),
        None => Err(Problem::NoDecimalComma { text: text.into_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::Field;
    use super::*;

    #[test]
    fn decimal_commas_become_points() {
        for (text, expected) in [
            ("10,00", Some("10.00")),
            ("10", Some("10")),
            ("-3,5", Some("-3.5")),
            (",5", Some(".5")),
            ("1.234,50", Some("1234.50")),
            ("-1.234.567,89", Some("-1234567.89")),
            ("abc", Some("abc")),
            ("", Some("")),
            ("1.234", None),
            ("10.00", None),
            ("1,234.50", None),
            ("12.34,50", None),
            ("1.2345,5", None),
            ("1,2,3", None),
            ("1,5e3", Some("1.5e3")),
            ("1 234,50", None),
            ("1\u{a0}234,50", None),
            ("12,50 €", None),
            ("ab,cd", None),
            (",", None),
        ] {
            let given = with_point(Cow::Borrowed(text)).ok();
            assert_eq!(given.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_number_that_is_refused_is_shown_as_it_is_in_the_file() {
        let refused = with_point(Cow::Borrowed("1 234,50")).unwrap_err();
        assert!(matches!(refused, Problem::NoDecimalComma { text } if text == "1 234,50"));
    }

    #[test]
    fn failed_formulas_are_no_ids_and_no_names() {
        for text in ["#N/A", "#SPILL!", "#CALC!", "#ERROR!", "#NV", "#BEZUG!", "#WERT!", "#ZAHL!"] {
            for field in [Field::Id, Field::Name, Field::Price] {
                let value = value(Cow::Borrowed(text), Target::Field(field), &Layout::default());
                assert!(matches!(value, Err(Problem::FailedFormula { .. })), "{text}");
            }
        }
        let name = value("#1 Desk".into(), Target::Field(Field::Name), &Layout::default());
        assert_eq!(name.unwrap(), "#1 Desk");
    }

    #[test]
    fn ids_that_lost_digits_are_told_from_others() {
        for id in ["4.00638E+12", "4,00638E+12"] {
            assert!(is_shortened(id), "{id}");
        }
        for id in ["E+12", "4E+12", "A1.5E+X", "1.5E12", "12", "1.E+3"] {
            assert!(!is_shortened(id), "{id}");
        }
    }
}
