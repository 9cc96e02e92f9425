//! Doubts: which stored bases a reader found incomplete.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::ports::BaseName;

/// The most doubts that are remembered. A doubt about a base that is no longer used is never settled.
const MOST: usize = 4096;

/// The bases that must be made again before their next use.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<HashSet<BaseName>>);

impl Doubts {
    /// Marks bases to be made again.
    pub(super) fn raise(&self, names: impl IntoIterator<Item = BaseName>) {
        let mut doubtful = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            // A doubt that is forgotten here comes back: the next reader of the base cannot read it either.
            if doubtful.len() >= MOST && !doubtful.contains(&name) {
                doubtful.clear();
            }
            doubtful.insert(name);
        }
    }

    /// Whether a base must be made again.
    pub(super) fn are_about(&self, name: &BaseName) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// Removes the doubt about a base, because it was made again.
    pub(super) fn settle(&self, name: &BaseName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::Currency;

    fn name(version: u64) -> BaseName {
        BaseName { version, currency: Currency::USD, terms: None }
    }

    #[test]
    fn a_doubt_is_about_the_bases_that_it_names_until_they_are_made_again() {
        let doubts = Doubts::default();
        doubts.raise([name(1), name(2)]);
        assert!(doubts.are_about(&name(1)) && doubts.are_about(&name(2)));
        assert!(!doubts.are_about(&name(3)));
        doubts.settle(&name(1));
        assert!(!doubts.are_about(&name(1)) && doubts.are_about(&name(2)));
        doubts.raise([name(1)]);
        assert!(doubts.are_about(&name(1)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let doubts = Doubts::default();
        for version in 0..3 * MOST as u64 {
            doubts.raise([name(version)]);
            assert!(doubts.are_about(&name(version)), "the last one is always remembered");
        }
        assert!(doubts.0.lock().unwrap().len() <= MOST);
    }
}
