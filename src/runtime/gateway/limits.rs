//! How much of the gateway one client may use.
//!
//! There are separate limits for a socket, for an address and for all clients together. The gateway
//! listens on loopback only, so the address of a remote client is the last entry of `X-Forwarded-For`,
//! which a reverse proxy adds. Local clients have no distinct addresses. They are limited by socket and
//! in total, and by address only if this is configured.

use tokio::time::Instant;

use super::bucket::{Bucket, FillRate};

/// The average size of a frame in bytes. This many bytes may be read for each frame allowed.
const BYTES_PER_FRAME: u64 = 4096;

/// The limits of a client. The defaults do not restrict an honest client of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections in total, websockets or not.
    pub sockets: u32,
    /// The most websockets of one address.
    pub sockets_per_address: u32,
    /// The most frames a second of one socket, and the most at once.
    pub frames_per_sec: u32,
    /// The most frames a second of one address, and the most at once.
    pub frames_per_sec_per_address: u32,
    /// Whether clients of this machine are limited by address too.
    pub count_loopback: bool,
}

impl Limits {
    /// The limits that hold unless others are set.
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

/// What may still be received: frames, and bytes. Bytes count too, because a flood of fragments never
/// becomes a frame.
#[derive(Debug)]
pub(super) struct Traffic {
    frames: Bucket,
    bytes: Bucket,
}

impl Traffic {
    pub(super) const fn new(frames_per_sec: u32) -> Self {
        let frames = frames_per_sec as u64;
        Self {
            frames: Bucket::new(FillRate::per_sec(frames)),
            bytes: Bucket::new(FillRate::per_sec(frames.saturating_mul(BYTES_PER_FRAME))),
        }
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.frames.is_full(now) && self.bytes.is_full(now)
    }

    pub(super) fn take_frame(&mut self, now: Instant) -> bool {
        self.frames.take(1, now)
    }

    /// Counts bytes that were received. Returns until when nothing more may be received; `None` if something
    /// may be received now.
    pub(super) fn charge_bytes(&mut self, bytes: u64, now: Instant) -> Option<Instant> {
        self.bytes.charge(bytes, now);
        self.bytes.empty_until(now)
    }
}
