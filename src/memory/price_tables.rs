//! The heads and parts of price tables.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::engine::Memory;
use super::limits::{check_item, check_item_bytes};
use super::paging::page;
use crate::model::{Generation, Timestamp, UserId};
use crate::ports::{Cursor, Flip, Page, PortError, PriceTables, TableHead};

#[derive(Default)]
pub(super) struct PriceTableTables {
    heads: BTreeMap<UserId, TableHead>,
    parts: BTreeMap<UserId, BTreeMap<(Generation, u32), Part>>,
}

struct Part {
    bytes: Bytes,
    expire_at: Timestamp,
}

impl PriceTableTables {
    /// Deletes the parts of a user that have expired and that no reader can want.
    fn forget_superseded(&mut self, user: &UserId, now: Timestamp) {
        let live = self.heads.get(user).map(|head| &head.generation);
        if let Some(parts) = self.parts.get_mut(user) {
            parts.retain(|(generation, _), part| now < part.expire_at || Some(generation) == live);
        }
    }
}

#[async_trait]
impl PriceTables for Memory {
    async fn table_heads(&self, users: &[UserId]) -> Result<Vec<(UserId, TableHead)>, PortError> {
        let heads = &self.state().price_tables.heads;
        let head_of = |user: &UserId| heads.get(user).map(|head| (user.clone(), head.clone()));
        Ok(users.iter().filter_map(head_of).collect())
    }

    async fn put_parts(
        &self,
        user: &UserId,
        generation: &Generation,
        parts: &[Bytes],
        expire_at: Timestamp,
    ) -> Result<(), PortError> {
        for (number, bytes) in parts.iter().enumerate() {
            let what = format!("part {number} of the price table of user `{user}`");
            check_item_bytes(&what, bytes.len())?;
        }
        let mut state = self.state();
        let rows = state.price_tables.parts.entry(user.clone()).or_default();
        rows.extend((0..).zip(parts).map(|(number, bytes)| {
            ((generation.clone(), number), Part { bytes: bytes.clone(), expire_at })
        }));
        Ok(())
    }

    async fn flip_head(
        &self,
        user: &UserId,
        head: &TableHead,
        expected: Option<u64>,
        _expire_at: Timestamp,
    ) -> Result<Flip, PortError> {
        check_item(&format!("head of the price table of user `{user}`"), head)?;
        let now = self.clock().now();
        let tables = &mut self.state().price_tables;
        if tables.heads.get(user).map(|head| head.version) != expected {
            return Ok(Flip::Conflict);
        }
        tables.heads.insert(user.clone(), head.clone());
        tables.forget_superseded(user, now);
        Ok(Flip::Done)
    }

    async fn parts(
        &self,
        user: &UserId,
        generation: &Generation,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let state = self.state();
        let parts = state.price_tables.parts.get(user);
        let part = |number: &u32| parts?.get(&(generation.clone(), *number));
        Ok(numbers.iter().map(|number| Some(part(number)?.bytes.clone())).collect())
    }

    async fn delete_table(&self, user: &UserId) -> Result<(), PortError> {
        let tables = &mut self.state().price_tables;
        tables.heads.remove(user);
        tables.parts.remove(user);
        Ok(())
    }

    async fn list_table_heads(
        &self,
        from: Option<Cursor>,
    ) -> Result<Page<(UserId, TableHead)>, PortError> {
        Ok(page(&self.state().price_tables.heads, from.as_ref(), |user, head| {
            Some((user.clone(), head.clone()))
        }))
    }
}
