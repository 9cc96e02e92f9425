//! Digests that name things: message groups, deduplication ids, fingerprints.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// 128 bits of SHA-256, written as 32 lower-case hex digits.
///
/// Hex fits the narrowest alphabet and length that any queue allows, whatever the text behind it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

/// Collects the parts of a digest. Every part has a length prefix, so `("ab", "c")` and `("a", "bc")` differ.
pub struct DigestBuilder(Sha256);

impl DigestBuilder {
    /// Starts a digest in a named domain, so that equal parts of two kinds never collide.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self(Sha256::new()).part(domain.as_bytes())
    }

    /// Adds bytes.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.add(bytes);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.part(&number.to_le_bytes())
    }

    /// Adds bytes to a borrowed builder, for use in a loop.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Returns the digest of all parts.
    #[must_use]
    pub fn finish(self) -> Digest {
        let full: [u8; 32] = self.0.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&full[..16]);
        Digest(half)
    }
}

impl Digest {
    /// The bytes of the digest, for compact forms.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 16] {
        self.0
    }

    /// Creates a digest from the result of [`Self::bytes`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written as one number, because digests are formatted for every message and every head.
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex);
        let number = number.ok_or_else(|| format!("`{text}` is not a digest of 32 hex digits"))?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_and_domains_count() {
        let of = |domain, parts: [&str; 2]| {
            DigestBuilder::new(domain).part(parts[0].as_bytes()).part(parts[1].as_bytes()).finish()
        };
        assert_ne!(of("a", ["ab", "c"]), of("a", ["a", "bc"]));
        assert_ne!(of("a", ["ab", "c"]), of("b", ["ab", "c"]));
        let digest = of("a", ["José Núñez", "株式会社"]);
        let text = digest.to_string();
        assert!(text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(text.parse(), Ok(digest));
        assert!("zz".parse::<Digest>().is_err());
        assert!("+f".repeat(16).parse::<Digest>().is_err());
    }
}
