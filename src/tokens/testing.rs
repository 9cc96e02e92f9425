//! Forged and malformed tokens for tests.

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{Issuer, Key, KeyRing, KeySet, LEEWAY, MAX_TOKEN_BYTES, Refusal, Token};
use crate::model::Timestamp;

/// The time of these tests.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Returns a key by its number.
pub(crate) fn key(number: u8) -> Key {
    Key::from_random([number; 16], [[number; 16], [number + 1; 16]]).unwrap()
}

/// Returns the accepted keys: only the first key.
pub(crate) fn ring() -> KeyRing {
    KeyRing::new(key(1))
}

/// Returns the header of a valid token.
pub(crate) fn header() -> Value {
    json!({ "alg": "HS256", "typ": "JWT", "kid": key(1).kid() })
}

/// Returns the claims of a valid token for `AAA`, which expires in an hour.
pub(crate) fn claims() -> Value {
    json!({ "sub": "shop", "clients": ["AAA"], "exp": NOW.millis() / 1000 + 3600 })
}

/// Returns an object with one field changed; if the value is null, the field is removed.
pub(crate) fn with(mut object: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
        value => object[name] = value,
    }
    object
}

fn base64(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A signer of tokens.
pub(crate) enum Signer {
    /// The holder of one of ocache's keys.
    Own(Key),
    /// An identity provider with an RSA key.
    Rsa(&'static str, RsaKeyPair),
    /// An identity provider with a key on P-256.
    P256(&'static str, EcdsaKeyPair),
}

/// Keys of two identity providers for each kind of key: a known one, and another one with the same name.
pub(crate) static RSA: LazyLock<[Signer; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| Signer::Rsa("rsa-1", RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
});
pub(crate) static P256: LazyLock<[Signer; 2]> = LazyLock::new(|| {
    let key = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    [(); 2].map(|()| Signer::P256("ec-1", key()))
});

impl Signer {
    pub(crate) fn alg(&self) -> &'static str {
        match self {
            Self::Own(_) => "HS256",
            Self::Rsa(..) => "RS256",
            Self::P256(..) => "ES256",
        }
    }

    fn kid(&self) -> &str {
        match self {
            Self::Own(key) => key.kid(),
            Self::Rsa(kid, _) | Self::P256(kid, _) => kid,
        }
    }

    /// Returns the header of a valid token.
    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.alg(), "typ": "JWT", "kid": self.kid() })
    }

    /// Returns the public key in the form that providers publish.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match self {
            Self::Own(_) => panic!("a secret is not published"),
            Self::Rsa(_, key) => {
                let key = key.public_key();
                let n = text(key.modulus().big_endian_without_leading_zero());
                let e = text(key.exponent().big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": n, "e": e })
            }
            Self::P256(_, key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
        };
        key["kid"] = json!(self.kid());
        key
    }

    /// Returns a token with this header and these claims, signed with this signer's key whatever the header
    /// says.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> Token {
        let signed = format!("{}.{}", base64(header), base64(claims));
        let signature = match self {
            Self::Own(key) => {
                jsonwebtoken::crypto::sign(signed.as_bytes(), &key.signer, Algorithm::HS256)
                    .unwrap()
            }
            Self::Rsa(_, key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let random = SystemRandom::new();
                key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                URL_SAFE_NO_PAD.encode(signature)
            }
            Self::P256(_, key) => {
                let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
                URL_SAFE_NO_PAD.encode(signature)
            }
        };
        format!("{signed}.{signature}").into()
    }

    /// Returns tokens that an attacker might try, with the expected refusals. `other` has another key with
    /// the same name.
    pub(crate) fn bad_tokens(&self, other: &Self, claims: &Value) -> Vec<(String, Token, Refusal)> {
        let by_us = |header: &Value, claims: &Value| self.signed(header, claims);
        let headed = |name: &str, value: Value| by_us(&with(self.header(), name, value), claims);
        let claiming =
            |name: &str, value: Value| by_us(&self.header(), &with(claims.clone(), name, value));

        let good = by_us(&self.header(), claims);
        let [first, second, third] = *good.as_str().split('.').collect::<Vec<_>>() else {
            panic!()
        };
        let for_all = base64(&with(claims.clone(), "clients", json!("*")));
        let without = base64(&with(self.header(), "alg", json!("none")));
        let over = NOW.minus(LEEWAY);
        let soon = NOW.millis() / 1000 + 31;
        let others = ["none", "NONE", "rs256", "HS512", "RS512", "PS256", "ES384", "EdDSA"];
        let others = others.into_iter().map(|alg| {
            (format!("signed with {alg}"), headed("alg", json!(alg)), Refusal::Algorithm)
        });
        let no_exp = claiming("exp", Value::Null);
        let table = [
            ("nothing", String::new().into(), Refusal::Malformed),
            ("no token", "a.b.c".to_owned().into(), Refusal::Malformed),
            ("dots", "....".to_owned().into(), Refusal::Malformed),
            ("empty objects", "e30.e30.e30".to_owned().into(), Refusal::Malformed),
            ("oversize", "a".repeat(MAX_TOKEN_BYTES + 1).into(), Refusal::TooLong),
            ("alg none, unsigned", format!("{without}.{second}.").into(), Refusal::Algorithm),
            ("no alg", headed("alg", Value::Null), Refusal::Malformed),
            ("an unknown extension", headed("crit", json!(["x"])), Refusal::Algorithm),
            ("unknown kid", headed("kid", json!("other")), Refusal::UnknownKey),
            ("no kid", headed("kid", Value::Null), Refusal::UnnamedKey),
            ("other key", other.signed(&self.header(), claims), Refusal::Signature),
            ("tampered", format!("{first}.{for_all}.{third}").into(), Refusal::Signature),
            ("unsigned", format!("{first}.{second}.").into(), Refusal::Signature),
            ("no base64", format!("{first}.{second}.+++").into(), Refusal::Malformed),
            (
                "half a signature",
                format!("{first}.{second}.{}", &third[..20]).into(),
                Refusal::Signature,
            ),
            (
                "expired",
                claiming("exp", json!(over.millis() / 1000)),
                Refusal::Expired { at: over },
            ),
            ("no exp", no_exp, Refusal::Claims),
            ("a word for exp", claiming("exp", json!("tomorrow")), Refusal::Claims),
            (
                "too early",
                claiming("nbf", json!(soon)),
                Refusal::Early { from: Timestamp::from_secs(soon) },
            ),
            ("no clients", claiming("clients", Value::Null), Refusal::Claims),
            ("a word for clients", claiming("clients", json!("AAA")), Refusal::Claims),
            ("no sub", claiming("sub", Value::Null), Refusal::Claims),
            ("two lines for sub", claiming("sub", json!("a\nb")), Refusal::Claims),
            ("for another", claiming("aud", json!("another")), Refusal::Audience),
            ("for others", claiming("aud", json!(["another", "third"])), Refusal::Audience),
            ("for a number", claiming("aud", json!(7)), Refusal::Audience),
        ];
        table
            .map(|(what, token, refusal)| (what.to_owned(), token, refusal))
            .into_iter()
            .chain(others)
            .collect()
    }
}

/// Returns a token with this header and these claims, signed with HS256 whatever the header says.
pub(crate) fn signed(key: &Key, header: &Value, claims: &Value) -> Token {
    Signer::Own(key.clone()).signed(header, claims)
}

/// Returns tokens that an attacker might try against the keys of [`ring`], with the expected refusals.
pub(crate) fn bad_tokens() -> Vec<(String, Token, Refusal)> {
    let [own, other] = [key(1), key(2)].map(Signer::Own);
    let mut bad = own.bad_tokens(&other, &claims());
    for alg in ["RS256", "ES256"] {
        let token = own.signed(&with(header(), "alg", json!(alg)), &claims());
        bad.push((format!("signed with {alg}"), token, Refusal::Algorithm));
    }
    bad
}

/// Returns an identity provider.
pub(crate) fn issuer() -> Issuer {
    Issuer {
        name: "https://id.example.com/".to_owned(),
        audience: Some("ocache".to_owned()),
        client_claim: "clients".to_owned(),
    }
}

/// Returns the claims of a valid token from this provider.
pub(crate) fn issued_claims() -> Value {
    let audience = json!(["other", "ocache"]);
    with(with(claims(), "iss", json!(issuer().name)), "aud", audience)
}

/// Returns the published keys of these signers.
pub(crate) fn key_set<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> KeySet {
    let keys: Vec<_> = signers.into_iter().map(Signer::jwk).collect();
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// Returns tokens that an attacker might try against an identity provider's keys, with the expected refusals.
pub(crate) fn bad_issued_tokens() -> Vec<(String, Token, Refusal)> {
    let mut bad = vec![];
    for [signer, other] in [&*RSA, &*P256] {
        let alg = signer.alg();
        let claims = issued_claims();
        let claiming = |name: &str, value: Value| {
            signer.signed(&signer.header(), &with(claims.clone(), name, value))
        };
        let own_key =
            |name: &str, value: Value| other.signed(&with(signer.header(), name, value), &claims);
        let mixed = if alg == "RS256" { "ES256" } else { "RS256" };
        let of_kind = signer.signed(&with(signer.header(), "alg", json!(mixed)), &claims);
        let table = signer.bad_tokens(other, &claims).into_iter().chain(
            [
                ("no iss", claiming("iss", Value::Null), Refusal::Issuer),
                ("another iss", claiming("iss", json!("https://id.example.com")), Refusal::Issuer),
                ("a number for iss", claiming("iss", json!(7)), Refusal::Issuer),
                ("no aud", claiming("aud", Value::Null), Refusal::Audience),
                ("no aud at all", claiming("aud", json!([])), Refusal::Audience),
                ("a key of its own", own_key("jwk", other.jwk()), Refusal::Signature),
                (
                    "a key elsewhere",
                    own_key("jku", json!("https://evil.example.com")),
                    Refusal::Signature,
                ),
                ("an algorithm of other keys", of_kind, Refusal::UnknownKey),
            ]
            .map(|(what, token, refusal)| (what.to_owned(), token, refusal)),
        );
        bad.extend(table.map(|(what, token, refusal)| (format!("{alg}: {what}"), token, refusal)));
    }
    bad
}

/// Returns a valid token that expires after `time`.
pub(crate) fn good_token(keys: &KeyRing, now: Timestamp, time: Duration) -> Token {
    let exp = now.plus(time).millis() / 1000;
    let header = with(header(), "kid", json!(keys.first().kid()));
    signed(keys.first(), &header, &with(claims(), "exp", json!(exp)))
}
