//! Bases, in the table of prices by user, in the place of a user.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;

use super::batch::Write;
use super::item::{self, FieldError, Item, item, text};
use super::names::{TTL, Table};
use super::price_tables::{BYTES, read_part};
use super::tables::{Tables, corrupt};
use crate::model::Timestamp;
use crate::ports::{BaseName, Bases, PortError, StoredBase};

/// No user has a control character in its id.
const BASE: &str = "\u{1}base";
/// Under another name than before there were prices in it: such a base is not there.
const CONTENTS: &str = "contents";

fn key(part: &str) -> Item {
    item([("user_id", text(BASE)), ("part", text(part))])
}

fn part_name(base: &BaseName, number: usize) -> String {
    format!("{base}/{number}")
}

pub(super) fn write_index(name: &BaseName, base: &StoredBase) -> Result<Item, PortError> {
    let mut item = key(&name.to_string());
    item.insert(CONTENTS.to_owned(), item::json("the index of a base", &base.index)?);
    item.insert(TTL.to_owned(), item::ttl(base.expires_at));
    Ok(item)
}

pub(super) fn write_part(
    name: &BaseName,
    number: usize,
    bytes: &Bytes,
    expires_at: Timestamp,
) -> Item {
    let mut item = key(&part_name(name, number));
    item.insert(BYTES.to_owned(), AttributeValue::B(Blob::new(bytes.to_vec())));
    item.insert(TTL.to_owned(), item::ttl(expires_at));
    item
}

#[async_trait]
impl Bases for Tables {
    async fn put_base(
        &self,
        name: &BaseName,
        base: &StoredBase,
        parts: &[Bytes],
    ) -> Result<(), PortError> {
        let index_item = write_index(name, base)?;
        self.check_size(Table::PricesByUser, &index_item)?;
        let write = |(number, bytes)| Write::Put(write_part(name, number, bytes, base.expires_at));
        let parts = parts.iter().enumerate().map(write).collect();
        self.write_all(Table::PricesByUser, parts).await?;
        // Only now: whoever finds the index finds the parts.
        self.put(Table::PricesByUser, index_item).await
    }

    async fn base(&self, name: &BaseName) -> Result<Option<StoredBase>, PortError> {
        let item = self.get(Table::PricesByUser, key(&name.to_string()), true).await?;
        let Some(item) = item.filter(|item| item.contains_key(CONTENTS)) else { return Ok(None) };
        let read = || -> Result<StoredBase, FieldError> {
            let index = item::read_json(&item, CONTENTS)?;
            let expires_at = Timestamp::from_secs(item::read_number(&item, TTL)?);
            Ok(StoredBase { index, expires_at })
        };
        let base = read();
        let base = base.map_err(|error| corrupt(format_args!("the index of base {name}"), error));
        base.map(Some)
    }

    async fn base_parts(
        &self,
        name: &BaseName,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let names = numbers.iter().map(|&number| part_name(name, number as usize));
        let keys = names.clone().map(|name| key(&name)).collect();
        let items = self.read_all(Table::PricesByUser, keys, true).await?;
        let parts = items.into_iter().map(read_part).collect::<Result<Vec<_>, _>>()?;
        let by_name: HashMap<String, Bytes> =
            parts.into_iter().map(|((_, name), bytes)| (name, bytes)).collect();
        Ok(names.map(|name| by_name.get(&name).cloned()).collect())
    }
}
