//! What a process remembers of the tables, so that it does not read it again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::ports::{LoadId, SettingsRecord};

/// The names of all changes of each kind in the journal that was listed last. A listing reads them once,
/// however many pages and segments it has.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    load: Option<LoadId>,
    by_kind: HashMap<String, Arc<HashSet<String>>>,
}

impl KnownNames {
    /// Frees the memory of the names of a kind. A million names take a hundred megabytes.
    pub(super) fn forget(&mut self, kind: &str) {
        self.by_kind.remove(kind);
    }

    /// Returns the names of a load that begin with `kind`.
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

/// The remembered settings of the stack.
#[derive(Default)]
pub(super) struct KnownSettings {
    /// The settings that came with the head, and when they came.
    pub(super) last: Option<(Instant, SettingsRecord)>,
    /// The settings that Terraform wrote. They never change.
    pub(super) first: Option<SettingsRecord>,
}
