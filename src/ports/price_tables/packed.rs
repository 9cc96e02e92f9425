//! The packed form of a table's head, with the customer's own rows in it where they are few.
//!
//! A refreshed customer costs one write of this: it is kept below a kilobyte, the least that DynamoDB
//! bills.

use bytes::Bytes;

use super::{Own, TableHead};
use crate::model::{Digest, Generation, Timestamp};
use crate::pricing::{Currency, PackError, Reader, damaged, put_varint};

const FORMAT_VERSION: u8 = 1;
const INLINE: u8 = 0;
const IN_PARTS: u8 = 1;

impl TableHead {
    /// The head as bytes.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.push(FORMAT_VERSION);
        for number in [
            self.version,
            u64::from(self.pricing_version),
            self.catalogue_version,
            self.base_version,
            self.products,
        ] {
            put_varint(&mut out, number);
        }
        put_text(&mut out, self.currency.code());
        put_text(&mut out, self.generation.as_str());
        out.extend_from_slice(&self.fingerprint.bytes());
        for time in [
            self.priced_at,
            self.validated_at,
            self.fresh_until,
            self.usable_until,
            self.parts_expire_at,
        ] {
            put_varint(&mut out, zigzag(time.millis()));
        }
        match &self.own {
            Own::Inline(rows) => {
                out.push(INLINE);
                out.extend_from_slice(rows);
            }
            Own::Parts(first) => {
                out.push(IN_PARTS);
                put_varint(&mut out, first.len() as u64);
                first.iter().for_each(|index| put_varint(&mut out, u64::from(*index)));
            }
        }
        out
    }

    /// Reads a packed head.
    ///
    /// # Errors
    /// [`PackError::UnknownVersion`] or [`PackError::Damaged`]; nothing is ever guessed.
    pub fn unpack(bytes: &[u8]) -> Result<Self, PackError> {
        let mut reader = Reader(bytes);
        match reader.byte()? {
            FORMAT_VERSION => {}
            found => return Err(PackError::UnknownVersion { found, known: FORMAT_VERSION }),
        }
        let version = reader.varint()?;
        let pricing_version =
            u32::try_from(reader.varint()?).map_err(|_| damaged("no rules have such a version"))?;
        let (catalogue_version, base_version) = (reader.varint()?, reader.varint()?);
        let products = reader.varint()?;
        let currency: Currency = text(reader.with_length()?)?
            .parse()
            .map_err(|_| damaged("its currency does not exist"))?;
        let generation = Generation::stored(text(reader.with_length()?)?)
            .map_err(|_| damaged("its generation has no name"))?;
        let fingerprint = Digest::from_bytes(
            reader.take(16)?.try_into().map_err(|_| damaged("it ends too early"))?,
        );
        let mut time = || Ok::<_, PackError>(Timestamp::from_millis(unzigzag(reader.varint()?)));
        let (priced_at, validated_at) = (time()?, time()?);
        let (fresh_until, usable_until, parts_expire_at) = (time()?, time()?, time()?);
        let own = match reader.byte()? {
            INLINE => Own::Inline(Bytes::copy_from_slice(reader.0)),
            IN_PARTS => {
                let count = reader.count(reader.0.len())?;
                let first = (0..count).map(|_| {
                    let index = u32::try_from(reader.varint()?);
                    index.map_err(|_| damaged("a part begins with no product"))
                });
                let first = first.collect::<Result<_, _>>()?;
                reader.end()?;
                Own::Parts(first)
            }
            _ => return Err(damaged("its rows are kept in an unknown way")),
        };
        Ok(Self {
            version,
            generation,
            fingerprint,
            pricing_version,
            catalogue_version,
            base_version,
            currency,
            products,
            own,
            parts_expire_at,
            priced_at,
            validated_at,
            fresh_until,
            usable_until,
        })
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn text(bytes: &[u8]) -> Result<&str, PackError> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a text is not UTF-8"))
}

/// Small numbers stay small, whatever their sign. The two highest bits are no times.
const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::DigestBuilder;

    fn head(own: Own, at: i64) -> TableHead {
        let time = |millis| Timestamp::from_millis(at + millis);
        TableHead {
            version: 7,
            generation: Generation::from_random([3; 16]),
            fingerprint: DigestBuilder::new("test").finish(),
            pricing_version: 1,
            catalogue_version: 1 << 40,
            base_version: 3,
            currency: Currency::USD,
            products: 10_000,
            own,
            parts_expire_at: time(86_400_000),
            priced_at: time(0),
            validated_at: time(1),
            fresh_until: time(600_000),
            usable_until: time(900_000),
        }
    }

    #[test]
    fn it_leaves_most_of_a_kilobyte_to_the_rows() {
        let head = head(Own::Inline(Bytes::new()), 1_800_000_000_000);
        assert!(head.pack().len() <= 110, "{}", head.pack().len());
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = head(Own::Inline(Bytes::new()), 0).pack();
        bytes[0] = 9;
        let read = TableHead::unpack(&bytes);
        assert!(matches!(read, Err(PackError::UnknownVersion { found: 9, known: 1 })));
    }

    proptest! {
        #[test]
        fn heads_come_back_and_damage_never_panics(
            inline in any::<bool>(),
            first in proptest::collection::vec(any::<u32>(), 0..9),
            rows in proptest::collection::vec(any::<u8>(), 0..50),
            at in -4_000_000_000_000_i64..4_000_000_000_000,
            place in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let own = if inline { Own::Inline(rows.into()) } else { Own::Parts(first) };
            let head = head(own, at);
            let bytes = head.pack();
            prop_assert_eq!(TableHead::unpack(&bytes).unwrap(), head);
            let mut damaged = bytes.clone();
            damaged[place.index(bytes.len())] ^= 1 << bit;
            let _ = TableHead::unpack(&damaged);
            let _ = TableHead::unpack(&bytes[..place.index(bytes.len())]);
        }
    }
}
