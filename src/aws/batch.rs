//! Reads and writes many items. Entries that DynamoDB leaves unprocessed are sent again.
//!
//! The SDK does not look into the answer of a batch. Unprocessed entries were throttled or did not fit, and
//! are lost unless they are sent again.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::item::{Item, MAX_ITEM_BYTES, item_bytes, read_text};
use super::names::DynamoTable;
use super::tables::Tables;
use crate::ports::PortError;

/// The greatest number of writes in one call. At 400 KB each they stay below the limit of 16 MB.
const WRITES_PER_CALL: usize = 25;
/// The greatest number of reads in one call. DynamoDB stops at 16 MB and leaves the rest unprocessed.
const READS_PER_CALL: usize = 100;
/// How many calls of one batch are in flight at once.
pub(super) const CALLS_IN_FLIGHT: usize = 4;

/// One write of a batch.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// Inserts or replaces an item.
    Put(Item),
    /// Deletes the item with a key.
    Delete(Item),
}

impl Write {
    fn fields(&self) -> &Item {
        match self {
            Self::Put(fields) | Self::Delete(fields) => fields,
        }
    }

    fn request(self) -> Result<WriteRequest, PortError> {
        let incomplete = |error| PortError::corrupt("a write of a batch", error);
        let request = WriteRequest::builder();
        let request = match self {
            Self::Put(item) => {
                let put = PutRequest::builder().set_item(Some(item)).build();
                request.put_request(put.map_err(incomplete)?)
            }
            Self::Delete(key) => {
                let delete = DeleteRequest::builder().set_key(Some(key)).build();
                request.delete_request(delete.map_err(incomplete)?)
            }
        };
        Ok(request.build())
    }
}

/// Returns the key of an item as text. DynamoDB refuses a call that has the same key twice.
fn key_of(table: DynamoTable, fields: &Item) -> String {
    // No id has a control character, so joined keys stay distinct.
    let parts = table.keys().iter().map(|name| read_text(fields, name).unwrap_or_default());
    parts.collect::<Vec<_>>().join("\u{0}")
}

impl Tables {
    /// Returns an error for an item that is too large for DynamoDB, which would refuse its whole batch.
    pub(super) fn check_size(&self, table: DynamoTable, item: &Item) -> Result<(), PortError> {
        let bytes = item_bytes(item);
        if bytes <= MAX_ITEM_BYTES {
            return Ok(());
        }
        let key = key_of(table, item).replace('\u{0}', "/");
        Err(PortError::rejected(
            format!("item `{key}` of {}", self.resource(table)),
            format!("it takes {bytes} bytes, {MAX_ITEM_BYTES} are allowed"),
        ))
    }

    /// Makes any number of writes. Of several with the same key only the last counts.
    pub(super) async fn write_all(
        &self,
        table: DynamoTable,
        writes: Vec<Write>,
    ) -> Result<(), PortError> {
        let mut by_key = BTreeMap::new();
        for write in writes {
            self.check_size(table, write.fields())?;
            by_key.insert(key_of(table, write.fields()), write);
        }
        let requests = by_key.into_values().map(Write::request).collect::<Result<Vec<_>, _>>()?;
        let calls = chunks(requests, WRITES_PER_CALL).into_iter().map(|requests| {
            self.until_processed(table, requests, move |requests| self.write_some(table, requests))
        });
        stream::iter(calls).buffer_unordered(CALLS_IN_FLIGHT).try_collect::<Vec<_>>().await?;
        Ok(())
    }

    /// Deletes all items whose keys a query finds, page by page, because there may be a million.
    pub(super) async fn delete_found(
        &self,
        table: DynamoTable,
        query: QueryFluentBuilder,
    ) -> Result<(), PortError> {
        let mut next = None;
        loop {
            let page = query.clone().set_exclusive_start_key(next);
            let (keys, after) = self.query(table, page).await?;
            self.write_all(table, keys.into_iter().map(Write::Delete).collect()).await?;
            match after {
                None => return Ok(()),
                after => next = after,
            }
        }
    }

    /// Reads any number of items, consistently. Returns those that exist, each once, in any order.
    pub(super) async fn read_all(
        &self,
        table: DynamoTable,
        keys: Vec<Item>,
    ) -> Result<Vec<Item>, PortError> {
        self.read_what(table, keys, None).await
    }

    /// Does the same, with some of their fields only.
    pub(super) async fn read_fields(
        &self,
        table: DynamoTable,
        keys: Vec<Item>,
        fields: &str,
    ) -> Result<Vec<Item>, PortError> {
        self.read_what(table, keys, Some(fields)).await
    }

    async fn read_what(
        &self,
        table: DynamoTable,
        keys: Vec<Item>,
        fields: Option<&str>,
    ) -> Result<Vec<Item>, PortError> {
        let by_key: BTreeMap<_, _> =
            keys.into_iter().map(|key| (key_of(table, &key), key)).collect();
        let keys = by_key.into_values().collect();
        let calls = chunks(keys, READS_PER_CALL).into_iter().map(|keys| {
            self.until_processed(table, keys, move |keys| self.read_some(table, keys, fields))
        });
        let found: Vec<Vec<Item>> =
            stream::iter(calls).buffer_unordered(CALLS_IN_FLIGHT).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Repeats a call with what it left unprocessed. A round that makes progress resets the count of rounds
    /// without progress. This ends, because every such round leaves less to do.
    async fn until_processed<T, Fut>(
        &self,
        table: DynamoTable,
        mut pending: Vec<T>,
        call: impl Fn(Vec<T>) -> Fut,
    ) -> Result<Vec<Item>, PortError>
    where
        Fut: Future<Output = Result<(Vec<Item>, Vec<T>), PortError>>,
    {
        let mut found = vec![];
        let mut fruitless = 0;
        while !pending.is_empty() {
            let before = pending.len();
            let (items, undone) = call(pending).await?;
            found.extend(items);
            pending = undone;
            if pending.is_empty() {
                break;
            }
            fruitless = if pending.len() < before { 0 } else { fruitless + 1 };
            if !self.backoff.wait(fruitless, &*self.randomness).await {
                return Err(PortError::Throttled { what: self.resource(table) });
            }
        }
        Ok(found)
    }

    async fn write_some(
        &self,
        table: DynamoTable,
        requests: Vec<WriteRequest>,
    ) -> Result<(Vec<Item>, Vec<WriteRequest>), PortError> {
        let call = self.client.batch_write_item().request_items(self.name(table), requests);
        let answer =
            call.send().await.map_err(|error| self.call("BatchWriteItem", table).failed(error))?;
        Ok((vec![], only(answer.unprocessed_items).unwrap_or_default()))
    }

    async fn read_some(
        &self,
        table: DynamoTable,
        keys: Vec<Item>,
        fields: Option<&str>,
    ) -> Result<(Vec<Item>, Vec<Item>), PortError> {
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
        let keys = keys.set_projection_expression(fields.map(str::to_owned));
        let keys = keys.build().map_err(|error| PortError::corrupt(self.resource(table), error))?;
        let call = self.client.batch_get_item().request_items(self.name(table), keys);
        let answer =
            call.send().await.map_err(|error| self.call("BatchGetItem", table).failed(error))?;
        let undone = only(answer.unprocessed_keys).map(|undone| undone.keys).unwrap_or_default();
        Ok((only(answer.responses).unwrap_or_default(), undone))
    }
}

/// Returns the entry of the one table that the call was about. The table may be named by its ARN.
fn only<T>(by_table: Option<HashMap<String, T>>) -> Option<T> {
    by_table.and_then(|tables| tables.into_values().next())
}

pub(super) fn chunks<T>(all: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut rest = all.into_iter();
    std::iter::from_fn(|| Some(rest.by_ref().take(size).collect::<Vec<_>>()))
        .take_while(|chunk| !chunk.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_keep_everything_in_order() {
        assert_eq!(chunks((0..5).collect(), 2), [vec![0, 1], vec![2, 3], vec![4]]);
        assert!(chunks(Vec::<u8>::new(), 2).is_empty());
    }
}
