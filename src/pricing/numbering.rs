//! Ids as numbers, in the order of the ids: most ids are short, of few characters, and begin alike.

use std::ops::Range;

use super::bytes::{Reader, put_varint};
use super::ids::Ids;
use super::pack::{PackError, damaged};

/// How ids become numbers: without the bytes that all begin with, each byte is a digit by its place
/// in the alphabet, and an id that is shorter than the longest goes on with zeros.
#[derive(Debug)]
pub(super) struct Numbering {
    prefix: Vec<u8>,
    /// The bytes that ids have after the prefix, sorted. The first stands for 1.
    alphabet: Vec<u8>,
    /// What each byte stands for; 0 when it is not in the alphabet.
    values: Box<[u8; 256]>,
    /// How many digits the longest id has.
    digits: usize,
}

impl Numbering {
    /// The numbering of a range of ids, if 128 bits are enough for it.
    pub(super) fn of(ids: &Ids, range: Range<usize>) -> Option<Self> {
        let (first, last) = (ids.get(range.start), ids.get(range.end.checked_sub(1)?));
        // Sorted as they are, all begin with what the first and the last begin with.
        let shared = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        let mut used = [false; 256];
        let mut digits = 0;
        for index in range {
            let rest = &ids.get(index).as_bytes()[shared..];
            rest.iter().for_each(|byte| used[usize::from(*byte)] = true);
            digits = digits.max(rest.len());
        }
        let alphabet = (0..=u8::MAX).filter(|byte| used[usize::from(*byte)]).collect();
        Self::new(first.as_bytes()[..shared].to_vec(), alphabet, digits)
    }

    fn new(prefix: Vec<u8>, alphabet: Vec<u8>, digits: usize) -> Option<Self> {
        let mut values = Box::new([0; 256]);
        for (byte, value) in alphabet.iter().zip(1..=u8::MAX) {
            values[usize::from(*byte)] = value;
        }
        let numbering = Self { prefix, alphabet, values, digits };
        let sorted = numbering.alphabet.is_sorted_by(|a, b| a < b);
        let fits = numbering.alphabet.len() < 256
            && numbering.radix().checked_pow(u32::try_from(digits).ok()?).is_some();
        (sorted && fits).then_some(numbering)
    }

    const fn radix(&self) -> u128 {
        self.alphabet.len() as u128 + 1
    }

    /// The number of an id; `None` when it has none, and so is not among these ids.
    pub(super) fn number(&self, id: &str) -> Option<u128> {
        let rest = id.as_bytes().strip_prefix(&self.prefix[..])?;
        if rest.len() > self.digits {
            return None;
        }
        let mut number = 0;
        for byte in rest {
            let value = self.values[usize::from(*byte)];
            if value == 0 {
                return None;
            }
            number = number * self.radix() + u128::from(value);
        }
        let zeros = (self.digits - rest.len()) as u32;
        Some(number * self.radix().pow(zeros))
    }

    /// The id of a number.
    pub(super) fn id(&self, mut number: u128) -> Result<String, PackError> {
        let mut digits = Vec::with_capacity(self.digits);
        for _ in 0..self.digits {
            let value = (number % self.radix()) as usize;
            number /= self.radix();
            match value.checked_sub(1) {
                Some(place) => digits.push(self.alphabet[place]),
                None if digits.is_empty() => {}
                None => return Err(damaged("an id has a gap")),
            }
        }
        if number > 0 {
            return Err(damaged("an id is longer than the longest"));
        }
        let mut id = self.prefix.clone();
        id.extend(digits.iter().rev());
        String::from_utf8(id).map_err(|_| damaged("an id is not UTF-8"))
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.prefix.len() as u64);
        out.extend_from_slice(&self.prefix);
        put_varint(out, self.alphabet.len() as u64);
        out.extend_from_slice(&self.alphabet);
        put_varint(out, self.digits as u64);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, PackError> {
        let prefix = reader.section()?.to_vec();
        let alphabet = reader.section()?.to_vec();
        let digits = reader.length()?;
        Self::new(prefix, alphabet, digits).ok_or(damaged("its ids cannot be numbers"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(all: &[&str]) -> Option<Numbering> {
        let mut ids = Ids::default();
        all.iter().for_each(|id| ids.push(id));
        Numbering::of(&ids, 0..ids.len())
    }

    #[test]
    fn numbers_are_in_the_order_of_the_ids_and_lead_back_to_them() {
        for all in [
            &["P1"][..],
            &["P", "P1", "P10", "P2"],
            &["SKU-0001", "SKU-0002", "SKU-1000", "SKU-1000A"],
            &["e", "e\u{301}", "é", "株", "株式会社"],
        ] {
            let numbering = numbered(all).unwrap();
            let numbers: Vec<u128> = all.iter().map(|id| numbering.number(id).unwrap()).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{all:?}");
            for (id, number) in all.iter().zip(numbers) {
                assert_eq!(numbering.id(number).unwrap(), *id);
            }
            for other in ["", "Q", "P1x", "SKU-00010", "株式"] {
                let leads_back = |number| numbering.id(number).is_ok_and(|id| id == other);
                assert!(numbering.number(other).is_none_or(leads_back), "{other}");
            }
        }
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789";
        assert!(numbered(&[letters, &letters[1..]]).is_none(), "too many digits for 128 bits");
    }
}
