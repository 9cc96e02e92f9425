//! The keys of tokens, and how often they were read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::ports::{PortError, TokenKeys};
use crate::tokens::KeyRing;

/// Keys that are gone with the process.
#[derive(Debug, Default)]
pub struct MemoryTokenKeys(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    keys: Option<KeyRing>,
    reads: u32,
    failing: bool,
}

impl MemoryTokenKeys {
    /// With these keys in it.
    #[must_use]
    pub fn with(keys: KeyRing) -> Self {
        Self(Mutex::new(State { keys: Some(keys), ..State::default() }))
    }

    /// How often they were asked for.
    #[must_use]
    pub fn reads(&self) -> u32 {
        self.state().reads
    }

    /// Whether reading fails from here on.
    pub fn fail(&self, failing: bool) {
        self.state().failing = failing;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenKeys for MemoryTokenKeys {
    fn place(&self) -> String {
        "the keys in memory".to_owned()
    }

    async fn read(&self) -> Result<Option<KeyRing>, PortError> {
        let mut state = self.state();
        state.reads += 1;
        match state.failing {
            true => Err(PortError::Throttled { what: self.place() }),
            false => Ok(state.keys.clone()),
        }
    }

    async fn create(&self, keys: &KeyRing) -> Result<bool, PortError> {
        let mut state = self.state();
        let is_first = state.keys.is_none();
        state.keys.get_or_insert_with(|| keys.clone());
        Ok(is_first)
    }

    async fn replace(&self, keys: &KeyRing) -> Result<(), PortError> {
        self.state().keys = Some(keys.clone());
        Ok(())
    }
}
