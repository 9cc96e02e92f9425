//! The rows that loads bring, read at a head.
//!
//! A row has the version of the load that wrote it; rows of older releases have none and count as
//! version 0. A row that a load deleted stays as a tombstone for a while: its version and nothing
//! else, so that a reader or a load that is behind finds out that it is.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::head::is_beside_products;
use super::item::{self, Item, item, number, text};
use super::names::{TTL, Table};
use super::overlay::{Overlay, PUTS};
use super::tables::{Tables, corrupt};
use crate::meter::journal_items::journal_key;
use crate::model::Timestamp;
use crate::ports::{AtHead, CatalogueHead, Cursor, Page, PortError, Record, RecordKey, RowChange};

/// The attribute with the version of the load that wrote a row.
pub(super) const VERSION: &str = "version";
/// The attribute that only tombstones have.
pub(super) const DELETED: &str = "deleted";

/// A row of one of the tables that loads write.
pub(super) trait Loaded: Sized + Send {
    type Id: Sync;
    const TABLE: Table;
    /// What its names in journals begin with.
    const NAMES: &'static str;

    fn record_key(id: &Self::Id) -> RecordKey;

    /// What is in a record, if it is of this kind.
    fn of(record: Record) -> Option<Self>;

    fn read(item: &Item) -> Result<Self, PortError>;

    /// The row as a version writes it.
    fn write(&self, version: u64) -> Result<Item, PortError>;
}

/// The table that a row is in, and its key.
pub(super) fn place_of(key: &RecordKey) -> (Table, Item) {
    match key {
        RecordKey::Product(id) => (Table::Products, item([("product_id", text(id.as_str()))])),
        RecordKey::Discounts(user) => (Table::Discounts, item([("user_id", text(user.as_str()))])),
    }
}

/// The row as a version leaves it.
pub(super) fn row(
    change: &RowChange,
    version: u64,
    forget_at: Timestamp,
) -> Result<Item, PortError> {
    match change {
        RowChange::Put(Record::Product(product)) => product.write(version),
        RowChange::Put(Record::Discounts(list)) => list.write(version),
        RowChange::Delete(key) => {
            let (_, mut item) = place_of(key);
            item.insert(VERSION.to_owned(), number(version));
            item.insert(DELETED.to_owned(), AttributeValue::Bool(true));
            item.insert(TTL.to_owned(), item::ttl(forget_at));
            Ok(item)
        }
    }
}

/// The id that a row is stored under.
pub(super) fn id_of(table: Table, row: &Item) -> Result<&str, PortError> {
    let id = table.keys().iter().find_map(|name| item::read_text(row, name).ok());
    id.ok_or_else(|| corrupt("a row", item::FieldError::Absent { name: "id" }))
}

/// The version that wrote a row.
pub(super) fn version_of(table: Table, row: &Item) -> Result<u64, PortError> {
    if !row.contains_key(VERSION) {
        return Ok(0);
    }
    item::read_number(row, VERSION).map_err(|error| {
        let kind = if table == Table::Products { "product" } else { "discounts of user" };
        corrupt(format_args!("{kind} `{}`", id_of(table, row).unwrap_or("?")), error)
    })
}

fn is_deleted(row: &Item) -> bool {
    row.contains_key(DELETED)
}

impl Tables {
    /// Those of some rows that exist at a head.
    pub(super) async fn rows_at<T: Loaded>(
        &self,
        ids: &[T::Id],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<T>>, PortError> {
        let places = ids.iter().map(|id| place_of(&T::record_key(id)).1).collect();
        let names = ids.iter().map(|id| journal_key(&T::record_key(id))).collect();
        let (rows, changes) = tokio::try_join!(
            self.read_all(T::TABLE, places, true),
            self.changes_at(at, T::NAMES, names),
        )?;
        let AtHead::Read(changes) = changes else { return Ok(AtHead::Moved) };
        let mut found = vec![];
        for row in &rows {
            if version_of(T::TABLE, row)? > at.version {
                return Ok(AtHead::Moved);
            }
            let name = format!("{}{}", T::NAMES, id_of(T::TABLE, row)?);
            if !is_deleted(row) && !changes.contains_key(&name) {
                found.push(T::read(row)?);
            }
        }
        found.extend(changes.into_values().filter_map(put));
        Ok(AtHead::Read(found))
    }

    /// A page of a table at a head: first of the rows that the head's journal does not change, with
    /// these fields or all of them, then of what it puts.
    pub(super) async fn list_at<T: Loaded, U>(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
        fields: Option<String>,
        read: impl Fn(&Item) -> Result<U, PortError> + Send,
        of: impl Fn(T) -> U + Send,
    ) -> Result<AtHead<Page<U>>, PortError> {
        let overlay = at.unfolded.as_ref().map(|load| Overlay { load, names: T::NAMES });
        let after = from.as_ref().and_then(|from| from.0.strip_prefix(PUTS));
        if let (Some(overlay), Some(after)) = (overlay, after) {
            let page = self.puts_of(overlay, after).await?;
            return Ok(page.map(|page| Page {
                items: page.items.into_iter().filter_map(put).map(of).collect(),
                next: page.next,
            }));
        }
        let changed = match overlay {
            None => None,
            Some(overlay) => match self.names_in(overlay).await? {
                AtHead::Moved => return Ok(AtHead::Moved),
                AtHead::Read(names) => Some(names),
            },
        };
        let page = self.scan(T::TABLE, from, |scan| {
            scan.consistent_read(true).set_projection_expression(fields)
        });
        let page = page.await?;
        let changed = changed.as_deref();
        let rows = page.items.iter().filter(|row| !is_beside_products(row));
        let mut items = vec![];
        for row in rows {
            if version_of(T::TABLE, row)? > at.version {
                return Ok(AtHead::Moved);
            }
            if !is_deleted(row) && !is_changed::<T>(row, changed)? {
                items.push(read(row)?);
            }
        }
        let next = page.next.or_else(|| overlay.map(|_| Cursor(PUTS.to_owned())));
        Ok(AtHead::Read(Page { items, next }))
    }
}

fn is_changed<T: Loaded>(row: &Item, names: Option<&HashSet<String>>) -> Result<bool, PortError> {
    let Some(names) = names else { return Ok(false) };
    Ok(names.contains(&format!("{}{}", T::NAMES, id_of(T::TABLE, row)?)))
}

fn put<T: Loaded>(change: RowChange) -> Option<T> {
    match change {
        RowChange::Put(record) => T::of(record),
        RowChange::Delete(_) => None,
    }
}
