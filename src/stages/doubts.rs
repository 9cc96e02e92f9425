//! Which stored bases are not to be trusted: a reader did not find all of one.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::ports::BaseName;

/// A doubt is about every base that was made before it, because whoever has it does not always know which
/// one it was.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    has_doubts: bool,
    /// The bases that were made since the last doubt.
    made_since: HashSet<BaseName>,
}

impl Doubts {
    /// Has every base made again before its next use.
    pub(super) fn raise(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.has_doubts = true;
        state.made_since.clear();
    }

    /// Whether a base is to be made again.
    pub(super) fn are_about(&self, name: &BaseName) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.has_doubts && !state.made_since.contains(name)
    }

    /// A base was made.
    pub(super) fn settle(&self, name: BaseName) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.has_doubts {
            state.made_since.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::Currency;

    #[test]
    fn a_doubt_is_about_every_base_until_it_is_made_again() {
        let name = |version| BaseName { version, currency: Currency::USD, terms: None };
        let doubts = Doubts::default();
        assert!(!doubts.are_about(&name(1)));
        doubts.raise();
        assert!(doubts.are_about(&name(1)) && doubts.are_about(&name(2)));
        doubts.settle(name(1));
        assert!(!doubts.are_about(&name(1)) && doubts.are_about(&name(2)));
        doubts.raise();
        assert!(doubts.are_about(&name(1)));
    }
}
