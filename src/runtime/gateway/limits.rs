//! How much of the gateway one client may use.
//!
//! A socket, an address and all clients together have limits of their own. The gateway listens on
//! loopback only, so the address of a client from elsewhere is what a reverse proxy says it is, in
//! the last entry of `X-Forwarded-For`. Clients of this machine have no address worth counting by:
//! they are limited by socket and in all, and by address only when that is asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

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

    pub(super) fn take_frame(&mut self, now: Instant) -> bool {
        self.frames.take(1, now)
    }

    pub(super) fn charge_bytes(&mut self, bytes: u64, now: Instant) {
        self.bytes.charge(bytes, now);
    }

    pub(super) fn no_bytes_until(&mut self, now: Instant) -> Option<Instant> {
        self.bytes.empty_until(now)
    }
}

/// The state, also after a panic elsewhere: it is only numbers.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
