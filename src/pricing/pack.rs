//! Packing one part of a price table.
//!
//! ```text
//! part      = "OC" version(1 byte) varint(len) catalogue varint(len) prices
//! catalogue = zstd( varint(count) ids list-prices )
//! ids       = 0(1 byte) texts | 1(1 byte) numbers
//! texts     = shared lengths   count varints: bytes shared with the id before
//!             suffix lengths   count varints
//!             suffixes         the rest of each id, UTF-8
//! numbers   = varint(len) prefix, varint(len) alphabet, varint(digits)
//!             first number (16 bytes, lowest first), width(1 byte)
//!             planes           count - 1 differences to the number before, of width bytes
//! list-prices
//!           = width(1 byte)
//!             low parts        count bytes: minor units modulo 100
//!             planes           count numbers of width bytes: minor units ÷ 100
//! prices    = 0(1 byte) columns checksum(4 bytes, FNV-1a) | 1(1 byte) zstd( columns )
//! columns   = varint(discounted)
//!             gaps             discounted varints: products skipped since the one before
//!             unit             varint, if any is discounted: what all percentages are multiples of
//!             percentages      discounted varints, in units of so many millionths of a per cent
//!             savings          discounted varints: list price less unit price
//! ```
//!
//! Planes are the highest byte of each number, then the next, down to the lowest.
//!
//! A part stands for itself: ids, list prices, discounts and unit prices of its products. The
//! catalogue section is the same for all users and is compressed once per snapshot, so it can
//! afford a high level; a user's own section is small, and compressed only where that pays.
//! Zstd's checksum is on. Each column is a zstd block of its own, because a block has one code for
//! all its bytes, and digits are not distributed like prices. How ids become numbers is said in
//! `numbering.rs`; ids whose numbers would have more than 128 bits stay texts.
//!
//! Bounds: 1,024 products with 8 KB of ids give at most 18 KB of catalogue section and 13.5 KB of
//! prices before compression, so that a part always fits [`PackedPart::MAX_BYTES`].

use std::io::{self, Write as _};
use std::ops::Range;

use thiserror::Error;
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::bytes::{checksum, put_planes, put_varint, width};
use super::catalogue::{Catalogue, CataloguePart};
use super::ids::Ids;
use super::numbering::Numbering;
use super::table::DiscountedEntry;
use super::unpack::PackedPart;

/// The most bytes the ids of one part may have together.
pub(super) const MAX_ID_BYTES_PER_PART: usize = 8 * 1024;
/// The version of the packed form. It is part of a table's fingerprint, so that tables packed by
/// another version are packed anew when they are refreshed.
pub(super) const FORMAT_VERSION: u8 = 2;

pub(super) const MAGIC: [u8; 2] = *b"OC";
/// Ids as they are, and as numbers.
pub(super) const TEXTS: u8 = 0;
pub(super) const NUMBERS: u8 = 1;
/// A section as it is, and compressed.
pub(super) const PLAIN: u8 = 0;
pub(super) const COMPRESSED: u8 = 1;
/// Beyond 12 the catalogue section shrinks by less than 1 %, at five times the time.
const CATALOGUE_LEVEL: i32 = 12;
const PRICES_LEVEL: i32 = 3;
/// Shorter sections shrink by a percent or two of the part, and a compressor takes longer to make than
/// all the rest of the part.
const WORTH_COMPRESSING: usize = 1024;

/// Why a part cannot be packed or read.
#[derive(Debug, Error)]
pub enum PackError {
    /// The compressor failed.
    #[error("compressing a part of a price table")]
    Compress(#[source] io::Error),
    /// The part would be larger than the limit.
    #[error("a part of a price table takes {bytes} bytes, {} are allowed", PackedPart::MAX_BYTES)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The part was written by a version of ocache that this one does not know.
    #[error(
        "a part of a price table has format version {found}, this ocache reads {FORMAT_VERSION}"
    )]
    UnknownVersion {
        /// The version it says.
        found: u8,
    },
    /// The bytes are not what any version writes.
    #[error("a part of a price table is damaged: {why}")]
    Damaged {
        /// What does not fit.
        why: &'static str,
    },
}

pub(super) const fn damaged(why: &'static str) -> PackError {
    PackError::Damaged { why }
}

/// Bytes that are compressed together, but coded apart.
#[derive(Default)]
struct Blocks {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Blocks {
    /// The bytes up to here are a block.
    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    fn compress(&self) -> io::Result<Vec<u8>> {
        let mut encoder = zstd::Encoder::new(Vec::new(), CATALOGUE_LEVEL)?;
        encoder.include_checksum(true)?;
        encoder.set_pledged_src_size(Some(self.bytes.len() as u64))?;
        let mut start = 0;
        for &end in &self.ends {
            encoder.write_all(&self.bytes[start..end])?;
            encoder.flush()?;
            start = end;
        }
        encoder.finish()
    }
}

/// The catalogue section of a range of products.
pub(super) fn pack_catalogue(
    catalogue: &Catalogue,
    range: Range<usize>,
) -> Result<Vec<u8>, PackError> {
    let mut out = Blocks::default();
    put_varint(&mut out.bytes, range.len() as u64);
    if !put_numbers(&mut out, catalogue.ids(), range.clone()) {
        put_texts(&mut out, catalogue.ids(), range.clone());
    }
    let prices = catalogue.prices()[range].iter().map(|price| price.minor().cast_unsigned());
    let high_parts: Vec<u128> = prices.clone().map(|minor| u128::from(minor / 100)).collect();
    let width = high_parts.iter().copied().map(width).max().unwrap_or(0);
    out.bytes.push(width as u8);
    out.bytes.extend(prices.map(|minor| (minor % 100) as u8));
    out.end();
    put_blocks(&mut out, width, &high_parts);
    out.compress().map_err(PackError::Compress)
}

/// Each plane is a block of its own.
fn put_blocks(out: &mut Blocks, width: usize, numbers: &[u128]) {
    let start = out.bytes.len();
    put_planes(&mut out.bytes, width, numbers);
    out.ends.extend((1..=width).map(|planes| start + planes * numbers.len()));
}

/// Ids as numbers, if that is possible and shorter than what it saves; says whether it was.
fn put_numbers(out: &mut Blocks, ids: &Ids, range: Range<usize>) -> bool {
    let Some(numbering) = Numbering::of(ids, range.clone()) else { return false };
    let numbers: Option<Vec<u128>> =
        range.clone().map(|index| numbering.number(ids.get(index))).collect();
    let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else { return false };
    let steps: Vec<u128> = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let width = steps.iter().copied().map(width).max().unwrap_or(0);
    if steps.len() * width > ids.end(range.end) - ids.end(range.start) {
        return false;
    }
    out.bytes.push(NUMBERS);
    numbering.put(&mut out.bytes);
    out.bytes.extend_from_slice(&numbers[0].to_le_bytes());
    out.bytes.push(width as u8);
    out.end();
    put_blocks(out, width, &steps);
    true
}

fn put_texts(out: &mut Blocks, ids: &Ids, range: Range<usize>) {
    let shared: Vec<usize> = range
        .clone()
        .map(|index| match index == range.start {
            true => 0,
            false => shared_prefix(ids.get(index - 1), ids.get(index)),
        })
        .collect();
    let suffixes = || range.clone().zip(&shared).map(|(index, &cut)| &ids.get(index)[cut..]);
    out.bytes.push(TEXTS);
    shared.iter().for_each(|&length| put_varint(&mut out.bytes, length as u64));
    out.end();
    suffixes().for_each(|suffix| put_varint(&mut out.bytes, suffix.len() as u64));
    out.end();
    suffixes().for_each(|suffix| out.bytes.extend_from_slice(suffix.as_bytes()));
    out.end();
}

/// How many bytes two ids have in common at the start, ending between characters.
fn shared_prefix(before: &str, id: &str) -> usize {
    let mut shared = before.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
    while !id.is_char_boundary(shared) {
        shared -= 1;
    }
    shared
}

/// Packs users' prices with one reused compressor.
pub(super) struct PricesPacker {
    /// Made when it is first needed: most users' sections are too short for it.
    compressor: Option<Compressor<'static>>,
    columns: Vec<u8>,
}

impl PricesPacker {
    pub(super) const fn new() -> Self {
        Self { compressor: None, columns: Vec::new() }
    }

    /// A whole part: the catalogue section as it is, and one user's prices.
    pub(super) fn pack_part(
        &mut self,
        part: &CataloguePart,
        discounted: &[DiscountedEntry],
    ) -> Result<Vec<u8>, PackError> {
        self.put_columns(part.range.start, discounted);
        let compressed = self.compress().map_err(PackError::Compress)?;
        let (form, prices) = match &compressed {
            Some(bytes) => (COMPRESSED, bytes),
            None => (PLAIN, &self.columns),
        };
        let mut packed = Vec::with_capacity(part.packed.len() + prices.len() + 16);
        packed.extend_from_slice(&MAGIC);
        packed.push(FORMAT_VERSION);
        put_varint(&mut packed, part.packed.len() as u64);
        packed.extend_from_slice(&part.packed);
        let sum = checksum(&self.columns);
        let sum: &[u8] = if form == PLAIN { &sum } else { &[] };
        put_varint(&mut packed, (1 + prices.len() + sum.len()) as u64);
        packed.push(form);
        packed.extend_from_slice(prices);
        packed.extend_from_slice(sum);
        if packed.len() > PackedPart::MAX_BYTES {
            return Err(PackError::TooLarge { bytes: packed.len() });
        }
        Ok(packed)
    }

    fn put_columns(&mut self, first: usize, discounted: &[DiscountedEntry]) {
        let out = &mut self.columns;
        out.clear();
        put_varint(out, discounted.len() as u64);
        let mut next = first;
        for entry in discounted {
            put_varint(out, (entry.index - next) as u64);
            next = entry.index + 1;
        }
        if discounted.is_empty() {
            return;
        }
        let millionths = || discounted.iter().map(|entry| entry.discount.millionths());
        let unit = millionths().fold(0, greatest_common_divisor).max(1);
        put_varint(out, u64::from(unit));
        millionths().for_each(|discount| put_varint(out, u64::from(discount / unit)));
        for entry in discounted {
            put_varint(out, entry.saving.minor().cast_unsigned());
        }
    }

    /// The columns compressed, if they get shorter by it.
    fn compress(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.columns.len() < WORTH_COMPRESSING {
            return Ok(None);
        }
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(prices_compressor()?),
        };
        let compressed = compressor.compress(&self.columns)?;
        Ok(Some(compressed).filter(|compressed| compressed.len() < self.columns.len()))
    }
}

fn prices_compressor() -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(PRICES_LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    Ok(compressor)
}

const fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while a != 0 {
        (a, b) = (b % a, a);
    }
    b
}
