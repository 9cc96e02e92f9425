//! What a load has to write: the data, less what the store has already.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use futures_util::future::BoxFuture;

use super::Dataset;
use crate::model::{ProductId, UserId};
use crate::ports::{
    AtHead, CatalogueHead, Chain, PortError, Record, RecordKey, RowChange, Store, UserDiscounts,
};
use crate::pricing::Product;

/// So many items are compared at once.
const CHUNK: usize = 5_000;

/// What became of the rows of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New.
    pub added: u64,
    /// Stored before, with other values, or in a form that cannot be read.
    pub changed: u64,
    /// Stored before, just so.
    pub unchanged: u64,
    /// Stored before, and pruned.
    pub removed: u64,
}

impl Counts {
    /// Whether anything was written.
    #[must_use]
    pub const fn wrote(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

/// What has to be written.
#[derive(Default)]
pub(super) struct Difference<'a> {
    pub(super) put_products: Vec<&'a Product>,
    pub(super) delete_products: Vec<ProductId>,
    pub(super) put_discounts: Vec<&'a UserDiscounts>,
    pub(super) delete_discounts: Vec<UserId>,
    pub(super) products: Counts,
    pub(super) users: Counts,
    /// What is stored and cannot be read, and why. All of it is among what has to be written.
    pub(super) unreadable: Vec<String>,
}

/// The store, as it is at a head.
#[derive(Clone, Copy)]
pub(super) struct StoreAt<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) head: &'a CatalogueHead,
}

/// One change of a difference, with the data left where it is.
enum Planned<'a> {
    PutProduct(&'a Product),
    DeleteProduct(&'a ProductId),
    PutDiscounts(&'a UserDiscounts),
    DeleteDiscounts(&'a UserId),
}

impl<'a> Difference<'a> {
    /// Compares data with the store. `progress` is called with the number of rows done so far.
    pub(super) async fn of(
        data: &'a Dataset,
        at: StoreAt<'_>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<AtHead<Self>, PortError> {
        let mut difference = Self::default();
        let mut done = 0;
        // Sorted, neighbours share the pages of a store that keeps them sorted: a million products
        // are read and written many times faster than in a random order.
        let mut products: Vec<&Product> = data.products.iter().collect();
        products.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        for chunk in products.chunks(CHUNK) {
            let ids: Vec<ProductId> = chunk.iter().map(|product| product.id.clone()).collect();
            let read = |ids| at.store.products(ids, at.head);
            let AtHead::Read(stored) = Stored::read(&ids, |product| &product.id, read).await?
            else {
                return Ok(AtHead::Moved);
            };
            for &product in chunk {
                if difference.products.compare(&stored, &product.id, product) {
                    difference.put_products.push(product);
                }
            }
            difference.unreadable.extend(stored.unreadable.into_values());
            done += chunk.len() as u64;
            progress(done);
        }
        let mut lists: Vec<&UserDiscounts> = data.discounts.iter().collect();
        lists.sort_unstable_by(|a, b| a.user.cmp(&b.user));
        for chunk in lists.chunks(CHUNK) {
            let users: Vec<UserId> = chunk.iter().map(|list| list.user.clone()).collect();
            let read = |users| at.store.discounts(users, at.head);
            let AtHead::Read(stored) = Stored::read(&users, |list| &list.user, read).await? else {
                return Ok(AtHead::Moved);
            };
            for &list in chunk {
                if difference.users.compare(&stored, &list.user, list) {
                    difference.put_discounts.push(list);
                }
            }
            difference.unreadable.extend(stored.unreadable.into_values());
            done += chunk.len() as u64;
            progress(done);
        }
        Ok(AtHead::Read(difference))
    }

    /// Adds what the store has and data of the same kind does not name, to be deleted.
    pub(super) async fn prune(
        &mut self,
        data: &Dataset,
        at: StoreAt<'_>,
    ) -> Result<AtHead<()>, PortError> {
        if !data.products.is_empty() {
            let named: HashSet<&ProductId> =
                data.products.iter().map(|product| &product.id).collect();
            let mut from = None;
            loop {
                let AtHead::Read(page) = at.store.list_products(at.head, from).await? else {
                    return Ok(AtHead::Moved);
                };
                let ids = page.items.into_iter().map(|product| product.id);
                self.delete_products.extend(ids.filter(|id| !named.contains(id)));
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        if !data.discounts.is_empty() {
            let named: HashSet<&UserId> = data.discounts.iter().map(|list| &list.user).collect();
            let mut from = None;
            loop {
                let page = at.store.list_discounted_users(at.head, from).await?;
                let AtHead::Read(page) = page else { return Ok(AtHead::Moved) };
                let users = page.items.into_iter();
                self.delete_discounts.extend(users.filter(|user| !named.contains(user)));
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        self.products.removed = self.delete_products.len() as u64;
        self.users.removed = self.delete_discounts.len() as u64;
        Ok(AtHead::Read(()))
    }

    /// How many changes there are.
    pub(super) fn changes(&self) -> u64 {
        let products = self.put_products.len() + self.delete_products.len();
        (products + self.put_discounts.len() + self.delete_discounts.len()) as u64
    }

    /// All changes in the order of a journal, so many at a time.
    pub(super) fn in_chunks(&self, size: usize) -> impl Iterator<Item = Vec<RowChange>> {
        let mut products: Vec<Planned<'_>> =
            self.put_products.iter().map(|product| Planned::PutProduct(product)).collect();
        products.extend(self.delete_products.iter().map(Planned::DeleteProduct));
        products.sort_unstable_by(|a, b| a.id().cmp(b.id()));
        let mut lists: Vec<Planned<'_>> =
            self.put_discounts.iter().map(|list| Planned::PutDiscounts(list)).collect();
        lists.extend(self.delete_discounts.iter().map(Planned::DeleteDiscounts));
        lists.sort_unstable_by(|a, b| a.id().cmp(b.id()));
        products.extend(lists);
        let mut rest = products.into_iter();
        std::iter::from_fn(move || {
            let chunk: Vec<RowChange> =
                rest.by_ref().take(size).map(|change| change.to_change()).collect();
            (!chunk.is_empty()).then_some(chunk)
        })
    }
}

impl Planned<'_> {
    fn id(&self) -> &str {
        match self {
            Self::PutProduct(product) => product.id.as_str(),
            Self::DeleteProduct(id) => id.as_str(),
            Self::PutDiscounts(list) => list.user.as_str(),
            Self::DeleteDiscounts(user) => user.as_str(),
        }
    }

    fn to_change(&self) -> RowChange {
        match *self {
            Self::PutProduct(product) => RowChange::Put(Record::Product(product.clone())),
            Self::DeleteProduct(id) => RowChange::Delete(RecordKey::Product(id.clone())),
            Self::PutDiscounts(list) => RowChange::Put(Record::Discounts(list.clone())),
            Self::DeleteDiscounts(user) => RowChange::Delete(RecordKey::Discounts(user.clone())),
        }
    }
}

impl Counts {
    /// Counts a row; says whether it has to be written.
    fn compare<I: Eq + Hash, T: PartialEq>(
        &mut self,
        stored: &Stored<I, T>,
        id: &I,
        given: &T,
    ) -> bool {
        let count = match stored.found.get(id) {
            Some(found) if found == given => &mut self.unchanged,
            None if !stored.unreadable.contains_key(id) => &mut self.added,
            _ => &mut self.changed,
        };
        *count += 1;
        stored.found.get(id) != Some(given)
    }
}

/// What the store has under some ids.
struct Stored<I, T> {
    found: HashMap<I, T>,
    /// What cannot be read, and why.
    unreadable: HashMap<I, String>,
}

impl<I: Clone + Eq + Hash, T> Stored<I, T> {
    /// Reads it. A read fails as a whole when one of its rows cannot be read, so it is halved until
    /// those rows are alone: what is being loaded takes their place.
    async fn read<'a>(
        ids: &'a [I],
        id_of: impl Fn(&T) -> &I,
        read: impl Fn(&'a [I]) -> BoxFuture<'a, Result<AtHead<Vec<T>>, PortError>>,
    ) -> Result<AtHead<Self>, PortError> {
        let mut stored = Self { found: HashMap::new(), unreadable: HashMap::new() };
        let mut rest = vec![ids];
        while let Some(ids) = rest.pop() {
            match (read(ids).await, ids) {
                (Ok(AtHead::Moved), _) => return Ok(AtHead::Moved),
                (Ok(AtHead::Read(found)), _) => {
                    stored.found.extend(found.into_iter().map(|item| (id_of(&item).clone(), item)));
                }
                (Err(error @ PortError::Corrupt { .. }), [id]) => {
                    stored.unreadable.insert(id.clone(), Chain(&error).to_string());
                }
                (Err(PortError::Corrupt { .. }), ids) => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    rest.extend([first, second]);
                }
                (Err(error), _) => return Err(error),
            }
        }
        Ok(AtHead::Read(stored))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_can_be_read_is_read_and_the_rest_is_named(bad in prop::collection::vec(any::<bool>(), 0..40)) {
            let ids: Vec<usize> = (0..bad.len()).collect();
            let read = |ids: &[usize]| {
                let result = match ids.iter().find(|&&id| bad[id]) {
                    Some(id) => Err(PortError::corrupt(format!("row {id}"), "a test")),
                    None => Ok(AtHead::Read(ids.to_vec())),
                };
                Box::pin(std::future::ready(result)) as BoxFuture<'_, _>
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let AtHead::Read(stored) = runtime.block_on(Stored::read(&ids, |id| id, read)).unwrap()
            else {
                panic!("nothing has moved");
            };
            for id in ids {
                prop_assert_eq!(stored.found.contains_key(&id), !bad[id]);
                prop_assert_eq!(stored.unreadable.contains_key(&id), bad[id]);
            }
        }
    }

    #[tokio::test]
    async fn a_store_in_trouble_is_asked_once() {
        let asked = RefCell::new(0);
        let read = |_: &[u8]| {
            *asked.borrow_mut() += 1;
            let error = PortError::Throttled { what: "a store".to_owned() };
            Box::pin(std::future::ready(Err::<AtHead<Vec<u8>>, _>(error))) as BoxFuture<'_, _>
        };
        assert!(Stored::read(&[1, 2, 3], |id| id, read).await.is_err());
        assert_eq!(asked.into_inner(), 1);
    }
}
