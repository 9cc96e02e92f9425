//! Keys that tokens are checked with, as they were last read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tracing::warn;

use super::NotGranted;
use crate::model::Timestamp;
use crate::ports::{Chain, Clock, KeySource, PortError};
use crate::tokens::{Grant, Refusal};

/// When reading them has failed, it is tried again after so long, and not for every token.
pub(super) const RETRY: Duration = Duration::from_secs(10);
/// Keys that cannot be read again are good for this long: nobody is locked out by an outage, and
/// no key that was taken away opens a door for ever.
pub(super) const USABLE: Duration = Duration::from_secs(60 * 60);

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
    /// Locked while keys are read: a crowd that finds them old reads them once.
    seen: Mutex<Seen<K>>,
}

/// What came of reading the keys.
struct Seen<K> {
    known: Option<Known<K>>,
    failed: Option<Failed>,
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
        let seen = Mutex::new(Seen { known: None, failed: None });
        Self { source, clock, reading, seen }
    }

    /// What the place is called.
    pub(super) fn place(&self) -> String {
        self.source.place()
    }

    /// Its clock.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// What a token grants by these keys; they are read again before its key counts as unknown.
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
                let (error, believed_for) = match self.source.read().await {
                    Ok(Some(keys)) => {
                        let keys = Arc::new(keys);
                        let known = Known { keys: keys.clone(), read_at: now };
                        *seen = Seen { known: Some(known), failed: None };
                        return Ok(keys);
                    }
                    Ok(None) => {
                        seen.known = None;
                        (PortError::Missing { what: self.place() }, self.reading.look_again)
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

impl<K> Seen<K> {
    /// The keys, if they were read in so long a time.
    fn known_for(&self, max_age: Duration, now: Timestamp) -> Option<Arc<K>> {
        let known = self.known.as_ref().filter(|known| is_within(max_age, known.read_at, now));
        known.map(|known| known.keys.clone())
    }
}

/// Whether it is not longer ago than that. What seems to come later is of a time before the clock was
/// set back, so nobody knows how long ago it was.
fn is_within(age: Duration, then: Timestamp, now: Timestamp) -> bool {
    now >= then && now.since(then) < age
}
