//! Parses the values of a row's fields by the types that the fields need.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::json;
use serde_json::value::RawValue;

use super::error::Problem;
use super::field::Field;
use super::given::Amounts;
use super::json_parts::{self, Members};
use super::names::shown;
use super::row::{FileCell, FileRow, Notation, Value};
use super::target::{Target, currency};
use crate::model::{Decimal, Quantity, QuantityError};
use crate::pricing::{Currency, MinQuantity, Money};

const A_STRING: &str = "a string";
const STRINGS: &str = "a list of strings";

/// The longest text that is parsed as a number. A longer one is not repeated in the error.
const MAX_NUMBER_BYTES: usize = 64;

fn cell<'a>(row: &mut FileRow<'a>, field: Field) -> Result<FileCell<'a>, Problem> {
    row.take(field).ok_or(Problem::Missing { field: field.name() })
}

fn value<'a>(row: &mut FileRow<'a>, field: Field) -> Result<Value<'a>, Problem> {
    cell(row, field)?.value()
}

fn wrong(field: &'static str, expected: &'static str, value: &Value<'_>) -> Problem {
    let found = match value {
        Value::Text(text) => format!("the string `{}`", shown(text)),
        Value::Number(digits) => format!("the number {}", shown(digits)),
        other => other.kind().to_owned(),
    };
    let right = match (expected, value) {
        (A_STRING, Value::Number(digits)) => Some(format!("\"{}\"", shown(digits))),
        (STRINGS, Value::Number(text) | Value::Text(text)) => {
            Some(format!("[{}]", json!(shown(text))))
        }
        _ => None,
    };
    Problem::WrongKind { field, expected, found, right }
}

/// Returns the problem of an entry of a list of strings.
fn wrong_entry(field: &'static str, entry: &Value<'_>) -> Problem {
    match wrong(field, A_STRING, entry) {
        Problem::WrongKind { found, right, .. } => Problem::WrongKind {
            field,
            expected: STRINGS,
            found: format!("a list with {found}"),
            right: right.map(|right| format!("{right} for it")),
        },
        other => other,
    }
}

/// Returns a text. A number in its place is refused, because `1` and `1.0` would be two ids.
pub(super) fn text<'a>(row: &mut FileRow<'a>, field: Field) -> Result<Cow<'a, str>, Problem> {
    match value(row, field)? {
        Value::Text(text) => Ok(text),
        other => Err(wrong(field.name(), A_STRING, &other)),
    }
}

/// Returns the digits of a number, which may be given as a number or as text.
pub(super) fn number<'a>(row: &mut FileRow<'a>, field: Field) -> Result<Cow<'a, str>, Problem> {
    digits(value(row, field)?, field.name())
}

fn digits<'a>(value: Value<'a>, field: &'static str) -> Result<Cow<'a, str>, Problem> {
    match value {
        Value::Text(digits) | Value::Number(digits) if digits.len() > MAX_NUMBER_BYTES => {
            let found = "a long text".to_owned();
            Err(Problem::WrongKind { field, expected: "a number", found, right: None })
        }
        Value::Text(digits) | Value::Number(digits) => Ok(digits),
        other => Err(wrong(field, "a number", &other)),
    }
}

pub(super) fn list<'a>(
    row: &mut FileRow<'a>,
    field: Field,
) -> Result<(&'a RawValue, Notation), Problem> {
    match value(row, field)? {
        Value::List(raw, notation) => Ok((raw, notation)),
        other => Err(wrong(field.name(), "a list", &other)),
    }
}

/// Reads a field that may be missing.
pub(super) fn optional<'a, T>(
    row: &mut FileRow<'a>,
    field: Field,
    read: impl FnOnce(&mut FileRow<'a>, Field) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    if row.has(field) { read(row, field).map(Some) } else { Ok(None) }
}

/// Returns a list of texts. In a column they are separated by `|`.
pub(super) fn texts<T>(row: &mut FileRow<'_>, field: Field) -> Result<Vec<T>, Problem>
where
    T: FromStr,
    Problem: From<T::Err>,
{
    let name = field.name();
    let parse = |text: &str| {
        let in_field = |problem: T::Err| Problem::in_field(name, problem.into());
        text.parse::<T>().map_err(in_field)
    };
    match cell(row, field)? {
        FileCell::Column(text) => text.split('|').map(|text| parse(text.trim())).collect(),
        cell => match cell.value()? {
            Value::List(raw, notation) => {
                let texts = json_parts::elements(raw.get())?.into_iter();
                texts
                    .map(|raw| match FileCell::Json(raw, notation).value()? {
                        Value::Text(text) => parse(&text),
                        other => Err(wrong_entry(name, &other)),
                    })
                    .collect()
            }
            other => Err(wrong(name, STRINGS, &other)),
        },
    }
}

/// Returns a truth value.
pub(super) fn truth(row: &mut FileRow<'_>, field: Field) -> Result<bool, Problem> {
    let expected = "true or false";
    match cell(row, field)? {
        FileCell::Column(text) => match &*text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(wrong(field.name(), expected, &Value::Text(text))),
        },
        cell => match cell.value()? {
            Value::Truth(is_true) => Ok(is_true),
            other => Err(wrong(field.name(), expected, &other)),
        },
    }
}

/// Returns a whole number.
pub(super) fn priority(row: &mut FileRow<'_>, field: Field) -> Result<i32, Problem> {
    let digits = number(row, field)?;
    let units = Decimal::parse(&digits).and_then(|decimal| decimal.to_units(0)).ok();
    let priority = units.and_then(|units| i32::try_from(units).ok());
    priority.ok_or_else(|| Problem::Priority { text: digits.into_owned() })
}

/// Returns a positive quantity.
pub(super) fn quantity(row: &mut FileRow<'_>, field: Field) -> Result<Quantity, Problem> {
    let digits = number(row, field)?;
    digits.parse::<Quantity>().map_err(|error| match error {
        QuantityError::NotPositive { text } => Problem::NotPositive { field: field.name(), text },
        error => Problem::in_field(field.name(), error.into()),
    })
}

/// Returns a quantity that may be zero.
pub(super) fn min_quantity(row: &mut FileRow<'_>, field: Field) -> Result<MinQuantity, Problem> {
    let digits = number(row, field)?;
    digits.parse::<MinQuantity>().map_err(|error| Problem::in_field(field.name(), error.into()))
}

/// Returns an amount whose currency is not known yet, as text. It must be a decimal that is not negative.
pub(super) fn raw_amount(row: &mut FileRow<'_>, field: Field) -> Result<Box<str>, Problem> {
    let digits = number(row, field)?;
    let malformed = |why| Problem::Amount { field: field.name(), text: digits.to_string(), why };
    Decimal::parse(&digits).map_err(malformed)?;
    // `-0` is refused as well.
    match digits.starts_with('-') {
        true => Err(Problem::NegativeAmount { field: field.name(), text: digits.into_owned() }),
        false => Ok(digits.into()),
    }
}

/// Returns amounts by currency: a field in the catalogue's currency, an object, and columns such as
/// `price.EUR`.
pub(super) fn amounts_by_currency(
    row: &mut FileRow<'_>,
    single: Field,
    object: Field,
    amounts: Amounts,
) -> Result<BTreeMap<Currency, Money>, Problem> {
    let mut all = BTreeMap::new();
    let mut add = |name: &str, currency: Currency, digits: &str| {
        let amount = Money::parse_amount(digits, currency, amounts.unit_decimals);
        let amount = amount.map_err(|error| match name {
            "price" | "value" => error.into(),
            name => Problem::in_field(name, error.into()),
        })?;
        match all.insert(currency, amount) {
            None => Ok(()),
            Some(_) => Err(Problem::RepeatedAmount { field: single.name(), currency }),
        }
    };
    if row.has(single) {
        let digits = number(row, single)?;
        add(single.name(), amounts.currency, &digits)?;
    }
    if row.has(object) {
        match value(row, object)? {
            Value::Object(raw, notation) => {
                let Members(members) = serde_json::from_str(raw.get())?;
                for (code, raw) in members {
                    let in_object = |problem| Problem::in_field(object.name(), problem);
                    let currency = currency(&code).map_err(in_object)?;
                    let digits = digits(FileCell::Json(raw, notation).value()?, object.name())?;
                    add(&format!("{}.{code}", object.name()), currency, &digits)?;
                }
            }
            other => return Err(wrong(object.name(), "an object of amounts by currency", &other)),
        }
    }
    let columns = std::mem::take(&mut row.by_currency);
    for (field, currency, cell) in columns {
        let is_here = field == single || (field == Field::Price && single == Field::Value);
        if is_here {
            row.last = Some(Target::In(field, currency));
            let digits = digits(cell.value()?, field.name())?;
            add(&format!("{}.{currency}", field.name()), currency, &digits)?;
        } else {
            row.by_currency.push((field, currency, cell));
        }
    }
    Ok(all)
}
