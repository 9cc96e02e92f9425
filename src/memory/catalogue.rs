//! The tables that loads write, and the catalogue's head.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use async_trait::async_trait;

use super::engine::Memory;
use super::journals::{Journals, cursor_at, key_at};
use super::paging::PAGE_ROWS;
use crate::model::{PriceListId, ProductId, Timestamp, UserId};
use crate::ports::{
    AtHead, CatalogueHead, CatalogueStore, Cursor, CustomerStore, DiscountStore, OfRecord, Page,
    PortError, PriceListStore, Record, RecordKey, RecordKind, RowChange, Segment, UserDiscounts,
};
use crate::pricing::{Customer, ListPrices, PriceList, Product, Scope};

/// The tables that loads write, the catalogue's head, and the journals.
#[derive(Default)]
pub(super) struct LoadedTables {
    pub(super) head: Option<CatalogueHead>,
    pub(super) journals: Journals,
    /// The rows of each kind.
    rows: [BTreeMap<RecordKey, VersionedRow>; RecordKind::ALL.len()],
}

/// A row with the version that wrote it.
struct VersionedRow {
    version: u64,
    content: RowContent,
}

enum RowContent {
    There(Record),
    /// The row was deleted. Only its version is kept, until this time.
    Deleted {
        forget_at: Timestamp,
    },
}

impl LoadedTables {
    /// Writes a change of a version, unless the row has the same version or a later one.
    pub(super) fn fold(&mut self, version: u64, change: &RowChange, forget_at: Timestamp) {
        let content = match change {
            RowChange::Put(record) => RowContent::There(record.clone()),
            RowChange::Delete(_) => RowContent::Deleted { forget_at },
        };
        let key = change.key();
        let rows = &mut self.rows[key.kind() as usize];
        if rows.get(&key).is_none_or(|there| there.version < version) {
            rows.insert(key, VersionedRow { version, content });
        }
    }

    /// Removes the versions of deleted rows that need not be kept any longer.
    pub(super) fn forget(&mut self, now: Timestamp) {
        for rows in &mut self.rows {
            rows.retain(|_, row| row.content.is_kept(now));
        }
    }

    /// Returns the changes that are laid over the rows at a head. Returns `None` if they are gone, because
    /// they were folded after that head was read.
    fn overlay(&self, at: &CatalogueHead) -> Option<JournalOverlay<'_>> {
        let Some(load) = &at.unfolded else { return Some(JournalOverlay(None)) };
        self.journals.changes(load).map(|changes| JournalOverlay(Some(changes)))
    }

    /// Reads rows by their keys, as of a head.
    fn read<T: OfRecord>(
        &self,
        keys: impl Iterator<Item = RecordKey>,
        at: &CatalogueHead,
    ) -> AtHead<Vec<T>> {
        let Some(overlay) = self.overlay(at) else { return AtHead::Moved };
        let mut found = vec![];
        for key in keys {
            let row = seen(self.rows[key.kind() as usize].get(&key), at);
            match (overlay.over(&key), row) {
                (_, RowAtHead::Later) => return AtHead::Moved,
                (Some(RowChange::Put(record)), _) | (None, RowAtHead::There(record)) => {
                    found.extend(T::of(record.clone()));
                }
                (Some(RowChange::Delete(_)), _) | (None, RowAtHead::Absent) => {}
            }
        }
        AtHead::Read(found)
    }

    /// Returns a page of the rows of a kind that belong to the listing, starting at `first`. The changes of
    /// the journal come with the last page.
    fn list<T: OfRecord>(
        &self,
        first: Option<RecordKey>,
        belongs: impl Fn(&RecordKey) -> bool,
        (at, from): (&CatalogueHead, Option<Cursor>),
    ) -> Result<AtHead<Page<T>>, PortError> {
        let Some(overlay) = self.overlay(at) else { return Ok(AtHead::Moved) };
        let after = match from {
            Some(cursor) => Bound::Excluded(key_at(&cursor)?),
            None => first.map_or(Bound::Unbounded, Bound::Included),
        };
        let rows = self.rows[T::KIND as usize].range((after, Bound::Unbounded));
        let (mut items, mut last, mut looked_at) = (vec![], None, 0);
        // Rows that are left out count too, as in the services.
        for (key, row) in rows.take_while(|(key, _)| belongs(key)).take(PAGE_ROWS) {
            match seen(Some(row), at) {
                RowAtHead::Later => return Ok(AtHead::Moved),
                RowAtHead::There(record) if overlay.over(key).is_none() => {
                    items.extend(T::of(record.clone()))
                }
                RowAtHead::There(_) | RowAtHead::Absent => {}
            }
            last = Some(key);
            looked_at += 1;
        }
        let next = last.filter(|_| looked_at == PAGE_ROWS).map(cursor_at).transpose()?;
        if next.is_none() {
            let of_kind = overlay.all().filter(|change| {
                let key = change.key();
                key.kind() == T::KIND && belongs(&key)
            });
            items.extend(of_kind.filter_map(|change| match change {
                RowChange::Put(record) => T::of(record.clone()),
                RowChange::Delete(_) => None,
            }));
        }
        Ok(AtHead::Read(Page { items, next }))
    }
}

impl RowContent {
    fn is_kept(&self, now: Timestamp) -> bool {
        match self {
            Self::There(_) => true,
            Self::Deleted { forget_at } => now < *forget_at,
        }
    }
}

/// The journal of a head, which is laid over the rows.
struct JournalOverlay<'a>(Option<&'a BTreeMap<RecordKey, RowChange>>);

impl<'a> JournalOverlay<'a> {
    fn over(&self, key: &RecordKey) -> Option<&'a RowChange> {
        self.0.and_then(|changes| changes.get(key))
    }

    fn all(&self) -> impl Iterator<Item = &'a RowChange> {
        self.0.into_iter().flat_map(BTreeMap::values)
    }
}

/// The content of a row as of a head.
enum RowAtHead<'a> {
    There(&'a Record),
    Absent,
    /// A later load has written the row.
    Later,
}

fn seen<'a>(row: Option<&'a VersionedRow>, at: &CatalogueHead) -> RowAtHead<'a> {
    match row {
        None => RowAtHead::Absent,
        Some(row) if row.version > at.version => RowAtHead::Later,
        Some(VersionedRow { content: RowContent::There(record), .. }) => RowAtHead::There(record),
        Some(_) => RowAtHead::Absent,
    }
}

fn any(_: &RecordKey) -> bool {
    true
}

#[async_trait]
impl CatalogueStore for Memory {
    async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError> {
        Ok(self.state().loaded.head.clone())
    }

    fn head_kept_for(&self) -> Duration {
        Duration::ZERO
    }

    async fn products(
        &self,
        products: &[ProductId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<Product>>, PortError> {
        let keys = products.iter().cloned().map(RecordKey::Product);
        Ok(self.state().loaded.read(keys, at))
    }

    async fn list_products(
        &self,
        at: &CatalogueHead,
        segment: Segment,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Product>>, PortError> {
        Ok(self.state().loaded.list(None, any, (at, from))?.within(segment))
    }

    fn product_segments(&self) -> u32 {
        1
    }
}

#[async_trait]
impl DiscountStore for Memory {
    async fn discounts(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<UserDiscounts>>, PortError> {
        let keys = users.iter().cloned().map(RecordKey::Discounts);
        Ok(self.state().loaded.read(keys, at))
    }

    async fn list_discounted_users(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<UserId>>, PortError> {
        let page = self.state().loaded.list(None, any, (at, from))?;
        Ok(page.map(|Page { items, next }: Page<UserDiscounts>| Page {
            items: items.into_iter().map(|list| list.user).collect(),
            next,
        }))
    }
}

#[async_trait]
impl CustomerStore for Memory {
    async fn customers(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<Customer>>, PortError> {
        let keys = users.iter().cloned().map(RecordKey::Customer);
        Ok(self.state().loaded.read(keys, at))
    }

    async fn list_customers(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Customer>>, PortError> {
        self.state().loaded.list(None, any, (at, from))
    }
}

#[async_trait]
impl PriceListStore for Memory {
    async fn price_lists(
        &self,
        lists: &[PriceListId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<PriceList>>, PortError> {
        let keys = lists.iter().cloned().map(RecordKey::PriceList);
        Ok(self.state().loaded.read(keys, at))
    }

    async fn list_price_lists(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<PriceList>>, PortError> {
        self.state().loaded.list(None, any, (at, from))
    }

    async fn prices(
        &self,
        rows: &[(PriceListId, Scope)],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<ListPrices>>, PortError> {
        let keys = rows.iter().cloned().map(|(list, scope)| RecordKey::Prices(list, scope));
        Ok(self.state().loaded.read(keys, at))
    }

    async fn list_prices(
        &self,
        list: &PriceListId,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<ListPrices>>, PortError> {
        let first = RecordKey::Prices(list.clone(), Scope::All);
        let of_list = |key: &RecordKey| matches!(key, RecordKey::Prices(of, _) if of == list);
        self.state().loaded.list(Some(first), of_list, (at, from))
    }
}
