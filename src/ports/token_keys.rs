//! Where the keys of tokens are stored.

use async_trait::async_trait;

use super::PortError;
use crate::tokens::KeyRing;

/// A place from which the keys for checking tokens are read.
///
/// This is not part of [`super::Store`]: stages do not use tokens, and keys are kept in a place made for
/// secrets, or in another system.
#[async_trait]
pub trait KeySource<K>: Send + Sync {
    /// Returns the name of the place, for messages to users.
    fn place(&self) -> String;

    /// Returns the keys; `None` if there are none.
    async fn read(&self) -> Result<Option<K>, PortError>;
}

/// A stack's own keys. A process that can read them can make a token for any customer.
#[async_trait]
pub trait TokenKeys: KeySource<KeyRing> {
    /// Stores the first keys. If there are keys already, those stay. Returns whether the new ones were
    /// stored.
    async fn create(&self, keys: &KeyRing) -> Result<bool, PortError>;

    /// Replaces the stored keys. If two calls do so at once, the later one counts.
    async fn replace(&self, keys: &KeyRing) -> Result<(), PortError>;
}
