//! The keys that ocache's own tokens are signed with.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The shortest secret. HS256 needs a key that is at least as long as its hash.
const MIN_SECRET_BYTES: usize = 32;
/// The longest name of a key, in bytes. The name is part of every token.
const MAX_KID_BYTES: usize = 64;

/// Why a document is not a key ring. The error never contains any of the document, which has secrets.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeysError {
    /// It is not JSON of the required form.
    #[error(
        "it is not {{\"keys\":[{{\"kid\":\"…\",\"secret\":\"…\"}}]}}: line {line}, column {column}"
    )]
    Malformed {
        /// The line of the error.
        line: usize,
        /// The column of the error.
        column: usize,
    },
    /// It has no key.
    #[error("it has no key")]
    Empty,
    /// A key's name is not valid, or two keys have the same name.
    #[error("the kid of key {number} is empty, too long, or that of another key")]
    Kid {
        /// The number of the key, counted from 1.
        number: usize,
    },
    /// A secret is so short that it could be guessed.
    #[error("the secret of key {number} is shorter than {MIN_SECRET_BYTES} bytes")]
    Secret {
        /// The number of the key, counted from 1.
        number: usize,
    },
}

/// A key: its name in tokens, and its secret.
#[derive(Clone)]
pub struct Key {
    kid: String,
    secret: String,
    pub(super) signer: EncodingKey,
    pub(super) verifier: DecodingKey,
}

/// The keys of a stack. The first one signs, and tokens of all of them are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    first: Key,
    older: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRingDocument {
    keys: Vec<KeyEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    kid: String,
    secret: String,
}

impl Key {
    /// Creates a key from random bytes, so that nobody can guess it.
    ///
    /// # Errors
    /// None are expected.
    pub fn from_random(name: [u8; 16], secret: [[u8; 16]; 2]) -> Result<Self, KeysError> {
        let kid = URL_SAFE_NO_PAD.encode(&name[..6]);
        Self::new(kid, URL_SAFE_NO_PAD.encode(secret.concat()), 1)
    }

    /// Uses the text of a secret as the key, without decoding it, so that any JWT library can use the same
    /// text.
    fn new(kid: String, secret: String, number: usize) -> Result<Self, KeysError> {
        if kid.is_empty() || kid.len() > MAX_KID_BYTES {
            return Err(KeysError::Kid { number });
        }
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeysError::Secret { number });
        }
        let signer = EncodingKey::from_secret(secret.as_bytes());
        let signer = signer.map_err(|_| KeysError::Secret { number })?;
        let verifier = DecodingKey::from_secret(secret.as_bytes());
        let verifier = verifier.map_err(|_| KeysError::Secret { number })?;
        Ok(Self { kid, secret, signer, verifier })
    }

    /// The name of the key in tokens.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }
}

impl KeyRing {
    /// Creates a ring with one key.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self { first: key, older: vec![] }
    }

    /// Parses a document.
    ///
    /// # Errors
    /// [`KeysError`] for the first thing that is wrong.
    pub fn parse(document: &str) -> Result<Self, KeysError> {
        let malformed = |error: serde_json::Error| KeysError::Malformed {
            line: error.line(),
            column: error.column(),
        };
        let document: KeyRingDocument = serde_json::from_str(document).map_err(malformed)?;
        let mut keys: Vec<Key> = Vec::new();
        for (KeyEntry { kid, secret }, number) in document.keys.into_iter().zip(1..) {
            if keys.iter().any(|key| key.kid == kid) {
                return Err(KeysError::Kid { number });
            }
            keys.push(Key::new(kid, secret, number)?);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(KeysError::Empty)?;
        Ok(Self { first, older: keys.collect() })
    }

    /// Returns the document, which includes the secrets.
    ///
    /// # Errors
    /// None are expected, because every field is a string.
    pub fn to_document(&self) -> serde_json::Result<String> {
        let entry = |key: &Key| KeyEntry { kid: key.kid.clone(), secret: key.secret.clone() };
        serde_json::to_string(&KeyRingDocument { keys: self.keys().map(entry).collect() })
    }

    /// Returns the ring after a rotation: the new key signs, the previous one is still accepted, and older
    /// ones are not.
    #[must_use]
    pub fn rotated(self, key: Key) -> Self {
        Self { first: key, older: vec![self.first] }
    }

    /// The key that signs.
    #[must_use]
    pub const fn first(&self) -> &Key {
        &self.first
    }

    /// All keys; the one that signs is first.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.older)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (&self.kid, &self.secret) == (&other.kid, &other.secret)
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn key(number: u8) -> Key {
        Key::from_random([number; 16], [[number; 16], [number + 1; 16]]).unwrap()
    }

    #[test]
    fn a_document_says_the_same_when_it_is_read_again() {
        let ring = KeyRing::new(key(1)).rotated(key(2));
        assert_eq!(KeyRing::parse(&ring.to_document().unwrap()).unwrap(), ring);
        let kids: Vec<_> = ring.keys().map(Key::kid).collect();
        assert_eq!(kids, [key(2).kid(), key(1).kid()]);
    }

    #[test]
    fn a_rotation_keeps_one_key() {
        let ring = KeyRing::new(key(1)).rotated(key(2)).rotated(key(3));
        assert_eq!(ring.first(), &key(3));
        assert_eq!(ring.keys().nth(1), Some(&key(2)));
        assert_eq!(ring.keys().count(), 2);
    }

    #[test]
    fn bad_documents_are_refused_without_a_word_of_their_secrets() {
        let entry = |kid: &str, secret: &str| format!(r#"{{"kid":"{kid}","secret":"{secret}"}}"#);
        let ring = |entries: &[String]| format!(r#"{{"keys":[{}]}}"#, entries.join(","));
        let good = entry("a", SECRET);
        assert!(KeyRing::parse(&ring(std::slice::from_ref(&good))).is_ok());
        for (document, error) in [
            (ring(&[]), KeysError::Empty),
            (ring(&[entry("a", &SECRET[1..])]), KeysError::Secret { number: 1 }),
            (ring(&[good.clone(), entry("", SECRET)]), KeysError::Kid { number: 2 }),
            (ring(&[good.clone(), good.clone()]), KeysError::Kid { number: 2 }),
            (ring(&[entry(&"k".repeat(65), SECRET)]), KeysError::Kid { number: 1 }),
        ] {
            assert_eq!(KeyRing::parse(&document).unwrap_err(), error, "{document}");
        }
        let misplaced = format!(r#"{{"keys":"{SECRET}"}}"#);
        let error = KeyRing::parse(&misplaced).unwrap_err();
        assert!(matches!(error, KeysError::Malformed { line: 1, .. }));
        for text in [error.to_string(), format!("{error:?}"), format!("{:?}", key(1))] {
            assert!(!text.contains(SECRET) && !text.contains(&key(1).secret), "{text}");
        }
    }
}
