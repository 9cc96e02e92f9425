//! A cache of the keys with which tokens are checked.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Mutex;
use tracing::warn;

use crate::model::Timestamp;
use crate::ports::{Chain, Clock, KeySource, PortError};
use crate::tokens::{Grant, Refusal};

/// After a failed read, the keys are not read again for this long.
pub(super) const RETRY: Duration = Duration::from_secs(10);
/// Keys that cannot be read again stay usable for this long. So a short outage locks nobody out, and a
/// removed key does not grant access for ever.
pub(super) const USABLE: Duration = Duration::from_secs(60 * 60);

/// Why a token grants nothing.
#[derive(Debug, Error)]
pub enum NotGranted {
    /// The token itself is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There are no keys to check the token with.
    #[error("tokens cannot be checked")]
    NoKeys(#[source] Arc<PortError>),
}

/// How often keys are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyRefresh {
    /// Keys of this age are read again, so that a rotation needs no restart.
    pub(super) fresh: Duration,
    /// The shortest time between reads for unknown keys. A token with an unknown key may be signed with a
    /// new one, so the keys are read again, but not for every such token.
    pub(super) look_again: Duration,
}

/// The keys of one place.
pub(super) struct KnownKeys<K> {
    source: Arc<dyn KeySource<K>>,
    clock: Arc<dyn Clock>,
    reading: KeyRefresh,
    /// Locked only for a moment: a token whose key is known does not wait for a read that another token
    /// has caused.
    known: RwLock<Option<DatedKeys<K>>>,
    /// The last failure. It is locked while the keys are read, so that many tokens that find old keys
    /// cause one read.
    failed: Mutex<Option<FailedRead>>,
}

/// Why keys could not be read, and for how long this result is reused.
struct FailedRead {
    error: Arc<PortError>,
    at: Timestamp,
    believed_for: Duration,
}

/// Keys, and when they were read.
struct DatedKeys<K> {
    keys: Arc<K>,
    read_at: Timestamp,
}

impl<K: Send + Sync> KnownKeys<K> {
    /// Creates a cache for the keys of a place. They are read when the first token comes.
    pub(super) fn new(
        source: Arc<dyn KeySource<K>>,
        clock: Arc<dyn Clock>,
        reading: KeyRefresh,
    ) -> Self {
        Self { source, clock, reading, known: RwLock::new(None), failed: Mutex::new(None) }
    }

    /// Returns the name of the place.
    pub(super) fn place(&self) -> String {
        self.source.place()
    }

    /// Returns the clock by which ages are measured.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Returns what a token grants by these keys. If the token names an unknown key, the keys are read
    /// again before it is refused. A token that names no key is refused at once, because other keys would
    /// not change that.
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

    /// Returns the keys. They are read again if they are older than `max_age`.
    async fn keys(&self, max_age: Duration) -> Result<Arc<K>, NotGranted> {
        if let Some(known) = self.read_within(max_age) {
            return Ok(known);
        }
        let mut failed = self.failed.lock().await;
        // Another task may have read the keys in the meantime.
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
                        self.know(Some(DatedKeys { keys: keys.clone(), read_at: now }));
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
                *failed = Some(FailedRead { error: error.clone(), at: now, believed_for });
                error
            }
        };
        self.known_if(|read_at| now.since(read_at) < USABLE).ok_or(NotGranted::NoKeys(error))
    }

    fn know(&self, known: Option<DatedKeys<K>>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Returns the keys if they were read within `max_age`.
    fn read_within(&self, max_age: Duration) -> Option<Arc<K>> {
        let now = self.clock.now();
        self.known_if(|read_at| is_within(max_age, read_at, now))
    }

    /// Returns the keys if the time at which they were read is good enough.
    fn known_if(&self, is_good: impl FnOnce(Timestamp) -> bool) -> Option<Arc<K>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| is_good(known.read_at));
        known.map(|known| known.keys.clone())
    }
}

/// Whether `then` is less than `age` ago. A time in the future was taken before the clock was set back,
/// so its age is unknown.
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

    /// A source whose first read succeeds and whose later reads never end.
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
        let reading = KeyRefresh { fresh: USABLE, look_again: Duration::ZERO };
        let keys = KnownKeys::new(source.clone(), Arc::new(SystemClock), reading);
        // The checks are fixed: one always finds its key, the other never does.
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
