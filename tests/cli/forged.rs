//! Tokens of our own making, good and bad, by whoever holds the key that signs.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// The first of the keys that tokens are accepted by.
pub struct SigningKey {
    pub kid: String,
    pub secret: String,
}

impl SigningKey {
    /// The one that signs, of the document that keys are kept in.
    pub fn of(document: &[u8]) -> Self {
        let keys: Value = serde_json::from_slice(document).unwrap();
        let of = |name: &str| keys["keys"][0][name].as_str().unwrap().to_owned();
        Self { kid: of("kid"), secret: of("secret") }
    }

    /// A token for `AAA` that expires in so many seconds, or has expired.
    pub fn token(&self, expires_in: i64) -> String {
        forged(&self.header("HS256", &self.kid), &claims(expires_in), &self.secret)
    }

    fn header(&self, alg: &str, kid: &str) -> Value {
        json!({ "alg": alg, "typ": "JWT", "kid": kid })
    }

    /// Everything that is no good here, by what it is.
    pub fn bad_tokens(&self) -> Vec<(&'static str, String)> {
        let Self { kid, secret } = self;
        let good = self.token(60);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (first, _) = signed.split_once('.').unwrap();
        let mut every = claims(60);
        every["clients"] = json!("*");
        let every = URL_SAFE_NO_PAD.encode(every.to_string());
        let headed = |alg, kid| forged(&self.header(alg, kid), &claims(60), secret);
        let endless = json!({ "sub": "a", "clients": ["AAA"] });
        let own = self.header("HS256", kid);
        vec![
            ("expired", self.token(-31)),
            ("other secret", forged(&own, &claims(60), &secret.to_uppercase())),
            ("unknown kid", headed("HS256", "other")),
            ("alg none", headed("none", kid)),
            ("another alg", headed("HS512", kid)),
            ("no exp", forged(&own, &endless, secret)),
            ("tampered", format!("{first}.{every}.{signature}")),
            ("oversize", "a".repeat(4000)),
            ("no token", "nothing-like-it".to_owned()),
        ]
    }
}

/// A token with this header and these claims, signed with HS256 whatever it says.
fn forged(header: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signer = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let signature = signer.chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims(expires_in: i64) -> Value {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    json!({ "sub": "test", "clients": ["AAA"], "exp": i64::try_from(now).unwrap() + expires_in })
}
