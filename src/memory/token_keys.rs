//! The keys of tokens, and how often they were read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::ports::{KeySource, PortError, TokenKeys};
use crate::tokens::KeyRing;

/// Keys that are kept in memory only.
#[derive(Debug)]
pub struct MemoryKeys<K>(Mutex<KeptKeys<K>>);

/// The own keys of a stack.
pub type MemoryTokenKeys = MemoryKeys<KeyRing>;

#[derive(Debug)]
struct KeptKeys<K> {
    keys: Option<K>,
    reads: u32,
    failing: bool,
}

impl<K> MemoryKeys<K> {
    /// Creates a place with these keys.
    #[must_use]
    pub fn with(keys: K) -> Self {
        Self::of(Some(keys))
    }

    fn of(keys: Option<K>) -> Self {
        Self(Mutex::new(KeptKeys { keys, reads: 0, failing: false }))
    }

    /// Replaces the keys.
    pub fn put(&self, keys: K) {
        self.state().keys = Some(keys);
    }

    /// Returns how often the keys were read.
    #[must_use]
    pub fn reads(&self) -> u32 {
        self.state().reads
    }

    /// Sets whether reads fail from now on.
    pub fn fail(&self, failing: bool) {
        self.state().failing = failing;
    }

    fn state(&self) -> MutexGuard<'_, KeptKeys<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Default for MemoryKeys<K> {
    fn default() -> Self {
        Self::of(None)
    }
}

#[async_trait]
impl<K: Clone + Send> KeySource<K> for MemoryKeys<K> {
    fn place(&self) -> String {
        "the keys in memory".to_owned()
    }

    async fn read(&self) -> Result<Option<K>, PortError> {
        let mut state = self.state();
        state.reads += 1;
        match state.failing {
            true => Err(PortError::Throttled { what: self.place() }),
            false => Ok(state.keys.clone()),
        }
    }
}

#[async_trait]
impl TokenKeys for MemoryTokenKeys {
    async fn create(&self, keys: &KeyRing) -> Result<bool, PortError> {
        let mut state = self.state();
        let is_first = state.keys.is_none();
        state.keys.get_or_insert_with(|| keys.clone());
        Ok(is_first)
    }

    async fn replace(&self, keys: &KeyRing) -> Result<(), PortError> {
        self.put(keys.clone());
        Ok(())
    }
}
