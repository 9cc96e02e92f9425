//! The item that is the catalogue's head. It also registers the journals of loads.
//!
//! Each stored journal has an attribute of this item. So one conditional update checks that a journal may
//! still be committed and, at the same moment, commits it.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::conditions::{Conditional, conditional};
use super::item::{self, FieldError, Item, item, millis, text};
use super::names::DynamoTable;
use super::tables::{Tables, corrupt};
use crate::model::Timestamp;
use crate::ports::{CatalogueHead, Journal, LoadId, PortError};
use crate::pricing::{Currency, UnitRounding};

/// The key of the head. No product's id has a control character.
const HEAD: &str = "\u{1}catalogue";
/// The start of the name of a journal's attribute. The load's id follows.
const JOURNAL: &str = "journal:";
const BEGAN_AT: &str = "began_at";
const IS_OVER: &str = "is_over";

/// The attribute with the version of the load that wrote a row.
pub(super) const VERSION: &str = "version";

pub(super) fn key() -> Item {
    item([("product_id", text(HEAD))])
}

/// Whether an item is the head, or another item beside the products that is not a product.
pub(super) fn is_beside_products(item: &Item) -> bool {
    item::read_text(item, "product_id").is_ok_and(|id| id.starts_with('\u{1}'))
}

/// Reads the head. Returns `None` if the item only registers the journal of a first load.
pub(super) fn read(item: &Item) -> Result<Option<CatalogueHead>, PortError> {
    if !item.contains_key(VERSION) {
        return Ok(None);
    }
    let head = || -> Result<CatalogueHead, FieldError> {
        let version = item::read_number(item, VERSION)?;
        let number_or = |name, of_older_release| match item.get(name) {
            Some(_) => item::read_number(item, name),
            None => Ok(of_older_release),
        };
        // A head of an older release has no base version. Any of its loads may have changed products.
        let base_version = number_or("base_version", version)?;
        Ok(CatalogueHead {
            version,
            base_version,
            lists_version: number_or("lists_version", 0)?,
            // No load has changed a shared list yet, so products are all that customers share.
            shared_version: number_or("shared_version", base_version)?,
            has_customers: item.get("has_customers") == Some(&AttributeValue::Bool(true)),
            rounding: read_rounding(item)?,
            currency: item::read_as(item, "currency", Currency::try_from)?,
            unfolded: match item.get("unfolded") {
                Some(_) => Some(LoadId(item::read_text(item, "unfolded")?.to_owned())),
                None => None,
            },
        })
    };
    head().map(Some).map_err(|error| corrupt("the head of the catalogue", error))
}

fn read_rounding(item: &Item) -> Result<UnitRounding, FieldError> {
    if !item.contains_key("rounding") {
        return Ok(UnitRounding::PLAIN);
    }
    let unit_decimals = item::read_number(item, "unit_decimals")?;
    let rounding = item::read_as(item, "rounding", |text| text.parse())?;
    Ok(UnitRounding { unit_decimals, rounding })
}

/// Returns the name of the attribute that registers a journal.
pub(super) fn attribute_of(load: &LoadId) -> String {
    format!("{JOURNAL}{}", load.0)
}

/// Returns the value that registers a journal that has begun.
pub(super) fn registration(began_at: Timestamp) -> AttributeValue {
    let began_at = (BEGAN_AT.to_owned(), millis(began_at));
    AttributeValue::M(HashMap::from([began_at, (IS_OVER.to_owned(), AttributeValue::Bool(false))]))
}

/// Whether a journal is registered, and may be written and committed.
pub(super) fn is_open(item: &Item, load: &LoadId) -> bool {
    let registered = item.get(&attribute_of(load)).and_then(|value| value.as_m().ok());
    registered.is_some_and(|journal| journal.get(IS_OVER) == Some(&AttributeValue::Bool(false)))
}

/// Returns all journals except the one that the head names.
pub(super) fn journals(item: &Item) -> Result<Vec<Journal>, PortError> {
    let unfolded = item::read_text(item, "unfolded").ok();
    let mut journals = vec![];
    for (name, value) in item {
        let Some(load) = name.strip_prefix(JOURNAL) else { continue };
        if unfolded == Some(load) {
            continue;
        }
        let absent = |name| corrupt(format_args!("journal `{load}`"), FieldError::Absent { name });
        let fields = value.as_m().map_err(|_| absent("registration"))?;
        let began_at = item::read_millis(fields, BEGAN_AT);
        let began_at =
            began_at.map_err(|error| corrupt(format_args!("journal `{load}`"), error))?;
        let is_over = fields.get(IS_OVER).and_then(|is_over| is_over.as_bool().ok());
        let is_over = *is_over.ok_or_else(|| absent(IS_OVER))?;
        journals.push(Journal { load: LoadId(load.to_owned()), began_at, is_over });
    }
    Ok(journals)
}

impl Tables {
    pub(super) async fn head_item(&self) -> Result<Option<Item>, PortError> {
        let item = self.get(DynamoTable::Products, key(), true).await?;
        if let Some(item) = &item {
            self.note_settings(item);
        }
        Ok(item)
    }

    /// Whether a journal may still be written and committed.
    pub(super) async fn is_open(&self, load: &LoadId) -> Result<bool, PortError> {
        let call = self.client.get_item().table_name(self.name(DynamoTable::Products));
        let call = call
            .set_key(Some(key()))
            .consistent_read(true)
            .projection_expression("#journal")
            .expression_attribute_names("#journal", attribute_of(load));
        let sent = call.send().await;
        let answer =
            sent.map_err(|error| self.call("GetItem", DynamoTable::Products).failed(error))?;
        Ok(answer.item.is_some_and(|item| is_open(&item, load)))
    }

    /// Returns an update of the head in which `#journal` is the attribute of a load.
    pub(super) fn update_head(&self, load: &LoadId) -> UpdateItemFluentBuilder {
        let call = self.client.update_item().table_name(self.name(DynamoTable::Products));
        call.set_key(Some(key()))
            .expression_attribute_names("#journal", attribute_of(load))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    pub(super) async fn try_update(
        &self,
        call: UpdateItemFluentBuilder,
    ) -> Result<Conditional<UpdateItemOutput>, PortError> {
        conditional(&self.call("UpdateItem", DynamoTable::Products), call.send().await)
    }
}
