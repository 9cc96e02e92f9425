//! Parses and formats exact decimals. Digits become integers only here.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::plural::plural;

/// The most significant digits of a decimal. A number with more fits none of our types.
const MAX_DIGITS: usize = 30;

/// A number parsed from text: `mantissa × 10^-scale`, exactly as written.
///
/// JSON, CSV and command lines all give numbers as text. They are never converted to floating point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// Why a text is not a usable decimal.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecimalError {
    /// The text is not a number, for example letters, `NaN`, `inf` or nothing.
    #[error("is not a decimal number")]
    NotANumber,
    /// The number has too many digits, or an exponent that puts it out of range.
    #[error("is out of range")]
    OutOfRange,
    /// The number has more decimals than the target type.
    #[error("has more than {allowed} {}", plural(*.allowed, "decimal", "decimals"))]
    TooPrecise {
        /// The number of decimals of the type.
        allowed: u32,
    },
}

impl Decimal {
    /// Parses `-12.50`, `7`, `.5` or `1.2e3`. White space around the number is an error.
    ///
    /// # Errors
    /// [`DecimalError::NotANumber`] or [`DecimalError::OutOfRange`].
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (digits, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], parse_exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(DecimalError::NotANumber);
        }
        let mut mantissa: i128 = 0;
        let mut significant = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(DecimalError::NotANumber);
            }
            if mantissa != 0 || byte != b'0' {
                significant += 1;
            }
            if significant > MAX_DIGITS {
                return Err(DecimalError::OutOfRange);
            }
            mantissa = mantissa * 10 + i128::from(byte - b'0');
        }
        let scale = i64::try_from(fraction.len()).map_err(|_| DecimalError::OutOfRange)? - exponent;
        let mut decimal = Self { mantissa: if negative { -mantissa } else { mantissa }, scale: 0 };
        if mantissa != 0 {
            decimal.rescale(scale)?;
        }
        Ok(decimal)
    }

    /// Returns the number as an integer count of `10^-decimals`.
    ///
    /// # Errors
    /// [`DecimalError::TooPrecise`] if digits would be lost, [`DecimalError::OutOfRange`] if the result does
    /// not fit 64 bits.
    pub fn to_units(self, decimals: u32) -> Result<i64, DecimalError> {
        let units = if self.scale <= decimals {
            10_i128
                .checked_pow(decimals - self.scale)
                .and_then(|factor| self.mantissa.checked_mul(factor))
                .ok_or(DecimalError::OutOfRange)?
        } else {
            return Err(DecimalError::TooPrecise { allowed: decimals });
        };
        i64::try_from(units).map_err(|_| DecimalError::OutOfRange)
    }

    /// Sets the scale, and drops trailing zeros, so that `1.500` needs only one decimal.
    fn rescale(&mut self, mut scale: i64) -> Result<(), DecimalError> {
        while scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            scale -= 1;
        }
        while scale < 0 {
            self.mantissa = self.mantissa.checked_mul(10).ok_or(DecimalError::OutOfRange)?;
            scale += 1;
        }
        self.scale = u32::try_from(scale).map_err(|_| DecimalError::OutOfRange)?;
        Ok(())
    }
}

fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::NotANumber);
    }
    match text.parse::<i64>() {
        Ok(exponent) if exponent.unsigned_abs() <= 64 => Ok(exponent),
        _ => Err(DecimalError::OutOfRange),
    }
}

/// `units × 10^-decimals` as text with exactly that many decimals: 90000 and 2 give `900.00`.
#[derive(Clone, Copy, Debug)]
pub struct ShownDecimal {
    units: i64,
    decimals: u32,
}

impl ShownDecimal {
    /// Creates a decimal that shows all its decimals.
    #[must_use]
    pub const fn new(units: i64, decimals: u32) -> Self {
        Self { units, decimals }
    }

    /// Creates a decimal without trailing zeros: `2.5` instead of `2.500`.
    #[must_use]
    pub const fn trimmed(mut units: i64, mut decimals: u32) -> Self {
        while decimals > 0 && units % 10 == 0 {
            units /= 10;
            decimals -= 1;
        }
        Self { units, decimals }
    }

    /// Appends the text as a JSON string. It has no characters that JSON escapes.
    pub fn append_quoted(self, out: &mut Vec<u8>) {
        if self.append_short_quoted(out).is_none() {
            self.with_bytes(|text| {
                out.push(b'"');
                out.extend_from_slice(text);
                out.push(b'"');
            });
        }
    }

    /// Does this for up to eight digits without a sign, as nearly all prices have. Otherwise appends nothing and
    /// returns `None`.
    ///
    /// Each line of an answer has several decimals. So all digits are made and written at once, without a loop
    /// whose length depends on the number.
    fn append_short_quoted(self, out: &mut Vec<u8>) -> Option<()> {
        /// More than the text and the digits written behind its end.
        const ROOM: usize = 24;
        let units = u64::try_from(self.units).ok().filter(|units| *units < 100_000_000)?;
        let most_zeros = 7_u32.checked_sub(self.decimals)?;
        let digits = eight_digits(units);
        let zeros = (digits.trailing_zeros() / 8).min(most_zeros);
        let digits = (digits | u64::from_ne_bytes(*b"00000000")) >> (8 * zeros);
        let whole = 8 - zeros - self.decimals;
        let start = out.len();
        out.extend_from_slice(&[b'"'; ROOM]);
        let text = out.last_chunk_mut::<ROOM>()?;
        text[1..9].copy_from_slice(&digits.to_le_bytes());
        let mut end = 1 + whole as usize;
        if self.decimals > 0 {
            text[end] = b'.';
            text[end + 1..end + 9].copy_from_slice(&(digits >> (8 * whole)).to_le_bytes());
            end += 1 + self.decimals as usize;
        }
        text[end] = b'"';
        out.truncate(start + end + 1);
        Some(())
    }

    fn with_text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        // Digits, a point and a sign are always valid UTF-8.
        self.with_bytes(|text| take(std::str::from_utf8(text).unwrap_or_default()))
    }

    /// Passes the text to `take`, without allocating memory.
    fn with_bytes<T>(self, take: impl FnOnce(&[u8]) -> T) -> T {
        let decimals = self.decimals.min(MOST_SHOWN);
        // The text is written in one pass from its end, because each line of an answer has several.
        let mut text = [b'0'; 48];
        let (mut at, mut units, mut digits) = (text.len(), self.units.unsigned_abs(), 0);
        while units > 0 || digits <= decimals {
            if digits == decimals && decimals > 0 {
                at -= 1;
                text[at] = b'.';
            }
            at -= 1;
            text[at] = b'0' + (units % 10) as u8;
            (units, digits) = (units / 10, digits + 1);
        }
        if self.units < 0 {
            at -= 1;
            text[at] = b'-';
        }
        take(&text[at..])
    }
}

/// Returns the eight digits of a number below 100,000,000, one in each byte, the first one in the lowest. In three
/// steps, each part of the word is divided into two, by multiplications with the inverse that are exact for parts of
/// this size.
const fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - tens * 10) << 8)
}

/// The most decimals that are shown: more than any amount or quantity has, and few enough for the buffer.
const MOST_SHOWN: u32 = 40;

impl fmt::Display for ShownDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

/// Serializes to a string. `collect_str` would go through `fmt`, with several times the instructions.
impl Serialize for ShownDecimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_json_and_people_write() {
        for (text, decimals, units) in [
            ("2", 3, 2000),
            ("2.5", 3, 2500),
            ("-0.001", 3, -1),
            (".5", 1, 5),
            ("5.", 0, 5),
            ("1.500", 1, 15),
            ("1.2e3", 0, 1200),
            ("12E-1", 1, 12),
            ("0e-60", 0, 0),
            ("00012", 0, 12),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_units(decimals), Ok(units), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_exact() {
        for text in ["", "-", ".", "NaN", "inf", "1,5", "0x10", "1e", "1e+", " 1", "1 ", "１"] {
            assert_eq!(Decimal::parse(text), Err(DecimalError::NotANumber), "{text:?}");
        }
        for text in
            ["1e308", "1e-308", "1e-9223372036854775808", "9999999999999999999999999999999999"]
        {
            assert_eq!(Decimal::parse(text), Err(DecimalError::OutOfRange), "{text}");
        }
        assert_eq!(
            Decimal::parse("1.0001").unwrap().to_units(3),
            Err(DecimalError::TooPrecise { allowed: 3 })
        );
        assert_eq!(Decimal::parse("1e19").unwrap().to_units(0), Err(DecimalError::OutOfRange));
    }

    #[test]
    fn writes_every_decimal() {
        for (units, decimals, all, trimmed) in [
            (90_000, 2, "900.00", "900"),
            (12_345_678, 0, "12345678", "12345678"),
            (12_345_678, 7, "1.2345678", "1.2345678"),
            (123_456_789, 2, "1234567.89", "1234567.89"),
            (5, 2, "0.05", "0.05"),
            (-5, 3, "-0.005", "-0.005"),
            (-1500, 3, "-1.500", "-1.5"),
            (7, 0, "7", "7"),
            (0, 3, "0.000", "0"),
            (i64::MIN, 2, "-92233720368547758.08", "-92233720368547758.08"),
            (i64::MAX, 19, "0.9223372036854775807", "0.9223372036854775807"),
            (12, 22, "0.0000000000000000000012", "0.0000000000000000000012"),
        ] {
            assert_eq!(ShownDecimal::new(units, decimals).to_string(), all);
            assert_eq!(ShownDecimal::trimmed(units, decimals).to_string(), trimmed);
            let written = serde_json::to_value(ShownDecimal::new(units, decimals)).unwrap();
            assert_eq!(written, all);
            let mut quoted = b"is ".to_vec();
            ShownDecimal::new(units, decimals).append_quoted(&mut quoted);
            assert_eq!(quoted, format!("is \"{all}\"").as_bytes());
        }
    }
}
