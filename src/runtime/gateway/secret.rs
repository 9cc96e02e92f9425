//! How a gateway and another process of its machine recognise each other.
//!
//! Any program may bind a port that a gateway has left. So a gateway writes a secret into its entry,
//! which only its owner may read. On each connection both sides prove that they know it, before anything
//! else is sent.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The challenge of a connection. It is random, so that no proof can be used twice.
const CHALLENGE: HeaderName = HeaderName::from_static("ocache-challenge");
/// The proof of the side that sends it.
const PROOF: HeaderName = HeaderName::from_static("ocache-proof");

/// The secret in a gateway's entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// The side that makes a proof. The proof of one side is not valid for the other.
#[derive(Clone, Copy, Debug)]
enum Side {
    Gateway,
    Caller,
}

/// The challenge that a caller sends with its first request, and with which it checks the gateway's
/// proof.
pub(super) struct Challenge {
    secret: Secret,
    text: String,
}

impl Secret {
    /// Creates a secret from this much randomness. Nobody can guess it.
    #[must_use]
    pub fn from_random(random: [[u8; 16]; 2]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random.concat()))
    }

    /// Returns the MAC over a side and a challenge.
    fn mac(&self, side: Side, challenge: &[u8]) -> Option<Hmac<Sha256>> {
        // HMAC accepts a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        mac.update(match side {
            Side::Gateway => b"gateway:",
            Side::Caller => b"caller:",
        });
        mac.update(challenge);
        Some(mac)
    }

    fn prove(&self, side: Side, challenge: &[u8]) -> Option<HeaderValue> {
        let proof = self.mac(side, challenge)?.finalize().into_bytes();
        HeaderValue::from_str(&URL_SAFE_NO_PAD.encode(proof)).ok()
    }

    fn is_proven(&self, side: Side, challenge: &[u8], proof: &HeaderValue) -> bool {
        let proof = URL_SAFE_NO_PAD.decode(proof.as_bytes()).ok();
        self.mac(side, challenge)
            .zip(proof)
            .is_some_and(|(mac, proof)| mac.verify_slice(&proof).is_ok())
    }

    /// Returns the gateway's proof for a caller that has proven itself; `None` for any other request.
    pub(super) fn answer(&self, asked: &HeaderMap) -> Option<(HeaderName, HeaderValue)> {
        let (challenge, proof) = (asked.get(CHALLENGE)?, asked.get(PROOF)?);
        if !self.is_proven(Side::Caller, challenge.as_bytes(), proof) {
            return None;
        }
        Some((PROOF, self.prove(Side::Gateway, challenge.as_bytes())?))
    }
}

impl Challenge {
    /// Creates a challenge for the gateway with this secret.
    pub(super) fn new(secret: Secret, random: [u8; 16]) -> Self {
        Self { secret, text: URL_SAFE_NO_PAD.encode(random) }
    }

    /// Returns the headers of the caller's request.
    pub(super) fn headers(&self) -> Option<[(HeaderName, HeaderValue); 2]> {
        let proof = self.secret.prove(Side::Caller, self.text.as_bytes())?;
        Some([(CHALLENGE, HeaderValue::from_str(&self.text).ok()?), (PROOF, proof)])
    }

    /// Whether the response comes from a gateway that knows the secret.
    pub(super) fn is_met(&self, response: &HeaderMap) -> bool {
        let proof = response.get(PROOF);
        proof.is_some_and(|it| self.secret.is_proven(Side::Gateway, self.text.as_bytes(), it))
    }
}

/// Hides the secret from logs and errors.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(n: u8) -> Secret {
        Secret::from_random([[n; 16], [n; 16]])
    }

    fn asked(challenge: &Challenge) -> HeaderMap {
        challenge.headers().unwrap().into_iter().collect()
    }

    #[test]
    fn both_sides_prove_that_they_know_the_secret() {
        let challenge = Challenge::new(secret(1), [7; 16]);
        let answer = secret(1).answer(&asked(&challenge)).unwrap();
        assert!(challenge.is_met(&HeaderMap::from_iter([answer.clone()])));
        // A proof that was sent on another connection is not valid.
        let next = Challenge::new(secret(1), [8; 16]);
        assert!(!next.is_met(&HeaderMap::from_iter([answer])));
    }

    #[test]
    fn who_does_not_know_it_proves_nothing() {
        let challenge = Challenge::new(secret(1), [7; 16]);
        assert!(secret(2).answer(&asked(&challenge)).is_none());
        assert!(secret(1).answer(&HeaderMap::new()).is_none());
        // The caller's own proof, sent back, is not the gateway's proof.
        assert!(!challenge.is_met(&asked(&challenge)));
        assert!(!challenge.is_met(&HeaderMap::new()));
        for bad in ["", "0", "?", "00"] {
            let mut headers = asked(&challenge);
            headers.insert(PROOF, bad.parse().unwrap());
            assert!(secret(1).answer(&headers).is_none(), "{bad}");
            assert!(!challenge.is_met(&headers), "{bad}");
        }
    }

    #[test]
    fn it_is_not_shown() {
        let secret = secret(7);
        assert!(!format!("{secret:?}").contains(&secret.0));
    }
}
