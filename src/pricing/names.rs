//! The names of the products of one version, packed in parts.
//!
//! ```text
//! part  = "ON" version(1 byte) zstd( names )
//! names = varint(count)  count times: varint(len) id  varint(len) name
//! ```
//!
//! Parts are cut by bytes, so a lookup unpacks little and a part fits an item of any engine.

use std::collections::BTreeMap;

use super::bytes::{Reader, put_varint};
use super::pack::{PackError, damaged};
use crate::model::ProductId;

const MAGIC: &[u8] = b"ON";
const FORMAT_VERSION: u8 = 1;
const LEVEL: i32 = 3;
/// A part is full when it has so many bytes before compression. One long name may take more.
const PART_BYTES: usize = 24 * 1024;
/// No part that we write is larger than this once decompressed.
const MAX_PART_BYTES: usize = 512 * 1024;

/// Packed names, sorted by product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedNames {
    /// The first product of each part.
    pub first: Vec<ProductId>,
    /// The parts.
    pub parts: Vec<Vec<u8>>,
}

impl PackedNames {
    /// Packs names, sorted by product. The same names always give the same bytes.
    ///
    /// # Errors
    /// [`PackError`] when zstd fails.
    pub fn new<'a>(
        names: impl IntoIterator<Item = (&'a ProductId, &'a str)>,
    ) -> Result<Self, PackError> {
        let mut packed = Self::default();
        let (mut count, mut filled) = (0, Vec::new());
        for (id, name) in names {
            if filled.len() >= PART_BYTES {
                packed.parts.push(compress(count, &filled)?);
                (count, filled) = (0, Vec::new());
            }
            if count == 0 {
                packed.first.push(id.clone());
            }
            for text in [id.as_str(), name] {
                put_varint(&mut filled, text.len() as u64);
                filled.extend_from_slice(text.as_bytes());
            }
            count += 1;
        }
        if count > 0 {
            packed.parts.push(compress(count, &filled)?);
        }
        Ok(packed)
    }
}

fn compress(count: u64, names: &[u8]) -> Result<Vec<u8>, PackError> {
    let mut plain = Vec::with_capacity(names.len() + 10);
    put_varint(&mut plain, count);
    plain.extend_from_slice(names);
    let mut part = [MAGIC, &[FORMAT_VERSION]].concat();
    part.extend(zstd::bulk::compress(&plain, LEVEL).map_err(PackError::Compress)?);
    Ok(part)
}

/// The names of one part, unpacked.
#[derive(Debug)]
pub struct NamePart {
    names: BTreeMap<ProductId, Box<str>>,
    bytes: usize,
}

impl NamePart {
    /// Reads a packed part.
    ///
    /// # Errors
    /// [`PackError::Damaged`]; nothing is ever guessed.
    pub fn decode(bytes: &[u8]) -> Result<Self, PackError> {
        let mut reader = Reader(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(damaged("it does not begin as a part does"));
        }
        if reader.byte()? != FORMAT_VERSION {
            return Err(damaged("its names have an unknown form"));
        }
        let plain = zstd::bulk::decompress(reader.0, MAX_PART_BYTES)
            .map_err(|_| damaged("its names do not decompress"))?;
        let mut reader = Reader(&plain);
        // Each name takes at least three bytes.
        let count = reader.count(plain.len() / 3)?;
        let mut names = BTreeMap::new();
        for _ in 0..count {
            let id = text(reader.section()?)?;
            let id = ProductId::stored(id).map_err(|_| damaged("a product id is not valid"))?;
            let name = text(reader.section()?)?.into();
            names.insert(id, name);
        }
        reader.end()?;
        Ok(Self { names, bytes: plain.len() })
    }

    /// The product that it begins with.
    #[must_use]
    pub fn first(&self) -> Option<&ProductId> {
        self.names.first_key_value().map(|(id, _)| id)
    }

    /// The name of a product.
    #[must_use]
    pub fn name(&self, product: &ProductId) -> Option<&str> {
        self.names.get(product).map(|name| &**name)
    }

    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        /// The two pointers, lengths and allocations of an entry.
        const ENTRY: usize = 80;
        self.bytes + self.names.len() * ENTRY
    }
}

fn text(bytes: &[u8]) -> Result<&str, PackError> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a text is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unpacked(packed: &PackedNames) -> BTreeMap<ProductId, String> {
        let parts = packed.parts.iter().map(|part| NamePart::decode(part).unwrap());
        let all = parts.flat_map(|part| part.names.into_iter());
        all.map(|(id, name)| (id, name.into_string())).collect()
    }

    fn names(of: &[(String, String)]) -> BTreeMap<ProductId, String> {
        of.iter().map(|(id, name)| (ProductId::new(id.clone()).unwrap(), name.clone())).collect()
    }

    fn pack(names: &BTreeMap<ProductId, String>) -> PackedNames {
        PackedNames::new(names.iter().map(|(id, name)| (id, name.as_str()))).unwrap()
    }

    #[test]
    fn many_names_take_several_parts_that_begin_where_the_index_says() {
        let names: BTreeMap<ProductId, String> = (0..5_000)
            .map(|n| (ProductId::new(format!("P{n:05}")).unwrap(), format!("Product {n}")))
            .collect();
        let packed = pack(&names);
        assert!(packed.parts.len() > 2);
        assert_eq!(packed.first.len(), packed.parts.len());
        for (first, part) in packed.first.iter().zip(&packed.parts) {
            let part = NamePart::decode(part).unwrap();
            assert_eq!(part.first(), Some(first));
        }
        assert_eq!(unpacked(&packed), names);
        assert_eq!(pack(&names), packed, "the same names give the same bytes");
    }

    #[test]
    fn the_longest_name_that_can_be_stored_fits() {
        let names = names(&[("A".into(), "x".repeat(400 * 1024)), ("B".into(), String::new())]);
        assert_eq!(unpacked(&pack(&names)), names);
    }

    proptest! {
        #[test]
        fn names_come_back_and_damage_never_panics(
            some in proptest::collection::vec(("[a-zé]{1,8}", ".{0,12}"), 0..40),
            place in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let names = names(&some);
            let packed = pack(&names);
            prop_assert_eq!(unpacked(&packed), names);
            for part in packed.parts {
                let mut damaged = part.clone();
                damaged[place.index(part.len())] ^= 1 << bit;
                let _ = NamePart::decode(&damaged);
                let _ = NamePart::decode(&part[..place.index(part.len())]);
            }
        }
    }
}
