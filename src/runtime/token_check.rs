//! Whether a token opens the door: the same for the local gateway and for API Gateway's authorizer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::key_set_place::KeySetPlace;
use super::known_keys::{KnownKeys, NotGranted, Reading};
use crate::model::{Subject, Timestamp};
use crate::ports::{Clock, KeySource, TokenKeys};
use crate::tokens::{Clients, Grant, Issuer, KeyRing, KeySet, SignError, Token};

/// How often ocache's own keys are read.
const OWN_KEYS: Reading =
    Reading { fresh: Duration::from_secs(5 * 60), look_again: Duration::from_secs(1) };

/// How long a ticket is good: a socket that it opened stays open.
const TICKET: Duration = Duration::from_secs(60);

/// An identity provider whose tokens are accepted too.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    /// What its tokens have to say.
    pub issuer: Issuer,
    /// Where its keys are.
    pub keys: KeySetPlace,
}

/// Checks tokens with keys that may change.
pub struct TokenCheck {
    own: KnownKeys<KeyRing>,
    provider: Option<(Issuer, KnownKeys<KeySet>)>,
}

impl TokenCheck {
    /// With the own keys of a place, which are read when the first token comes.
    #[must_use]
    pub fn new(keys: Arc<dyn TokenKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { own: KnownKeys::new(keys, clock, OWN_KEYS), provider: None }
    }

    /// Accepts tokens of an identity provider too. Its keys are read when the first of them comes.
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
        reading: Reading,
    ) -> Self {
        let keys = KnownKeys::new(keys, self.own.clock(), reading);
        Self { provider: Some((issuer, keys)), ..self }
    }

    /// What a token grants now.
    ///
    /// # Errors
    /// [`NotGranted::Refused`] is the client's fault, [`NotGranted::NoKeys`] is ours.
    pub async fn grant(&self, token: &Token) -> Result<Grant, NotGranted> {
        match &self.provider {
            Some((issuer, keys)) if token.names_public_key() => {
                keys.grant(|keys, now| keys.check(token, issuer, now)).await
            }
            _ => self.own.grant(|keys, now| keys.check(token, now)).await,
        }
    }
}

/// A token to open one websocket with, right now, for some users: what programs of ocache make for
/// themselves where they may read the keys.
///
/// # Errors
/// None in practice.
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
