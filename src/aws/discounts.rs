//! The table of discounts.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use thiserror::Error;

use super::batch::Write;
use super::item::{self, FieldError, Item, item, number, text};
use super::names::Table;
use super::tables::{Tables, corrupt, rows};
use crate::model::{ProductId, UserId};
use crate::ports::{Cursor, DiscountStore, Page, PortError, UserDiscounts};
use crate::pricing::{Discount, Discounts};

const LIST: &str = "discounts";

#[derive(Debug, Error)]
#[error("an entry is not a map")]
struct NotAMap;

fn key(user: &UserId) -> Item {
    item([("user_id", text(user.as_str()))])
}

pub(super) fn write(list: &UserDiscounts) -> Item {
    let entry = |discount: &Discount| {
        AttributeValue::M(item([
            ("product_id", text(discount.product_id.as_str())),
            // In per cent, as an exact decimal.
            ("percentage", number(discount.percentage)),
        ]))
    };
    let entries = list.discounts.as_slice().iter().map(entry).collect();
    item([("user_id", text(list.user.as_str())), (LIST, AttributeValue::L(entries))])
}

fn read(item: &Item) -> Result<UserDiscounts, FieldError> {
    let list = item.get(LIST).and_then(|list| list.as_l().ok());
    let list = list.ok_or(FieldError::Absent { name: LIST })?;
    let list = list.iter().map(read_entry).collect::<Result<_, _>>()?;
    let malformed = |source| FieldError::Malformed { name: LIST, source };
    Ok(UserDiscounts {
        user: item::read_as(item, "user_id", UserId::stored)?,
        discounts: Discounts::new(list).map_err(|error| malformed(error.into()))?,
    })
}

fn read_entry(entry: &AttributeValue) -> Result<Discount, FieldError> {
    let malformed = |_| FieldError::Malformed { name: LIST, source: NotAMap.into() };
    let entry = entry.as_m().map_err(malformed)?;
    Ok(Discount {
        product_id: item::read_as(entry, "product_id", ProductId::stored)?,
        percentage: item::read_number(entry, "percentage")?,
    })
}

#[async_trait]
impl DiscountStore for Tables {
    async fn discounts(&self, users: &[UserId]) -> Result<Vec<UserDiscounts>, PortError> {
        let keys = users.iter().map(key).collect();
        let items = self.read_all(Table::Discounts, keys, true).await?;
        let read = |item: &Item| {
            read(item).map_err(|error| {
                let user = item::read_text(item, "user_id").unwrap_or("?");
                corrupt(format_args!("discounts of user `{user}`"), error)
            })
        };
        items.iter().map(read).collect()
    }

    async fn put_discounts(&self, lists: &[UserDiscounts]) -> Result<(), PortError> {
        let writes = lists.iter().map(|list| Write::Put(write(list))).collect();
        self.write_all(Table::Discounts, writes).await
    }

    async fn delete_discounts(&self, users: &[UserId]) -> Result<(), PortError> {
        let writes = users.iter().map(|user| Write::Delete(key(user))).collect();
        self.write_all(Table::Discounts, writes).await
    }

    async fn list_discounted_users(&self, from: Option<Cursor>) -> Result<Page<UserId>, PortError> {
        let page = self.scan(Table::Discounts, from, |scan| scan.projection_expression("user_id"));
        rows(page.await?, |item| {
            let user = item::read_as(item, "user_id", UserId::stored);
            user.map(Some).map_err(|error| corrupt("a user with discounts", error))
        })
    }
}
