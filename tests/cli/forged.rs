//! Makes tokens, good and bad, with a key that signs.

use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// A key that signs tokens, and their claims.
pub struct SigningKey {
    pub kid: String,
    pub key: Key,
    /// The claims of its tokens beside subject, clients and expiry.
    pub more: Value,
}

pub enum Key {
    /// A key of ocache.
    Secret(String),
    /// A key of an identity provider.
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl Key {
    pub fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// Returns another key of the same kind.
    fn other(&self) -> Self {
        match self {
            Self::Secret(secret) => Self::Secret(secret.to_uppercase()),
            Self::Rsa(_) => Self::rsa(),
            Self::P256(_) => Self::p256(),
        }
    }

    const fn alg(&self) -> &'static str {
        match self {
            Self::Secret(_) => "HS256",
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    fn signature(&self, signed: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Secret(secret) => {
                let signer = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
                signer.chain_update(signed).finalize().into_bytes().to_vec()
            }
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature).unwrap();
                signature
            }
            Self::P256(key) => key.sign(&random, signed).unwrap().as_ref().to_vec(),
        }
    }

    /// Returns a token with this header and these claims, signed by this key whatever the header says.
    pub fn forged(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.signature(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl SigningKey {
    /// Returns the signing key of the document in which keys are kept.
    pub fn of(document: &[u8]) -> Self {
        let keys: Value = serde_json::from_slice(document).unwrap();
        let of = |name: &str| keys["keys"][0][name].as_str().unwrap().to_owned();
        Self { kid: of("kid"), key: Key::Secret(of("secret")), more: json!({}) }
    }

    /// Returns the secret of a key of ocache.
    pub fn secret(&self) -> &str {
        let Key::Secret(secret) = &self.key else { panic!("a public key's counterpart") };
        secret
    }

    /// Returns the public key, as it is published.
    pub fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (kid, alg) = (&self.kid, self.key.alg());
        match &self.key {
            Key::Secret(_) => panic!("a secret is not published"),
            Key::Rsa(key) => {
                let n = text(key.public_key().modulus().big_endian_without_leading_zero());
                let e = text(key.public_key().exponent().big_endian_without_leading_zero());
                json!({ "kty": "RSA", "use": "sig", "alg": alg, "kid": kid, "n": n, "e": e })
            }
            Key::P256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (text(x), text(y));
                json!({ "kty": "EC", "crv": "P-256", "alg": alg, "kid": kid, "x": x, "y": y })
            }
        }
    }

    /// Returns a token for `AAA` that expires in this many seconds. A negative number means that it has
    /// expired.
    pub fn token(&self, expires_in: i64) -> String {
        self.key.forged(&self.header(self.key.alg(), &self.kid), &self.claims(expires_in))
    }

    pub fn header(&self, alg: &str, kid: &str) -> Value {
        json!({ "alg": alg, "typ": "JWT", "kid": kid })
    }

    pub fn claims(&self, expires_in: i64) -> Value {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let exp = i64::try_from(now).unwrap() + expires_in;
        let mut claims = json!({ "sub": "test", "clients": ["AAA"], "exp": exp });
        let more = self.more.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(more);
        claims
    }

    /// Returns every kind of bad token, with a description.
    pub fn bad_tokens(&self) -> Vec<(&'static str, String)> {
        let Self { kid, key, .. } = self;
        let good = self.token(60);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (first, _) = signed.split_once('.').unwrap();
        let with = |name: &str, value: Value| {
            let mut claims = self.claims(60);
            claims[name] = value;
            claims
        };
        let mut endless = self.claims(60);
        endless.as_object_mut().unwrap().remove("exp");
        let every = URL_SAFE_NO_PAD.encode(with("clients", json!("*")).to_string());
        let headed = |alg, kid| key.forged(&self.header(alg, kid), &self.claims(60));
        let own = self.header(key.alg(), kid);
        vec![
            ("expired", self.token(-31)),
            ("other key", key.other().forged(&own, &self.claims(60))),
            ("unknown kid", headed(key.alg(), "other")),
            ("alg none", headed("none", kid)),
            ("another alg", headed("HS512", kid)),
            ("no exp", key.forged(&own, &endless)),
            ("null for exp", key.forged(&own, &with("exp", Value::Null))),
            ("for another", key.forged(&own, &with("aud", json!("another")))),
            ("tampered", format!("{first}.{every}.{signature}")),
            ("oversize", "a".repeat(4000)),
            ("no token", "nothing-like-it".to_owned()),
        ]
    }
}
