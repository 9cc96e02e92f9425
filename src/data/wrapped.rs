//! Reads objects that hold rows: tables, batch writes, scans and exports of `DynamoDB`, and pages of other
//! APIs.

use serde_json::value::{Map, RawValue, Value};

use super::collect::Sink;
use super::dataset::Notice;
use super::error::{Fault, Problem};
use super::given::Position;
use super::json_parts::{Members, for_each_element};
use super::kinds::Expected;
use super::layout::ColumnMeanings;
use super::limits::MAX_WRAPPER_DEPTH;
use super::lines::LineFinder;
use super::record::{item_keys, record};
use super::row::FileRow;
use super::wrapper_names::{ABOUT_ROWS, ANY_ROWS, ITEMS, MORE_TO_COME, tells_of_rows};

/// The ends of tables' names, with the kind of their rows. A stack's name comes before.
const TABLES: [(&str, Expected); 6] = [
    ("products", Expected::Product),
    ("user_discounts", Expected::Discounts),
    ("discounts", Expected::Discounts),
    ("customers", Expected::Customer),
    ("price_lists", Expected::PriceList),
    ("prices", Expected::Price),
];
/// The members of an incremental export that hold what an item was and what it became.
const IMAGES: [&str; 2] = ["OldImage", "NewImage"];

/// Reads the rows that an object holds.
pub(super) fn read(json: &str, finder: &mut LineFinder<'_>, sink: &mut Sink<'_>) {
    read_at(1, json, finder, sink);
}

/// Reads the rows of an object that is the `depth`th, counted from the outside.
fn read_at(depth: usize, json: &str, finder: &mut LineFinder<'_>, sink: &mut Sink<'_>) {
    if depth > MAX_WRAPPER_DEPTH {
        return sink.fault(finder.fault(json, Problem::TooDeep));
    }
    let members = match serde_json::from_str::<Members<'_>>(json) {
        Ok(Members(members)) => members,
        Err(error) => return sink.fault(Fault::json(finder.line_of(json), error)),
    };
    let find = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, raw)| *raw);
    if let Some(keys) = find("Keys") {
        let at = finder.position_of(json);
        sink.has_only_changes(at);
        let images = IMAGES.map(|name| (name, find(name)));
        let consistent = images.iter().try_for_each(|image| has_keys(keys, *image));
        let [(_, old), (_, new)] = images;
        if let Err(problem) = consistent.and_then(|()| changed_item(old, new, at, sink)) {
            return sink.fault(Fault::at(at, problem));
        }
    }
    for (name, raw) in members {
        member(depth, &name, raw, finder, sink);
    }
}

/// Removes what an incremental export says is deleted: the rows of a deleted item, and those that a changed
/// item no longer stands for.
fn changed_item(
    old: Option<&RawValue>,
    new: Option<&RawValue>,
    at: Position,
    sink: &mut Sink<'_>,
) -> Result<(), Problem> {
    let gone = match (old, new) {
        (None, None) => return Err(Problem::Deletion),
        (None, Some(_)) => return Ok(()),
        (Some(old), None) => item_keys(old.get(), &sink.layout().columns)?,
        // An old item that cannot be understood was never loaded.
        (Some(old), Some(_)) => item_keys(old.get(), &sink.layout().columns).unwrap_or_default(),
    };
    sink.removed(at, gone);
    Ok(())
}

/// Checks that an item of an incremental export, if it is there, does not contradict the keys beside it. A tool
/// that rewrites exports may have left them out of the item.
fn has_keys(
    keys: &RawValue,
    (image, item): (&'static str, Option<&RawValue>),
) -> Result<(), Problem> {
    let Some(item) = item else { return Ok(()) };
    let attributes = |raw: &RawValue| serde_json::from_str::<Map<String, Value>>(raw.get());
    let (keys, item) = (attributes(keys)?, attributes(item)?);
    let differs = |(key, value): &(String, Value)| item.get(key).is_some_and(|it| it != value);
    match keys.into_iter().find(differs) {
        Some((key, _)) => Err(Problem::OtherKey(image, key)),
        None => Ok(()),
    }
}

fn member(
    depth: usize,
    name: &str,
    raw: &RawValue,
    finder: &mut LineFinder<'_>,
    sink: &mut Sink<'_>,
) {
    let first = raw.get().as_bytes().first();
    match first {
        _ if sink.layout().columns.says(name) => {}
        Some(b'{') if ITEMS.contains(&name) => {
            let row = FileRow::of_item(raw.get(), &sink.layout().columns).map_err(Problem::from);
            take(raw.get(), finder, row, Expected::Any, sink);
        }
        _ if MORE_TO_COME.contains(&name) => {
            if !matches!(raw.get(), "null" | "\"\"" | "false" | "{}" | "[]") {
                let name = name.to_owned();
                sink.notice(|path| Notice::OnePage { path, member: name });
            }
        }
        _ if ABOUT_ROWS.contains(&name) => {}
        Some(b'[') => match expected_in(name) {
            Some(expected) => rows(raw, expected, finder, sink),
            None => {
                let problem = Problem::unknown_table(name, &TABLES.map(|(name, _)| name));
                sink.fault(finder.fault(raw.get(), problem));
            }
        },
        Some(b'{') if ANY_ROWS.contains(&name) => read_at(depth + 1, raw.get(), finder, sink),
        _ => {
            let tables = TABLES.into_iter().map(|(name, _)| name);
            sink.fault(finder.fault(raw.get(), Problem::unknown_field(name, tables)));
        }
    }
}

fn rows(raw: &RawValue, expected: Expected, finder: &mut LineFinder<'_>, sink: &mut Sink<'_>) {
    let read = for_each_element(raw.get(), &mut |element| {
        let row = table_row(element.get(), &sink.layout().columns);
        take(element.get(), finder, row, expected, sink);
    });
    if let Err(error) = read {
        sink.fault(Fault::json(finder.line_of(raw.get()), error));
    }
}

/// Parses a row, and passes it or its error to the sink.
pub(super) fn take(
    json: &str,
    finder: &mut LineFinder<'_>,
    row: Result<FileRow<'_>, Problem>,
    expected: Expected,
    sink: &mut Sink<'_>,
) {
    let amounts = sink.amounts();
    let record = row.and_then(|mut row| {
        sink.ignored(&row.ignored);
        record(&mut row, expected, amounts, &sink.layout().columns)
    });
    match record {
        Ok(record) => sink.row(finder.position_of(json), record),
        Err(problem) => {
            let problem = no_list(json, expected).unwrap_or(problem);
            sink.fault(finder.fault(json, problem));
        }
    }
}

/// What is wrong with a text of tables of which the first is an object, if it is such a text.
fn no_list(json: &str, expected: Expected) -> Option<Problem> {
    let Members(members) = serde_json::from_str(json).ok()?;
    let mut tables = members.iter().filter(|(name, _)| !tells_of_rows(name));
    let (table, raw) = tables.next()?;
    let (field, _) = table_of(table)?;
    let is_object = expected == Expected::Any && raw.get().starts_with('{');
    (is_object && tables.all(|(name, _)| table_of(name).is_some())).then(|| Problem::WrongKind {
        field,
        expected: "a list of rows",
        found: "an object".to_owned(),
        right: Some("[{…}]".to_owned()),
    })
}

fn expected_in(table: &str) -> Option<Expected> {
    if ANY_ROWS.contains(&table) {
        return Some(Expected::Any);
    }
    table_of(table).map(|(_, expected)| expected)
}

/// The table of a name, which may begin with that of a stack.
fn table_of(table: &str) -> Option<(&'static str, Expected)> {
    let ends_with = |name: &str| {
        table
            .strip_suffix(name)
            .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with(['-', '_']))
    };
    TABLES.into_iter().find(|(name, _)| ends_with(name))
}

/// Parses an element of a table: a row, an item with typed attributes, a batch write's `{"PutRequest":
/// {"Item": {…}}}`, or `{"Item": {…}}` of a transaction that reads.
fn table_row<'a>(json: &'a str, columns: &ColumnMeanings) -> Result<FileRow<'a>, Problem> {
    const PUT_REQUEST: &str = "PutRequest";
    const DELETE_REQUEST: &str = "DeleteRequest";
    const ITEM: &str = "Item";
    let row = FileRow::parse(json, columns)?;
    let first = row.unknown.as_ref().or(row.ignored.first()).map(String::as_str);
    match first {
        Some(PUT_REQUEST) => {
            let request = only_field(json, PUT_REQUEST)?;
            let item = only_field(request.get(), ITEM)?;
            Ok(FileRow::of_item(item.get(), columns)?)
        }
        // A column may have this name too, beside others.
        Some(ITEM) if row.holds_rows() && is_alone(json) => {
            Ok(FileRow::of_item(only_field(json, ITEM)?.get(), columns)?)
        }
        Some(DELETE_REQUEST) => Err(Problem::Deletion),
        _ => Ok(row.typed()),
    }
}

/// Whether an object has one member.
fn is_alone(json: &str) -> bool {
    serde_json::from_str(json).is_ok_and(|Members(fields)| fields.len() == 1)
}

fn only_field<'a>(json: &'a str, name: &'static str) -> Result<&'a RawValue, Problem> {
    let Members(fields) = serde_json::from_str(json)?;
    if let Some((other, _)) = fields.iter().find(|(field, _)| field != name) {
        return Err(Problem::unknown_field(other, std::iter::once(name)));
    }
    match fields.as_slice() {
        [] => Err(Problem::Missing { field: name }),
        [(_, raw)] => Ok(raw),
        _ => Err(Problem::Repeated { field: name }),
    }
}
