//! Keys that tokens are checked with, as they were last read.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Mutex;
use tracing::warn;

use crate::model::Timestamp;
use crate::ports::{Chain, Clock, KeySource, PortError};
use crate::tokens::{Grant, Refusal};

/// When reading them has failed, it is tried again after so long, and not for every token.
pub(super) const RETRY: Duration = Duration::from_secs(10);
/// Keys that cannot be read again are good for this long: nobody is locked out by an outage, and
/// no key that was taken away opens a door for ever.
pub(super) const USABLE: Duration = Duration::from_secs(60 * 60);

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

/// How often keys are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// They are read again when they are this old, so that a rotation needs no restart.
    pub(super) fresh: Duration,
    /// A token whose key is not known may be signed with a new one. So often, and not for every such
    /// token, the keys are looked for.
    pub(super) look_again: Duration,
}

/// The keys of one place.
pub(super) struct KnownKeys<K> {
    source: Arc<dyn KeySource<K>>,
    clock: Arc<dyn Clock>,
    reading: Reading,
    /// Never locked for longer than a look: a token whose key is known does not wait for a reading that
    /// another token has caused.
    known: RwLock<Option<Known<K>>>,
    /// What came of reading the keys. Locked while they are read: a crowd that finds them old reads them
    /// once.
    failed: Mutex<Option<Failed>>,
}

/// Why keys could not be read, and for how long that is believed.
struct Failed {
    error: Arc<PortError>,
    at: Timestamp,
    believed_for: Duration,
}

/// Keys as they were read.
struct Known<K> {
    keys: Arc<K>,
    read_at: Timestamp,
}

impl<K: Send + Sync> KnownKeys<K> {
    /// With the keys of a place, which are read when the first token comes.
    pub(super) fn new(
        source: Arc<dyn KeySource<K>>,
        clock: Arc<dyn Clock>,
        reading: Reading,
    ) -> Self {
        Self { source, clock, reading, known: RwLock::new(None), failed: Mutex::new(None) }
    }

    /// What the place is called.
    pub(super) fn place(&self) -> String {
        self.source.place()
    }

    /// Its clock.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// What a token grants by these keys. They are read again before a key that a token names counts as
    /// unknown. A token that names no key is refused at once, because no other keys could be meant.
    pub(super) async fn grant(
        &self,
        check: impl Fn(&K, Timestamp) -> Result<Grant, Refusal> + Send + Sync,
    ) -> Result<Grant, NotGranted> {
        let keys = self.keys(self.reading.fresh).await?;
        match check(&keys, self.clock.now()) {
            Err(Refusal::UnknownKey) => {
                let keys = self.keys(self.reading.look_again).await?;
                Ok(check(&keys, self.clock.now())?)
            }
            checked => Ok(checked?),
        }
    }

    /// The keys, read again if they are older than that.
    async fn keys(&self, max_age: Duration) -> Result<Arc<K>, NotGranted> {
        if let Some(known) = self.read_within(max_age) {
            return Ok(known);
        }
        let mut failed = self.failed.lock().await;
        // Perhaps somebody has read them meanwhile.
        if let Some(known) = self.read_within(max_age) {
            return Ok(known);
        }
        let now = self.clock.now();
        let error = match &*failed {
            Some(failed) if is_within(failed.believed_for, failed.at, now) => {
                Arc::clone(&failed.error)
            }
            _ => {
                let (error, believed_for) = match self.source.read().await {
                    Ok(Some(keys)) => {
                        let keys = Arc::new(keys);
                        *failed = None;
                        self.know(Some(Known { keys: keys.clone(), read_at: now }));
                        return Ok(keys);
                    }
                    Ok(None) => {
                        self.know(None);
                        (PortError::Missing { what: self.place() }, self.reading.look_again)
                    }
                    Err(error) => {
                        warn!(error = %Chain(&error), "the keys of tokens cannot be read");
                        (error, RETRY)
                    }
                };
                let error = Arc::new(error);
                *failed = Some(Failed { error: error.clone(), at: now, believed_for });
                error
            }
        };
        self.usable(now).ok_or(NotGranted::NoKeys(error))
    }

    fn know(&self, known: Option<Known<K>>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// The keys, if they were read in so long a time.
    fn read_within(&self, max_age: Duration) -> Option<Arc<K>> {
        let now = self.clock.now();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| is_within(max_age, known.read_at, now));
        known.map(|known| known.keys.clone())
    }

    /// The keys, if they are good for a while although they cannot be read again.
    fn usable(&self, now: Timestamp) -> Option<Arc<K>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| now.since(known.read_at) < USABLE);
        known.map(|known| known.keys.clone())
    }
}

/// Whether it is not longer ago than that. What seems to come later is of a time before the clock was
/// set back, so nobody knows how long ago it was.
fn is_within(age: Duration, then: Timestamp, now: Timestamp) -> bool {
    now >= then && now.since(then) < age
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tokio::sync::Notify;

    use super::*;
    use crate::ports::SystemClock;

    /// Keys that are read at once, and then never to the end.
    struct Slow {
        reads: AtomicUsize,
        is_reading: Notify,
    }

    #[async_trait]
    impl KeySource<&'static str> for Slow {
        fn place(&self) -> String {
            "a slow provider".to_owned()
        }

        async fn read(&self) -> Result<Option<&'static str>, PortError> {
            if self.reads.fetch_add(1, Ordering::Relaxed) > 0 {
                self.is_reading.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(Some("known"))
        }
    }

    #[tokio::test]
    async fn a_token_whose_key_is_known_does_not_wait_for_one_whose_key_is_not() {
        let source = Arc::new(Slow { reads: AtomicUsize::new(0), is_reading: Notify::new() });
        let reading = Reading { fresh: USABLE, look_again: Duration::ZERO };
        let keys = KnownKeys::new(source.clone(), Arc::new(SystemClock), reading);
        // What each token grants does not matter here: one key is known, and one is not.
        let known = || keys.grant(|_, _| Err(Refusal::Malformed));
        let unknown = keys.grant(|_, _| Err(Refusal::UnknownKey));
        assert!(matches!(known().await, Err(NotGranted::Refused(Refusal::Malformed))));
        tokio::select! {
            biased;
            _ = unknown => panic!("its keys are never read to the end"),
            refused = async {
                source.is_reading.notified().await;
                known().await
            } => assert!(matches!(refused, Err(NotGranted::Refused(Refusal::Malformed)))),
        }
    }
}
