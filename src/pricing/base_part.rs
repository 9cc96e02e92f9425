//! One part of a base: consecutive products, with the data of each that customers share.
//!
//! ```text
//! part    = "OB" version(1 byte) columns(1 byte) zstd( body )
//! body    = varint(count)
//!           ids      count times: varint(bytes in common with the id before) varint(bytes of the rest)
//!                    and then the rests
//!           prices   count times: varint
//!           names    count times: varint(bytes) and then the names
//!           details  what only some products have: see `base_detail`
//! ```
//!
//! `columns` says which of the details follow. A missing price is stored as 0. Zstd's checksum is on.

use std::hash::BuildHasher as _;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::base_detail::{self, Detail};
use super::bytes::{PackError, Reader, damaged, put_varint, shared_prefix};
use super::ids::Ids;
use super::{Category, Currency, Goods, Money, Product, QuantityRules, Rounding};
use crate::model::ProductId;

const MAGIC: &[u8] = b"OB";
const FORMAT_VERSION: u8 = 1;
/// The compression level of parts, which are stored for long.
pub(super) const SMALL: i32 = 6;
/// The compression level of runs, which are soon packed again.
pub(super) const FAST: i32 = 1;
/// No part that we write decompresses to more than this: a name has at most [`Product::MAX_NAME_BYTES`].
const MAX_BYTES: usize = 1024 * 1024;

/// An unpacked part.
#[derive(Debug)]
pub struct BasePart {
    ids: Ids,
    rows: Vec<Row>,
    highest_price: Money,
    names: String,
    detail: Detail,
    /// The places of all products, by the hashes of their ids.
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// The data that every product has, in one piece. So the lookup of one product reads only one piece of
/// memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The list price; zero if the product has none.
    pub(super) price: Money,
    /// Where the name ends in `names`.
    name_end: u32,
}

/// The data of a product that customers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseEntry<'a> {
    /// Its id.
    pub id: &'a str,
    /// The name of the product.
    pub name: &'a str,
    /// Its list price, if it has one.
    pub list_price: Option<Money>,
    /// The lowest calculated price.
    pub floor: Option<Money>,
    /// The quantities in which it is sold.
    pub quantities: QuantityRules,
    /// The category that it is in.
    pub category: Option<&'a Category>,
}

impl BaseEntry<'_> {
    /// Returns what its prices are calculated from.
    #[must_use]
    pub const fn goods(&self, rounding: Rounding) -> Goods {
        Goods { list_price: self.list_price, floor: self.floor, rounding }
    }
}

/// The estimated size of a product before compression, in bytes.
pub(super) fn plain_bytes(product: &Product) -> usize {
    plain_bytes_of(product.id.as_str(), &product.name)
}

/// The same for an id and a name.
pub(super) const fn plain_bytes_of(id: &str, name: &str) -> usize {
    id.len() + name.len() + 8
}

/// Packs products that are sorted by id. At one compression level, the same products always give the same
/// bytes.
pub(super) fn pack(
    products: &[Product],
    currencies: (Currency, Currency),
    level: i32,
) -> Result<Vec<u8>, PackError> {
    let mut body = Vec::with_capacity(products.iter().map(plain_bytes).sum());
    put_varint(&mut body, products.len() as u64);
    let mut rests = Vec::with_capacity(products.len());
    let mut before = "";
    for product in products {
        let id = product.id.as_str();
        let shared = shared_prefix(before, id);
        put_varint(&mut body, shared as u64);
        put_varint(&mut body, (id.len() - shared) as u64);
        rests.push(&id[shared..]);
        before = id;
    }
    rests.iter().for_each(|rest| body.extend_from_slice(rest.as_bytes()));
    for product in products {
        let price = product.price_in(currencies.0, currencies.1).unwrap_or_default();
        put_varint(&mut body, price.minor().cast_unsigned());
    }
    products.iter().for_each(|product| put_varint(&mut body, product.name.len() as u64));
    products.iter().for_each(|product| body.extend_from_slice(product.name.as_bytes()));
    let columns = base_detail::columns(products, currencies);
    base_detail::put(&mut body, columns, products, currencies);
    let mut packed = [MAGIC, &[FORMAT_VERSION, columns]].concat();
    packed.extend(compress(&body, level).map_err(PackError::Compress)?);
    Ok(packed)
}

fn compress(body: &[u8], level: i32) -> std::io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(level)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    compressor.compress(body)
}

impl BasePart {
    /// Unpacks a part.
    ///
    /// # Errors
    /// [`PackError::UnknownVersion`] or [`PackError::Damaged`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PackError> {
        let mut reader = Reader(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(damaged("it does not begin as a part of a base does"));
        }
        match reader.byte()? {
            FORMAT_VERSION => {}
            found => return Err(PackError::UnknownVersion { found, known: FORMAT_VERSION }),
        }
        let columns = reader.byte()?;
        let body = zstd::bulk::decompress(reader.0, MAX_BYTES)
            .map_err(|_| damaged("a part of a base does not decompress"))?;
        let mut reader = Reader(&body);
        // Each product takes at least five bytes.
        let count = reader.count(body.len() / 5)?;
        let ids = read_ids(&mut reader, count)?;
        let row = |_| Ok(Row { price: reader.price(Money::MAX_PRICE)?, name_end: 0 });
        let mut rows = (0..count).map(row).collect::<Result<Vec<_>, PackError>>()?;
        let mut end = 0_usize;
        for row in &mut rows {
            end = end.checked_add(reader.length()?).ok_or(damaged("a name is too long"))?;
            row.name_end = u32::try_from(end).map_err(|_| damaged("a name is too long"))?;
        }
        let names = reader.text(end)?;
        if rows.iter().any(|row| !names.is_char_boundary(row.name_end as usize)) {
            return Err(damaged("a name ends within a character"));
        }
        let detail = Detail::read(&mut reader, columns, count)?;
        reader.end()?;
        let highest_price = rows.iter().map(|row| row.price).max().unwrap_or_default();
        let hasher = DefaultHashBuilder::default();
        let places = places(&ids, &hasher);
        Ok(Self { ids, rows, highest_price, names: names.to_owned(), detail, places, hasher })
    }

    /// The number of products.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no products.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the place of a product in this part.
    #[must_use]
    pub fn find(&self, product: &ProductId) -> Option<usize> {
        let id = product.as_str();
        let is_it = |place: &u32| self.ids.get(*place as usize) == id;
        self.places.find(self.hasher.hash_one(id), is_it).map(|place| *place as usize)
    }

    /// Returns the product at a place, which must be less than [`Self::len`].
    #[must_use]
    pub fn entry(&self, place: usize) -> BaseEntry<'_> {
        let name = self.name_range(place);
        BaseEntry {
            id: self.ids.get(place),
            name: &self.names[name],
            list_price: (!self.detail.is_unpriced(place)).then_some(self.rows[place].price),
            floor: self.detail.floor(place),
            quantities: self.detail.quantities(place),
            category: self.detail.category(place),
        }
    }

    /// All products, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = BaseEntry<'_>> {
        (0..self.len()).map(|place| self.entry(place))
    }

    /// The estimated memory that it uses, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        /// The bytes of each id besides its text: where it ends, and its length.
        const OF_IDS: usize = 4 + 1;
        self.ids.end(self.len())
            + self.names.len()
            + self.len() * (OF_IDS + size_of::<Row>())
            + self.places.allocation_size()
            + self.detail.weight()
            + size_of::<Self>()
    }

    pub(super) const fn ids(&self) -> &Ids {
        &self.ids
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) const fn detail(&self) -> &Detail {
        &self.detail
    }

    pub(super) const fn highest_price(&self) -> Money {
        self.highest_price
    }

    fn name_range(&self, place: usize) -> Range<usize> {
        let start = place.checked_sub(1).map_or(0, |before| self.rows[before].name_end);
        start as usize..self.rows[place].name_end as usize
    }
}

/// Builds the table of places by the hashes of ids.
fn places(ids: &Ids, hasher: &DefaultHashBuilder) -> HashTable<u32> {
    let hash = |place: u32| hasher.hash_one(ids.get(place as usize));
    let mut places = HashTable::with_capacity(ids.len());
    for place in 0..ids.len() as u32 {
        places.insert_unique(hash(place), place, |place| hash(*place));
    }
    places
}

fn read_ids(reader: &mut Reader<'_>, count: usize) -> Result<Ids, PackError> {
    let mut lengths = Vec::with_capacity(count);
    for _ in 0..count {
        lengths.push((reader.length()?, reader.length()?));
    }
    let mut ids = Ids::with_capacity(count);
    let mut id = String::new();
    for (shared, rest) in lengths {
        let rest = reader.text(rest)?;
        if !id.is_char_boundary(shared) {
            return Err(damaged("an id shares more than there is"));
        }
        let comes_after = id.is_empty() || &id[shared..] < rest;
        id.truncate(shared);
        id.push_str(rest);
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
