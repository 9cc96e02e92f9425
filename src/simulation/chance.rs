//! The source of all randomness in a simulation, from one seed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::data::Draws;
use crate::ports::Randomness;

/// The denominator of rates.
pub(super) const RATE_WHOLE: u64 = 10_000;

/// The only generator of a run. Everything random is drawn from it in the order in which it happens:
/// faults, the schedule of tasks, what clients do, and the ids that the stages make.
pub(super) struct Chance(Mutex<Draws>);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(Draws::new(seed, 0, 0)))
    }

    /// Draws a number below a bound; 0 if the bound is 0.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).below(bound)
    }

    /// Draws a number from `first` to `last`.
    pub(super) fn between(&self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// Draws an index into a list of this length; 0 if it is empty.
    pub(super) fn index(&self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    pub(super) fn pick<T: Copy, const N: usize>(&self, choices: [T; N]) -> T {
        choices[self.index(N)]
    }

    /// Returns true with a probability of `rate` in [`RATE_WHOLE`].
    pub(super) fn happens(&self, rate: u64) -> bool {
        rate > 0 && self.below(RATE_WHOLE) < rate
    }

    /// Returns true with a probability of one in `times`.
    pub(super) fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn millis(&self, first: u64, last: u64) -> Duration {
        Duration::from_millis(self.between(first, last))
    }

    /// Draws a duration up to `most`, on a logarithmic scale, so that short ones are as likely as long
    /// ones.
    pub(super) fn up_to(&self, most: Duration) -> Duration {
        let most_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
        let scale = self.below(u64::from(most_ms.ilog2()) + 1);
        self.millis(1, (1 << (scale + 1)).min(most_ms))
    }
}

impl Randomness for Chance {
    fn bits(&self) -> [u8; 16] {
        let mut draws = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bits = [0; 16];
        bits[..8].copy_from_slice(&draws.next().to_le_bytes());
        bits[8..].copy_from_slice(&draws.next().to_le_bytes());
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_chances_and_another_one_others() {
        let draw = |seed| {
            let chance = Chance::new(seed);
            let numbers: Vec<_> = (0..20).map(|_| chance.between(3, 900)).collect();
            (numbers, chance.bits(), chance.up_to(Duration::from_secs(90)))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1).0, draw(2).0);
        assert_ne!(draw(1).1, draw(2).1);
    }

    #[test]
    fn chances_stay_in_their_bounds() {
        let chance = Chance::new(7);
        for _ in 0..1_000 {
            assert!((3..=5).contains(&chance.between(3, 5)));
            assert!(chance.up_to(Duration::from_millis(90)) <= Duration::from_millis(90));
            assert!(!chance.happens(0) && chance.happens(RATE_WHOLE));
        }
    }
}
