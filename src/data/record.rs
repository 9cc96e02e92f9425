//! What a row means: a product, a user's discounts, or one discount of a user.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::Problem;
use super::json;
use super::row::{Cell, Field, Notation, Row, Value};
use crate::model::{ProductId, UserId};
use crate::pricing::{Currency, Discount, Money, Percentage, Product};

/// A row that is understood.
#[derive(Debug)]
pub(super) enum Record {
    Product(Product),
    /// A user's whole list.
    List(UserId, Vec<Discount>),
    /// One row of a user's discounts, which may be anywhere in the files.
    One(UserId, Discount),
}

/// What the place of a row says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nothing: its fields tell.
    Any,
    Product,
    Discounts,
}

/// The fields of a row: of each group exactly one. The first of a group is its usual name.
type Shape = &'static [&'static [Field]];

const PRODUCT: Shape =
    &[&[Field::Id, Field::ProductId], &[Field::Name], &[Field::Price, Field::Value]];
const LIST: Shape = &[&[Field::UserId], &[Field::Discounts, Field::Products]];
const ONE: Shape = &[&[Field::UserId], &[Field::ProductId], &[Field::Percentage]];
const ENTRY: Shape = &[&[Field::ProductId], &[Field::Percentage]];

/// The longest text that is looked at as a number; a longer one is not echoed whole in an error.
const MAX_NUMBER_BYTES: usize = 64;

/// Understands a row.
pub(super) fn record(
    row: Row<'_>,
    expected: Expected,
    currency: Currency,
) -> Result<Record, Problem> {
    let shape = shape_of(&row, expected);
    check(&row, shape)?;
    let mut row = row;
    if shape == PRODUCT {
        return product(&mut row, currency).map(Record::Product);
    }
    let user = UserId::new(text(&mut row, Field::UserId, "a string")?)?;
    if shape == ONE {
        return Ok(Record::One(user, discount(&mut row)?));
    }
    let field = if row.has(Field::Discounts) { Field::Discounts } else { Field::Products };
    let (list, notation) = list(&mut row, field)?;
    Ok(Record::List(user, discounts(list, notation)?))
}

/// Whether rows with these fields can be understood; for the header of a CSV file.
pub(super) fn check_columns(row: &Row<'_>) -> Result<(), Problem> {
    check(row, shape_of(row, Expected::Any))
}

fn shape_of(row: &Row<'_>, expected: Expected) -> Shape {
    let has_list = row.has(Field::Discounts) || row.has(Field::Products);
    let is_discounts = match expected {
        Expected::Any => has_list || row.has(Field::UserId) || row.has(Field::Percentage),
        Expected::Product => false,
        Expected::Discounts => true,
    };
    let is_one = row.has(Field::ProductId) || row.has(Field::Percentage);
    match (is_discounts, is_one && !has_list) {
        (false, _) => PRODUCT,
        (true, true) => ONE,
        (true, false) => LIST,
    }
}

fn check(row: &Row<'_>, shape: Shape) -> Result<(), Problem> {
    let known = || shape.iter().copied().flatten().copied();
    let names = || known().map(Field::name);
    if let Some(unknown) = &row.unknown {
        return Err(Problem::unknown_field(unknown, names()));
    }
    if let Some(stray) = row.fields().find(|field| known().all(|known| known != *field)) {
        return Err(Problem::unknown_field(stray.name(), names()));
    }
    if let Some(field) = row.repeated {
        return Err(Problem::Repeated { field: field.name() });
    }
    for group in shape {
        let mut given = group.iter().filter(|field| row.has(**field));
        match (given.next(), given.next()) {
            (None, _) => return Err(Problem::Missing { field: group[0].name() }),
            (_, Some(second)) => return Err(Problem::Repeated { field: second.name() }),
            _ => {}
        }
    }
    Ok(())
}

fn product(row: &mut Row<'_>, currency: Currency) -> Result<Product, Problem> {
    let id_field = if row.has(Field::Id) { Field::Id } else { Field::ProductId };
    let id = ProductId::new(text(row, id_field, "a string")?)?;
    let name = text(row, Field::Name, "a string")?;
    if name.trim().is_empty() {
        return Err(Problem::EmptyName);
    }
    if name.chars().any(char::is_control) {
        return Err(Problem::ControlCharacter);
    }
    let price_field = if row.has(Field::Price) { Field::Price } else { Field::Value };
    let price = Money::parse_price(&number(row, price_field)?, currency)?;
    Ok(Product { id, name: name.into_owned(), price })
}

fn discount(row: &mut Row<'_>) -> Result<Discount, Problem> {
    let product_id = ProductId::new(text(row, Field::ProductId, "a string")?)?;
    let percentage: Percentage = number(row, Field::Percentage)?.parse()?;
    Ok(Discount { product_id, percentage })
}

fn discounts(list: &RawValue, notation: Notation) -> Result<Vec<Discount>, Problem> {
    let mut discounts = vec![];
    for (index, raw) in json::elements(list.get())?.into_iter().enumerate() {
        let entry = Row::parse_entry(raw, notation).and_then(|mut entry| {
            check(&entry, ENTRY)?;
            discount(&mut entry)
        });
        let in_list = |problem| Problem::InList { number: index + 1, problem: Box::new(problem) };
        discounts.push(entry.map_err(in_list)?);
    }
    Ok(discounts)
}

fn value<'a>(row: &mut Row<'a>, field: Field) -> Result<Value<'a>, Problem> {
    let missing = Problem::Missing { field: field.name() };
    row.take(field).map(Cell::value).ok_or(missing)?
}

/// A text; a number in its place is refused, for `1` and `1.0` would be two ids.
fn text<'a>(
    row: &mut Row<'a>,
    field: Field,
    expected: &'static str,
) -> Result<Cow<'a, str>, Problem> {
    let wrong = |found| Problem::WrongKind { field: field.name(), expected, found };
    match value(row, field)? {
        Value::Text(text) => Ok(text),
        Value::Number(_) => Err(wrong("a number")),
        Value::List(..) => Err(wrong("a list")),
        Value::Other(found) => Err(wrong(found)),
    }
}

/// The digits of a number, given as a number or as a text.
fn number<'a>(row: &mut Row<'a>, field: Field) -> Result<Cow<'a, str>, Problem> {
    let wrong = |found| Problem::WrongKind { field: field.name(), expected: "a number", found };
    match value(row, field)? {
        Value::Text(digits) | Value::Number(digits) if digits.len() > MAX_NUMBER_BYTES => {
            Err(wrong("a long text"))
        }
        Value::Text(digits) | Value::Number(digits) => Ok(digits),
        Value::List(..) => Err(wrong("a list")),
        Value::Other(found) => Err(wrong(found)),
    }
}

fn list<'a>(row: &mut Row<'a>, field: Field) -> Result<(&'a RawValue, Notation), Problem> {
    let wrong = |found| Problem::WrongKind { field: field.name(), expected: "a list", found };
    match value(row, field)? {
        Value::List(raw, notation) => Ok((raw, notation)),
        Value::Text(_) => Err(wrong("a string")),
        Value::Number(_) => Err(wrong("a number")),
        Value::Other(found) => Err(wrong(found)),
    }
}
