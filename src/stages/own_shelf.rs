//! Own rows in memory: unpacked rows are kept, up to a limit, for all quotes of a process.
//!
//! A generation names one written table, whose own rows never change, so what is kept is never wrong. A
//! customer who quotes again before the table changes needs no unpacking.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::base_shelf::ByBytes;
use crate::model::Generation;
use crate::pricing::OwnRows;

/// About the most memory for kept rows, in bytes: enough for 9,000 customers with 100 own rows each.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// The estimated size of a customer's kept rows, in bytes.
const CUSTOMER_BYTES: u64 = 2048;

/// The unpacked own rows of tables whose rows are in the head.
pub(super) struct OwnShelf(Cache<Generation, Arc<OwnRows>, ByBytes>);

impl Weighter<Generation, Arc<OwnRows>> for ByBytes {
    fn weight(&self, generation: &Generation, rows: &Arc<OwnRows>) -> u64 {
        /// The estimated memory for a generation as key, and for the places of its entry in the cache.
        const OF_ENTRY: usize = 128;
        (OF_ENTRY + generation.as_str().len() + rows.weight()) as u64
    }
}

impl OwnShelf {
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter((MAX_BYTES / CUSTOMER_BYTES) as usize, MAX_BYTES, ByBytes))
    }

    /// Returns the rows of a table. If they are not kept, unpacks and keeps them; `None` if they cannot be
    /// unpacked.
    pub(super) fn rows(
        &self,
        generation: &Generation,
        unpack: impl FnOnce() -> Option<OwnRows>,
    ) -> Option<Arc<OwnRows>> {
        if let Some(rows) = self.0.get(generation) {
            return Some(rows);
        }
        let rows = Arc::new(unpack()?);
        self.0.insert(generation.clone(), rows.clone());
        Some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Money, OwnRow, Percentage};

    #[test]
    fn rows_are_unpacked_once_and_those_of_too_many_customers_are_not_kept() {
        let shelf = OwnShelf::new();
        let row = |index| OwnRow { index, discount: Percentage::default(), saving: Money::ZERO };
        let rows = |count| OwnRows::new((0..count).map(row).collect());
        let generation = |number: u128| Generation::from_random(number.to_be_bytes());
        assert_eq!(shelf.rows(&generation(0), || None), None, "damaged rows are not kept");
        let first = shelf.rows(&generation(0), || rows(3)).unwrap();
        let again = shelf.rows(&generation(0), || panic!("they are kept")).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        for number in 0..20_000 {
            shelf.rows(&generation(number), || rows(100)).unwrap();
        }
        assert!(shelf.0.weight() <= MAX_BYTES && shelf.0.len() > 5_000);
    }
}
