//! Tokens as nobody honest makes them, for tests.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;
use serde_json::{Value, json};

use super::{Key, KeyRing, LEEWAY, MAX_TOKEN_BYTES, Refusal, Token};
use crate::model::Timestamp;

/// When these tests take place.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A key, by its number.
pub(crate) fn key(number: u8) -> Key {
    Key::from_random([number; 16], [[number; 16], [number + 1; 16]]).unwrap()
}

/// The keys that are accepted: the first, and no other.
pub(crate) fn ring() -> KeyRing {
    KeyRing::new(key(1))
}

/// The header of a good token.
pub(crate) fn header() -> Value {
    json!({ "alg": "HS256", "typ": "JWT", "kid": key(1).kid() })
}

/// The claims of a good token, for `AAA` and an hour.
pub(crate) fn claims() -> Value {
    json!({ "sub": "shop", "clients": ["AAA"], "exp": NOW.millis() / 1000 + 3600 })
}

/// An object with one thing in it changed; taken away, if it is null.
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

/// A token with this header and these claims, signed by a key with HS256 whatever it says.
pub(crate) fn signed(key: &Key, header: &Value, claims: &Value) -> Token {
    let signed = format!("{}.{}", base64(header), base64(claims));
    let signature = key.signer().chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into()
}

/// Everything that somebody might try, and what it is answered with.
pub(crate) fn bad_tokens() -> Vec<(&'static str, Token, Refusal)> {
    let by_us = |header: &Value, claims: &Value| signed(&key(1), header, claims);
    let headed = |name: &str, value: Value| by_us(&with(header(), name, value), &claims());
    let claiming = |name: &str, value: Value| by_us(&header(), &with(claims(), name, value));

    let good = by_us(&header(), &claims());
    let [first, second, third] = *good.as_str().split('.').collect::<Vec<_>>() else { panic!() };
    let for_all = base64(&with(claims(), "clients", json!("*")));
    let without = base64(&with(header(), "alg", json!("none")));
    let over = NOW.minus(LEEWAY);
    let soon = NOW.millis() / 1000 + 31;
    vec![
        ("nothing", String::new().into(), Refusal::Malformed),
        ("no token", "a.b.c".to_owned().into(), Refusal::Malformed),
        ("dots", "....".to_owned().into(), Refusal::Malformed),
        ("empty objects", "e30.e30.e30".to_owned().into(), Refusal::Malformed),
        ("oversize", "a".repeat(MAX_TOKEN_BYTES + 1).into(), Refusal::TooLong),
        ("alg none, unsigned", format!("{without}.{second}.").into(), Refusal::Algorithm),
        ("alg none, signed", headed("alg", json!("none")), Refusal::Algorithm),
        ("alg NONE", headed("alg", json!("NONE")), Refusal::Algorithm),
        ("another alg, our secret", headed("alg", json!("HS512")), Refusal::Algorithm),
        ("an alg of public keys", headed("alg", json!("RS256")), Refusal::Algorithm),
        ("no alg", headed("alg", Value::Null), Refusal::Malformed),
        ("an unknown extension", headed("crit", json!(["x"])), Refusal::Algorithm),
        ("unknown kid", headed("kid", json!("other")), Refusal::UnknownKey),
        ("no kid", headed("kid", Value::Null), Refusal::UnknownKey),
        ("other secret", signed(&key(2), &header(), &claims()), Refusal::Signature),
        ("tampered", format!("{first}.{for_all}.{third}").into(), Refusal::Signature),
        ("unsigned", format!("{first}.{second}.").into(), Refusal::Signature),
        (
            "half a signature",
            format!("{first}.{second}.{}", &third[..20]).into(),
            Refusal::Signature,
        ),
        ("expired", claiming("exp", json!(over.millis() / 1000)), Refusal::Expired { at: over }),
        ("no exp", claiming("exp", Value::Null), Refusal::Claims),
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
    ]
}

/// A good token, for so long.
pub(crate) fn good_token(keys: &KeyRing, now: Timestamp, time: Duration) -> Token {
    let exp = now.plus(time).millis() / 1000;
    let header = with(header(), "kid", json!(keys.first().kid()));
    signed(keys.first(), &header, &with(claims(), "exp", json!(exp)))
}
