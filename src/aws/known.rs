//! What a process keeps of what it read from tables, so that it does not read it again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::ports::{LoadId, SettingsRecord};

/// The names of all changes of each kind in the journal that was listed last: a listing reads them once,
/// however many pages and segments it has.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    load: Option<LoadId>,
    by_kind: HashMap<String, Arc<HashSet<String>>>,
}

impl KnownNames {
    /// Gives the memory of the names of a kind back: a million names take a hundred megabytes.
    pub(super) fn forget(&mut self, kind: &str) {
        self.by_kind.remove(kind);
    }

    /// Those of a load that begin with `kind`.
    pub(super) fn of(&self, load: &LoadId, kind: &str) -> Option<Arc<HashSet<String>>> {
        let is_of_load = self.load.as_ref() == Some(load);
        self.by_kind.get(kind).filter(|_| is_of_load).cloned()
    }

    pub(super) fn keep(&mut self, load: &LoadId, kind: &str, names: Arc<HashSet<String>>) {
        if self.load.as_ref() != Some(load) {
            *self = Self { load: Some(load.clone()), by_kind: HashMap::new() };
        }
        self.by_kind.insert(kind.to_owned(), names);
    }
}

/// The settings of the stack.
#[derive(Default)]
pub(super) struct KnownSettings {
    /// With the head, and when.
    pub(super) last: Option<(Instant, SettingsRecord)>,
    /// What Terraform wrote. It never changes.
    pub(super) first: Option<SettingsRecord>,
}
