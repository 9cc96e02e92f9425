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
    NoKeys(#[source] Arc<PortError>),
}

/// Checks tokens with keys that may change.
pub struct TokenCheck {
    keys: Arc<dyn TokenKeys>,
    clock: Arc<dyn Clock>,
    /// Locked while keys are read: a crowd that finds them old reads them once.
    seen: Mutex<Seen>,
}

/// What came of reading the keys.
#[derive(Default)]
struct Seen {
    known: Option<Known>,
    failed: Option<Failed>,
}

/// Why keys could not be read, and for how long that is believed.
struct Failed {
    error: Arc<PortError>,
    at: Timestamp,
    believed_for: Duration,
}

/// Keys as they were read.
struct Known {
    keys: Arc<KeyRing>,
    read_at: Timestamp,
}

impl TokenCheck {
    /// With the keys of a place, which are read when the first token comes.
    #[must_use]
    pub fn new(keys: Arc<dyn TokenKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { keys, clock, seen: Mutex::default() }
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
        let mut seen = self.seen.lock().await;
        let now = self.clock.now();
        if let Some(known) = seen.known_for(max_age, now) {
            return Ok(known);
        }
        let error = match &seen.failed {
            Some(failed) if is_within(failed.believed_for, failed.at, now) => {
                Arc::clone(&failed.error)
            }
            _ => {
                let (error, believed_for) = match self.keys.read().await {
                    Ok(Some(keys)) => {
                        let keys = Arc::new(keys);
                        let known = Known { keys: keys.clone(), read_at: now };
                        *seen = Seen { known: Some(known), failed: None };
                        return Ok(keys);
                    }
                    Ok(None) => {
                        seen.known = None;
                        (PortError::Missing { what: self.keys.place() }, LOOK_AGAIN)
                    }
                    Err(error) => {
                        warn!(error = %Chain(&error), "the keys of tokens cannot be read");
                        (error, RETRY)
                    }
                };
                let error = Arc::new(error);
                seen.failed = Some(Failed { error: error.clone(), at: now, believed_for });
                error
            }
        };
        let usable = seen.known.as_ref().filter(|known| now.since(known.read_at) < USABLE);
        usable.map(|known| known.keys.clone()).ok_or(NotGranted::NoKeys(error))
    }
}

impl Seen {
    /// The keys, if they were read in so long a time.
    fn known_for(&self, max_age: Duration, now: Timestamp) -> Option<Arc<KeyRing>> {
        let known = self.known.as_ref().filter(|known| is_within(max_age, known.read_at, now));
        known.map(|known| known.keys.clone())
    }
}

/// Whether it is not longer ago than that. What seems to come later is of a time before the clock was
/// set back, so nobody knows how long ago it was.
fn is_within(age: Duration, then: Timestamp, now: Timestamp) -> bool {
    now >= then && now.since(then) < age
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

        /// Why tokens cannot be checked.
        async fn trouble(&self, token: &Token) -> Arc<PortError> {
            match self.check.grant(token).await.unwrap_err() {
                NotGranted::NoKeys(error) => error,
                error @ NotGranted::Refused(_) => panic!("{error:?}"),
            }
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
        for _ in 0..10 {
            assert!(matches!(*door.trouble(&token).await, PortError::Throttled { .. }));
        }
        assert_eq!(door.keys.reads(), 3, "nor afterwards, when they are good no more");
        door.keys.fail(false);
        door.clock.advance(RETRY);
        assert!(door.opens(&token).await);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_hides_no_rotation_and_prolongs_no_outage() {
        let door = Door::new(KeyRing::new(key(1)));
        let set_back = || door.clock.set(door.clock.now().minus(Duration::from_secs(3600)));
        let old = door.token(&KeyRing::new(key(1)));
        assert!(door.opens(&old).await);
        door.keys.replace(&KeyRing::new(key(2))).await.unwrap();
        set_back();
        let new = door.token(&KeyRing::new(key(2)));
        assert!(!door.opens(&old).await && door.opens(&new).await);
        // Keys that were read a moment ago are good enough when they cannot be read now.
        door.keys.fail(true);
        set_back();
        let new = door.token(&KeyRing::new(key(2)));
        assert!(door.opens(&new).await);
        door.keys.fail(false);
        door.keys.replace(&KeyRing::new(key(3))).await.unwrap();
        set_back();
        let newest = door.token(&KeyRing::new(key(3)));
        assert!(door.opens(&newest).await && !door.opens(&new).await);
    }

    #[tokio::test]
    async fn without_keys_no_token_is_good() {
        let clock = Arc::new(ManualClock::new(NOW));
        let keys = Arc::new(MemoryTokenKeys::default());
        let check = TokenCheck::new(keys.clone(), clock.clone());
        let door = Door { check, keys, clock };
        let token = Token::from("a.b.c".to_owned());
        assert!(matches!(*door.trouble(&token).await, PortError::Missing { .. }));
    }
}
