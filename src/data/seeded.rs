//! Draws numbers from a seed, the same on every machine and in every version.
//!
//! General random generators may change their output between releases. This one may not, because files made
//! from the same seed must be equal byte for byte.

use std::collections::HashSet;

/// The `SplitMix64` generator: a counter whose values are mixed.
pub(crate) struct Draws {
    state: u64,
}

impl Draws {
    /// Returns the draws for one row of one kind. Each row has its own, so any row can be made alone.
    pub(crate) const fn new(seed: u64, kind: u64, row: u64) -> Self {
        Self { state: mix(mix(seed ^ mix(kind)).wrapping_add(row)) }
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Draws a number below a bound, or 0 if the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product is as even as 64 bits can be, and needs no division.
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Draws one of some words.
    pub(super) fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let index = self.below(words.len() as u64) as usize;
        words.get(index).copied().unwrap_or_default()
    }

    /// Draws different numbers below a bound. All choices are equally likely (Floyd's method).
    pub(crate) fn distinct(&mut self, count: u64, bound: u64) -> Vec<u64> {
        let mut taken = HashSet::new();
        let mut numbers = vec![];
        for last in bound.saturating_sub(count)..bound {
            let drawn = self.below(last + 1);
            let number = if taken.insert(drawn) { drawn } else { last };
            taken.insert(number);
            numbers.push(number);
        }
        numbers
    }
}

const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

const SKU_LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const SKU_LENGTH: usize = 8;

/// The number of SKUs: 36^8.
pub(super) const SKU_COUNT: u64 = 36_u64.pow(SKU_LENGTH as u32);

/// The number of bits that hold every SKU number.
const SKU_BITS: u32 = 42;
const SKU_MASK: u64 = (1 << SKU_BITS) - 1;

/// Returns the SKU of the product at an index below [`SKU_COUNT`]: 8 characters that look random. Different
/// indices have different SKUs, so no list of used SKUs is needed.
pub(super) fn sku(seed: u64, index: u64) -> String {
    let mut number = scramble(seed, index);
    // Each step is a permutation, so stepping on until the number is in range is one too.
    while number >= SKU_COUNT {
        number = scramble(seed, number);
    }
    let mut letters = [0; SKU_LENGTH];
    for letter in letters.iter_mut().rev() {
        *letter = SKU_LETTERS[(number % 36) as usize];
        number /= 36;
    }
    letters.iter().map(|&letter| char::from(letter)).collect()
}

/// A permutation of the numbers of 42 bits: every operation can be undone.
const fn scramble(seed: u64, number: u64) -> u64 {
    let mut bits = number ^ (mix(seed) & SKU_MASK);
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9) & SKU_MASK;
    bits ^= bits >> (SKU_BITS / 2);
    bits = bits.wrapping_mul(0x94d0_49bb_1331_11eb) & SKU_MASK;
    bits ^= bits >> (SKU_BITS / 2);
    bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) & SKU_MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first outputs of SplitMix64 from state 1234567.
        let mut draws = Draws { state: 1_234_567 };
        assert_eq!(
            [draws.next(), draws.next(), draws.next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn skus_differ_and_depend_on_the_seed() {
        let skus: HashSet<_> = (0..100_000).map(|index| sku(7, index)).collect();
        assert_eq!(skus.len(), 100_000);
        let is_sku = |sku: &String| {
            sku.len() == 8 && sku.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        };
        assert!(skus.iter().all(is_sku));
        assert_ne!(sku(7, 0), sku(8, 0));
        assert_ne!(sku(7, SKU_COUNT - 1), sku(7, 0));
    }

    #[test]
    fn distinct_numbers_are_distinct_and_all_come_up() {
        let mut seen = HashSet::new();
        for row in 0..200 {
            let numbers = Draws::new(1, 2, row).distinct(3, 10);
            assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), 3);
            assert!(numbers.iter().all(|number| *number < 10));
            seen.extend(numbers);
        }
        assert_eq!(seen.len(), 10);
        let mut all = Draws::new(1, 2, 3).distinct(10, 10);
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
    }
}
