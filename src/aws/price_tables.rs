//! The table of prices by user: heads, and the parts that they name.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use bytes::Bytes;

use super::batch::Write;
use super::conditions::{Conditional, conditional};
use super::item::{self, FieldError, Item, blob, item, number, text};
use super::names::{DynamoTable, TTL};
use super::tables::{Tables, WRITTEN_BY, corrupt, rows, was_written_by};
use crate::model::{Generation, Timestamp, UserId};
use crate::ports::{
    CatalogueHead, Cursor, Flip, MAX_INLINE_BYTES, NewTable, Page, PortError, PriceTables,
    TableHead, WantedParts,
};
use crate::pricing::PackError;

const HEAD: &str = "head";
/// The attribute with the packed head.
const TABLE: &str = "table";
/// The attribute with the bytes of a part.
const BYTES: &str = "bytes";

fn key(user: &UserId, part: &str) -> Item {
    item([("user_id", text(user.as_str())), ("part", text(part))])
}

fn part_name(generation: &Generation, number: usize) -> String {
    format!("{generation}/{number}")
}

/// Reads the user and the head of an item. Returns `None` if another version of ocache wrote it in another
/// format.
fn read(item: &Item) -> Result<Option<(UserId, TableHead)>, PortError> {
    let Some(AttributeValue::B(packed)) = item.get(TABLE) else { return Ok(None) };
    let user = item::read_as(item, "user_id", UserId::stored)
        .map_err(|error| corrupt("the head of a price table", error))?;
    match TableHead::unpack(packed.as_ref()) {
        Ok(head) => Ok(Some((user, head))),
        Err(PackError::UnknownVersion { .. }) => Ok(None),
        Err(error) => Err(PortError::corrupt(
            format!("the head of the price table of customer `{user}`"),
            error,
        )),
    }
}

/// Returns the item of a part with a key.
pub(super) fn write_part(key: Item, bytes: &Bytes, expires_at: Timestamp) -> Item {
    let mut item = key;
    item.insert(BYTES.to_owned(), blob(bytes.to_vec()));
    item.insert(TTL.to_owned(), item::ttl(expires_at));
    item
}

/// Returns the user and the name of a part, and its bytes.
pub(super) fn read_part(item: Item) -> Result<((String, String), Bytes), PortError> {
    let corrupt = |error| corrupt("a part of a price table", error);
    let field = |name| item::read_text(&item, name).map(str::to_owned).map_err(corrupt);
    let name = (field("user_id")?, field("part")?);
    match item.into_iter().find(|(field, _)| field == BYTES) {
        Some((_, AttributeValue::B(blob))) => Ok((name, Bytes::from(blob.into_inner()))),
        _ => Err(corrupt(FieldError::Absent { name: BYTES })),
    }
}

#[async_trait]
impl PriceTables for Tables {
    async fn table_heads(&self, users: &[UserId]) -> Result<Vec<(UserId, TableHead)>, PortError> {
        let keys = users.iter().map(|user| key(user, HEAD)).collect();
        let items = self.read_all(DynamoTable::PricesByUser, keys).await?;
        items.iter().filter_map(|item| read(item).transpose()).collect()
    }

    /// Returns `None`, because the two are in two tables, which the caller reads side by side.
    async fn heads_with_catalogue(
        &self,
        _: &[UserId],
    ) -> Result<Option<(Vec<(UserId, TableHead)>, CatalogueHead)>, PortError> {
        Ok(None)
    }

    async fn put_table(&self, table: NewTable<'_>) -> Result<Flip, PortError> {
        self.put_parts(table).await?;
        self.flip_head(table).await
    }

    async fn parts(&self, wanted: &[WantedParts]) -> Result<Vec<Vec<Option<Bytes>>>, PortError> {
        let keys = wanted.iter().flat_map(|one| {
            let names =
                one.numbers.iter().map(|&number| part_name(&one.generation, number as usize));
            names.map(|name| key(&one.user, &name))
        });
        let items = self.read_all(DynamoTable::PricesByUser, keys.collect()).await?;
        let found: HashMap<_, _> = items.into_iter().map(read_part).collect::<Result<_, _>>()?;
        let part = |one: &WantedParts, number| {
            let name = part_name(&one.generation, number);
            found.get(&(one.user.as_str().to_owned(), name)).cloned()
        };
        Ok(wanted
            .iter()
            .map(|one| one.numbers.iter().map(|&n| part(one, n as usize)).collect())
            .collect())
    }

    fn inline_bytes(&self) -> usize {
        MAX_INLINE_BYTES
    }

    async fn delete_table(&self, user: &UserId) -> Result<(), PortError> {
        let query = self.client.query().table_name(self.name(DynamoTable::PricesByUser));
        let query = query
            .key_condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user.as_str()))
            .projection_expression("user_id, part")
            .consistent_read(true);
        self.delete_found(DynamoTable::PricesByUser, query).await
    }

    async fn list_table_heads(
        &self,
        from: Option<Cursor>,
    ) -> Result<Page<(UserId, TableHead)>, PortError> {
        // Parts are left out, and so are bases, which have no head.
        let page = self.scan(DynamoTable::PricesByUser, from, |scan| {
            scan.filter_expression("part = :head").expression_attribute_values(":head", text(HEAD))
        });
        rows(page.await?, read)
    }
}

impl Tables {
    /// Writes the parts, if there are any.
    async fn put_parts(&self, table: NewTable<'_>) -> Result<(), PortError> {
        let NewTable { user, head, parts, expire_at, .. } = table;
        let write = |(number, bytes): (usize, &Bytes)| {
            let key = key(user, &part_name(&head.generation, number));
            Write::Put(write_part(key, bytes, expire_at))
        };
        let writes = parts.iter().enumerate().map(write).collect();
        self.write_all(DynamoTable::PricesByUser, writes).await
    }

    /// Replaces the head if its version is still the expected one.
    async fn flip_head(&self, table: NewTable<'_>) -> Result<Flip, PortError> {
        let NewTable { user, head, expected, expire_at, .. } = table;
        let nonce = self.nonce();
        let mut item = key(user, HEAD);
        item.insert("version".to_owned(), number(head.version));
        let packed = head.pack();
        let form = blob(packed[..1].to_vec());
        item.insert(TABLE.to_owned(), blob(packed));
        item.insert(TTL.to_owned(), item::ttl(expire_at));
        item.insert(WRITTEN_BY.to_owned(), nonce.clone());
        self.check_size(DynamoTable::PricesByUser, &item)?;
        let call = self.client.put_item().table_name(self.name(DynamoTable::PricesByUser));
        let call = match expected {
            // Also replaces a head that another version of ocache wrote in another format.
            None => call
                .condition_expression(
                    "attribute_not_exists(user_id) OR NOT begins_with(#table, :form)",
                )
                .expression_attribute_names("#table", TABLE)
                .expression_attribute_values(":form", form),
            Some(version) => call
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(version)),
        };
        let sent = call
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match conditional(&self.call("PutItem", DynamoTable::PricesByUser), sent)? {
            Conditional::Done(_) => Flip::Done,
            Conditional::Refused(Some(head)) if was_written_by(&head, &nonce) => Flip::Done,
            Conditional::Refused(_) => Flip::Conflict,
        })
    }
}
