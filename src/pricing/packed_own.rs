//! The packed form of a customer's own rows.
//!
//! It uses the frame of [`super::part_frame`].
//!
//! ```text
//! columns = varint(count)
//!           gaps         count times: varint, the indexes skipped since the row before
//!           unit         varint, what all percentages are multiples of, in millionths of a per cent
//!           percentages  count times: varint, in units
//!           savings      count times: varint
//! ```
//!
//! A few hundred rows are one part, which is stored in the table's head. More rows are cut into parts. Each
//! part can be read alone.

use super::bytes::{PackError, Reader, damaged, gcd, put_varint, varint_bytes};
use super::own::{OwnRow, OwnRows, PRICING_VERSION};
use super::part_frame::{columns, frame};
use super::{Discounts, Money, Percentage};
use crate::model::{Digest, DigestBuilder};

/// The format version. It is part of a table's fingerprint, so rows in another version are packed again.
const FORMAT_VERSION: u8 = 1;

/// A part is full when its columns have this many bytes.
const PART_BYTES: usize = 24 * 1024;
/// The most bytes of a row: three numbers.
const MAX_ROW_BYTES: usize = 5 + 5 + 8;
const MAX_BYTES: usize = PART_BYTES + MAX_ROW_BYTES + 32;

/// The fingerprint of a customer's discounts. The same fingerprint with the same base means the same packed
/// rows.
#[must_use]
pub fn fingerprint(discounts: &Discounts) -> Digest {
    let (ids, lengths) = discounts.ids().bytes();
    let millionths = discounts.percentages().iter().map(|discount| discount.millionths());
    let millionths: Vec<u8> = millionths.flat_map(u32::to_le_bytes).collect();
    DigestBuilder::new("own rows")
        .number(u64::from(PRICING_VERSION))
        .number(u64::from(FORMAT_VERSION))
        .part(ids)
        .part(lengths)
        .part(&millionths)
        .finish()
}

/// A customer's rows, packed in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedOwn {
    /// The index of the first row of each part.
    pub first: Vec<u32>,
    /// The parts; none if there are no rows.
    pub parts: Vec<Vec<u8>>,
}

impl PackedOwn {
    /// Packs rows. The same rows always give the same bytes.
    ///
    /// # Errors
    /// [`PackError`] if the compressor fails.
    pub fn new(own: &OwnRows) -> Result<Self, PackError> {
        let mut packed = Self::default();
        let mut rest = own.as_slice();
        while let Some(first) = rest.first() {
            let unit = rest.iter().map(|row| row.discount.millionths()).fold(0, gcd).max(1);
            let (part, after) = rest.split_at(count_that_fits(rest, unit));
            packed.first.push(first.index);
            packed.parts.push(pack_part(part, unit)?);
            rest = after;
        }
        Ok(packed)
    }
}

fn count_that_fits(rows: &[OwnRow], unit: u32) -> usize {
    let (mut bytes, mut next) = (0, 0_u64);
    let fits = |row: &&OwnRow| {
        bytes += varint_bytes(u64::from(row.index) - next)
            + varint_bytes(u64::from(row.discount.millionths() / unit))
            + varint_bytes(row.saving.minor().cast_unsigned());
        next = u64::from(row.index) + 1;
        bytes <= PART_BYTES
    };
    rows.iter().take_while(fits).count().max(1)
}

fn pack_part(rows: &[OwnRow], unit: u32) -> Result<Vec<u8>, PackError> {
    let mut columns = Vec::with_capacity(rows.len() * 6 + 8);
    put_varint(&mut columns, rows.len() as u64);
    let mut next = 0_u64;
    for row in rows {
        put_varint(&mut columns, u64::from(row.index) - next);
        next = u64::from(row.index) + 1;
    }
    put_varint(&mut columns, u64::from(unit));
    rows.iter()
        .for_each(|row| put_varint(&mut columns, u64::from(row.discount.millionths() / unit)));
    rows.iter().for_each(|row| put_varint(&mut columns, row.saving.minor().cast_unsigned()));
    frame(FORMAT_VERSION, &columns)
}

impl OwnRows {
    /// Unpacks a part.
    ///
    /// # Errors
    /// [`PackError::UnknownVersion`] or [`PackError::Damaged`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PackError> {
        read_columns(&columns(FORMAT_VERSION, bytes, MAX_BYTES)?)
    }
}

fn read_columns(columns: &[u8]) -> Result<OwnRows, PackError> {
    let mut reader = Reader(columns);
    // Each row takes at least three bytes.
    let count = reader.count(columns.len() / 3)?;
    let mut rows =
        vec![OwnRow { index: 0, discount: Percentage::default(), saving: Money::ZERO }; count];
    let mut next = 0_u64;
    for row in &mut rows {
        let gap = reader.number().ok_or_else(|| reader.no_number())?;
        let index = next.checked_add(gap).and_then(|index| u32::try_from(index).ok());
        row.index = index.ok_or(damaged("a row is of no product"))?;
        next = u64::from(row.index) + 1;
    }
    let unit = reader.varint()?;
    for row in &mut rows {
        let units = reader.number().ok_or_else(|| reader.no_number())?;
        let millionths = units.checked_mul(unit).and_then(|all| u32::try_from(all).ok());
        let percentage = millionths.and_then(Percentage::from_millionths);
        row.discount = percentage.ok_or(damaged("a discount is more than 100 %"))?;
    }
    for row in &mut rows {
        row.saving = reader.price(Money::MAX_PRICE)?;
    }
    reader.end()?;
    Ok(OwnRows { rows })
}
