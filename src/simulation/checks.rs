//! Counts the checks of invariants.

use std::collections::BTreeMap;

use super::Invariant;
use super::report::Breach;

/// How often each invariant was checked so far.
#[derive(Debug, Default)]
pub(super) struct Checks(BTreeMap<Invariant, u64>);

impl Checks {
    /// Checks an invariant once. `what` says how it was broken.
    pub(super) fn hold(
        &mut self,
        invariant: Invariant,
        holds: bool,
        what: impl FnOnce() -> String,
    ) -> Result<(), Breach> {
        *self.0.entry(invariant).or_default() += 1;
        if holds { Ok(()) } else { Err(Breach { invariant, what: what() }) }
    }

    pub(super) fn counts(&self) -> &BTreeMap<Invariant, u64> {
        &self.0
    }
}
