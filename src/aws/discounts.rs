//! The table of discounts.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use thiserror::Error;

use super::head::VERSION;
use super::item::{self, FieldError, Item, blob, item, number, text};
use super::loaded::{DELETED, Loaded, RowSet};
use super::names::DynamoTable;
use super::tables::{Tables, corrupt};
use crate::model::{PackedError, ProductId, UserId};
use crate::ports::{
    AtHead, CatalogueHead, Cursor, DiscountStore, Page, PortError, RecordKey, UserDiscounts,
};
use crate::pricing::{Discount, DiscountError, Discounts, OwnLadders};

const LIST: &str = "discounts";
/// Absent if the list has no ladders.
const LADDERS: &str = "ladders";

#[derive(Debug, Error)]
#[error("an entry is not a map")]
struct NotAMap;

impl Loaded for UserDiscounts {
    type Id = UserId;
    const TABLE: DynamoTable = DynamoTable::Discounts;

    fn record_key(id: &UserId) -> RecordKey {
        RecordKey::Discounts(id.clone())
    }

    fn read(item: &Item) -> Result<Self, PortError> {
        read(item).map_err(|error| {
            let user = item::read_text(item, "user_id").unwrap_or("?");
            corrupt(format_args!("discounts of customer `{user}`"), error)
        })
    }

    fn write(&self, version: u64) -> Result<Item, PortError> {
        let failed = |error: PackedError| {
            let what = format!("discounts of customer `{}`", self.user);
            PortError::rejected(what, error.to_string())
        };
        let mut item = item([
            ("user_id", text(self.user.as_str())),
            (LIST, blob(self.discounts.pack().map_err(failed)?)),
            (VERSION, number(version)),
        ]);
        if !self.ladders.is_empty() {
            item.insert(LADDERS.to_owned(), blob(self.ladders.pack().map_err(failed)?));
        }
        Ok(item)
    }
}

fn read(item: &Item) -> Result<UserDiscounts, FieldError> {
    let user = item::read_as(item, "user_id", UserId::stored)?;
    let discounts = match item.get(LIST) {
        Some(AttributeValue::L(entries)) => read_entries(entries)?,
        _ => item::read_packed(item, LIST, Discounts::unpack)?,
    };
    let ladders = item.get(LADDERS).map(|_| item::read_packed(item, LADDERS, OwnLadders::unpack));
    Ok(UserDiscounts { user, discounts, ladders: ladders.transpose()?.unwrap_or_default() })
}

/// Reads a list that version 0.1.0 wrote.
fn read_entries(entries: &[AttributeValue]) -> Result<Discounts, FieldError> {
    let list = entries.iter().map(read_entry).collect::<Result<_, _>>()?;
    let malformed =
        |error: DiscountError| FieldError::Malformed { name: LIST, source: error.into() };
    Discounts::new(list).map_err(malformed)
}

fn read_entry(entry: &AttributeValue) -> Result<Discount, FieldError> {
    let malformed = |_| FieldError::Malformed { name: LIST, source: NotAMap.into() };
    let entry = entry.as_m().map_err(malformed)?;
    Ok(Discount {
        product_id: item::read_as(entry, "product_id", ProductId::stored)?,
        percentage: item::read_number(entry, "percentage")?,
    })
}

fn read_user(item: &Item) -> Result<UserId, PortError> {
    let user = item::read_as(item, "user_id", UserId::stored);
    user.map_err(|error| corrupt("a customer with discounts", error))
}

#[async_trait]
impl DiscountStore for Tables {
    async fn discounts(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<UserDiscounts>>, PortError> {
        self.rows_at(users, at).await
    }

    async fn list_discounted_users(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<UserId>>, PortError> {
        let fields = format!("user_id, {VERSION}, {DELETED}");
        let rows = RowSet::Fields(&fields);
        self.list_at(rows, at, from, read_user, |list: UserDiscounts| list.user).await
    }
}
