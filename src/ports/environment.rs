//! Time and chance, injected so that tests and simulations own them.

use std::time::{SystemTime, UNIX_EPOCH};

use rand::Rng as _;

use crate::model::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Where ids come from that nobody must guess.
pub trait Randomness: Send + Sync {
    /// 128 bits that never come again.
    fn bits(&self) -> [u8; 16];
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::default().plus(elapsed)
    }
}

/// The cryptographic generator of the thread, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn bits(&self) -> [u8; 16] {
        let mut bits = [0; 16];
        rand::rng().fill_bytes(&mut bits);
        bits
    }
}
