//! The public keys of an identity provider: a JWKS (RFC 7517).

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

/// The most bytes of a key set. Those of large providers have about 20 KB.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// The most keys of a key set.
const MAX_KEYS: usize = 100;
/// The allowed bytes of an RSA modulus: 2,048 to 8,192 bits. Shorter ones can be factored, longer ones take
/// too much time.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// The bytes of an uncompressed point of P-256.
const P256_BYTES: usize = 65;

/// An identity provider, and the rules for its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// The required `iss` of its tokens.
    pub name: String,
    /// The required value among the `aud` of its tokens; `None` if they must have none.
    pub audience: Option<String>,
    /// The claim that names the customers.
    pub client_claim: String,
}

/// The keys of an identity provider that ocache can use.
#[derive(Clone, Debug)]
pub struct KeySet(HashMap<(Algorithm, String), DecodingKey>);

/// Why a document is not a key set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeySetError {
    /// It is too large.
    #[error("it has more than {MAX_KEY_SET_BYTES} bytes")]
    TooLarge,
    /// It is not JSON of the required form.
    #[error("it is not {{\"keys\":[…]}}: line {line}, column {column}")]
    Malformed {
        /// The line of the error.
        line: usize,
        /// The column of the error.
        column: usize,
    },
    /// It has too many keys.
    #[error("it has {count} keys, {MAX_KEYS} are allowed")]
    TooMany {
        /// The number of keys.
        count: usize,
    },
    /// Two keys have the same name, so a token could mean either.
    #[error("two of its keys for {algorithm:?} have the kid `{kid}`")]
    Twice {
        /// The algorithm of the keys.
        algorithm: Algorithm,
        /// The name of the keys.
        kid: String,
    },
    /// It has no key that ocache can use.
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
    /// Why it cannot be used.
    pub why: Unusable,
}

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unusable {
    /// The library does not know this kind of key.
    #[error("it is no JWK of a known `kty`, `use` and `crv`")]
    Unknown,
    /// It has no `kid`, so no token can name it.
    #[error("it has no `kid`")]
    NoKid,
    /// It is not for signatures, but for encryption, for example.
    #[error("its `use` is not `sig`")]
    Use,
    /// It is not for checking signatures.
    #[error("its `key_ops` do not contain `verify`")]
    KeyOperations,
    /// It is of another kind.
    #[error("it is neither RSA nor on the curve P-256")]
    Kind,
    /// It is for another algorithm.
    #[error("its `alg` is not {0:?}")]
    Algorithm(Algorithm),
    /// It is too short or too long.
    #[error("it has {bits} bits, and 2,048 to 8,192 are allowed")]
    Size {
        /// Its length in bits.
        bits: usize,
    },
    /// Its numbers are not valid.
    #[error("its numbers cannot be read")]
    Numbers,
}

/// How many unusable keys an error names.
const MAX_LISTED: usize = 5;

/// Returns the text that says why each key cannot be used.
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
struct KeySetDocument {
    keys: Vec<Value>,
}

impl KeySet {
    /// Parses a document. Skips keys for algorithms other than RS256 and ES256, and keys without a `kid`,
    /// which no token can name.
    ///
    /// # Errors
    /// [`KeySetError`] if the document is not valid or no key can be used.
    pub fn parse(document: &[u8]) -> Result<Self, KeySetError> {
        if document.len() > MAX_KEY_SET_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let malformed = |error: serde_json::Error| KeySetError::Malformed {
            line: error.line(),
            column: error.column(),
        };
        let KeySetDocument { keys: entries } =
            serde_json::from_slice(document).map_err(malformed)?;
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

    /// Checks that one of the keys has signed a token, that the token is from this issuer, and that it is
    /// valid now. Returns its rights.
    ///
    /// # Errors
    /// [`Refusal`] says why the token is refused.
    pub fn check(&self, token: &Token, issuer: &Issuer, now: Timestamp) -> Result<Grant, Refusal> {
        let head = Head::of(token)?;
        let algorithm = head.algorithm;
        if !is_of_issuer(algorithm) {
            return Err(Refusal::Algorithm);
        }
        let name = (algorithm, head.key_name()?);
        // A key is used for one algorithm only, whatever the token's header says.
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
    /// Whether the token says that it is signed with the private key of an identity provider.
    #[must_use]
    pub fn names_public_key(&self) -> bool {
        Head::of(self).is_ok_and(|head| is_of_issuer(head.algorithm))
    }
}

const fn is_of_issuer(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::RS256 | Algorithm::ES256)
}

/// Returns a key that ocache can use, with its algorithm and name.
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
