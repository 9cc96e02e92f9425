//! Tests of all bytes of a text, eight at a time.
//!
//! Every request has its ids and names checked. They are short: a loop over single bytes spends most of its
//! instructions on the bytes that are left over after the vectors.

/// A word whose bytes are all one.
const ONES: u64 = u64::MAX / 255;
/// The highest bit of each byte of a word.
const HIGH_BITS: u64 = ONES << 7;

/// Whether a test holds for any byte. The test takes eight bytes and returns zero if it holds for none of them.
#[inline]
pub(crate) fn any_byte(bytes: &[u8], test: impl Fn(u64) -> u64) -> bool {
    let word = |bytes: &[u8; 8]| test(u64::from_ne_bytes(*bytes));
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().any(|byte| test(ONES * u64::from(*byte)) != 0);
    };
    // The last word overlaps the one before it.
    let (words, _) = bytes.as_chunks();
    words.iter().fold(word(last), |found, bytes| found | word(bytes)) != 0
}

/// Returns zero if no byte of a word is smaller than `limit`, which is 128 at most.
#[inline]
pub(crate) const fn smaller(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & HIGH_BITS
}

/// Returns zero if no byte of a word is larger than `limit`, which is 127 at most.
#[inline]
pub(crate) const fn larger(word: u64, limit: u8) -> u64 {
    let low_bits = word & !HIGH_BITS;
    ((low_bits + ONES * (127 - limit) as u64) | word) & HIGH_BITS
}

/// Returns zero if no byte of a word is `byte`.
#[inline]
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    smaller(word ^ (ONES * byte as u64), 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_find_what_a_loop_finds(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), b' '..=b'~'], 0..40),
            limit in 0_u8..128,
            wanted in any::<u8>(),
        ) {
            let found = any_byte(&bytes, |word| smaller(word, limit));
            prop_assert_eq!(found, bytes.iter().any(|byte| *byte < limit));
            let found = any_byte(&bytes, |word| larger(word, limit));
            prop_assert_eq!(found, bytes.iter().any(|byte| *byte > limit));
            let found = any_byte(&bytes, |word| equal(word, wanted));
            prop_assert_eq!(found, bytes.contains(&wanted));
        }
    }
}
