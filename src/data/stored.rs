//! Reads from the store, at one head, what a load names.

use std::collections::HashMap;
use std::hash::Hash;

use futures_util::future::BoxFuture;

use super::load_error::LoadError;
use crate::ports::{AtHead, CatalogueHead, Chain, PortError, Store};

/// How many items are compared at once.
pub(super) const CHUNK: usize = 5_000;

/// The store as of a head.
#[derive(Clone, Copy)]
pub(super) struct StoreAt<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) head: &'a CatalogueHead,
}

/// Why a comparison ended early.
#[derive(Debug)]
pub(super) enum Halt {
    /// Another load came into force: start again from the current head.
    Moved,
    Failed(LoadError),
}

impl<E: Into<LoadError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Returns what was read, or [`Halt::Moved`] if a later load is in force.
pub(super) fn still<T>(read: AtHead<T>) -> Result<T, Halt> {
    match read {
        AtHead::Read(value) => Ok(value),
        AtHead::Moved => Err(Halt::Moved),
    }
}

/// What the store has under some ids.
pub(super) struct StoredRows<I, T> {
    pub(super) found: HashMap<I, T>,
    /// What cannot be read, and why.
    pub(super) unreadable: HashMap<I, String>,
}

impl<I: Clone + Eq + Hash, T> StoredRows<I, T> {
    /// Whether the store has anything under an id, readable or not.
    pub(super) fn has(&self, id: &I) -> bool {
        self.found.contains_key(id) || self.unreadable.contains_key(id)
    }

    /// Reads the rows with some ids. A read fails as a whole if one of its rows cannot be read. So it is
    /// halved until those rows are alone; the load replaces them.
    pub(super) async fn read<'a>(
        ids: &'a [I],
        id_of: impl Fn(&T) -> I,
        read: impl Fn(&'a [I]) -> BoxFuture<'a, Result<AtHead<Vec<T>>, PortError>>,
    ) -> Result<Self, Halt> {
        let mut stored = Self { found: HashMap::new(), unreadable: HashMap::new() };
        let mut rest = vec![ids];
        while let Some(ids) = rest.pop() {
            match (read(ids).await, ids) {
                (Ok(AtHead::Moved), _) => return Err(Halt::Moved),
                (Ok(AtHead::Read(found)), _) => {
                    stored.found.extend(found.into_iter().map(|item| (id_of(&item), item)));
                }
                (Err(error @ PortError::Corrupt { .. }), [id]) => {
                    stored.unreadable.insert(id.clone(), Chain(&error).to_string());
                }
                (Err(PortError::Corrupt { .. }), ids) => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    rest.extend([first, second]);
                }
                (Err(error), _) => return Err(error.into()),
            }
        }
        Ok(stored)
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
            let stored = runtime.block_on(StoredRows::read(&ids, usize::clone, read)).unwrap();
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
        assert!(StoredRows::read(&[1, 2, 3], u8::clone, read).await.is_err());
        assert_eq!(asked.into_inner(), 1);
    }
}
