//! The public keys of an identity provider: a JWKS, RFC 7517.

use std::collections::HashMap;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::claims::{Grant, Head, Rules};
use super::token::{Refusal, Token};
use crate::model::Timestamp;

/// The most bytes that a key set may have. Those of large providers have about 20 KB.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// The most keys that it may have.
const MAX_KEYS: usize = 100;
/// The bytes of an RSA modulus: 2,048 to 8,192 bits. Fewer can be factored, more cost too much time.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// A point of P-256, uncompressed.
const P256_BYTES: usize = 65;

/// An identity provider, and what its tokens have to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What its tokens have as `iss`.
    pub name: String,
    /// What its tokens must have among their `aud`; `None`: they must have none.
    pub audience: Option<String>,
    /// Which claim names the users that a token speaks for.
    pub client_claim: String,
}

/// The keys of an identity provider that ocache can check signatures with.
#[derive(Clone, Debug)]
pub struct KeySet(HashMap<(Algorithm, String), DecodingKey>);

/// Why a document is no key set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeySetError {
    /// More than anybody reads.
    #[error("it has more than {MAX_KEY_SET_BYTES} bytes")]
    TooLarge,
    /// Not the JSON it should be.
    #[error("it is not {{\"keys\":[…]}}: line {line}, column {column}")]
    Malformed {
        /// Where that shows.
        line: usize,
        /// Where that shows.
        column: usize,
    },
    /// More keys than anybody has.
    #[error("it has {count} keys, {MAX_KEYS} are allowed")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// Nobody could say which of two keys a token means.
    #[error("two of its keys for {algorithm:?} have the kid `{kid}`")]
    Twice {
        /// Of which algorithm.
        algorithm: Algorithm,
        /// Their name.
        kid: String,
    },
    /// Nothing to check a token with.
    #[error(
        "it has no key that ocache can use{}: one for signatures is needed that has a `kid`, RSA \
         with RS256 and at least 2,048 bits, or P-256 with ES256",
        listed(keys)
    )]
    NoneUsable {
        /// Its keys.
        keys: Vec<UnusableKey>,
    },
}

/// A key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableKey {
    /// Its `kid`, if it has one.
    pub kid: Option<String>,
    /// What is wrong with it.
    pub why: Unusable,
}

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unusable {
    /// No key that the library knows.
    #[error("it is no JWK of a known `kty`, `use` and `crv`")]
    Unknown,
    /// No token can name it.
    #[error("it has no `kid`")]
    NoKid,
    /// For encryption, or the like.
    #[error("its `use` is not `sig`")]
    Use,
    /// Not for checking signatures.
    #[error("its `key_ops` do not contain `verify`")]
    KeyOperations,
    /// Another kind of key.
    #[error("it is neither RSA nor on the curve P-256")]
    Kind,
    /// Meant for another algorithm.
    #[error("its `alg` is not {0:?}")]
    Algorithm(Algorithm),
    /// Too short, or too long.
    #[error("it has {bits} bits, and 2,048 to 8,192 are allowed")]
    Size {
        /// How many.
        bits: usize,
    },
    /// Its numbers are not what they must be.
    #[error("its numbers cannot be read")]
    Numbers,
}

/// So many keys are named.
const MAX_LISTED: usize = 5;

/// What is wrong with each key, after the words that there is none to use.
fn listed(keys: &[UnusableKey]) -> String {
    let named =
        keys.iter().enumerate().take(MAX_LISTED).map(|(index, UnusableKey { kid, why })| {
            let name =
                kid.as_ref().map_or_else(|| format!("key {}", index + 1), |kid| format!("`{kid}`"));
            format!("{name}: {why}")
        });
    let named = named.collect::<Vec<_>>().join("; ");
    match (keys.len(), keys.len().saturating_sub(MAX_LISTED)) {
        (0, _) => String::new(),
        (_, 0) => format!(" ({named})"),
        (_, others) => format!(" ({named}; and {others} more)"),
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a document. Keys that are for something else than RS256 and ES256 are left out, and so are
    /// keys without a `kid`, which no token can name.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn parse(document: &[u8]) -> Result<Self, KeySetError> {
        if document.len() > MAX_KEY_SET_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let malformed = |error: serde_json::Error| KeySetError::Malformed {
            line: error.line(),
            column: error.column(),
        };
        let Document { keys: entries } = serde_json::from_slice(document).map_err(malformed)?;
        let count = entries.len();
        if count > MAX_KEYS {
            return Err(KeySetError::TooMany { count });
        }
        let (mut keys, mut unusable) = (HashMap::new(), vec![]);
        for entry in &entries {
            match usable(entry) {
                Ok((name, key)) => {
                    if keys.insert(name.clone(), key).is_some() {
                        let (algorithm, kid) = name;
                        return Err(KeySetError::Twice { algorithm, kid });
                    }
                }
                Err(why) => {
                    let kid = entry["kid"].as_str().filter(|kid| !kid.is_empty());
                    unusable.push(UnusableKey { kid: kid.map(str::to_owned), why });
                }
            }
        }
        match keys.is_empty() {
            true => Err(KeySetError::NoneUsable { keys: unusable }),
            false => Ok(Self(keys)),
        }
    }

    /// What a token says, if one of the keys has signed it, it is from this issuer, and its time is
    /// now.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, token: &Token, issuer: &Issuer, now: Timestamp) -> Result<Grant, Refusal> {
        let head = Head::of(token)?;
        let algorithm = head.algorithm;
        if !is_of_issuer(algorithm) {
            return Err(Refusal::Algorithm);
        }
        let name = (algorithm, head.key_name()?);
        // A key is good for one algorithm, whatever else a token asks it to be used for.
        let key = self.0.get(&name).ok_or(Refusal::UnknownKey)?;
        let rules = Rules {
            issuer: Some(&issuer.name),
            audience: issuer.audience.as_deref(),
            client_claim: &issuer.client_claim,
        };
        rules.check(token, algorithm, key, now)
    }
}

impl Token {
    /// Whether it says that an identity provider has signed it, with a public key's counterpart.
    #[must_use]
    pub fn names_public_key(&self) -> bool {
        Head::of(self).is_ok_and(|head| is_of_issuer(head.algorithm))
    }
}

const fn is_of_issuer(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::RS256 | Algorithm::ES256)
}

/// A key that ocache can use, and what it is called.
fn usable(entry: &Value) -> Result<((Algorithm, String), DecodingKey), Unusable> {
    let key = Jwk::deserialize(entry).map_err(|_| Unusable::Unknown)?;
    let about = &key.common;
    let (algorithm, named) = match &key.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return Err(Unusable::Kind),
    };
    if about.public_key_use.as_ref().is_some_and(|to| *to != PublicKeyUse::Signature) {
        return Err(Unusable::Use);
    }
    let operations = about.key_operations.as_ref();
    if operations.is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
        return Err(Unusable::KeyOperations);
    }
    if about.key_algorithm.is_some_and(|meant| meant != named) {
        return Err(Unusable::Algorithm(algorithm));
    }
    let kid = about.key_id.clone().filter(|kid| !kid.is_empty()).ok_or(Unusable::NoKid)?;
    let verifier = DecodingKey::from_jwk(&key).map_err(|_| Unusable::Numbers)?;
    match verifier.kind() {
        DecodingKeyKind::RsaModulusExponent { n, .. } => {
            let zeros = n.iter().take_while(|byte| **byte == 0).count();
            let bytes = n.len() - zeros;
            if !RSA_BYTES.contains(&bytes) {
                return Err(Unusable::Size { bits: bytes * 8 });
            }
        }
        DecodingKeyKind::SecretOrDer(point) if point.len() != P256_BYTES => {
            return Err(Unusable::Numbers);
        }
        DecodingKeyKind::SecretOrDer(_) => {}
    }
    Ok(((algorithm, kid), verifier))
}

#[cfg(test)]
mod tests;
