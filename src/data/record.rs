//! Turns rows into records.

use serde_json::value::RawValue;

use super::error::Problem;
use super::field::Field;
use super::given::{Amounts, GivenRule};
use super::json_parts;
use super::kinds::{Expected, RowKind};
use super::layout::ColumnMeanings;
use super::removed::RowKey;
use super::row::{FileRow, Notation};
use super::target::currency;
use super::values::{
    amounts_by_currency, list, min_quantity, number, optional, priority, quantity, raw_amount,
    text, texts, truth,
};
use super::window::{LocalTime, instant, time_zone};
use crate::model::{CodePoint, PriceListId, ProductId, Timestamp, UserId};
use crate::pricing::{
    Category, Customer, MinQuantity, PriceList, Product, ProductDetail, QuantityRules, Rate,
    Recipients, Scope,
};

/// A row whose meaning is known.
#[derive(Debug)]
pub(super) enum FileRecord {
    Product(Product),
    /// A user's whole list.
    List(UserId, Vec<GivenOwnRow>),
    /// One row of a user's list. The others may be anywhere in the files.
    One(UserId, GivenOwnRow),
    Customer(Customer),
    /// A price list, and the local times that were converted to instants.
    PriceList(PriceList, Vec<LocalTime>),
    /// A row of a price list.
    Price(PriceListId, Scope, MinQuantity, GivenRule),
}

/// A row of a user's list.
#[derive(Debug)]
pub(super) struct GivenOwnRow {
    pub(super) product_id: ProductId,
    pub(super) min_quantity: MinQuantity,
    pub(super) rule: GivenRule,
}

/// Parses a row.
pub(super) fn record(
    row: &mut FileRow<'_>,
    expected: Expected,
    amounts: Amounts,
    columns: &ColumnMeanings,
) -> Result<FileRecord, Problem> {
    let kind = RowKind::of(row, expected);
    kind.check(row)?;
    match kind {
        RowKind::Product => product(row, amounts).map(FileRecord::Product),
        RowKind::Customer => customer(row).map(FileRecord::Customer),
        RowKind::PriceList => price_list(row),
        RowKind::Price => price(row),
        RowKind::One => Ok(FileRecord::One(user_id(row)?, own_row(row)?)),
        RowKind::List | RowKind::Entry => {
            let user = user_id(row)?;
            let (list, notation) = list(row, list_field(row))?;
            Ok(FileRecord::List(user, own_rows(list, notation, columns)?))
        }
    }
}

/// Returns the keys of the rows that an item of `DynamoDB` stands for. Values outside the keys may be
/// wrong.
pub(super) fn item_keys(item: &str, columns: &ColumnMeanings) -> Result<Vec<RowKey>, Problem> {
    let row = &mut FileRow::of_item(item, columns)?;
    Ok(vec![match RowKind::of(row, Expected::Any) {
        RowKind::Product => RowKey::Product(product_id(row, id_field(row))?),
        RowKind::Customer => RowKey::Customer(user_id(row)?),
        RowKind::PriceList => RowKey::PriceList(list_id(row)?),
        RowKind::Price => RowKey::Price(list_id(row)?, scope(row)?, from(row)?),
        RowKind::One => RowKey::Own(user_id(row)?, product_id(row, Field::ProductId)?, from(row)?),
        RowKind::List | RowKind::Entry => {
            let user = user_id(row)?;
            let (list, notation) = list(row, list_field(row))?;
            let mut keys = vec![];
            for raw in json_parts::elements(list.get())? {
                let mut entry = FileRow::parse_entry(raw, notation, columns)?;
                let product = product_id(&mut entry, Field::ProductId)?;
                keys.push(RowKey::Own(user.clone(), product, from(&mut entry)?));
            }
            return Ok(keys);
        }
    }])
}

fn user_id(row: &mut FileRow<'_>) -> Result<UserId, Problem> {
    Ok(UserId::new(text(row, Field::UserId)?)?)
}

fn list_id(row: &mut FileRow<'_>) -> Result<PriceListId, Problem> {
    Ok(PriceListId::new(text(row, Field::PriceList)?)?)
}

fn product_id(row: &mut FileRow<'_>, field: Field) -> Result<ProductId, Problem> {
    Ok(ProductId::new(text(row, field)?)?)
}

/// Returns the quantity from which on a row of a ladder counts.
fn from(row: &mut FileRow<'_>) -> Result<MinQuantity, Problem> {
    row.drop_empty(Field::MinQuantity);
    Ok(optional(row, Field::MinQuantity, min_quantity)?.unwrap_or_default())
}

fn id_field(row: &FileRow<'_>) -> Field {
    if row.has(Field::Id) { Field::Id } else { Field::ProductId }
}

fn list_field(row: &FileRow<'_>) -> Field {
    if row.has(Field::Discounts) { Field::Discounts } else { Field::Products }
}

/// Returns the scope of a row of a price list.
fn scope(row: &mut FileRow<'_>) -> Result<Scope, Problem> {
    row.drop_empty(Field::ProductId);
    row.drop_empty(Field::Category);
    if row.has(Field::ProductId) {
        return Ok(Scope::Product(product_id(row, Field::ProductId)?));
    }
    Ok(optional(row, Field::Category, category)?.map_or(Scope::All, Scope::Category))
}

fn product(row: &mut FileRow<'_>, amounts: Amounts) -> Result<Product, Problem> {
    let id = product_id(row, id_field(row))?;
    let name = text(row, Field::Name)?.into_owned();
    if name.trim().is_empty() {
        return Err(Problem::EmptyName);
    }
    if name.len() > Product::MAX_NAME_BYTES {
        return Err(Problem::LongName { bytes: name.len() });
    }
    let control = name.chars().find(|character| character.is_control());
    if let Some(control) = control {
        return Err(Problem::ControlCharacter { name, code_point: CodePoint(control) });
    }
    let price_field = if row.has(Field::Value) { Field::Value } else { Field::Price };
    let mut prices = amounts_by_currency(row, price_field, Field::Prices, amounts)?;
    let price = prices.remove(&amounts.currency);
    let detail = ProductDetail {
        prices,
        floors: amounts_by_currency(row, Field::Floor, Field::Floors, amounts)?,
        category: optional(row, Field::Category, category)?,
        quantities: quantities(row, &id)?,
    };
    if price.is_none() && detail.prices.is_empty() {
        return Err(Problem::Missing { field: Field::Price.name() });
    }
    Ok(Product { id, name, price, detail: None }.with_detail(detail))
}

fn category(row: &mut FileRow<'_>, field: Field) -> Result<Category, Problem> {
    Ok(text(row, field)?.parse::<Category>()?)
}

fn quantities(row: &mut FileRow<'_>, product: &ProductId) -> Result<QuantityRules, Problem> {
    let min = optional(row, Field::Min, quantity)?;
    let step = optional(row, Field::Step, quantity)?;
    let max = optional(row, Field::Max, quantity)?;
    QuantityRules::new(min, step, max)
        .map_err(|problem| Problem::QuantityRules { product: product.clone(), problem })
}

fn customer(row: &mut FileRow<'_>) -> Result<Customer, Problem> {
    let user = user_id(row)?;
    let currency = optional(row, Field::Currency, |row, field| currency(&text(row, field)?))?;
    let groups = optional(row, Field::Groups, texts)?.unwrap_or_default();
    Ok(Customer { user, currency, groups: groups.into_iter().collect() })
}

fn price_list(row: &mut FileRow<'_>) -> Result<FileRecord, Problem> {
    let id = list_id(row)?;
    let zone_name = optional(row, Field::TimeZone, text)?;
    let zone = zone_name.as_deref().map(time_zone).transpose()?;
    let mut local = vec![];
    let mut edge = |row: &mut FileRow<'_>, field: Field| -> Result<Timestamp, Problem> {
        let given = text(row, field)?;
        let (instant, occurs) = instant(field.name(), &given, zone.as_ref())?;
        if let Some(occurs) = occurs {
            local.push(LocalTime {
                list: id.clone(),
                field: field.name(),
                given: given.into_owned(),
                time_zone: zone_name.as_deref().unwrap_or_default().to_owned(),
                instant,
                occurs,
            });
        }
        Ok(instant)
    };
    let from = optional(row, Field::From, &mut edge)?;
    let until = optional(row, Field::Until, &mut edge)?;
    let recipients = Recipients {
        everyone: optional(row, Field::Everyone, truth)?.unwrap_or_default(),
        groups: optional(row, Field::Groups, texts)?.unwrap_or_default().into_iter().collect(),
        users: optional(row, Field::Users, texts)?.unwrap_or_default().into_iter().collect(),
    };
    let list = PriceList {
        priority: optional(row, Field::Priority, priority)?.unwrap_or_default(),
        currency: optional(row, Field::Currency, |row, field| currency(&text(row, field)?))?,
        from,
        until,
        recipients,
        is_wide: false,
        revision: 0,
        id,
    };
    let window = list.check_window();
    window.map_err(|problem| Problem::Window { list: list.id.clone(), problem })?;
    Ok(FileRecord::PriceList(list, local))
}

fn price(row: &mut FileRow<'_>) -> Result<FileRecord, Problem> {
    Ok(FileRecord::Price(list_id(row)?, scope(row)?, from(row)?, rule(row)?))
}

fn own_row(row: &mut FileRow<'_>) -> Result<GivenOwnRow, Problem> {
    let product_id = product_id(row, Field::ProductId)?;
    Ok(GivenOwnRow { product_id, min_quantity: from(row)?, rule: rule(row)? })
}

fn rule(row: &mut FileRow<'_>) -> Result<GivenRule, Problem> {
    if row.has(Field::Percentage) {
        return Ok(GivenRule::Percentage(number(row, Field::Percentage)?.parse::<Rate>()?));
    }
    if row.has(Field::Price) {
        return raw_amount(row, Field::Price).map(GivenRule::Price);
    }
    raw_amount(row, Field::Amount).map(GivenRule::Amount)
}

fn own_rows(
    list: &RawValue,
    notation: Notation,
    columns: &ColumnMeanings,
) -> Result<Vec<GivenOwnRow>, Problem> {
    let mut rows = vec![];
    for (index, raw) in json_parts::elements(list.get())?.into_iter().enumerate() {
        let entry = FileRow::parse_entry(raw, notation, columns).and_then(|mut entry| {
            RowKind::Entry.check(&mut entry)?;
            own_row(&mut entry)
        });
        let in_list = |problem| Problem::InList { number: index + 1, problem: Box::new(problem) };
        rows.push(entry.map_err(in_list)?);
    }
    Ok(rows)
}
