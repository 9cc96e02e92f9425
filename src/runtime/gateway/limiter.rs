//! Enforces the limits: counts connections, and gives each its allowance.

use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::addresses::{Address, Addresses};
use super::limits::{Limits, Traffic};
use crate::supervisor::lock;

/// Enforces the limits of one gateway.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: Limits,
    places: Arc<Semaphore>,
    pub(super) addresses: Addresses,
}

/// A connection's place in the limit of all connections, for as long as it lives.
pub(super) type ConnectionPlace = OwnedSemaphorePermit;

impl Limiter {
    pub(super) fn new(limits: Limits) -> Self {
        let places =
            Arc::new(Semaphore::new((limits.sockets as usize).min(Semaphore::MAX_PERMITS)));
        Self { limits, places, addresses: Addresses::new(limits) }
    }

    /// Takes a place for one more connection; `None` when all are taken.
    pub(super) fn enter(&self) -> Option<ConnectionPlace> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// Returns the allowance of a connection before its client's address is known.
    pub(super) fn connection(&self) -> Arc<Mutex<Traffic>> {
        Arc::new(Mutex::new(Traffic::new(self.limits.frames_per_sec)))
    }
}

/// The allowance of one connection: its own, and that of its address.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    own: Arc<Mutex<Traffic>>,
    address: Option<Arc<Address>>,
}

impl Allowance {
    pub(super) const fn new(own: Arc<Mutex<Traffic>>, address: Option<Arc<Address>>) -> Self {
        Self { own, address }
    }

    pub(super) fn address(&self) -> Option<&Arc<Address>> {
        self.address.as_ref()
    }

    /// Takes a frame. Returns whether one was left.
    pub(super) fn take_frame(&self, now: Instant) -> bool {
        lock(&self.own).take_frame(now)
            && self.address.as_ref().is_none_or(|address| address.traffic().take_frame(now))
    }

    /// Counts bytes that were received. Returns until when nothing more may be received; `None` if something
    /// may be received now.
    pub(super) fn charge_bytes(&self, bytes: usize) -> Option<Instant> {
        let (bytes, now) = (bytes as u64, Instant::now());
        let own = lock(&self.own).charge_bytes(bytes, now);
        let shared = self.address.as_ref().and_then(|it| it.traffic().charge_bytes(bytes, now));
        own.max(shared)
    }
}
