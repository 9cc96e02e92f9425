//! What a token says, signed and checked.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::clients::Clients;
use super::keys::{Key, KeyRing};
use super::token::{MAX_TOKEN_BYTES, Refusal, Token};
use crate::model::{Subject, Timestamp};

/// How far the clock of who made a token may be from ours.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// The one algorithm. Which one a token names is not followed, only compared.
const ALGORITHM: &str = "HS256";

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whom it was given to, for logs.
    pub subject: Subject,
    /// Whom that is allowed to quote for.
    pub clients: Clients,
    /// Whether it may load products and discounts over HTTP.
    pub load: bool,
    /// Until when it opens a connection.
    pub expires_at: Timestamp,
}

/// Why a token is not made.
#[derive(Debug, Error)]
pub enum SignError {
    /// It names too many users to be sent.
    #[error("the token would have {length} bytes, {MAX_TOKEN_BYTES} are allowed")]
    TooLong {
        /// How many it would have.
        length: usize,
    },
    /// None in practice: every field is a string or a number.
    #[error("the token cannot be written")]
    Json(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct HeaderMade<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Deserialize)]
struct HeaderRead {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood. None are.
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
    clients: Clients,
    #[serde(default)]
    load: bool,
    exp: i64,
    nbf: Option<i64>,
    aud: Option<IgnoredAny>,
}

impl KeyRing {
    /// Makes a token, with the first key.
    ///
    /// # Errors
    /// [`SignError::TooLong`] when it names too many users.
    pub fn sign(&self, grant: &Grant, now: Timestamp) -> Result<Token, SignError> {
        let key = self.first();
        let header = HeaderMade { alg: ALGORITHM, typ: "JWT", kid: key.kid() };
        let claims = ClaimsMade {
            sub: &grant.subject,
            clients: &grant.clients,
            load: grant.load,
            iat: now.millis().div_euclid(1000),
            exp: grant.expires_at.secs_rounded_up(),
        };
        let signed = format!("{}.{}", encode(&header)?, encode(&claims)?);
        let signature = key.signer().chain_update(&signed).finalize().into_bytes();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        match token.len() {
            length if length > MAX_TOKEN_BYTES => Err(SignError::TooLong { length }),
            _ => Ok(token.into()),
        }
    }

    /// What a token says, if one of the keys has signed it and its time is now.
    ///
    /// # Errors
    /// [`Refusal`]. Nothing that a token says is looked at before its signature is known to be
    /// right, but for how it claims to be signed.
    pub fn check(&self, token: &Token, now: Timestamp) -> Result<Grant, Refusal> {
        let token = token.as_str();
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let header: HeaderRead = decode(header).ok_or(Refusal::Malformed)?;
        if header.alg != ALGORITHM || header.crit.is_some() {
            return Err(Refusal::Algorithm);
        }
        let key = header.kid.and_then(|kid| self.named(&kid)).ok_or(Refusal::UnknownKey)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::Malformed)?;
        let right = key.signer().chain_update(signed).verify_slice(&signature);
        right.map_err(|_| Refusal::Signature)?;
        decode::<ClaimsRead>(claims).ok_or(Refusal::Claims)?.at(now)
    }

    fn named(&self, kid: &str) -> Option<&Key> {
        self.keys().find(|key| key.kid() == kid)
    }
}

impl ClaimsRead {
    /// What they grant at a time.
    fn at(self, now: Timestamp) -> Result<Grant, Refusal> {
        let Self { sub, clients, load, exp, nbf, aud } = self;
        if aud.is_some() {
            return Err(Refusal::Audience);
        }
        let expires_at = Timestamp::from_secs(exp);
        if now >= expires_at.plus(LEEWAY) {
            return Err(Refusal::Expired { at: expires_at });
        }
        match nbf.map(Timestamp::from_secs) {
            Some(from) if now < from.minus(LEEWAY) => Err(Refusal::Early { from }),
            _ => Ok(Grant { subject: sub, clients, load, expires_at }),
        }
    }
}

fn encode(part: &impl Serialize) -> serde_json::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(part)?))
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests;
