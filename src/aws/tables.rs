//! What all tables share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, MutexGuard, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::sync::Mutex;

use super::backoff::Backoff;
use super::errors::Call;
use super::item::{FieldError, Item, text};
use super::known::{KnownNames, KnownSettings};
use super::names::{DynamoTable, Names};
use crate::ports::{Cursor, Page, PortError, Randomness, Segment};

/// The tables of a stack, behind one client.
#[derive(Clone)]
pub(super) struct Tables {
    pub(super) client: Client,
    pub(super) names: Names,
    pub(super) randomness: Arc<dyn Randomness>,
    pub(super) backoff: Backoff,
    pub(super) known_names: Arc<Mutex<KnownNames>>,
    pub(super) known_settings: Arc<std::sync::Mutex<KnownSettings>>,
}

/// The attribute that says which call wrote an item last. If an answer was lost, the SDK may send a call
/// again, and its condition then fails on what the call itself has written.
pub(super) const WRITTEN_BY: &str = "written_by";

impl Tables {
    pub(super) fn name(&self, table: DynamoTable) -> String {
        self.names.table(table)
    }

    /// Returns how messages call a table.
    pub(super) fn resource(&self, table: DynamoTable) -> String {
        format!("table `{}`", self.name(table))
    }

    /// Returns how errors name a call about a table.
    pub(super) fn call(&self, action: &'static str, table: DynamoTable) -> Call {
        Call { action, resource: self.resource(table) }
    }

    /// Returns a value of [`WRITTEN_BY`] that no other call has.
    pub(super) fn nonce(&self) -> AttributeValue {
        text(format!("{:032x}", u128::from_be_bytes(self.randomness.bits())))
    }

    pub(super) fn known_settings(&self) -> MutexGuard<'_, KnownSettings> {
        self.known_settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns one item.
    pub(super) async fn get(
        &self,
        table: DynamoTable,
        key: Item,
        consistent: bool,
    ) -> Result<Option<Item>, PortError> {
        let call = self.client.get_item().table_name(self.name(table)).set_key(Some(key));
        let sent = call.consistent_read(consistent).send().await;
        let answer = sent.map_err(|error| self.call("GetItem", table).failed(error))?;
        Ok(answer.item)
    }

    /// Writes one item, without a condition.
    pub(super) async fn put(&self, table: DynamoTable, item: Item) -> Result<(), PortError> {
        let call = self.client.put_item().table_name(self.name(table)).set_item(Some(item));
        let sent = call.send().await;
        sent.map(drop).map_err(|error| self.call("PutItem", table).failed(error))
    }

    /// Deletes one item, if it exists.
    pub(super) async fn delete(&self, table: DynamoTable, key: Item) -> Result<(), PortError> {
        let call = self.client.delete_item().table_name(self.name(table)).set_key(Some(key));
        let sent = call.send().await;
        sent.map(drop).map_err(|error| self.call("DeleteItem", table).failed(error))
    }

    /// Returns one page of a table.
    pub(super) async fn scan(
        &self,
        table: DynamoTable,
        from: Option<Cursor>,
        how: impl FnOnce(ScanFluentBuilder) -> ScanFluentBuilder,
    ) -> Result<Page<Item>, PortError> {
        let start = from.map(|cursor| start_key(&cursor)).transpose()?;
        let call = self.client.scan().table_name(self.name(table)).set_exclusive_start_key(start);
        let sent = how(call).send().await;
        let answer = sent.map_err(|error| self.call("Scan", table).failed(error))?;
        let next = answer.last_evaluated_key.map(|key| cursor_of(&key)).transpose()?;
        Ok(Page { items: answer.items.unwrap_or_default(), next })
    }

    /// Returns one page of what a query finds, and the key with which the next page starts.
    pub(super) async fn query(
        &self,
        table: DynamoTable,
        query: QueryFluentBuilder,
    ) -> Result<(Vec<Item>, Option<Item>), PortError> {
        let sent = query.send().await;
        let page = sent.map_err(|error| self.call("Query", table).failed(error))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }

    /// Returns all that a query finds.
    pub(super) async fn query_all(
        &self,
        table: DynamoTable,
        query: QueryFluentBuilder,
    ) -> Result<Vec<Item>, PortError> {
        let (mut items, mut next) = self.query(table, query.clone()).await?;
        while next.is_some() {
            let more = query.clone().set_exclusive_start_key(next);
            let (found, after) = self.query(table, more).await?;
            items.extend(found);
            next = after;
        }
        Ok(items)
    }
}

/// Returns a segment as a scan needs it: its index, and how many there are.
pub(super) fn scan_segment(segment: Segment) -> Result<(i32, i32), PortError> {
    let number = |number: u32, what| {
        i32::try_from(number)
            .map_err(|_| PortError::rejected("segment", format!("its {what} is {number}")))
    };
    Ok((number(segment.index, "index")?, number(segment.count, "count")?))
}

/// Turns the items of a page into rows, and leaves out items that are not rows.
pub(super) fn rows<T>(
    page: Page<Item>,
    read: impl Fn(&Item) -> Result<Option<T>, PortError>,
) -> Result<Page<T>, PortError> {
    let items = page.items.iter().filter_map(|item| read(item).transpose());
    Ok(Page { items: items.collect::<Result<_, _>>()?, next: page.next })
}

/// Returns the error for an item that another program or a later version wrote.
pub(super) fn corrupt(what: impl fmt::Display, error: FieldError) -> PortError {
    PortError::corrupt(what.to_string(), error)
}

/// Returns a cursor. The keys of all tables are strings, so it is a JSON object of strings.
pub(super) fn cursor_of(key: &Item) -> Result<Cursor, PortError> {
    let strings: BTreeMap<&str, &str> = key
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_s().ok()?.as_str())))
        .collect();
    let json = serde_json::to_string(&strings);
    json.map(Cursor).map_err(|error| PortError::corrupt("the end of a page", error))
}

pub(super) fn start_key(cursor: &Cursor) -> Result<Item, PortError> {
    let strings: BTreeMap<String, String> = serde_json::from_str(&cursor.0)
        .map_err(|error| PortError::rejected("cursor", error.to_string()))?;
    Ok(strings.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// Whether an item is as this call left it.
pub(super) fn was_written_by(item: &Item, nonce: &AttributeValue) -> bool {
    item.get(WRITTEN_BY) == Some(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::item::item;

    #[test]
    fn cursors_carry_any_key() {
        let key = item([("user_id", text("José \"株式会社\"")), ("part", text("head"))]);
        assert_eq!(start_key(&cursor_of(&key).unwrap()).unwrap(), key);
        assert!(matches!(start_key(&Cursor("{".into())), Err(PortError::Rejected { .. })));
    }
}
