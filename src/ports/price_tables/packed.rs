//! The packed form of a table's head, which includes the customer's own rows if they are few.
//!
//! Each refreshed customer costs one write of a head. So a head is kept below a kilobyte, the smallest unit
//! that DynamoDB bills.

use bytes::Bytes;

use super::{NextPrices, OwnStorage, Prices, TableHead};
use crate::model::{Digest, Generation, Timestamp};
use crate::pricing::{
    ByteCount, ByteSink, Currency, PackError, Reader, Rounding, UnitRounding, damaged, put_varint,
};

const FORMAT_VERSION: u8 = 2;
const INLINE: u8 = 0;
const IN_PARTS: u8 = 1;

impl TableHead {
    /// Packs the head into bytes.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.about_packed_bytes());
        self.pack_into(&mut out);
        out
    }

    /// Returns the length of what [`Self::pack`] returns.
    #[must_use]
    pub fn packed_bytes(&self) -> usize {
        let mut count = ByteCount::default();
        self.pack_into(&mut count);
        count.0
    }

    fn pack_into(&self, out: &mut impl ByteSink) {
        out.put(FORMAT_VERSION);
        for number in [
            self.version,
            u64::from(self.pricing_version),
            self.catalogue_version,
            self.base_version,
            self.products,
        ] {
            put_varint(out, number);
        }
        put_text(out, self.currency.code());
        put_text(out, self.generation.as_str());
        out.put_all(&self.fingerprint.bytes());
        for time in [
            self.priced_at,
            self.validated_at,
            self.fresh_until,
            self.usable_until,
            self.parts_expire_at,
        ] {
            put_varint(out, zigzag(time.millis()));
        }
        put_own(out, &self.own);
        put_prices(out, &self.prices);
        let until = self.valid_until;
        let is_half_up = self.rounding.rounding == Rounding::HalfUp;
        let flags = [!self.next.is_empty(), until.is_some(), is_half_up];
        let flags: u8 = (0..).zip(flags).map(|(bit, is_set)| u8::from(is_set) << bit).sum();
        out.put(self.rounding.unit_decimals << 3 | flags);
        if let Some(until) = until {
            put_varint(out, zigzag(until.millis()));
        }
        if !self.next.is_empty() {
            put_varint(out, self.next.len() as u64);
        }
        for next in &self.next {
            put_varint(out, zigzag(next.from.millis()));
            put_prices(out, &next.prices);
        }
    }

    /// An estimate of the packed size that is large enough for most heads.
    fn about_packed_bytes(&self) -> usize {
        const WITHOUT_ROWS: usize = 128;
        let rows = |own: &OwnStorage| match own {
            OwnStorage::Inline(rows) => rows.len(),
            OwnStorage::Parts(first) => first.len() * size_of::<u32>(),
        };
        WITHOUT_ROWS + rows(&self.own) + rows(&self.prices.ladders)
    }

    /// Unpacks a head.
    ///
    /// # Errors
    /// [`PackError::UnknownVersion`] or [`PackError::Damaged`].
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
        let fingerprint = take_digest(&mut reader)?;
        let mut time = || take_time(&mut reader);
        let (priced_at, validated_at) = (time()?, time()?);
        let (fresh_until, usable_until, parts_expire_at) = (time()?, time()?, time()?);
        let own = take_own(&mut reader)?;
        let prices = take_prices(&mut reader, own.parts())?;
        let flags = reader.byte()?;
        if flags >> 3 > UnitRounding::MAX_UNIT_DECIMALS {
            return Err(damaged("unit prices have too many decimals"));
        }
        let valid_until = (flags & 2 != 0).then(|| take_time(&mut reader)).transpose()?;
        let mut next: Vec<NextPrices> = vec![];
        if flags & 1 != 0 {
            let mut before = own.parts() + prices.ladders.parts();
            for _ in 0..reader.count(reader.0.len())? {
                let from = take_time(&mut reader)?;
                if next.last().is_some_and(|last| last.from >= from) {
                    return Err(damaged("its prices are not in their order"));
                }
                let prices = take_prices(&mut reader, before)?;
                before += prices.ladders.parts();
                next.push(NextPrices { from, prices });
            }
            if next.is_empty() {
                return Err(damaged("it has no prices where it says so"));
            }
        }
        reader.end()?;
        Ok(Self {
            version,
            generation,
            fingerprint,
            pricing_version,
            catalogue_version,
            base_version,
            currency,
            rounding: UnitRounding {
                unit_decimals: flags >> 3,
                rounding: if flags & 4 == 0 { Rounding::HalfEven } else { Rounding::HalfUp },
            },
            products,
            own,
            prices,
            next,
            valid_until,
            parts_expire_at,
            priced_at,
            validated_at,
            fresh_until,
            usable_until,
        })
    }
}

fn take_time(reader: &mut Reader<'_>) -> Result<Timestamp, PackError> {
    Ok(Timestamp::from_millis(unzigzag(reader.varint()?)))
}

fn take_digest(reader: &mut Reader<'_>) -> Result<Digest, PackError> {
    let bytes = reader.take(16)?.try_into();
    Ok(Digest::from_bytes(bytes.map_err(|_| damaged("it ends too early"))?))
}

fn put_prices(out: &mut impl ByteSink, prices: &Prices) {
    out.put(u8::from(prices.terms.is_some()));
    if let Some(terms) = prices.terms {
        out.put_all(&terms.bytes());
    }
    put_own(out, &prices.ladders);
}

fn take_prices(reader: &mut Reader<'_>, parts_before: usize) -> Result<Prices, PackError> {
    let terms = match reader.byte()? {
        0 => None,
        1 => Some(take_digest(reader)?),
        _ => return Err(damaged("its terms are named in an unknown way")),
    };
    let first_part = u32::try_from(parts_before).map_err(|_| damaged("it has too many parts"))?;
    Ok(Prices { terms, first_part, ladders: take_own(reader)? })
}

fn put_own(out: &mut impl ByteSink, own: &OwnStorage) {
    match own {
        OwnStorage::Inline(rows) => {
            out.put(INLINE);
            put_varint(out, rows.len() as u64);
            out.put_all(rows);
        }
        OwnStorage::Parts(first) => {
            out.put(IN_PARTS);
            put_varint(out, first.len() as u64);
            first.iter().for_each(|index| put_varint(out, u64::from(*index)));
        }
    }
}

fn take_own(reader: &mut Reader<'_>) -> Result<OwnStorage, PackError> {
    match reader.byte()? {
        INLINE => Ok(OwnStorage::Inline(Bytes::copy_from_slice(reader.with_length()?))),
        IN_PARTS => {
            let count = reader.count(reader.0.len())?;
            let first = (0..count).map(|_| {
                let index = u32::try_from(reader.varint()?);
                index.map_err(|_| damaged("a part begins with no product"))
            });
            Ok(OwnStorage::Parts(first.collect::<Result<_, _>>()?))
        }
        _ => Err(damaged("its rows are kept in an unknown way")),
    }
}

fn put_text(out: &mut impl ByteSink, text: &str) {
    put_varint(out, text.len() as u64);
    out.put_all(text.as_bytes());
}

fn text(bytes: &[u8]) -> Result<&str, PackError> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a text is not UTF-8"))
}

/// Maps numbers to unsigned ones, so that numbers close to zero stay small whatever their sign.
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
    use crate::ports::testing;

    fn head(own: OwnStorage, at: i64) -> TableHead {
        let first_part = u32::try_from(own.parts()).unwrap();
        let time = |millis| Timestamp::from_millis(at + millis);
        TableHead {
            catalogue_version: 1 << 40,
            base_version: 3,
            products: 10_000,
            own,
            prices: Prices { first_part, ..Prices::LIST },
            parts_expire_at: time(86_400_000),
            validated_at: time(1),
            fresh_until: time(600_000),
            usable_until: time(900_000),
            ..testing::head(7, &Generation::from_random([3; 16]), time(0))
        }
    }

    #[test]
    fn it_leaves_most_of_a_kilobyte_to_the_rows() {
        let head = head(OwnStorage::Inline(Bytes::new()), 1_800_000_000_000);
        assert!(head.pack().len() <= 110, "{}", head.pack().len());
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = head(OwnStorage::Inline(Bytes::new()), 0).pack();
        bytes[0] = 9;
        let read = TableHead::unpack(&bytes);
        assert!(matches!(read, Err(PackError::UnknownVersion { found: 9, known: 2 })));
    }

    proptest! {
        #[test]
        fn heads_come_back_and_damage_never_panics(
            inline in any::<bool>(),
            next in 0_u32..4,
            unit_decimals in 0_u8..=4,
            first in proptest::collection::vec(any::<u32>(), 0..9),
            rows in proptest::collection::vec(any::<u8>(), 0..50),
            at in -4_000_000_000_000_i64..4_000_000_000_000,
            place in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let own = if inline { OwnStorage::Inline(rows.into()) } else { OwnStorage::Parts(first) };
            let first_part = u32::try_from(own.parts()).unwrap();
            let terms = Some(DigestBuilder::new("terms").finish());
            let prices = Prices { terms, first_part, ladders: OwnStorage::Parts(vec![7]) };
            let from = Timestamp::from_millis(at + 5);
            let next = (0..next).map(|more| {
                let from = Timestamp::from_millis(at + 5 + i64::from(more));
                let first_part = prices.first_part + more;
                NextPrices { from, prices: Prices { first_part, ..prices.clone() } }
            });
            let next = next.collect();
            let rounding = UnitRounding { unit_decimals, rounding: Rounding::HalfUp };
            let valid_until = (unit_decimals > 0).then_some(from);
            let head = TableHead { next, valid_until, rounding, ..head(own, at) };
            let bytes = head.pack();
            prop_assert_eq!(bytes.len(), head.packed_bytes());
            prop_assert_eq!(TableHead::unpack(&bytes).unwrap(), head);
            let mut damaged = bytes.clone();
            damaged[place.index(bytes.len())] ^= 1 << bit;
            let _ = TableHead::unpack(&damaged);
            let _ = TableHead::unpack(&bytes[..place.index(bytes.len())]);
        }
    }
}
