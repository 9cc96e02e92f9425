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
        "none of its {count} keys can be used: one for signatures is needed that has a `kid`, RSA \
         with RS256 and at least 2,048 bits, or P-256 with ES256"
    )]
    NoneUsable {
        /// How many it has.
        count: usize,
    },
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
        let mut keys = HashMap::new();
        for (name, key) in entries.iter().filter_map(usable) {
            if keys.insert(name.clone(), key).is_some() {
                let (algorithm, kid) = name;
                return Err(KeySetError::Twice { algorithm, kid });
            }
        }
        match keys.is_empty() {
            true => Err(KeySetError::NoneUsable { count }),
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
fn usable(entry: &Value) -> Option<((Algorithm, String), DecodingKey)> {
    let key = Jwk::deserialize(entry).ok()?;
    let about = &key.common;
    let kid = about.key_id.clone().filter(|kid| !kid.is_empty())?;
    let signs = about.public_key_use.as_ref().is_none_or(|to| *to == PublicKeyUse::Signature);
    let operations = about.key_operations.as_ref();
    let verifies = operations.is_none_or(|all| all.contains(&KeyOperations::Verify));
    let (algorithm, named) = match &key.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    let fits = about.key_algorithm.is_none_or(|algorithm| algorithm == named);
    let verifier = DecodingKey::from_jwk(&key).ok()?;
    let has_size = match verifier.kind() {
        DecodingKeyKind::RsaModulusExponent { n, .. } => {
            let zeros = n.iter().take_while(|byte| **byte == 0).count();
            RSA_BYTES.contains(&(n.len() - zeros))
        }
        DecodingKeyKind::SecretOrDer(point) => point.len() == P256_BYTES,
    };
    (signs && verifies && fits && has_size).then_some(((algorithm, kid), verifier))
}

#[cfg(test)]
mod tests;
