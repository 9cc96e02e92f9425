//! A row as it is in a file: its fields in any notation, not yet checked.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::Problem;
use super::field::Field;
use super::layout::{ColumnMeanings, Meaning};
use super::target::Target;
use super::wrapper_names::{is_wrapper, tells_of_rows};
use crate::pricing::Currency;

/// The notation of the values of a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// Plain JSON values.
    Plain,
    /// Attributes with types: `{"S": "text"}`, `{"N": "1.5"}`, `{"L": […]}`, `{"M": {…}}`, `{"SS": […]}`,
    /// `{"BOOL": true}`.
    Attributes,
}

/// A value that is not yet parsed.
#[derive(Clone, Debug)]
pub(super) enum FileCell<'a> {
    Column(Cow<'a, str>),
    Json(&'a RawValue, Notation),
}

/// A value whose type is known.
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(Cow<'a, str>),
    List(&'a RawValue, Notation),
    Object(&'a RawValue, Notation),
    Truth(bool),
    /// Any other type, named with its article.
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
    #[serde(rename = "NULL")]
    Null(bool),
}

/// The types of attributes.
const ATTRIBUTES: [&str; 10] = ["S", "N", "L", "M", "SS", "NS", "BS", "B", "BOOL", "NULL"];

/// Whether a value looks like an attribute: an object whose first member is a type.
fn is_attribute(raw: &RawValue) -> bool {
    let first =
        raw.get().strip_prefix('{').and_then(|object| object.trim_start().strip_prefix('"'));
    let name = first.and_then(|object| object.split('"').next());
    name.is_some_and(|name| ATTRIBUTES.contains(&name))
}

#[derive(serde::Deserialize)]
struct Nested<'a> {
    #[serde(borrow, rename = "M")]
    object: &'a RawValue,
}

impl<'a> FileCell<'a> {
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
                Ok(Attribute::Null(_)) => Value::Other("null"),
                Err(_) => Value::Other("no attribute of type S, N or L"),
            }),
        }
    }

    /// Whether the value is an empty column or null.
    fn is_empty(&self) -> bool {
        match self {
            Self::Column(text) => text.is_empty(),
            Self::Json(raw, Notation::Plain) => raw.get() == "null",
            Self::Json(raw, Notation::Attributes) => {
                matches!(serde_json::from_str(raw.get()), Ok(Attribute::Null(true)))
            }
        }
    }
}

impl Value<'_> {
    /// Returns the type, with its article.
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

/// Returns the text of a JSON string. It is copied only if it has escapes.
fn string(quoted: &str) -> Result<Cow<'_, str>, Problem> {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
        _ => serde_json::from_str(quoted).map(Cow::Owned).map_err(Problem::NotJson),
    }
}

/// One row, parsed but not checked.
#[derive(Debug, Default)]
pub(super) struct FileRow<'a> {
    cells: [Option<FileCell<'a>>; Field::COUNT],
    /// Columns such as `price.EUR`.
    pub(super) by_currency: Vec<(Field, Currency, FileCell<'a>)>,
    /// The first unknown field.
    pub(super) unknown: Option<String>,
    /// The first field that is given twice.
    pub(super) repeated: Option<Field>,
    /// The target that was read last. If its value is wrong, the error is there.
    pub(super) last: Option<Target>,
    /// Fields that are left out, because the layout says so.
    pub(super) ignored: Vec<String>,
    lists: usize,
    fields: usize,
    attributes: usize,
    /// Whether the name of an unknown field shows that it holds rows.
    is_wrapper: bool,
    /// Whether every known field is a list, as tables are, and every other field is about the rows.
    has_only_tables: bool,
}

impl<'a> FileRow<'a> {
    /// Parses a JSON object whose values are plain.
    pub(super) fn parse(
        json: &'a str,
        columns: &ColumnMeanings,
    ) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let row = RowSeed(columns).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(row)
    }

    /// Parses an item of `DynamoDB`, whose attributes have types.
    pub(super) fn of_item(
        json: &'a str,
        columns: &ColumnMeanings,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self::parse(json, columns)?.noted(Notation::Attributes))
    }

    /// Parses an entry of a list.
    pub(super) fn parse_entry(
        raw: &'a RawValue,
        notation: Notation,
        columns: &ColumnMeanings,
    ) -> Result<Self, Problem> {
        let json = match notation {
            Notation::Plain => raw,
            Notation::Attributes => serde_json::from_str::<Nested<'_>>(raw.get())?.object,
        };
        Ok(Self::parse(json.get(), columns)?.noted(notation))
    }

    /// Returns the row with its values in another notation.
    pub(super) fn noted(mut self, notation: Notation) -> Self {
        let by_currency = self.by_currency.iter_mut().map(|(.., cell)| cell);
        for cell in self.cells.iter_mut().flatten().chain(by_currency) {
            if let FileCell::Json(_, noted) = cell {
                *noted = notation;
            }
        }
        self
    }

    /// Returns the row with its values as typed attributes, if all of them look like attributes.
    pub(super) fn typed(self) -> Self {
        match self.fields > 0 && self.attributes == self.fields {
            true => self.noted(Notation::Attributes),
            false => self,
        }
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.cells[field as usize].is_some()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(|field| self.has(*field))
    }

    pub(super) fn set(&mut self, field: Field, cell: FileCell<'a>) {
        if self.cells[field as usize].replace(cell).is_some() {
            self.repeated.get_or_insert(field);
        }
    }

    pub(super) fn set_target(&mut self, target: Target, cell: FileCell<'a>) {
        match target {
            Target::Field(field) => self.set(field, cell),
            Target::In(field, currency) => self.by_currency.push((field, currency, cell)),
        }
    }

    pub(super) fn take(&mut self, field: Field) -> Option<FileCell<'a>> {
        self.last = Some(Target::Field(field));
        self.cells[field as usize].take()
    }

    /// Drops a field if it is empty.
    pub(super) fn drop_empty(&mut self, field: Field) {
        if self.cells[field as usize].as_ref().is_some_and(FileCell::is_empty) {
            self.cells[field as usize] = None;
        }
    }

    /// Drops empty columns.
    pub(super) fn drop_empty_columns(&mut self) {
        self.by_currency.retain(|(.., cell)| !cell.is_empty());
    }

    /// Whether this is not a row but an object that holds rows: tables, a batch write, a scan.
    pub(super) fn holds_rows(&self) -> bool {
        let is_tables = self.fields > 0 && self.lists == self.fields;
        let has_tables = self.lists > 0 && self.has_only_tables;
        // No table has the name of these lists.
        let is_row = self.has(Field::Groups) || self.has(Field::Users);
        (is_tables || has_tables) && !is_row || self.is_wrapper
    }
}

struct RowSeed<'c>(&'c ColumnMeanings);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = FileRow<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FileRow<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = FileRow<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FileRow<'de>, A::Error> {
        let mut row = FileRow { has_only_tables: true, ..FileRow::default() };
        while let Some(key) = map.next_key_seed(KeySeed(self.0))? {
            let raw: &'de RawValue = map.next_value()?;
            let is_list = raw.get().starts_with('[');
            row.fields += 1;
            row.lists += usize::from(is_list);
            row.attributes += usize::from(is_attribute(raw));
            match key {
                Key::Known(target) => {
                    row.has_only_tables &= is_list;
                    row.set_target(target, FileCell::Json(raw, Notation::Plain));
                }
                Key::Other(name, is_said) => {
                    let is_nested = raw.get().starts_with(['[', '{']);
                    row.is_wrapper |= !is_said && is_nested && is_wrapper(&name);
                    row.has_only_tables &= is_list || is_said || tells_of_rows(&name);
                    match is_said || self.0.ignore_unknown {
                        true => row.ignored.push(name),
                        false => drop(row.unknown.get_or_insert(name)),
                    }
                }
            }
        }
        Ok(row)
    }
}

enum Key {
    Known(Target),
    /// An unknown field, and whether the layout names it.
    Other(String, bool),
}

struct KeySeed<'c>(&'c ColumnMeanings);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.0.meaning(name) {
            Meaning::Is(target) => Key::Known(target),
            Meaning::Ignored | Meaning::Unknown => Key::Other(name.to_owned(), self.0.says(name)),
        })
    }
}
