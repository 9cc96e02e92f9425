//! Checks tokens, for the local gateway and for API Gateway's authorizer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::key_set_place::KeySetPlace;
use super::known_keys::{KeyRefresh, KnownKeys, NotGranted};
use crate::model::{Subject, Timestamp};
use crate::ports::{Clock, KeySource, TokenKeys};
use crate::tokens::{Clients, Grant, Issuer, KeyRing, KeySet, SignError, Token};

/// How often ocache's own keys are read.
const OWN_KEYS: KeyRefresh =
    KeyRefresh { fresh: Duration::from_secs(5 * 60), look_again: Duration::from_secs(1) };

/// How long a ticket may be used to open a socket. The socket stays open afterwards.
const TICKET: Duration = Duration::from_secs(60);

/// An identity provider whose tokens are accepted beside ocache's own.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    /// What its tokens must claim.
    pub issuer: Issuer,
    /// Where it publishes its keys.
    pub keys: KeySetPlace,
}

/// Checks tokens with keys that may change.
pub struct TokenCheck {
    own: KnownKeys<KeyRing>,
    provider: Option<(Issuer, KnownKeys<KeySet>)>,
}

impl TokenCheck {
    /// Creates a check with ocache's own keys. They are read when the first token comes.
    #[must_use]
    pub fn new(keys: Arc<dyn TokenKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { own: KnownKeys::new(keys, clock, OWN_KEYS), provider: None }
    }

    /// Also accepts tokens of an identity provider. Its keys are read when the first such token comes.
    #[must_use]
    pub fn accepting(self, provider: IdentityProvider) -> Self {
        let IdentityProvider { issuer, keys } = provider;
        let reading = keys.reading();
        self.accepting_by(issuer, Arc::new(keys), reading)
    }

    fn accepting_by(
        self,
        issuer: Issuer,
        keys: Arc<dyn KeySource<KeySet>>,
        reading: KeyRefresh,
    ) -> Self {
        let keys = KnownKeys::new(keys, self.own.clock(), reading);
        Self { provider: Some((issuer, keys)), ..self }
    }

    /// Returns what a token grants now.
    ///
    /// # Errors
    /// Returns [`NotGranted::Refused`] if the token is at fault, [`NotGranted::NoKeys`] if there are no
    /// keys to check it with.
    pub async fn grant(&self, token: &Token) -> Result<Grant, NotGranted> {
        match &self.provider {
            Some((issuer, keys)) if token.names_public_key() => {
                keys.grant(|keys, now| keys.check(token, issuer, now)).await
            }
            _ => self.own.grant(|keys, now| keys.check(token, now)).await,
        }
    }
}

/// Makes a token with which an ocache program that may read the keys opens one websocket now, for some
/// users.
///
/// # Errors
/// Returns [`SignError`], for example if one token cannot name so many users.
pub fn ticket(keys: &KeyRing, clients: Clients, now: Timestamp) -> Result<Token, SignError> {
    let (subject, expires_at) = (Subject::ocache(), now.plus(TICKET));
    keys.sign(&Grant { subject, clients, load: false, expires_at }, now)
}

impl fmt::Debug for TokenCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = self.provider.as_ref().map(|(_, keys)| keys.place());
        f.debug_tuple("TokenCheck").field(&self.own.place()).field(&provider).finish()
    }
}

#[cfg(test)]
mod tests;
