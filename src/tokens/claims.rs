//! The claims of tokens: signing and checking.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::clients::Clients;
use super::keys::{Key, KeyRing};
use super::token::{MAX_TOKEN_BYTES, Refusal, Token};
use crate::model::{Subject, Timestamp};

/// How far the clock of a token's maker may differ from ours.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// The algorithm of ocache's own keys.
const OWN_ALGORITHM: Algorithm = Algorithm::HS256;
/// The claim of ocache's own tokens that names the customers.
pub const CLIENTS: &str = "clients";

/// The rights that a token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The subject that the token was issued to, for logs.
    pub subject: Subject,
    /// The customers that its bearer may quote for.
    pub clients: Clients,
    /// Whether its bearer may load products and discounts over HTTP.
    pub load: bool,
    /// The time until which it opens connections.
    pub expires_at: Timestamp,
}

/// Why a token cannot be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The token would be too long, because it names too many customers.
    #[error("the token would have {length} bytes, {MAX_TOKEN_BYTES} are allowed")]
    TooLong {
        /// The length that it would have, in bytes.
        length: usize,
    },
    /// The library failed. This is not expected, because every field is a string or a number.
    #[error("the token cannot be signed")]
    Signing(#[from] JwtError),
}

/// The header of a token: how it claims to be signed. It is not trusted before the signature is checked.
pub(super) struct Head {
    pub(super) algorithm: Algorithm,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct HeaderRead {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood. ocache understands none.
    crit: Option<IgnoredAny>,
}

#[derive(Serialize)]
struct ClaimsMade<'a> {
    sub: &'a Subject,
    clients: &'a Clients,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    load: bool,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct ClaimsRead {
    sub: Subject,
    #[serde(default)]
    load: bool,
    exp: i64,
    nbf: Option<i64>,
}

/// The rules for tokens of one origin.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    /// The required issuer; `None` if any holder of the key may issue tokens.
    pub(super) issuer: Option<&'a str>,
    /// The required audience; `None` if tokens must not have one.
    pub(super) audience: Option<&'a str>,
    /// The claim that names the customers.
    pub(super) client_claim: &'a str,
}

impl KeyRing {
    /// Signs a token with the first key.
    ///
    /// # Errors
    /// [`SignError::TooLong`] if it names too many customers.
    pub fn sign(&self, grant: &Grant, now: Timestamp) -> Result<Token, SignError> {
        let key = self.first();
        let header = Header { kid: Some(key.kid().to_owned()), ..Header::new(OWN_ALGORITHM) };
        let claims = ClaimsMade {
            sub: &grant.subject,
            clients: &grant.clients,
            load: grant.load,
            iat: now.millis().div_euclid(1000),
            exp: grant.expires_at.secs_rounded_up(),
        };
        let token = jsonwebtoken::encode(&header, &claims, &key.signer)?;
        match token.len() {
            length if length > MAX_TOKEN_BYTES => Err(SignError::TooLong { length }),
            _ => Ok(token.into()),
        }
    }

    /// Checks that one of the keys has signed a token and that the token is valid now. Returns its rights.
    ///
    /// # Errors
    /// [`Refusal`] says why the token is refused. Before the signature is checked, only the token's header is
    /// read.
    pub fn check(&self, token: &Token, now: Timestamp) -> Result<Grant, Refusal> {
        let head = Head::of(token)?;
        if head.algorithm != OWN_ALGORITHM {
            return Err(Refusal::Algorithm);
        }
        let key = self.named(&head.key_name()?).ok_or(Refusal::UnknownKey)?;
        let rules = Rules { issuer: None, audience: None, client_claim: CLIENTS };
        rules.check(token, OWN_ALGORITHM, &key.verifier, now)
    }

    fn named(&self, kid: &str) -> Option<&Key> {
        self.keys().find(|key| key.kid() == kid)
    }
}

impl Head {
    pub(super) fn of(token: &Token) -> Result<Self, Refusal> {
        let token = token.as_str();
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let (header, _) = token.split_once('.').ok_or(Refusal::Malformed)?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| Refusal::Malformed)?;
        let HeaderRead { alg, kid, crit } =
            serde_json::from_slice(&header).map_err(|_| Refusal::Malformed)?;
        match (alg.parse(), crit) {
            (Ok(algorithm), None) => Ok(Self { algorithm, kid }),
            _ => Err(Refusal::Algorithm),
        }
    }

    /// Returns the name of the key that the token says it is signed with. No key has an empty name.
    pub(super) fn key_name(self) -> Result<String, Refusal> {
        self.kid.filter(|kid| !kid.is_empty()).ok_or(Refusal::UnnamedKey)
    }
}

impl Rules<'_> {
    /// Checks that this key has signed a token and that the token is valid now. Returns its rights.
    pub(super) fn check(
        self,
        token: &Token,
        algorithm: Algorithm,
        key: &DecodingKey,
        now: Timestamp,
    ) -> Result<Grant, Refusal> {
        let decoded = jsonwebtoken::decode(token.as_str(), key, &self.validation(algorithm));
        let claims: Value = decoded.map_err(|error| refusal(&error))?.claims;
        let ClaimsRead { sub, load, exp, nbf } =
            Deserialize::deserialize(&claims).map_err(|_| Refusal::Claims)?;
        let clients = self.clients(&claims).ok_or(Refusal::Claims)?;
        let expires_at = Timestamp::from_secs(exp);
        if now >= expires_at.plus(LEEWAY) {
            return Err(Refusal::Expired { at: expires_at });
        }
        match nbf.map(Timestamp::from_secs) {
            Some(from) if now < from.minus(LEEWAY) => Err(Refusal::Early { from }),
            _ => Ok(Grant { subject: sub, clients, load, expires_at }),
        }
    }

    /// Returns the checks that the library makes. Times are not among them, because it would use the clock of
    /// this machine.
    fn validation(self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        let required = [("iss", self.issuer), ("aud", self.audience)];
        let required = required.into_iter().filter(|(_, value)| value.is_some());
        validation.required_spec_claims = required.map(|(name, _)| name.to_owned()).collect();
        validation.iss = self.issuer.map(|issuer| [issuer.to_owned()].into());
        validation.aud = self.audience.map(|audience| [audience.to_owned()].into());
        validation
    }

    fn clients(self, claims: &Value) -> Option<Clients> {
        let claim = claims.get(self.client_claim)?;
        match self.client_claim {
            CLIENTS => Clients::deserialize(claim).ok(),
            _ => Clients::of_foreign_claim(claim),
        }
    }
}

/// Maps an error of the library to the reason of a refusal.
fn refusal(error: &JwtError) -> Refusal {
    match error.kind() {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidAlgorithm => Refusal::Algorithm,
        ErrorKind::InvalidAudience => Refusal::Audience,
        ErrorKind::InvalidIssuer => Refusal::Issuer,
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
            if claim == "iss" { Refusal::Issuer } else { Refusal::Audience }
        }
        ErrorKind::Json(_) => Refusal::Claims,
        _ => Refusal::Malformed,
    }
}

#[cfg(test)]
mod tests;
