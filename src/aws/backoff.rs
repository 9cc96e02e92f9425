//! How long to wait before refused entries of a batch are sent again.

use std::time::Duration;

use crate::ports::Randomness;

/// Exponential delays with a cap and full jitter, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    /// The upper bound of the first delay. Each later one doubles it.
    pub(super) base: Duration,
    /// The upper bound of all delays.
    pub(super) cap: Duration,
    /// How many rounds in a row may make no progress before the batch is given up.
    pub(super) rounds: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(50), cap: Duration::from_secs(2), rounds: 8 }
    }
}

impl Backoff {
    /// Waits before the round after `failed` rounds without progress. Returns `false` if there were enough.
    pub(super) async fn wait(&self, failed: u32, randomness: &dyn Randomness) -> bool {
        if failed > self.rounds {
            return false;
        }
        tokio::time::sleep(self.delay(failed, randomness.bits())).await;
        true
    }

    fn delay(&self, failed: u32, bits: [u8; 16]) -> Duration {
        let longest = self.base.saturating_mul(1 << failed.min(16)).min(self.cap);
        let share = u32::from(u16::from_le_bytes([bits[0], bits[1]]));
        longest.saturating_mul(share) / u32::from(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_are_jittered() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay(0, [255; 16]), Duration::from_millis(50));
        assert_eq!(backoff.delay(1, [255; 16]), Duration::from_millis(100));
        assert_eq!(backoff.delay(u32::MAX, [255; 16]), Duration::from_secs(2));
        assert_eq!(backoff.delay(3, [0; 16]), Duration::ZERO);
    }
}
