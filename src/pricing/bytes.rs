//! Writes numbers as bytes, and reads bytes that cannot be trusted.

use std::io;

use thiserror::Error;

use super::Money;

/// Why something cannot be packed or unpacked.
#[derive(Debug, Error)]
pub enum PackError {
    /// The compressor failed.
    #[error("compressing prices")]
    Compress(#[source] io::Error),
    /// The bytes were written by a version of ocache with another format.
    #[error("packed prices have format version {found}, this ocache reads {known}")]
    UnknownVersion {
        /// The version in the bytes.
        found: u8,
        /// The version that this ocache reads.
        known: u8,
    },
    /// The bytes are not what any version writes.
    #[error("packed prices are damaged: {why}")]
    Damaged {
        /// What is wrong.
        why: &'static str,
    },
}

pub(crate) const fn damaged(why: &'static str) -> PackError {
    PackError::Damaged { why }
}

/// What packed bytes are put into.
pub(crate) trait ByteSink {
    /// Appends a byte.
    fn put(&mut self, byte: u8);
    /// Appends bytes.
    fn put_all(&mut self, bytes: &[u8]);
}

impl ByteSink for Vec<u8> {
    #[inline]
    fn put(&mut self, byte: u8) {
        self.push(byte);
    }

    #[inline]
    fn put_all(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts the bytes that are put into it, and keeps none.
#[derive(Debug, Default)]
pub(crate) struct ByteCount(pub(crate) usize);

impl ByteSink for ByteCount {
    #[inline]
    fn put(&mut self, _: u8) {
        self.0 += 1;
    }

    #[inline]
    fn put_all(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// Appends a number with seven bits in each byte, the lowest bits first.
#[inline]
pub(crate) fn put_varint(out: &mut impl ByteSink, mut value: u64) {
    while value >= 0x80 {
        out.put((value as u8) | 0x80);
        value >>= 7;
    }
    out.put(value as u8);
}

/// The most bytes of a number.
const MAX_VARINT_BYTES: usize = 9;

/// Returns the number of bytes that [`put_varint`] writes.
pub(super) const fn varint_bytes(number: u64) -> usize {
    let bits = u64::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Returns the length in bytes of the common prefix of two ids. It ends between characters.
pub(super) fn shared_prefix(before: &str, id: &str) -> usize {
    let mut shared = before.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
    while !id.is_char_boundary(shared) {
        shared -= 1;
    }
    shared
}

/// Returns the greatest common divisor, so that numbers can be packed in a larger unit.
pub(super) const fn gcd(mut a: u32, mut b: u32) -> u32 {
    while a != 0 {
        (a, b) = (b % a, a);
    }
    b
}

/// The FNV-1a checksum. A change of any single byte changes it.
pub(super) fn checksum(bytes: &[u8]) -> [u8; 4] {
    const START: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    let sum = bytes.iter().fold(START, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(PRIME));
    sum.to_le_bytes()
}

/// Reads pieces from the front of a slice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], PackError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, PackError> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn varint(&mut self) -> Result<u64, PackError> {
        self.number().ok_or_else(|| self.no_number())
    }

    /// Reads a number; `None` if there is none. Most have one byte or two.
    // Always inlined and without an error, because it runs for each column of each row: a call, or a result that
    // is passed through memory, would take longer than its work.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn number(&mut self) -> Option<u64> {
        match *self.0 {
            [only, ref rest @ ..] if only < 0x80 => {
                self.0 = rest;
                Some(u64::from(only))
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.0 = rest;
                Some(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Option<u64> {
        let mut value = 0;
        for (place, byte) in self.0.iter().enumerate().take(MAX_VARINT_BYTES) {
            value |= u64::from(byte & 0x7f) << (7 * place);
            if *byte < 0x80 {
                self.0 = &self.0[place + 1..];
                return Some(value);
            }
        }
        None
    }

    /// Returns why there is no number.
    #[cold]
    pub(super) fn no_number(&self) -> PackError {
        match self.0.len() < MAX_VARINT_BYTES {
            true => damaged("it ends too early"),
            false => damaged("a number is too long"),
        }
    }

    pub(crate) fn length(&mut self) -> Result<usize, PackError> {
        usize::try_from(self.varint()?).map_err(|_| damaged("a number is too large"))
    }

    /// Reads a number that must be at most `most`.
    pub(crate) fn count(&mut self, most: usize) -> Result<usize, PackError> {
        self.length().and_then(|count| match count <= most {
            true => Ok(count),
            false => Err(damaged("it has too many entries")),
        })
    }

    pub(super) fn text(&mut self, length: usize) -> Result<&'a str, PackError> {
        std::str::from_utf8(self.take(length)?).map_err(|_| damaged("a text is not UTF-8"))
    }

    /// Reads a price that must be at most `most`.
    // Inlined for the same reason as `number`.
    #[inline]
    pub(super) fn price(&mut self, most: Money) -> Result<Money, PackError> {
        let number = self.number().ok_or_else(|| self.no_number())?;
        let price = i64::try_from(number).ok().map(Money::from_minor);
        price.filter(|price| *price <= most).ok_or(damaged("a price is out of range"))
    }

    /// Reads a length and the bytes that follow it.
    pub(crate) fn with_length(&mut self) -> Result<&'a [u8], PackError> {
        let length = self.length()?;
        self.take(length)
    }

    pub(crate) fn end(&self) -> Result<(), PackError> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged("something follows its end")) }
    }
}
