//! Reading one part of a price table, packed as `pack.rs` says.

use std::cell::RefCell;

use zstd::bulk::Decompressor;

use super::bytes::{Reader, checksum, in_planes};
use super::catalogue::MAX_PRODUCTS_PER_PART;
use super::ids::Ids;
use super::numbering::Numbering;
use super::pack::{COMPRESSED, FORMAT_VERSION, MAGIC, NUMBERS, PLAIN, PackError, TEXTS, damaged};
use super::table::DiscountedEntry;
use super::{Entry, Money, Percentage};
use crate::model::ProductId;

/// No section that we write is larger than this once decompressed.
const MAX_SECTION_BYTES: usize = 32 * 1024;
/// The widest column of prices ÷ 100 that has no price out of range.
const MAX_PRICE_WIDTH: usize = 5;

thread_local! {
    /// Making one takes longer than most sections do.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// A part of a price table. Only what a quote looks for is unfolded.
#[derive(Debug)]
pub struct PackedPart {
    ids: PartIds,
    /// The decompressed catalogue section.
    section: Vec<u8>,
    prices: ListPrices,
    /// Sorted by index.
    discounted: Vec<DiscountedEntry>,
}

#[derive(Debug)]
enum PartIds {
    Texts(Ids),
    Numbers(Numbering, Vec<u128>),
}

/// Where the list prices are in the section.
#[derive(Clone, Copy, Debug)]
struct ListPrices {
    start: usize,
    count: usize,
    width: usize,
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
        begin(&mut reader)?;
        let catalogue = reader.section()?;
        let prices = reader.section()?;
        reader.end()?;

        let section = decompress(catalogue)?;
        let mut reader = Reader(&section);
        let count = reader.count(MAX_PRODUCTS_PER_PART)?;
        let ids = match reader.byte()? {
            TEXTS => PartIds::Texts(read_texts(&mut reader, count)?),
            NUMBERS => read_numbers(&mut reader, count)?,
            _ => return Err(damaged("its ids have an unknown form")),
        };
        let width = reader.byte()?.into();
        let start = section.len() - reader.0.len();
        reader.take(count)?;
        let planes = reader.take(count * width)?;
        reader.end()?;
        let highest = u128::from(Money::MAX_PRICE.minor().cast_unsigned() / 100);
        let too_high = |index| in_planes(planes, width, index) > highest;
        if width > MAX_PRICE_WIDTH && (width > 8 || (0..count).any(too_high)) {
            return Err(damaged("a price is out of range"));
        }
        let prices_at = ListPrices { start, count, width };
        let mut part = Self { ids, section, prices: prices_at, discounted: vec![] };
        part.discounted = part.read_prices(prices)?;
        Ok(part)
    }

    /// How many bytes at the start of a packed part are the same for all users of the catalogue, for a
    /// store that wants to keep them once; 0 when these are not the bytes of a part.
    #[must_use]
    pub fn shared_bytes(bytes: &[u8]) -> usize {
        let mut reader = Reader(bytes);
        match begin(&mut reader).and_then(|()| reader.section()) {
            Ok(_) => bytes.len() - reader.0.len(),
            Err(_) => 0,
        }
    }

    /// How many products it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.prices.count
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns that all users share, as they are before compression: what other ways to
    /// compress them are compared on.
    #[must_use]
    pub fn columns(&self) -> &[u8] {
        &self.section
    }

    /// The prices of one product.
    #[must_use]
    pub fn find(&self, product: &ProductId) -> Option<Entry> {
        let index = match &self.ids {
            PartIds::Texts(ids) => {
                let index = ids.first_from(0, ids.len().max(1), product.as_str());
                (index < ids.len() && ids.get(index) == product.as_str()).then_some(index)
            }
            PartIds::Numbers(numbering, numbers) => {
                numbers.binary_search(&numbering.number(product.as_str())?).ok()
            }
        };
        index.map(|index| self.entry(index))
    }

    /// All products, sorted by id. An id that is no id is damage that reading the part does not
    /// notice.
    pub fn iter(&self) -> impl Iterator<Item = Result<(ProductId, Entry), PackError>> {
        (0..self.len()).map(|index| {
            let text = match &self.ids {
                PartIds::Texts(ids) => ids.get(index).to_owned(),
                PartIds::Numbers(numbering, numbers) => numbering.id(numbers[index])?,
            };
            let id = ProductId::stored(text).map_err(|_| damaged("an id is no product's"))?;
            Ok((id, self.entry(index)))
        })
    }

    fn entry(&self, index: usize) -> Entry {
        let list_price = self.list_price(index);
        match self.discounted.binary_search_by_key(&index, |entry| entry.index) {
            Ok(at) => {
                let DiscountedEntry { discount, saving, .. } = self.discounted[at];
                let unit_price = Money::from_minor(list_price.minor() - saving.minor());
                Entry { list_price, discount, unit_price }
            }
            Err(_) => Entry { list_price, discount: Percentage::default(), unit_price: list_price },
        }
    }

    fn list_price(&self, index: usize) -> Money {
        let ListPrices { start, count, width } = self.prices;
        let low_part = i64::from(self.section[start + index]);
        let high_part = in_planes(&self.section[start + count..], width, index);
        Money::from_minor(high_part as i64 * 100 + low_part)
    }

    fn read_prices(&self, bytes: &[u8]) -> Result<Vec<DiscountedEntry>, PackError> {
        let mut reader = Reader(bytes);
        match reader.byte()? {
            COMPRESSED => self.read_columns(&decompress(reader.0)?),
            PLAIN => {
                let (columns, sum) =
                    reader.0.split_last_chunk::<4>().ok_or(damaged("it ends too early"))?;
                if checksum(columns) != *sum {
                    return Err(damaged("its prices have another checksum"));
                }
                self.read_columns(columns)
            }
            _ => Err(damaged("its prices have an unknown form")),
        }
    }

    fn read_columns(&self, bytes: &[u8]) -> Result<Vec<DiscountedEntry>, PackError> {
        let mut reader = Reader(bytes);
        let count = reader.count(self.len())?;
        let gaps = reader.lengths(count)?;
        let unit = if count > 0 { reader.varint()? } else { 0 };
        let mut percentages = Vec::with_capacity(count);
        for _ in 0..count {
            let millionths = reader.varint()?.checked_mul(unit);
            let millionths = millionths.and_then(|millionths| u32::try_from(millionths).ok());
            let percentage = millionths.and_then(Percentage::from_millionths);
            percentages.push(percentage.ok_or(damaged("a discount is more than 100 %"))?);
        }
        let mut next = 0_usize;
        let mut discounted = Vec::with_capacity(count);
        for (gap, discount) in gaps.into_iter().zip(percentages) {
            let index = next.checked_add(gap).filter(|index| *index < self.len());
            let index = index.ok_or(damaged("a discount is of no product"))?;
            let saving = reader.price()?;
            if saving > self.list_price(index) {
                return Err(damaged("a discount is more than the price"));
            }
            discounted.push(DiscountedEntry { index, discount, saving });
            next = index + 1;
        }
        reader.end()?;
        Ok(discounted)
    }
}

fn read_texts(reader: &mut Reader<'_>, count: usize) -> Result<Ids, PackError> {
    let shared = reader.lengths(count)?;
    let suffixes = reader.lengths(count)?;
    let mut ids = Ids::with_capacity(count);
    let mut id = String::new();
    for (shared, suffix) in shared.into_iter().zip(suffixes) {
        let suffix =
            std::str::from_utf8(reader.take(suffix)?).map_err(|_| damaged("an id is not UTF-8"))?;
        if !id.is_char_boundary(shared) {
            return Err(damaged("an id shares more than there is"));
        }
        let comes_after = id.is_empty() || &id[shared..] < suffix;
        id.truncate(shared);
        id.push_str(suffix);
        if id.is_empty() || id.len() > ProductId::MAX_BYTES {
            return Err(damaged("an id has a length that no id has"));
        }
        if !comes_after {
            return Err(damaged("its products are not sorted"));
        }
        ids.push(&id);
    }
    Ok(ids)
}

fn read_numbers(reader: &mut Reader<'_>, count: usize) -> Result<PartIds, PackError> {
    let numbering = Numbering::read(reader)?;
    let mut number = reader.take(16)?.iter().rev().fold(0, |n, byte| n << 8 | u128::from(*byte));
    let width = usize::from(reader.byte()?);
    let steps = count.checked_sub(1).ok_or(damaged("it has no products"))?;
    let planes = reader.take(steps * width)?;
    if width > 16 {
        return Err(damaged("a number is too large"));
    }
    let mut numbers = Vec::with_capacity(count);
    numbers.push(number);
    for index in 0..steps {
        let step = in_planes(planes, width, index);
        let next = number.checked_add(step).filter(|next| *next > number);
        number = next.ok_or(damaged("its products are not sorted"))?;
        numbers.push(number);
    }
    Ok(PartIds::Numbers(numbering, numbers))
}

/// Reads past what every part begins with.
fn begin(reader: &mut Reader<'_>) -> Result<(), PackError> {
    if reader.take(2)? != MAGIC {
        return Err(damaged("it does not begin like one"));
    }
    match reader.byte()? {
        FORMAT_VERSION => Ok(()),
        found => Err(PackError::UnknownVersion { found }),
    }
}

fn decompress(section: &[u8]) -> Result<Vec<u8>, PackError> {
    DECOMPRESSOR
        .with_borrow_mut(|kept| match kept {
            Some(decompressor) => decompressor.decompress(section, MAX_SECTION_BYTES),
            none => none.insert(Decompressor::new()?).decompress(section, MAX_SECTION_BYTES),
        })
        .map_err(|_| damaged("a section does not decompress"))
}

#[cfg(test)]
mod tests {
    use super::super::bytes::put_varint;
    use super::*;
    use crate::pricing::{Catalogue, Currency, Discount, Discounts, PriceTable};

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
            let entries = decoded.iter().flat_map(PackedPart::iter).map(Result::unwrap);
            let entries: Vec<_> = entries.collect();
            assert_eq!(entries.len(), 3000);
            for (index, (id, entry)) in entries.into_iter().enumerate() {
                let expected = (catalogue.id(index), catalogue.price(index));
                assert_eq!((id.as_str(), entry.list_price), expected);
                assert_eq!(entry.unit_price, entry.list_price.less(entry.discount));
            }
        }
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        // Ids as numbers and as texts, prices plain and compressed.
        for (width, discounted) in [(8, 20), (64, 20), (8, 300), (64, 300)] {
            let catalogue = catalogue(310, width, |i| 1000 + i as i64);
            let discounts = discounts(discounted, width, |i| 1_000_000 * (1 + i as u32 % 50));
            let packed = PriceTable::new(&catalogue, &discounts).pack().unwrap().remove(0);
            let entries = |bytes: &[u8]| PackedPart::decode(bytes)?.iter().collect();
            let entries = |bytes: &[u8]| -> Result<Vec<_>, PackError> { entries(bytes) };
            let good = entries(&packed).unwrap();
            for at in 0..packed.len() {
                for bit in 0..8 {
                    let mut bytes = packed.clone();
                    bytes[at] ^= 1 << bit;
                    if let Ok(read) = entries(&bytes) {
                        // A bit that zstd ignores may flip; what is read must not change.
                        assert_eq!(read, good, "byte {at} bit {bit}");
                    }
                }
                assert!(PackedPart::decode(&packed[..at]).is_err(), "cut at {at}");
            }
            let mut longer = packed.clone();
            longer.push(0);
            assert!(PackedPart::decode(&longer).is_err());
        }
    }

    #[test]
    fn versions_before_and_after_are_named() {
        let catalogue = catalogue(5, 8, |i| 100 + i as i64);
        let mut packed = PriceTable::new(&catalogue, &Discounts::default()).pack().unwrap();
        for other in [FORMAT_VERSION - 1, FORMAT_VERSION + 1] {
            packed[0][2] = other;
            let read = PackedPart::decode(&packed[0]);
            assert!(matches!(read, Err(PackError::UnknownVersion { found }) if found == other));
        }
    }

    #[test]
    fn sections_that_no_packer_writes_are_refused_and_not_guessed_at() {
        let part = |catalogue: &[u8], prices: &[u8]| {
            let mut bytes = [&MAGIC[..], &[FORMAT_VERSION]].concat();
            let plain = [&[PLAIN], prices, &checksum(prices)].concat();
            for section in [zstd::bulk::compress(catalogue, 1).unwrap(), plain] {
                put_varint(&mut bytes, section.len() as u64);
                bytes.extend(section);
            }
            PackedPart::decode(&bytes).and_then(|part| part.iter().collect::<Result<Vec<_>, _>>())
        };
        // Two products at 1.00: `A` and `B`, as texts and as numbers.
        let texts = [2, TEXTS, 0, 0, 1, 1, b'A', b'B', 1, 0, 0, 1, 1];
        let first = 1_u128.to_le_bytes();
        let numbers = [&[2, NUMBERS, 0, 2, b'A', b'B', 1][..], &first, &[1, 1, 1, 0, 0, 1, 1]];
        let numbers = numbers.concat();
        for good in [&texts[..], &numbers] {
            let entries = part(good, &[0]).unwrap();
            assert_eq!([entries[0].0.as_str(), entries[1].0.as_str()], ["A", "B"]);
            assert_eq!(part(good, &[1, 1, 10, 1, 50]).unwrap()[1].1.unit_price.minor(), 50);
        }
        for (at, bad, why) in [
            (1, 2, "unknown form"),
            (6, b'B', "not sorted"),
            (2, 1, "more than there is"),
            (6, b'\n', "no product's"),
            (4, 0, "length that no id has"),
            (8, 9, "too early"),
        ] {
            let mut texts = texts;
            texts[at] = bad;
            let error = part(&texts, &[0]).unwrap_err().to_string();
            assert!(error.contains(why), "{error} is not {why}");
        }
        for (at, bad, why) in [
            (2, 1, "too early"),
            (4, b'B', "cannot be numbers"),
            (6, 200, "cannot be numbers"),
            (6, 2, "has a gap"),
            (6, 0, "longer than the longest"),
            (23, 17, "too early"),
            (24, 0, "not sorted"),
        ] {
            let mut numbers = numbers.clone();
            numbers[at] = bad;
            let error = part(&numbers, &[0]).unwrap_err().to_string();
            assert!(error.contains(why), "{error} is not {why}");
        }
        for (prices, why) in [
            (&[3, 0, 0, 0][..], "too many"),
            (&[1, 2, 1, 1, 50], "of no product"),
            (&[1, 0, 100, 0x80, 0x80, 0x80, 0x08, 50], "more than 100 %"),
            (&[1, 0, 1, 1, 101], "more than the price"),
            (&[0, 0], "follows its end"),
        ] {
            let error = part(&texts, prices).unwrap_err().to_string();
            assert!(error.contains(why), "{error} is not {why}");
        }
    }
}
