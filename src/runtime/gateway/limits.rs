//! How much of the gateway one client may use.
//!
//! A socket, an address and all clients together have limits of their own. The gateway listens on
//! loopback only, so the address of a client from elsewhere is what a reverse proxy says it is, in
//! the last entry of `X-Forwarded-For`. Clients of this machine have no address worth counting by:
//! they are limited by socket and in all, and by address only when that is asked for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::addresses::{Address, Addresses, ClientAddress};
use super::bucket::{Bucket, Rate};

/// What frames of average size bring with them, in bytes: as many are read for each frame allowed.
const BYTES_PER_FRAME: u64 = 4096;

/// How much a client may use. The defaults let an honest client of any size through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all, websockets or not.
    pub sockets: u32,
    /// Websockets of one address.
    pub sockets_per_address: u32,
    /// Frames a second of one socket, and as many at once.
    pub frames_per_sec: u32,
    /// Frames a second of one address, and as many at once.
    pub frames_per_sec_per_address: u32,
    /// Whether clients of this machine are limited by address too.
    pub count_loopback: bool,
}

impl Limits {
    /// Those that hold unless others are set.
    pub const DEFAULT: Self = Self {
        sockets: 10_000,
        sockets_per_address: 1_000,
        frames_per_sec: 500,
        frames_per_sec_per_address: 2_000,
        count_loopback: false,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What may be received: frames, and the bytes that make them up. Bytes count too, because a flood
/// of fragments never becomes a frame.
#[derive(Debug)]
pub(super) struct Traffic {
    frames: Bucket,
    bytes: Bucket,
}

impl Traffic {
    pub(super) const fn new(frames_per_sec: u32) -> Self {
        let frames = frames_per_sec as u64;
        Self {
            frames: Bucket::new(Rate::per_sec(frames)),
            bytes: Bucket::new(Rate::per_sec(frames.saturating_mul(BYTES_PER_FRAME))),
        }
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.frames.is_full(now) && self.bytes.is_full(now)
    }
}

/// Keeps the limits of one gateway.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: Limits,
    open: Arc<AtomicU32>,
    addresses: Addresses,
}

/// A connection's place among all, for as long as it lives.
#[derive(Debug)]
pub(super) struct ConnectionPlace(Arc<AtomicU32>);

impl Limiter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, open: Arc::default(), addresses: Addresses::new(limits) }
    }

    /// A place for one more connection; `None` when all are taken.
    pub(super) fn enter(&self) -> Option<ConnectionPlace> {
        let more = |open: u32| (open < self.limits.sockets).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(ConnectionPlace(self.open.clone()))
    }

    /// The allowance of a connection before its client's address is known.
    pub(super) fn connection(&self) -> Arc<Mutex<Traffic>> {
        Arc::new(Mutex::new(Traffic::new(self.limits.frames_per_sec)))
    }

    /// What is shared by all connections of an address; `None` when it is not counted.
    pub(super) fn address(&self, client: ClientAddress) -> Option<Arc<Address>> {
        self.addresses.find(client)
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one connection may still use: its own allowance, and its address's.
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

    /// Takes a frame; says whether there was one to be had.
    pub(super) fn take_frame(&self) -> bool {
        let now = Instant::now();
        lock(&self.own).frames.take(1, now)
            && self.address.as_ref().is_none_or(|address| address.traffic().frames.take(1, now))
    }

    /// Counts bytes that were received.
    pub(super) fn charge_bytes(&self, bytes: usize) {
        let (bytes, now) = (bytes as u64, Instant::now());
        lock(&self.own).bytes.charge(bytes, now);
        if let Some(address) = &self.address {
            address.traffic().bytes.charge(bytes, now);
        }
    }

    /// Until when nothing more shall be received; `None` when it may be at once.
    pub(super) fn no_bytes_until(&self) -> Option<Instant> {
        let now = Instant::now();
        let own = lock(&self.own).bytes.empty_until(now);
        let shared = self.address.as_ref().and_then(|a| a.traffic().bytes.empty_until(now));
        own.max(shared)
    }
}

/// The state, also after a panic elsewhere: it is only numbers.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
