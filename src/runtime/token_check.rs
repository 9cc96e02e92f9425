//! Whether a token opens the door: the same for the local gateway and for API Gateway's authorizer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Mutex;
use tracing::warn;

use crate::model::{Subject, Timestamp};
use crate::ports::{Chain, Clock, PortError, TokenKeys};
use crate::tokens::{Clients, Grant, KeyRing, Refusal, SignError, Token};

/// Keys are read again when they are this old, so that a rotation needs no restart.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// A token whose key is not known may be signed with a new one. So often, and not for every such
/// token, the keys are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// When reading them has failed, it is tried again after so long, and not for every token.
const RETRY: Duration = Duration::from_secs(10);
/// Keys that cannot be read again are good for this long: nobody is locked out by an outage, and
/// no key that was taken away opens a door for ever.
const USABLE: Duration = Duration::from_secs(60 * 60);

/// How long a ticket is good: a socket that it opened stays open.
const TICKET: Duration = Duration::from_secs(60);

/// Why a token grants nothing.
#[derive(Debug, Error)]
pub enum NotGranted {
    /// Because of what it is.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Because there are no keys to check it with.
    #[error("tokens cannot be checked")]
    NoKeys(#[source] PortError),
}

/// Checks tokens with keys that may change.
pub struct TokenCheck {
    keys: Arc<dyn TokenKeys>,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Known>>,
}

/// Keys as they were read.
struct Known {
    keys: Arc<KeyRing>,
    read_at: Timestamp,
    /// When reading them again has failed last, since then.
    failed_at: Option<Timestamp>,
}

impl TokenCheck {
    /// With the keys of a place, which are read when the first token comes.
    #[must_use]
    pub fn new(keys: Arc<dyn TokenKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { keys, clock, known: Mutex::new(None) }
    }

    /// What a token grants now.
    ///
    /// # Errors
    /// [`NotGranted::Refused`] is the client's fault, [`NotGranted::NoKeys`] is ours.
    pub async fn grant(&self, token: &Token) -> Result<Grant, NotGranted> {
        let keys = self.keys(FRESH).await?;
        match keys.check(token, self.clock.now()) {
            Err(Refusal::UnknownKey) => {
                let keys = self.keys(LOOK_AGAIN).await?;
                Ok(keys.check(token, self.clock.now())?)
            }
            checked => Ok(checked?),
        }
    }

    /// The keys, read again if they are older than that.
    async fn keys(&self, max_age: Duration) -> Result<Arc<KeyRing>, NotGranted> {
        // Held while they are read: a crowd that finds them old reads them once.
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = &*known
            && (now.since(known.read_at) < max_age
                || known.failed_at.is_some_and(|failed_at| now.since(failed_at) < RETRY))
        {
            return Ok(known.keys.clone());
        }
        let error = match self.keys.read().await {
            Ok(Some(keys)) => {
                let keys = Arc::new(keys);
                *known = Some(Known { keys: keys.clone(), read_at: now, failed_at: None });
                return Ok(keys);
            }
            Ok(None) => {
                *known = None;
                PortError::Missing { what: self.keys.place() }
            }
            Err(error) => error,
        };
        match &mut *known {
            Some(known) if now.since(known.read_at) < USABLE => {
                warn!(error = %Chain(&error), "the keys of tokens cannot be read again");
                known.failed_at = Some(now);
                Ok(known.keys.clone())
            }
            _ => Err(NotGranted::NoKeys(error)),
        }
    }
}

/// A token to open one websocket with, right now, for some users: what programs of ocache make for
/// themselves where they may read the keys.
///
/// # Errors
/// None in practice.
pub fn ticket(keys: &KeyRing, clients: Clients, now: Timestamp) -> Result<Token, SignError> {
    keys.sign(&Grant { subject: Subject::ocache(), clients, expires_at: now.plus(TICKET) }, now)
}

impl fmt::Debug for TokenCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCheck({})", self.keys.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{ManualClock, MemoryTokenKeys};
    use crate::tokens::testing::{NOW, good_token, key};

    const SECOND: Duration = Duration::from_secs(1);

    struct Door {
        check: TokenCheck,
        keys: Arc<MemoryTokenKeys>,
        clock: Arc<ManualClock>,
    }

    impl Door {
        fn new(ring: KeyRing) -> Self {
            let keys = Arc::new(MemoryTokenKeys::with(ring));
            let clock = Arc::new(ManualClock::new(NOW));
            Self { check: TokenCheck::new(keys.clone(), clock.clone()), keys, clock }
        }

        /// A token for a day.
        fn token(&self, ring: &KeyRing) -> Token {
            good_token(ring, self.clock.now(), Duration::from_secs(24 * 60 * 60))
        }

        async fn opens(&self, token: &Token) -> bool {
            match self.check.grant(token).await {
                Ok(_) => true,
                Err(NotGranted::Refused(Refusal::UnknownKey)) => false,
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_rotation_is_noticed_while_the_gateway_runs() {
        let old = KeyRing::new(key(1));
        let door = Door::new(old.clone());
        let first = door.token(&old);
        assert!(door.opens(&first).await);
        let new = old.clone().rotated(key(2));
        door.keys.replace(&new).await.unwrap();
        let second = door.token(&new);
        assert!(!door.opens(&second).await, "the keys were read a moment ago");
        door.clock.advance(LOOK_AGAIN);
        assert!(door.opens(&second).await && door.opens(&first).await);
        // The first key is taken away. It is good for as long as keys count as fresh.
        door.keys.replace(&KeyRing::new(key(2))).await.unwrap();
        assert!(door.opens(&first).await);
        door.clock.advance(FRESH);
        assert!(!door.opens(&first).await && door.opens(&second).await);
    }

    #[tokio::test]
    async fn keys_are_read_seldom_whatever_comes() {
        let door = Door::new(KeyRing::new(key(1)));
        let (good, bad) = (door.token(&KeyRing::new(key(1))), door.token(&KeyRing::new(key(2))));
        for _ in 0..100 {
            assert!(door.opens(&good).await && !door.opens(&bad).await);
        }
        assert_eq!(door.keys.reads(), 1);
        for _ in 0..10 {
            door.clock.advance(LOOK_AGAIN / 10);
            assert!(!door.opens(&bad).await);
        }
        assert_eq!(door.keys.reads(), 2);
    }

    #[tokio::test]
    async fn an_outage_locks_nobody_out_for_an_hour() {
        let door = Door::new(KeyRing::new(key(1)));
        let token = door.token(&KeyRing::new(key(1)));
        assert!(door.opens(&token).await);
        door.keys.fail(true);
        door.clock.advance(USABLE - SECOND);
        assert!(door.opens(&token).await && door.opens(&token).await);
        assert_eq!(door.keys.reads(), 2, "it is not tried for every token");
        door.clock.advance(RETRY);
        let error = door.check.grant(&token).await.unwrap_err();
        assert!(matches!(error, NotGranted::NoKeys(PortError::Throttled { .. })), "{error:?}");
        door.keys.fail(false);
        assert!(door.opens(&token).await);
    }

    #[tokio::test]
    async fn without_keys_no_token_is_good() {
        let clock = Arc::new(ManualClock::new(NOW));
        let check = TokenCheck::new(Arc::new(MemoryTokenKeys::default()), clock);
        let error = check.grant(&Token::from("a.b.c".to_owned())).await.unwrap_err();
        assert!(matches!(error, NotGranted::NoKeys(PortError::Missing { .. })), "{error:?}");
    }
}
