//! The packed form of one part of a price table.
//!
//! ```text
//! part      = "OC" version(1 byte) varint(len) catalogue varint(len) prices
//! catalogue = zstd( varint(count)
//!                   shared lengths   count varints: bytes shared with the id before
//!                   suffix lengths   count varints
//!                   suffixes         the rest of each id, UTF-8
//!                   list prices      count varints, minor units )
//! prices    = zstd( varint(discounted)
//!                   gaps             discounted varints: products skipped since the one before
//!                   percentages      discounted varints, millionths of a per cent
//!                   savings          discounted varints: list price less unit price )
//! ```
//!
//! A part stands for itself: ids, list prices, discounts and unit prices of its products. The
//! catalogue section is the same for all users and is compressed once per snapshot, so it can
//! afford a high level; a user's own section is small. Both carry zstd's checksum.
//!
//! Bounds: 1,024 products with 8 KB of ids give at most 18 KB of catalogue section and 13.5 KB of
//! prices before compression, so that a part always fits [`PackedPart::MAX_BYTES`].

use std::io;
use std::ops::Range;

use thiserror::Error;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use super::catalogue::{Catalogue, CataloguePart, MAX_PRODUCTS_PER_PART};
use super::table::DiscountedEntry;
use super::{Entry, Money, Percentage};
use crate::model::ProductId;

/// The most bytes the ids of one part may have together.
pub(super) const MAX_ID_BYTES_PER_PART: usize = 8 * 1024;

const MAGIC: [u8; 2] = *b"OC";
const VERSION: u8 = 1;
/// No section that we write is larger than this once decompressed.
const MAX_SECTION_BYTES: usize = 32 * 1024;
/// Beyond 12 the catalogue section shrinks by less than 1 %, at five times the time.
const CATALOGUE_LEVEL: i32 = 12;
const PRICES_LEVEL: i32 = 3;

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
    #[error("a part of a price table has format version {found}, this ocache reads {VERSION}")]
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

const fn damaged(why: &'static str) -> PackError {
    PackError::Damaged { why }
}

/// Packs sections with one reused compressor.
pub(super) struct SectionPacker {
    compressor: Compressor<'static>,
    buffer: Vec<u8>,
}

impl SectionPacker {
    pub(super) fn for_catalogue() -> Result<Self, PackError> {
        Self::new(CATALOGUE_LEVEL)
    }

    pub(super) fn for_prices() -> Result<Self, PackError> {
        Self::new(PRICES_LEVEL)
    }

    fn new(level: i32) -> Result<Self, PackError> {
        let mut compressor = Compressor::new(level).map_err(PackError::Compress)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true)).map_err(PackError::Compress)?;
        Ok(Self { compressor, buffer: Vec::new() })
    }

    fn compress(&mut self) -> Result<Vec<u8>, PackError> {
        self.compressor.compress(&self.buffer).map_err(PackError::Compress)
    }

    /// The catalogue section of a range of products.
    pub(super) fn pack_catalogue(
        &mut self,
        catalogue: &Catalogue,
        range: Range<usize>,
    ) -> Result<Vec<u8>, PackError> {
        let shared: Vec<usize> = range
            .clone()
            .map(|index| match index == range.start {
                true => 0,
                false => shared_prefix(catalogue.id(index - 1), catalogue.id(index)),
            })
            .collect();
        let suffixes =
            || range.clone().zip(&shared).map(|(index, &cut)| &catalogue.id(index)[cut..]);

        let out = &mut self.buffer;
        out.clear();
        put_varint(out, range.len() as u64);
        shared.iter().for_each(|&length| put_varint(out, length as u64));
        suffixes().for_each(|suffix| put_varint(out, suffix.len() as u64));
        suffixes().for_each(|suffix| out.extend_from_slice(suffix.as_bytes()));
        range.for_each(|index| put_varint(out, catalogue.price(index).minor().cast_unsigned()));
        self.compress()
    }

    /// A whole part: the catalogue section as it is, and one user's prices.
    pub(super) fn pack_part(
        &mut self,
        catalogue: &Catalogue,
        part: &CataloguePart,
        discounted: &[DiscountedEntry],
    ) -> Result<Vec<u8>, PackError> {
        let out = &mut self.buffer;
        out.clear();
        put_varint(out, discounted.len() as u64);
        let mut next = part.range.start;
        for entry in discounted {
            put_varint(out, (entry.index - next) as u64);
            next = entry.index + 1;
        }
        for entry in discounted {
            put_varint(out, u64::from(entry.discount.millionths()));
        }
        for entry in discounted {
            let saving = catalogue.price(entry.index).minor() - entry.unit_price.minor();
            put_varint(out, saving.cast_unsigned());
        }
        let prices = self.compress()?;

        let mut packed = Vec::with_capacity(part.packed.len() + prices.len() + 9);
        packed.extend_from_slice(&MAGIC);
        packed.push(VERSION);
        for section in [&part.packed, &prices] {
            put_varint(&mut packed, section.len() as u64);
            packed.extend_from_slice(section);
        }
        if packed.len() > PackedPart::MAX_BYTES {
            return Err(PackError::TooLarge { bytes: packed.len() });
        }
        Ok(packed)
    }
}

/// How many bytes two ids have in common at the start, ending between characters.
fn shared_prefix(before: &str, id: &str) -> usize {
    let mut shared = before.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
    while !id.is_char_boundary(shared) {
        shared -= 1;
    }
    shared
}

/// A part of a price table, read back.
#[derive(Debug)]
pub struct PackedPart {
    ids: String,
    ends: Vec<usize>,
    list_prices: Vec<Money>,
    /// Sorted by index.
    discounted: Vec<DiscountedEntry>,
}

impl PackedPart {
    /// The most bytes a packed part has.
    pub const MAX_BYTES: usize = 32 * 1024;

    /// Reads a packed part.
    ///
    /// # Errors
    /// [`PackError::UnknownVersion`] or [`PackError::Damaged`]; nothing is ever guessed.
    pub fn decode(bytes: &[u8]) -> Result<Self, PackError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(damaged("it is too large"));
        }
        let mut reader = Reader(bytes);
        if reader.take(2)? != MAGIC {
            return Err(damaged("it does not begin like one"));
        }
        match reader.take(1)?[0] {
            VERSION => {}
            found => return Err(PackError::UnknownVersion { found }),
        }
        let catalogue = reader.section()?;
        let prices = reader.section()?;
        reader.end()?;

        let (ids, ends, list_prices) = decode_catalogue(&decompress(catalogue)?)?;
        let discounted = decode_prices(&decompress(prices)?, &list_prices)?;
        Ok(Self { ids, ends, list_prices, discounted })
    }

    /// How many products it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The prices of one product.
    #[must_use]
    pub fn find(&self, product: &ProductId) -> Option<Entry> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle).cmp(product.as_str()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(self.entry(middle)),
            }
        }
        None
    }

    /// All products, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Entry)> {
        (0..self.len()).map(|index| (self.id(index), self.entry(index)))
    }

    fn id(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.ids[start..self.ends[index]]
    }

    fn entry(&self, index: usize) -> Entry {
        let list_price = self.list_prices[index];
        match self.discounted.binary_search_by_key(&index, |entry| entry.index) {
            Ok(at) => {
                let DiscountedEntry { discount, unit_price, .. } = self.discounted[at];
                Entry { list_price, discount, unit_price }
            }
            Err(_) => Entry { list_price, discount: Percentage::default(), unit_price: list_price },
        }
    }
}

fn decode_catalogue(bytes: &[u8]) -> Result<(String, Vec<usize>, Vec<Money>), PackError> {
    let mut reader = Reader(bytes);
    let count = reader.count(MAX_PRODUCTS_PER_PART)?;
    let shared = reader.lengths(count)?;
    let suffixes = reader.lengths(count)?;
    let mut ids = String::new();
    let mut ends = Vec::with_capacity(count);
    let mut before = 0..0;
    for (shared, suffix) in shared.into_iter().zip(suffixes) {
        let start = ids.len();
        let prefix = ids
            .get(before.start..before.start + shared)
            .filter(|_| shared <= before.len())
            .ok_or(damaged("an id shares more than there is"))?
            .to_owned();
        let suffix =
            std::str::from_utf8(reader.take(suffix)?).map_err(|_| damaged("an id is not UTF-8"))?;
        ids.push_str(&prefix);
        ids.push_str(suffix);
        let id = &ids[start..];
        if id.is_empty() || id.len() > ProductId::MAX_BYTES {
            return Err(damaged("an id has a length that no id has"));
        }
        if start > 0 && &ids[before] >= id {
            return Err(damaged("its products are not sorted"));
        }
        before = start..ids.len();
        ends.push(ids.len());
    }
    let list_prices = (0..count).map(|_| reader.price()).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok((ids, ends, list_prices))
}

fn decode_prices(bytes: &[u8], list_prices: &[Money]) -> Result<Vec<DiscountedEntry>, PackError> {
    let mut reader = Reader(bytes);
    let count = reader.count(list_prices.len())?;
    let gaps = reader.lengths(count)?;
    let mut percentages = Vec::with_capacity(count);
    for _ in 0..count {
        let percentage = u32::try_from(reader.varint()?).ok().and_then(Percentage::from_millionths);
        percentages.push(percentage.ok_or(damaged("a discount is more than 100 %"))?);
    }
    let mut next = 0_usize;
    let mut discounted = Vec::with_capacity(count);
    for (gap, discount) in gaps.into_iter().zip(percentages) {
        let index = next.checked_add(gap).ok_or(damaged("a discount is of no product"))?;
        let list = list_prices.get(index).ok_or(damaged("a discount is of no product"))?;
        let unit = list.minor() - reader.price()?.minor();
        if unit < 0 {
            return Err(damaged("a discount is more than the price"));
        }
        discounted.push(DiscountedEntry { index, discount, unit_price: Money::from_minor(unit) });
        next = index + 1;
    }
    reader.end()?;
    Ok(discounted)
}

fn decompress(section: &[u8]) -> Result<Vec<u8>, PackError> {
    Decompressor::new()
        .and_then(|mut decompressor| decompressor.decompress(section, MAX_SECTION_BYTES))
        .map_err(|_| damaged("a section does not decompress"))
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes pieces off the front of a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], PackError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, PackError> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(damaged("a number is too long"))
    }

    fn length(&mut self) -> Result<usize, PackError> {
        usize::try_from(self.varint()?).map_err(|_| damaged("a number is too large"))
    }

    fn count(&mut self, most: usize) -> Result<usize, PackError> {
        self.length().and_then(|count| match count <= most {
            true => Ok(count),
            false => Err(damaged("it has too many entries")),
        })
    }

    fn lengths(&mut self, count: usize) -> Result<Vec<usize>, PackError> {
        (0..count).map(|_| self.length()).collect()
    }

    fn price(&mut self) -> Result<Money, PackError> {
        let minor = i64::try_from(self.varint()?).ok().map(Money::from_minor);
        minor.filter(|price| *price <= Money::MAX_PRICE).ok_or(damaged("a price is out of range"))
    }

    fn section(&mut self) -> Result<&'a [u8], PackError> {
        let length = self.length()?;
        self.take(length)
    }

    fn end(&self) -> Result<(), PackError> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged("something follows its end")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Currency, Discount, Discounts, PriceTable};

    fn product(index: usize, width: usize) -> ProductId {
        // Spread so that neighbours share little and nothing compresses well.
        let hash = crate::model::DigestBuilder::new("test").number(index as u64).finish();
        ProductId::new(hash.to_string().repeat(2)[..width].to_owned()).unwrap()
    }

    fn catalogue(count: usize, width: usize, price: impl Fn(usize) -> i64) -> Catalogue {
        let products =
            (0..count).map(|i| (product(i, width), Money::from_minor(price(i)))).collect();
        Catalogue::new(1, Currency::USD, products).unwrap()
    }

    fn discounts(count: usize, width: usize, millionths: impl Fn(usize) -> u32) -> Discounts {
        let list = (0..count).map(|i| Discount {
            product_id: product(i, width),
            percentage: Percentage::from_millionths(millionths(i)).unwrap(),
        });
        Discounts::new(list.collect()).unwrap()
    }

    #[test]
    fn the_worst_table_fits_its_parts() {
        for width in [8, 16, 64] {
            let spread = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 14;
            let catalogue = catalogue(3000, width, |i| {
                i64::try_from(spread(i)).unwrap() % Money::MAX_PRICE.minor()
            });
            let discounts =
                discounts(3000, width, |i| u32::try_from(spread(i) % 100_000_000).unwrap());
            let parts = PriceTable::new(&catalogue, &discounts).pack().unwrap();
            let decoded: Vec<_> = parts.iter().map(|p| PackedPart::decode(p).unwrap()).collect();
            let entries: Vec<_> = decoded.iter().flat_map(PackedPart::iter).collect();
            assert_eq!(entries.len(), 3000);
            for (index, (id, entry)) in entries.into_iter().enumerate() {
                assert_eq!((id, entry.list_price), (catalogue.id(index), catalogue.price(index)));
                assert_eq!(entry.unit_price, entry.list_price.less(entry.discount));
            }
        }
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let catalogue = catalogue(50, 8, |i| 100 + i as i64);
        let packed = PriceTable::new(&catalogue, &discounts(20, 8, |_| 10_000_000)).pack().unwrap();
        let good = PackedPart::decode(&packed[0]).unwrap();
        let same = |part: &PackedPart| part.iter().eq(good.iter());
        for at in 0..packed[0].len() {
            for bit in 0..8 {
                let mut bytes = packed[0].clone();
                bytes[at] ^= 1 << bit;
                if let Ok(part) = PackedPart::decode(&bytes) {
                    // A bit that zstd ignores may flip; what is read must not change.
                    assert!(same(&part), "byte {at} bit {bit}");
                }
            }
            assert!(PackedPart::decode(&packed[0][..at]).is_err(), "cut at {at}");
        }
        let mut longer = packed[0].clone();
        longer.push(0);
        assert!(PackedPart::decode(&longer).is_err());
        let mut newer = packed[0].clone();
        newer[2] = 2;
        assert!(matches!(PackedPart::decode(&newer), Err(PackError::UnknownVersion { found: 2 })));
    }
}
