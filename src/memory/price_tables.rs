//! The heads and parts of price tables.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::engine::Memory;
use super::limits::check_item_bytes;
use super::paging::page;
use crate::model::{Generation, Timestamp, UserId};
use crate::ports::{
    CatalogueHead, Cursor, Flip, MAX_INLINE_BYTES, NewTable, Page, PortError, PriceTables,
    TableHead, WantedParts,
};

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
    fn put_parts(
        &mut self,
        user: &UserId,
        generation: &Generation,
        parts: &[Bytes],
        expire_at: Timestamp,
    ) {
        let rows = self.parts.entry(user.clone()).or_default();
        rows.extend((0..).zip(parts).map(|(number, bytes)| {
            ((generation.clone(), number), Part { bytes: bytes.clone(), expire_at })
        }));
    }

    fn parts(&self, wanted: &WantedParts) -> Vec<Option<Bytes>> {
        let WantedParts { user, generation, numbers } = wanted;
        let parts = self.parts.get(user);
        let part = |number: &u32| parts?.get(&(generation.clone(), *number));
        numbers.iter().map(|number| Some(part(number)?.bytes.clone())).collect()
    }

    /// Deletes a customer's expired parts that no reader can need.
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

    /// Returns `None`, as on DynamoDB, where each of these is read by its own call.
    async fn heads_with_catalogue(
        &self,
        _: &[UserId],
    ) -> Result<Option<(Vec<(UserId, TableHead)>, CatalogueHead)>, PortError> {
        Ok(None)
    }

    async fn put_table(&self, table: NewTable<'_>) -> Result<Flip, PortError> {
        let NewTable { user, head, parts, expected, expire_at, awaited: _ } = table;
        for (number, bytes) in parts.iter().enumerate() {
            let what = format!("part {number} of the price table of customer `{user}`");
            check_item_bytes(&what, bytes.len())?;
        }
        let now = self.clock().now();
        let tables = &mut self.state().price_tables;
        // Parts are written before the head's condition is checked, as on DynamoDB. So a conflict leaves them
        // behind.
        tables.put_parts(user, &head.generation, parts, expire_at);
        let what = format!("the head of the price table of customer `{user}`");
        check_item_bytes(&what, head.pack().len())?;
        if tables.heads.get(user).map(|head| head.version) != expected {
            return Ok(Flip::Conflict);
        }
        tables.heads.insert(user.clone(), head.clone());
        tables.forget_superseded(user, now);
        Ok(Flip::Done)
    }

    async fn parts(&self, wanted: &[WantedParts]) -> Result<Vec<Vec<Option<Bytes>>>, PortError> {
        let tables = &self.state().price_tables;
        Ok(wanted.iter().map(|wanted| tables.parts(wanted)).collect())
    }

    fn inline_bytes(&self) -> usize {
        MAX_INLINE_BYTES
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::memory::ManualClock;
    use crate::ports::testing::head;
    use crate::ports::{SystemRandomness, parts_of};

    #[tokio::test]
    async fn only_superseded_parts_go_away_and_only_once_expired() {
        let start = Timestamp::from_secs(1000);
        let expiry = start.plus(Duration::from_secs(10));
        let clock = Arc::new(ManualClock::new(start));
        let memory = Memory::new(clock.clone(), Arc::new(SystemRandomness));
        let user = UserId::new("ann").unwrap();
        let [old, live] = [1, 2].map(|byte| Generation::from_random([byte; 16]));
        let put = async |version: u64, generation| {
            let (head, parts) = (head(version, generation, expiry), [Bytes::from_static(b"part")]);
            let expected = version.checked_sub(1).filter(|version| *version > 0);
            let table = NewTable::new(&user, &head, expiry).with_parts(&parts).replacing(expected);
            memory.put_table(table).await.unwrap()
        };
        let left = async |generation| {
            parts_of(&memory, &user, generation, &[0]).await.unwrap()[0].is_some()
        };
        assert_eq!(put(1, &old).await, Flip::Done);
        assert_eq!(put(2, &live).await, Flip::Done);
        assert!(left(&old).await && left(&live).await);
        clock.set(expiry);
        assert_eq!(put(3, &live).await, Flip::Done);
        assert!(!left(&old).await && left(&live).await);
        assert_eq!(memory.table_heads(&[user]).await.unwrap().len(), 1);
    }
}
