//! Decoders of packed bases, own rows and ladders, written only from the descriptions of their formats.
//!
//! They share no code with the decoders that quotes use. A mistake in packing that the matching unpacking
//! undoes would be hidden from a verification that used the same code.

use std::io::Read as _;

mod ladders;

pub(super) use ladders::{StoredLadderRow, StoredStep, ladder_rows};

/// The largest size of a decompressed part.
const MAX_BYTES: u64 = 1024 * 1024;
const MAX_ID_BYTES: usize = 64;

/// A product of a base.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BaseRow {
    pub(super) id: String,
    pub(super) name: String,
    /// The list price in units of unit prices, if there is one in the currency of the base.
    pub(super) price: Option<u64>,
    /// The floor of calculated prices.
    pub(super) floor: Option<u64>,
    /// The smallest quantity, the step and the largest quantity, in thousandths; 0 means none.
    pub(super) quantities: [u64; 3],
    /// The product's category.
    pub(super) category: Option<String>,
}

/// A row that only one customer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredOwnRow {
    /// The number of products of the base before this product.
    pub(super) index: u64,
    /// The discount in millionths of a percent.
    pub(super) discount: u64,
    /// The discount on one piece, in minor units.
    pub(super) saving: u64,
}

/// Decodes the products of a part of a base. Returns why, if it cannot be read.
pub(super) fn base_rows(part: &[u8]) -> Result<Vec<BaseRow>, String> {
    let body = match part {
        [b'O', b'B', 1, 0..16, body @ ..] => decompressed(body, MAX_BYTES)?,
        [b'O', b'B', 1, ..] => return Err(damaged("a part of a base has unknown columns")),
        [b'O', b'B', version, ..] => return Err(other_version(*version)),
        _ => return Err(damaged("it does not begin as a part of a base does")),
    };
    let mut body = Bytes(&body);
    let count = body.number()?;
    let lengths = body.pairs(count)?;
    let mut ids: Vec<String> = vec![];
    for (shared, rest) in lengths {
        let before = ids.last().map_or("", String::as_str);
        let shared = usize::try_from(shared).ok().and_then(|shared| before.get(..shared));
        let shared = shared.ok_or_else(|| damaged("an id shares more than there is"))?;
        let id = format!("{shared}{}", body.text(rest)?);
        if id.len() > MAX_ID_BYTES {
            return Err(damaged("an id has a length that no id has"));
        }
        ids.push(id);
    }
    let prices = body.numbers(count)?;
    let lengths = body.numbers(count)?;
    let mut rows = vec![];
    for ((id, price), length) in ids.into_iter().zip(prices).zip(lengths) {
        let name = body.text(length)?.to_owned();
        let (price, floor, quantities, category) = (Some(price), None, [0; 3], None);
        rows.push(BaseRow { id, name, price, floor, quantities, category });
    }
    read_details(&mut body, part[3], &mut rows)?;
    body.end()?;
    Ok(rows)
}

/// Reads the columns that only some bases have.
fn read_details(body: &mut Bytes<'_>, columns: u8, rows: &mut [BaseRow]) -> Result<(), String> {
    if columns & 1 != 0 {
        for row in rows.iter_mut() {
            // The flag is a single byte, which is read as a number.
            if body.number()? != 0 {
                row.price = None;
            }
        }
    }
    if columns & 2 != 0 {
        for row in rows.iter_mut() {
            row.floor = body.number()?.checked_sub(1);
        }
    }
    if columns & 4 != 0 {
        for row in rows.iter_mut() {
            row.quantities = [body.number()?, body.number()?, body.number()?];
        }
    }
    if columns & 8 != 0 {
        let mut categories: Vec<String> = vec![];
        for _ in 0..body.number()? {
            let length = body.number()?;
            categories.push(body.text(length)?.to_owned());
        }
        for row in rows.iter_mut() {
            let Some(place) = body.number()?.checked_sub(1) else { continue };
            let category = usize::try_from(place).ok().and_then(|place| categories.get(place));
            let category = category.ok_or_else(|| damaged("a product is in no category"))?;
            row.category = Some(category.clone());
        }
    }
    Ok(())
}

/// Decodes a part of own rows. Returns why, if it cannot be read.
pub(super) fn own_rows(part: &[u8]) -> Result<Vec<StoredOwnRow>, String> {
    let columns = columns_of(part, MAX_BYTES)?;
    let mut columns = Bytes(&columns);
    let count = columns.number()?;
    let gaps = columns.numbers(count)?;
    let unit = columns.number()?;
    let percentages = columns.numbers(count)?;
    let savings = columns.numbers(count)?;
    columns.end()?;
    let mut rows = vec![];
    let mut next = 0_u64;
    for ((gap, percentage), saving) in gaps.into_iter().zip(percentages).zip(savings) {
        let index = next.checked_add(gap).ok_or_else(|| damaged("a row is of no product"))?;
        let discount = percentage.checked_mul(unit);
        let discount = discount.ok_or_else(|| damaged("a discount is more than 100 %"))?;
        rows.push(StoredOwnRow { index, discount, saving });
        next = index.checked_add(1).ok_or_else(|| damaged("a row is of no product"))?;
    }
    Ok(rows)
}

/// Returns the columns of a part, which begins with its version and form and ends with a checksum.
fn columns_of(part: &[u8], most: u64) -> Result<Vec<u8>, String> {
    let (form, body) = match part {
        [1, form, body @ ..] => (*form, body),
        [] | [1] => return Err(damaged("they end too early")),
        [version, ..] => return Err(other_version(*version)),
    };
    let (body, sum) = body.split_last_chunk::<4>().ok_or_else(|| damaged("they end too early"))?;
    let columns = match form {
        0 => body.to_vec(),
        1 => decompressed(body, most)?,
        _ => return Err(damaged("they have an unknown form")),
    };
    match fnv_1a(&columns) == u32::from_le_bytes(*sum) {
        true => Ok(columns),
        false => Err(damaged("they have another checksum")),
    }
}

fn damaged(why: &str) -> String {
    format!("packed prices are damaged: {why}")
}

fn other_version(version: u8) -> String {
    format!("packed prices have format version {version}, this ocache reads 1")
}

fn decompressed(bytes: &[u8], most: u64) -> Result<Vec<u8>, String> {
    let mut plain = vec![];
    let read = zstd::stream::read::Decoder::new(bytes)
        .and_then(|decoder| decoder.take(most + 1).read_to_end(&mut plain));
    match read {
        Ok(_) if plain.len() as u64 <= most => Ok(plain),
        _ => Err(damaged("they do not decompress")),
    }
}

fn fnv_1a(bytes: &[u8]) -> u32 {
    let mut sum = 2_166_136_261_u32;
    for byte in bytes {
        sum = (sum ^ u32::from(*byte)).wrapping_mul(16_777_619);
    }
    sum
}

/// The bytes that are still to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Reads a number of at most nine bytes.
    fn number(&mut self) -> Result<u64, String> {
        self.number_within(9)
    }

    /// Reads a number with seven bits in each byte, the lowest first.
    fn number_within(&mut self, most_bytes: u32) -> Result<u64, String> {
        let mut number = 0_u128;
        for place in 0..most_bytes {
            let (byte, rest) = self.0.split_first().ok_or_else(|| damaged("it ends too early"))?;
            self.0 = rest;
            number += u128::from(byte % 128) << (7 * place);
            if *byte < 128 {
                return u64::try_from(number).map_err(|_| damaged("a number is too large"));
            }
        }
        Err(damaged("a number is too long"))
    }

    fn numbers(&mut self, count: u64) -> Result<Vec<u64>, String> {
        (0..count).map(|_| self.number()).collect()
    }

    fn pairs(&mut self, count: u64) -> Result<Vec<(u64, u64)>, String> {
        (0..count).map(|_| Ok((self.number()?, self.number()?))).collect()
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8], String> {
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (bytes, rest) = split.ok_or_else(|| damaged("it ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self, length: u64) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes(length)?).map_err(|_| damaged("a text is not UTF-8"))
    }

    fn end(&self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged("something follows its end")) }
    }
}

#[cfg(test)]
mod tests;
