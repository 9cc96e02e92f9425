//! Products and discounts, and the head that gives each state of them a version.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::engine::Memory;
use super::journals::Journals;
use super::paging::page;
use crate::model::{ProductId, Timestamp, UserId};
use crate::ports::{
    AtHead, CatalogueHead, CatalogueStore, Cursor, DiscountStore, Page, PortError, Record,
    RecordKey, RowChange, UserDiscounts,
};
use crate::pricing::Product;

/// Whatever loads bring.
#[derive(Default)]
pub(super) struct LoadedTables {
    pub(super) head: Option<CatalogueHead>,
    pub(super) journals: Journals,
    products: Rows<ProductId, Product>,
    discounts: Rows<UserId, UserDiscounts>,
}

/// Rows by key, each with the version that wrote it.
type Rows<K, T> = BTreeMap<K, Row<T>>;

struct Row<T> {
    version: u64,
    content: Content<T>,
}

enum Content<T> {
    There(T),
    /// It was deleted; only its version is kept, until this time.
    Deleted {
        forget_at: Timestamp,
    },
}

impl LoadedTables {
    /// Writes a change of a version, unless the row has that version or a later one.
    pub(super) fn fold(&mut self, version: u64, change: &RowChange, forget_at: Timestamp) {
        match change {
            RowChange::Put(Record::Product(product)) => {
                let content = Content::There(product.clone());
                write(&mut self.products, &product.id, Row { version, content });
            }
            RowChange::Put(Record::Discounts(list)) => {
                let content = Content::There(list.clone());
                write(&mut self.discounts, &list.user, Row { version, content });
            }
            RowChange::Delete(RecordKey::Product(id)) => {
                let content = Content::Deleted { forget_at };
                write(&mut self.products, id, Row { version, content });
            }
            RowChange::Delete(RecordKey::Discounts(user)) => {
                let content = Content::Deleted { forget_at };
                write(&mut self.discounts, user, Row { version, content });
            }
        }
    }

    /// Forgets what was deleted long enough ago.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.products.retain(|_, row| row.content.is_kept(now));
        self.discounts.retain(|_, row| row.content.is_kept(now));
    }

    /// The changes that are laid over the rows at a head; `None` when they are gone, because they
    /// were folded in after that head was read.
    fn overlay(&self, at: &CatalogueHead) -> Option<Overlay<'_>> {
        let Some(load) = &at.unfolded else { return Some(Overlay(None)) };
        self.journals.changes(load).map(|changes| Overlay(Some(changes)))
    }
}

impl<T> Content<T> {
    fn is_kept(&self, now: Timestamp) -> bool {
        match self {
            Self::There(_) => true,
            Self::Deleted { forget_at } => now < *forget_at,
        }
    }
}

fn write<K: Ord + Clone, T>(rows: &mut Rows<K, T>, key: &K, row: Row<T>) {
    if rows.get(key).is_none_or(|there| there.version < row.version) {
        rows.insert(key.clone(), row);
    }
}

/// The journal of a head, laid over the rows.
struct Overlay<'a>(Option<&'a BTreeMap<RecordKey, RowChange>>);

impl<'a> Overlay<'a> {
    fn over(&self, key: &RecordKey) -> Option<&'a RowChange> {
        self.0.and_then(|changes| changes.get(key))
    }

    fn all(&self) -> impl Iterator<Item = &'a RowChange> {
        self.0.into_iter().flat_map(BTreeMap::values)
    }
}

/// What is in a row at a head.
enum Seen<'a, T> {
    There(&'a T),
    Absent,
    /// A later load has written it.
    Later,
}

fn seen<'a, T>(row: Option<&'a Row<T>>, at: &CatalogueHead) -> Seen<'a, T> {
    match row {
        None => Seen::Absent,
        Some(row) if row.version > at.version => Seen::Later,
        Some(Row { content: Content::There(value), .. }) => Seen::There(value),
        Some(_) => Seen::Absent,
    }
}

fn as_product(change: &RowChange) -> Option<&Product> {
    match change {
        RowChange::Put(Record::Product(product)) => Some(product),
        _ => None,
    }
}

fn as_discounts(change: &RowChange) -> Option<&UserDiscounts> {
    match change {
        RowChange::Put(Record::Discounts(list)) => Some(list),
        _ => None,
    }
}

/// Rows by their keys, at a head.
fn read<K: Ord + Clone, T: Clone>(
    rows: &Rows<K, T>,
    overlay: Option<Overlay<'_>>,
    keys: &[K],
    at: &CatalogueHead,
    name: fn(K) -> RecordKey,
    of: fn(&RowChange) -> Option<&T>,
) -> AtHead<Vec<T>> {
    let Some(overlay) = overlay else { return AtHead::Moved };
    let mut found = vec![];
    for key in keys {
        let row = seen(rows.get(key), at);
        if matches!(row, Seen::Later) {
            return AtHead::Moved;
        }
        match (overlay.over(&name(key.clone())), row) {
            (Some(change), _) => found.extend(of(change).cloned()),
            (None, Seen::There(value)) => found.push(value.clone()),
            (None, _) => {}
        }
    }
    AtHead::Read(found)
}

/// A page of rows, at a head. What the journal changes comes with the last page.
fn list<K, T, U>(
    rows: &Rows<K, T>,
    overlay: Option<Overlay<'_>>,
    from: Option<&Cursor>,
    at: &CatalogueHead,
    name: fn(K) -> RecordKey,
    of: fn(&RowChange) -> Option<&T>,
    item: impl Fn(&T) -> U,
) -> AtHead<Page<U>>
where
    K: Ord + Clone + Borrow<str>,
{
    let Some(overlay) = overlay else { return AtHead::Moved };
    let looked_at = page(rows, from, |key, row| Some((key.clone(), seen(Some(row), at))));
    let mut items = vec![];
    for (key, row) in looked_at.items {
        match row {
            Seen::Later => return AtHead::Moved,
            Seen::There(value) if overlay.over(&name(key)).is_none() => items.push(item(value)),
            Seen::There(_) | Seen::Absent => {}
        }
    }
    if looked_at.next.is_none() {
        items.extend(overlay.all().filter_map(of).map(&item));
    }
    AtHead::Read(Page { items, next: looked_at.next })
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
        let loaded = &self.state().loaded;
        let overlay = loaded.overlay(at);
        Ok(read(&loaded.products, overlay, products, at, RecordKey::Product, as_product))
    }

    async fn list_products(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Product>>, PortError> {
        let loaded = &self.state().loaded;
        let (overlay, from) = (loaded.overlay(at), from.as_ref());
        let name = RecordKey::Product;
        Ok(list(&loaded.products, overlay, from, at, name, as_product, Product::clone))
    }
}

#[async_trait]
impl DiscountStore for Memory {
    async fn discounts(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<UserDiscounts>>, PortError> {
        let loaded = &self.state().loaded;
        let overlay = loaded.overlay(at);
        Ok(read(&loaded.discounts, overlay, users, at, RecordKey::Discounts, as_discounts))
    }

    async fn list_discounted_users(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<UserId>>, PortError> {
        let loaded = &self.state().loaded;
        let (overlay, from) = (loaded.overlay(at), from.as_ref());
        let (name, user) = (RecordKey::Discounts, |list: &UserDiscounts| list.user.clone());
        Ok(list(&loaded.discounts, overlay, from, at, name, as_discounts, user))
    }
}
