//! Reads the rows that loads write, as of a head.
//!
//! A row has the version of the load that wrote it. Rows of older releases have none, which counts as
//! version 0. A row that a load deleted stays as a tombstone for a while, with its version and nothing
//! else, so that a reader or a load that is behind notices it.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::head::{VERSION, is_beside_products};
use super::item::{self, Item, item, number, text};
use super::names::{DynamoTable, TTL};
use super::overlay::{JournalPart, PUTS};
use super::tables::{Tables, corrupt, scan_segment};
use crate::meter::journal_items::{journal_key, names_of, names_of_list};
use crate::model::{PriceListId, Timestamp};
use crate::ports::{
    AtHead, CatalogueHead, Cursor, OfRecord, Page, PortError, Record, RecordKey, RowChange, Segment,
};

/// The attribute that only tombstones have.
pub(super) const DELETED: &str = "deleted";

/// A row of one of the tables that loads write.
pub(super) trait Loaded: OfRecord + Send {
    type Id: Sync;
    const TABLE: DynamoTable;

    fn record_key(id: &Self::Id) -> RecordKey;

    /// Returns the key of a row, as [`RecordKey::stored`] does.
    fn stored_key(row: &Item) -> Result<String, PortError> {
        id_of(Self::TABLE, row)
    }

    fn read(item: &Item) -> Result<Self, PortError>;

    /// Returns the row as the load of a version writes it.
    fn write(&self, version: u64) -> Result<Item, PortError>;
}

/// Which rows of a table are listed.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowSet<'a> {
    /// All rows, with all fields.
    All,
    /// The rows of a segment, with all fields.
    Segment(Segment),
    /// All rows, with these fields.
    Fields(&'a str),
    /// Price lists without their rows.
    Lists,
    /// The rows of a price list.
    Of(&'a PriceListId),
}

/// The partition key of all lists without their rows. No id has a control character.
pub(super) const LISTS: &str = "\u{1}lists";
pub(super) const LIST_ID: &str = "list_id";
pub(super) const SCOPE_ID: &str = "scope_id";

/// Returns the key of an item in the table of price lists.
pub(super) fn list_place(list: &str, scope: &str) -> Item {
    item([(LIST_ID, text(list)), (SCOPE_ID, text(scope))])
}

/// Separates the parts of a key that is written as one text.
const KEY_PARTS: &str = "\u{1}";

/// Returns the table and the key of a row.
pub(super) fn place_of(key: &RecordKey) -> (DynamoTable, Item) {
    match key {
        RecordKey::Product(id) => {
            (DynamoTable::Products, item([("product_id", text(id.as_str()))]))
        }
        RecordKey::Discounts(user) => {
            (DynamoTable::Discounts, item([("user_id", text(user.as_str()))]))
        }
        RecordKey::Customer(user) => {
            (DynamoTable::Customers, item([("user_id", text(user.as_str()))]))
        }
        RecordKey::PriceList(list) => (DynamoTable::PriceLists, list_place(LISTS, list.as_str())),
        RecordKey::Prices(list, scope) => {
            (DynamoTable::PriceLists, list_place(list.as_str(), &scope.key()))
        }
    }
}

/// Returns the row as the load of a version leaves it.
pub(super) fn row(
    change: &RowChange,
    version: u64,
    forget_at: Timestamp,
) -> Result<Item, PortError> {
    match change {
        RowChange::Put(Record::Product(product)) => product.write(version),
        RowChange::Put(Record::Discounts(list)) => list.write(version),
        RowChange::Put(Record::Customer(customer)) => customer.write(version),
        RowChange::Put(Record::PriceList(list)) => list.write(version),
        RowChange::Put(Record::Prices(prices)) => prices.write(version),
        RowChange::Delete(key) => {
            let (_, mut item) = place_of(key);
            item.insert(VERSION.to_owned(), number(version));
            item.insert(DELETED.to_owned(), AttributeValue::Bool(true));
            item.insert(TTL.to_owned(), item::ttl(forget_at));
            Ok(item)
        }
    }
}

/// Returns the key of a row as text. No other row of the table has the same.
pub(super) fn id_of(table: DynamoTable, row: &Item) -> Result<String, PortError> {
    let parts = table.keys().iter().map(|name| item::read_text(row, name));
    let parts: Vec<&str> = parts.collect::<Result<_, _>>().map_err(|e| corrupt("a row", e))?;
    Ok(parts.join(KEY_PARTS))
}

/// Returns the version that wrote a row.
pub(super) fn version_of(table: DynamoTable, row: &Item) -> Result<u64, PortError> {
    if !row.contains_key(VERSION) {
        return Ok(0);
    }
    item::read_number(row, VERSION).map_err(|error| {
        let kind = match table {
            DynamoTable::Products => "product",
            DynamoTable::Discounts => "discounts of customer",
            DynamoTable::Customers => "customer",
            _ => "row of a price list",
        };
        let id = id_of(table, row).unwrap_or_default().replace(KEY_PARTS, " ");
        corrupt(format_args!("{kind} `{}`", id.trim_start()), error)
    })
}

fn is_deleted(row: &Item) -> bool {
    row.contains_key(DELETED)
}

impl Tables {
    /// Returns the rows that exist as of a head.
    pub(super) async fn rows_at<T: Loaded>(
        &self,
        ids: &[T::Id],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<T>>, PortError> {
        let places = ids.iter().map(|id| place_of(&T::record_key(id)).1).collect();
        let names = ids.iter().map(|id| journal_key(&T::record_key(id))).collect();
        let (rows, changes) = tokio::try_join!(
            self.read_all(T::TABLE, places),
            self.changes_at(at, names_of(T::KIND), names),
        )?;
        let AtHead::Read(changes) = changes else { return Ok(AtHead::Moved) };
        let mut found = vec![];
        for row in &rows {
            if version_of(T::TABLE, row)? > at.version {
                return Ok(AtHead::Moved);
            }
            if !is_deleted(row) && !changes.contains_key(&name_of::<T>(row)?) {
                found.push(T::read(row)?);
            }
        }
        found.extend(changes.into_values().filter_map(put));
        Ok(AtHead::Read(found))
    }

    /// Returns a page of rows as of a head: first rows that the head's journal does not change, then those
    /// that it puts.
    pub(super) async fn list_at<T: Loaded, U>(
        &self,
        rows: RowSet<'_>,
        at: &CatalogueHead,
        from: Option<Cursor>,
        read: impl Fn(&Item) -> Result<U, PortError> + Send,
        of: impl Fn(T) -> U + Send,
    ) -> Result<AtHead<Page<U>>, PortError> {
        let names = match rows {
            RowSet::Of(list) => names_of_list(list),
            RowSet::All | RowSet::Segment(_) | RowSet::Fields(_) | RowSet::Lists => {
                names_of(T::KIND).to_owned()
            }
        };
        let overlay = at.unfolded.as_ref().map(|load| JournalPart { load, names: &names });
        let after = from.as_ref().and_then(|from| from.0.strip_prefix(PUTS));
        if let Some(after) = after {
            let Some(overlay) = overlay else {
                // The journal was folded since the last page. A caller that continues all the same knows
                // that the journal put nothing of this kind, so all rows were listed before.
                return Ok(AtHead::Read(Page { items: vec![], next: None }));
            };
            let is_segment = matches!(rows, RowSet::Segment(_));
            let page = self.puts_of(overlay, after, is_segment).await?;
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
        let page = self.stored_page(T::TABLE, rows, from).await?;
        let (changed, rows_of) = (changed.as_deref(), rows);
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
        // What the journal puts belongs to no segment of the table, so it is listed with the first one.
        let has_puts = !matches!(rows_of, RowSet::Segment(Segment { index: 1.., .. }));
        let overlay = overlay.filter(|_| has_puts);
        let next = page.next.or_else(|| overlay.map(|_| Cursor(PUTS.to_owned())));
        Ok(AtHead::Read(Page { items, next }))
    }

    /// Returns a page of rows as they are in their table.
    async fn stored_page(
        &self,
        table: DynamoTable,
        rows: RowSet<'_>,
        from: Option<Cursor>,
    ) -> Result<Page<Item>, PortError> {
        let (fields, segment) = match rows {
            RowSet::All => (None, None),
            RowSet::Segment(segment) => (None, Some(segment)),
            RowSet::Fields(fields) => (Some(fields.to_owned()), None),
            RowSet::Lists => return self.query_lists(LISTS, from).await,
            RowSet::Of(list) => return self.query_lists(list.as_str(), from).await,
        };
        let (index, count) = segment.map(scan_segment).transpose()?.unzip();
        self.scan(table, from, |scan| {
            scan.consistent_read(true)
                .set_projection_expression(fields)
                .set_segment(index)
                .set_total_segments(count)
        })
        .await
    }
}

fn is_changed<T: Loaded>(row: &Item, names: Option<&HashSet<String>>) -> Result<bool, PortError> {
    let Some(names) = names else { return Ok(false) };
    Ok(names.contains(&name_of::<T>(row)?))
}

/// Returns the name of a row in a journal.
fn name_of<T: Loaded>(row: &Item) -> Result<String, PortError> {
    Ok(format!("{}{}", names_of(T::KIND), T::stored_key(row)?))
}

fn put<T: Loaded>(change: RowChange) -> Option<T> {
    match change {
        RowChange::Put(record) => T::of(record),
        RowChange::Delete(_) => None,
    }
}
