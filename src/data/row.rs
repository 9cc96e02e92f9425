//! A row as it stands in a file: its fields, whatever the notation, none of them judged yet.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::Problem;
use crate::pricing::Currency;

/// Every field that any row may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    ProductId,
    UserId,
    PriceList,
    Name,
    Price,
    Value,
    Prices,
    Category,
    Floor,
    Floors,
    Min,
    Step,
    Max,
    MinQuantity,
    Percentage,
    Amount,
    Discounts,
    Products,
    Currency,
    Groups,
    Users,
    Everyone,
    Priority,
    From,
    Until,
    TimeZone,
}

impl Field {
    const ALL: [Self; 27] = [
        Self::Id,
        Self::ProductId,
        Self::UserId,
        Self::PriceList,
        Self::Name,
        Self::Price,
        Self::Value,
        Self::Prices,
        Self::Category,
        Self::Floor,
        Self::Floors,
        Self::Min,
        Self::Step,
        Self::Max,
        Self::MinQuantity,
        Self::Percentage,
        Self::Amount,
        Self::Discounts,
        Self::Products,
        Self::Currency,
        Self::Groups,
        Self::Users,
        Self::Everyone,
        Self::Priority,
        Self::From,
        Self::Until,
        Self::TimeZone,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::ProductId => "product_id",
            Self::UserId => "user_id",
            Self::PriceList => "price_list",
            Self::Name => "name",
            Self::Price => "price",
            Self::Value => "value",
            Self::Prices => "prices",
            Self::Category => "category",
            Self::Floor => "floor",
            Self::Floors => "floors",
            Self::Min => "min",
            Self::Step => "step",
            Self::Max => "max",
            Self::MinQuantity => "min_quantity",
            Self::Percentage => "percentage",
            Self::Amount => "amount",
            Self::Discounts => "discounts",
            Self::Products => "products",
            Self::Currency => "currency",
            Self::Groups => "groups",
            Self::Users => "users",
            Self::Everyone => "everyone",
            Self::Priority => "priority",
            Self::From => "from",
            Self::Until => "until",
            Self::TimeZone => "time_zone",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// How the values of a JSON object are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// As themselves.
    Plain,
    /// As typed attributes: `{"S": "text"}`, `{"N": "1.5"}`, `{"L": […]}`, `{"M": {…}}`, `{"SS": […]}`,
    /// `{"BOOL": true}`.
    Attributes,
}

/// A value that has not been looked at.
#[derive(Clone, Debug)]
pub(super) enum Cell<'a> {
    Column(Cow<'a, str>),
    Json(&'a RawValue, Notation),
}

/// A value whose kind is known.
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(Cow<'a, str>),
    List(&'a RawValue, Notation),
    Object(&'a RawValue, Notation),
    Truth(bool),
    /// Anything else, named with its article.
    Other(&'static str),
}

#[derive(serde::Deserialize)]
enum Attribute<'a> {
    #[serde(borrow)]
    S(Cow<'a, str>),
    #[serde(borrow)]
    N(&'a RawValue),
    #[serde(borrow)]
    L(&'a RawValue),
    #[serde(borrow)]
    M(&'a RawValue),
    #[serde(borrow, rename = "SS")]
    Strings(&'a RawValue),
    #[serde(rename = "BOOL")]
    Truth(bool),
}

#[derive(serde::Deserialize)]
struct Nested<'a> {
    #[serde(borrow, rename = "M")]
    object: &'a RawValue,
}

impl<'a> Cell<'a> {
    pub(super) fn value(self) -> Result<Value<'a>, Problem> {
        match self {
            Self::Column(text) => Ok(Value::Text(text)),
            Self::Json(raw, Notation::Plain) => plain(raw),
            Self::Json(raw, Notation::Attributes) => Ok(match serde_json::from_str(raw.get()) {
                Ok(Attribute::S(text)) => Value::Text(text),
                Ok(Attribute::N(number)) => plain(number)?,
                Ok(Attribute::L(list)) => Value::List(list, Notation::Attributes),
                Ok(Attribute::Strings(list)) => Value::List(list, Notation::Plain),
                Ok(Attribute::M(map)) => Value::Object(map, Notation::Attributes),
                Ok(Attribute::Truth(is_true)) => Value::Truth(is_true),
                Err(_) => Value::Other("no attribute of type S, N or L"),
            }),
        }
    }

    /// Whether nothing is there: an empty column, or null.
    fn is_empty(&self) -> bool {
        match self {
            Self::Column(text) => text.is_empty(),
            Self::Json(raw, _) => raw.get() == "null",
        }
    }
}

impl Value<'_> {
    /// What it is, with its article.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::List(..) => "a list",
            Self::Object(_, Notation::Plain) => "an object",
            Self::Object(_, Notation::Attributes) => "a map",
            Self::Truth(_) => "a truth value",
            Self::Other(kind) => kind,
        }
    }
}

fn plain(raw: &RawValue) -> Result<Value<'_>, Problem> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'"') => Value::Text(string(text)?),
        Some(b'-' | b'0'..=b'9') => Value::Number(Cow::Borrowed(text)),
        Some(b'[') => Value::List(raw, Notation::Plain),
        Some(b'{') => Value::Object(raw, Notation::Plain),
        Some(b'n') => Value::Other("null"),
        _ => Value::Truth(text == "true"),
    })
}

/// The text of a JSON string; copied only when it has escapes.
fn string(quoted: &str) -> Result<Cow<'_, str>, Problem> {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
        _ => serde_json::from_str(quoted).map(Cow::Owned).map_err(Problem::NotJson),
    }
}

/// One row, read but not judged.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    cells: [Option<Cell<'a>>; Field::ALL.len()],
    /// Columns such as `price.EUR`.
    pub(super) by_currency: Vec<(Field, Currency, Cell<'a>)>,
    /// The first field that nothing knows.
    pub(super) unknown: Option<String>,
    /// The first field that came twice.
    pub(super) repeated: Option<Field>,
    lists: usize,
    fields: usize,
}

impl<'a> Row<'a> {
    /// Reads a JSON object whose values are plain.
    pub(super) fn parse(json: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// Reads an entry of a list.
    pub(super) fn parse_entry(raw: &'a RawValue, notation: Notation) -> Result<Self, Problem> {
        let json = match notation {
            Notation::Plain => raw,
            Notation::Attributes => serde_json::from_str::<Nested<'_>>(raw.get())?.object,
        };
        Ok(Self::parse(json.get())?.noted(notation))
    }

    /// The same row, its values understood in another notation.
    pub(super) fn noted(mut self, notation: Notation) -> Self {
        for cell in self.cells.iter_mut().flatten() {
            if let Cell::Json(_, noted) = cell {
                *noted = notation;
            }
        }
        self
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.cells[field as usize].is_some()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(|field| self.has(*field))
    }

    pub(super) fn set(&mut self, field: Field, cell: Cell<'a>) {
        if self.cells[field as usize].replace(cell).is_some() {
            self.repeated.get_or_insert(field);
        }
    }

    pub(super) fn take(&mut self, field: Field) -> Option<Cell<'a>> {
        self.cells[field as usize].take()
    }

    /// Forgets a field that has nothing in it.
    pub(super) fn drop_empty(&mut self, field: Field) {
        if self.cells[field as usize].as_ref().is_some_and(Cell::is_empty) {
            self.cells[field as usize] = None;
        }
    }

    /// Forgets columns that have nothing in them.
    pub(super) fn drop_empty_columns(&mut self) {
        self.by_currency.retain(|(.., cell)| !cell.is_empty());
    }

    /// Whether this is no row but an object of tables, each a list: a batch write.
    pub(super) const fn is_tables(&self) -> bool {
        self.fields > 0 && self.lists == self.fields
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
        let mut row = Row::default();
        while let Some(key) = map.next_key::<Key>()? {
            let raw: &'de RawValue = map.next_value()?;
            row.fields += 1;
            row.lists += usize::from(raw.get().starts_with('['));
            match key {
                Key::Known(field) => row.set(field, Cell::Json(raw, Notation::Plain)),
                Key::Unknown(name) => {
                    row.unknown.get_or_insert(name);
                }
            }
        }
        Ok(row)
    }
}

enum Key {
    Known(Field),
    Unknown(String),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
        Ok(Field::named(name).map_or_else(|| Key::Unknown(name.to_owned()), Key::Known))
    }
}
