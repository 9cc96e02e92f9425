//! Where the keys of tokens are kept.

use async_trait::async_trait;

use super::PortError;
use crate::tokens::KeyRing;

/// A place from which keys are read that tokens are checked with.
///
/// No part of [`super::Store`]: stages know nothing of tokens, and what holds the keys is a place
/// made for secrets, or another system.
#[async_trait]
pub trait KeySource<K>: Send + Sync {
    /// What the place is called, for people.
    fn place(&self) -> String;

    /// The keys; `None` when there are none.
    async fn read(&self) -> Result<Option<K>, PortError>;
}

/// The own keys of one stack. Whoever can read them can speak for every user.
#[async_trait]
pub trait TokenKeys: KeySource<KeyRing> {
    /// Keeps the first keys. Returns whether they are kept: if there are some already, those stay.
    async fn create(&self, keys: &KeyRing) -> Result<bool, PortError>;

    /// Keeps these keys in place of those that are there. Of two at once, the later one stays.
    async fn replace(&self, keys: &KeyRing) -> Result<(), PortError>;
}
