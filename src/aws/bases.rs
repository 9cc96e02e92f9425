//! Bases, stored in the table of prices by user, with a name instead of a user.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::batch::Write;
use super::conditions::{Conditional, conditional};
use super::item::{self, FieldError, Item, item, millis, text};
use super::names::{DynamoTable, TTL};
use super::price_tables::{read_part, write_part};
use super::tables::{Tables, corrupt};
use crate::meter::journal_items::names_of;
use crate::model::Timestamp;
use crate::ports::{BaseClaim, BaseName, Bases, OfRecord as _, PortError, StoredBase};
use crate::pricing::Product;

/// The start of the keys of bases. No user's id has a control character. Each part has a partition key of
/// its own; under a common one, all parts would be written and read at the rate of one partition.
const BASE: &str = "\u{1}base";
/// The sort keys of the index of a base, of its parts, and of the records of its making.
const INDEX: &str = "index";
const PART: &str = "part";
const CLAIM: &str = "claim";
const DRAFT: &str = "draft";
const CONTENTS: &str = "contents";
const MAKER: &str = "maker";
const CLAIMED_UNTIL: &str = "claimed_until";

fn key(name: &BaseName, part: &str) -> Item {
    item([("user_id", text(format!("{BASE}/{name}"))), ("part", text(part))])
}

fn part_key(name: &BaseName, number: u32, part: &str) -> Item {
    item([("user_id", text(part_name(name, number))), ("part", text(part))])
}

fn part_name(base: &BaseName, number: u32) -> String {
    format!("{BASE}/{base}/{number}")
}

pub(super) fn write_index(name: &BaseName, base: &StoredBase) -> Result<Item, PortError> {
    let mut item = key(name, INDEX);
    item.insert(CONTENTS.to_owned(), item::json("the index of a base", &base.index)?);
    item.insert(TTL.to_owned(), item::ttl(base.expires_at));
    Ok(item)
}

pub(super) fn write_base_part(
    name: &BaseName,
    number: u32,
    bytes: &Bytes,
    expires_at: Timestamp,
) -> Item {
    write_part(part_key(name, number, PART), bytes, expires_at)
}

impl Tables {
    async fn parts_of(
        &self,
        name: &BaseName,
        numbers: &[u32],
        part: &str,
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let keys = numbers.iter().map(|&number| part_key(name, number, part)).collect();
        let items = self.read_all(DynamoTable::PricesByUser, keys).await?;
        let parts = items.into_iter().map(read_part).collect::<Result<Vec<_>, _>>()?;
        let by_name: HashMap<String, Bytes> =
            parts.into_iter().map(|((name, _), bytes)| (name, bytes)).collect();
        Ok(numbers.iter().map(|&number| by_name.get(&part_name(name, number)).cloned()).collect())
    }
}

#[async_trait]
impl Bases for Tables {
    async fn put_base_parts(
        &self,
        name: &BaseName,
        first: u32,
        parts: &[Bytes],
        expires_at: Timestamp,
    ) -> Result<(), PortError> {
        let write = |(number, bytes)| Write::Put(write_base_part(name, number, bytes, expires_at));
        let parts = (first..).zip(parts).map(write).collect();
        self.write_all(DynamoTable::PricesByUser, parts).await
    }

    async fn put_base(
        &self,
        name: &BaseName,
        base: &StoredBase,
        parts: &[Bytes],
    ) -> Result<(), PortError> {
        let index_item = write_index(name, base)?;
        self.check_size(DynamoTable::PricesByUser, &index_item)?;
        let first = base.first_of_last(parts.len());
        self.put_base_parts(name, first, parts, base.expires_at).await?;
        // The index comes last, so that a reader that finds it also finds the parts.
        self.put(DynamoTable::PricesByUser, index_item).await?;
        if name.terms.is_none() {
            // If the products were listed for this base, that listing is over in all segments.
            self.known_names.lock().await.forget(names_of(Product::KIND));
        }
        Ok(())
    }

    async fn base(&self, name: &BaseName) -> Result<Option<StoredBase>, PortError> {
        let item = self.get(DynamoTable::PricesByUser, key(name, INDEX), true).await?;
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
        self.parts_of(name, numbers, PART).await
    }

    async fn claim_base(
        &self,
        name: &BaseName,
        claim: &BaseClaim,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let mut item = key(name, CLAIM);
        item.insert(MAKER.to_owned(), text(&claim.maker.0));
        item.insert(CLAIMED_UNTIL.to_owned(), millis(claim.until));
        item.insert(TTL.to_owned(), item::ttl(claim.until));
        // The condition is the same as in `BaseClaim::keeps_out`.
        let free = "attribute_not_exists(maker) OR maker = :maker OR claimed_until <= :now \
                    OR claimed_until > :furthest";
        let call = self.client.put_item().table_name(self.name(DynamoTable::PricesByUser));
        let sent = call
            .set_item(Some(item))
            .condition_expression(free)
            .expression_attribute_values(":maker", text(&claim.maker.0))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":furthest", millis(claim.furthest(now)))
            .send()
            .await;
        let written = conditional(&self.call("PutItem", DynamoTable::PricesByUser), sent)?;
        Ok(matches!(written, Conditional::Done(_)))
    }

    async fn put_drafts(
        &self,
        name: &BaseName,
        drafts: &[(u32, Bytes)],
        expires_at: Timestamp,
    ) -> Result<(), PortError> {
        let items = drafts.iter().map(|(number, bytes)| {
            Write::Put(write_part(part_key(name, *number, DRAFT), bytes, expires_at))
        });
        self.write_all(DynamoTable::PricesByUser, items.collect()).await
    }

    async fn drafts(
        &self,
        name: &BaseName,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        self.parts_of(name, numbers, DRAFT).await
    }
}
