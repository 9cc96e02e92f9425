//! Numbers as bytes, and taking them off again without trusting them.

use super::Money;
use super::pack::{PackError, damaged};

/// Appends a number, seven bits to a byte, the lowest first.
#[inline]
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes a number has.
pub(super) const fn width(number: u128) -> usize {
    (u128::BITS - number.leading_zeros()).div_ceil(8) as usize
}

/// Appends numbers of so many bytes in planes: first the highest byte of each, last the lowest.
/// Bytes of one plane resemble each other more than those of one number do.
pub(super) fn put_planes(out: &mut Vec<u8>, width: usize, numbers: &[u128]) {
    for plane in (0..width).rev() {
        out.extend(numbers.iter().map(|number| (number >> (8 * plane)) as u8));
    }
}

/// The number at an index of [`put_planes`]'s bytes.
pub(super) fn in_planes(planes: &[u8], width: usize, index: usize) -> u128 {
    let count = planes.len().checked_div(width).unwrap_or(0);
    let plane = |number, plane| number << 8 | u128::from(planes[plane * count + index]);
    (0..width).fold(0, plane)
}

/// FNV-1a. Any single byte that changes changes it.
pub(super) fn checksum(bytes: &[u8]) -> [u8; 4] {
    const START: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    let sum = bytes.iter().fold(START, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(PRIME));
    sum.to_le_bytes()
}

/// Takes pieces off the front of a slice.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], PackError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, PackError> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn varint(&mut self) -> Result<u64, PackError> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(damaged("a number is too long"))
    }

    pub(super) fn length(&mut self) -> Result<usize, PackError> {
        usize::try_from(self.varint()?).map_err(|_| damaged("a number is too large"))
    }

    /// A number that is at most so much.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, PackError> {
        self.length().and_then(|count| match count <= most {
            true => Ok(count),
            false => Err(damaged("it has too many entries")),
        })
    }

    pub(super) fn lengths(&mut self, count: usize) -> Result<Vec<usize>, PackError> {
        (0..count).map(|_| self.length()).collect()
    }

    pub(super) fn price(&mut self) -> Result<Money, PackError> {
        let minor = i64::try_from(self.varint()?).ok().map(Money::from_minor);
        minor.filter(|price| *price <= Money::MAX_PRICE).ok_or(damaged("a price is out of range"))
    }

    pub(super) fn section(&mut self) -> Result<&'a [u8], PackError> {
        let length = self.length()?;
        self.take(length)
    }

    pub(super) fn end(&self) -> Result<(), PackError> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged("something follows its end")) }
    }
}
