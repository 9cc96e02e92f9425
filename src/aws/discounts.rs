//! The table of discounts.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use thiserror::Error;

use super::item::{self, FieldError, Item, blob, item, number, text};
use super::loaded::{DELETED, Loaded, VERSION};
use super::names::Table;
use super::tables::{Tables, corrupt};
use crate::meter::journal_items::DISCOUNTS;
use crate::model::{ProductId, UserId};
use crate::ports::{
    AtHead, CatalogueHead, Cursor, DiscountStore, Page, PortError, Record, RecordKey, UserDiscounts,
};
use crate::pricing::{Discount, DiscountError, Discounts};

const LIST: &str = "discounts";

#[derive(Debug, Error)]
#[error("an entry is not a map")]
struct NotAMap;

impl Loaded for UserDiscounts {
    type Id = UserId;
    const TABLE: Table = Table::Discounts;
    const NAMES: &'static str = DISCOUNTS;

    fn record_key(id: &UserId) -> RecordKey {
        RecordKey::Discounts(id.clone())
    }

    fn of(record: Record) -> Option<Self> {
        match record {
            Record::Discounts(list) => Some(list),
            Record::Product(_) => None,
        }
    }

    fn read(item: &Item) -> Result<Self, PortError> {
        read(item).map_err(|error| {
            let user = item::read_text(item, "user_id").unwrap_or("?");
            corrupt(format_args!("discounts of user `{user}`"), error)
        })
    }

    fn write(&self, version: u64) -> Result<Item, PortError> {
        let packed = self.discounts.pack().map_err(|error| {
            let what = format!("discounts of user `{}`", self.user);
            PortError::rejected(what, error.to_string())
        })?;
        Ok(item([
            ("user_id", text(self.user.as_str())),
            (LIST, blob(packed)),
            (VERSION, number(version)),
        ]))
    }
}

fn read(item: &Item) -> Result<UserDiscounts, FieldError> {
    let user = item::read_as(item, "user_id", UserId::stored)?;
    let discounts = match item.get(LIST) {
        Some(AttributeValue::L(entries)) => read_entries(entries)?,
        _ => item::read_packed(item, LIST, Discounts::unpack)?,
    };
    Ok(UserDiscounts { user, discounts })
}

/// A list as version 0.1.0 has written it.
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
    user.map_err(|error| corrupt("a user with discounts", error))
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
        self.list_at(at, from, Some(fields), read_user, |list: UserDiscounts| list.user).await
    }
}
