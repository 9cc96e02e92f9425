//! Valid and invalid key sets, and tokens that are checked with them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::model::UserId;
use crate::tokens::Clients;
use crate::tokens::testing::{
    NOW, P256, RSA, Signer, bad_issued_tokens, issued_claims, issuer, key_set, with,
};

fn signers() -> [&'static Signer; 2] {
    [&RSA[0], &P256[0]]
}

fn parse(keys: &Value) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn good(signer: &Signer) -> Token {
    signer.signed(&signer.header(), &issued_claims())
}

#[test]
fn tokens_of_both_kinds_of_keys_are_good() {
    let keys = key_set(signers());
    for signer in signers() {
        let grant = keys.check(&good(signer), &issuer(), NOW).unwrap();
        assert_eq!(grant.subject.as_str(), "shop");
        assert_eq!(grant.clients, Clients::from_iter([UserId::new("AAA").unwrap()]));
        assert!(!grant.load && good(signer).names_public_key());
        let loads = with(issued_claims(), "load", json!(true));
        let loads = signer.signed(&signer.header(), &loads);
        assert!(keys.check(&loads, &issuer(), NOW).unwrap().load);
    }
}

#[test]
fn whatever_else_is_tried_is_refused() {
    let keys = key_set(signers());
    for (what, token, refusal) in bad_issued_tokens() {
        assert_eq!(keys.check(&token, &issuer(), NOW), Err(refusal), "{what}");
    }
}

#[test]
fn without_an_audience_a_token_must_have_none() {
    let (keys, issuer) = (key_set(signers()), Issuer { audience: None, ..issuer() });
    for signer in signers() {
        assert_eq!(keys.check(&good(signer), &issuer, NOW), Err(Refusal::Audience));
        let without = with(issued_claims(), "aud", Value::Null);
        assert!(keys.check(&signer.signed(&signer.header(), &without), &issuer, NOW).is_ok());
    }
}

#[test]
fn another_claim_can_name_the_customers_but_never_all_of_them() {
    let keys = key_set(signers());
    let issuer = Issuer { client_claim: "https://example.com/customer".to_owned(), ..issuer() };
    let clients = |value: Value| {
        let claims = with(issued_claims(), &issuer.client_claim, value);
        let token = RSA[0].signed(&RSA[0].header(), &claims);
        keys.check(&token, &issuer, NOW).map(|grant| grant.clients)
    };
    let named = |names: &[&str]| {
        Ok(names.iter().map(|name| UserId::new(*name).unwrap()).collect::<Clients>())
    };
    assert_eq!(clients(json!("BBB")), named(&["BBB"]));
    assert_eq!(clients(json!(["BBB", "CCC"])), named(&["BBB", "CCC"]));
    assert_eq!(clients(json!("*")), named(&["*"]), "a customer of that name, not everybody");
    for wrong in [Value::Null, json!(7), json!(""), json!({ "BBB": true })] {
        assert_eq!(clients(wrong), Err(Refusal::Claims), "although there is a claim `clients`");
    }
    let of_subject = Issuer { client_claim: "sub".to_owned(), ..issuer };
    let grant = keys.check(&good(&RSA[0]), &of_subject, NOW).unwrap();
    assert_eq!(Ok(grant.clients), named(&["shop"]));
}

#[test]
fn a_key_is_used_only_for_what_its_provider_says() {
    for signer in signers() {
        let own = json!(signer.alg());
        for (name, value) in [
            ("alg", own),
            ("use", json!("sig")),
            ("key_ops", json!(["verify"])),
            ("x5t", json!("anything")),
        ] {
            let keys = parse(&json!([with(signer.jwk(), name, value)])).unwrap();
            assert!(keys.check(&good(signer), &issuer(), NOW).is_ok(), "{name}");
        }
        for (name, value) in [
            ("alg", json!("RS512")),
            ("alg", json!("ES384")),
            ("alg", json!("RSA-OAEP")),
            ("alg", json!("HS256")),
            ("alg", json!("anything")),
            ("use", json!("enc")),
            ("key_ops", json!(["encrypt"])),
            ("kid", Value::Null),
            ("kid", json!("")),
            ("kty", json!("oct")),
            ("kty", json!("OKP")),
        ] {
            let wrong = with(signer.jwk(), name, value.clone());
            let said = why_not(&wrong).to_string();
            let named = format!("`{name}`");
            assert!(said.contains(&named) || name == "kty", "{name} {value}: {said}");
        }
    }
    // A key that cannot be used does not affect the others.
    let unknown = json!({ "kty": "AKP", "kid": "pq", "alg": "ML-DSA-44", "pub": "AAAA" });
    let keys = parse(&json!([unknown, 7, RSA[0].jwk()])).unwrap();
    assert!(keys.check(&good(&RSA[0]), &issuer(), NOW).is_ok());
}

/// Returns why the only key of a set cannot be used.
fn why_not(key: &Value) -> Unusable {
    match parse(&json!([key])) {
        Err(KeySetError::NoneUsable { keys }) if keys.len() == 1 => keys[0].why,
        other => panic!("{key}: {other:?}"),
    }
}

#[test]
fn a_set_without_a_usable_key_says_of_each_key_why() {
    let keys = json!([
        with(RSA[0].jwk(), "use", json!("enc")),
        with(P256[0].jwk(), "kid", Value::Null),
        7,
    ]);
    let said = parse(&keys).unwrap_err().to_string();
    for part in ["`rsa-1`: its `use` is not `sig`", "key 2: it has no `kid`", "key 3: it is no JWK"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let many = vec![json!(7); MAX_LISTED + 2];
    assert!(parse(&json!(many)).unwrap_err().to_string().contains("; and 2 more)"));
}

#[test]
fn short_keys_and_other_curves_are_not_used() {
    let short = URL_SAFE_NO_PAD.encode([255; 128]);
    let padded = URL_SAFE_NO_PAD.encode([vec![0; 200], vec![255; 128]].concat());
    let long = URL_SAFE_NO_PAD.encode([255; 1025]);
    let coordinate = URL_SAFE_NO_PAD.encode([7; 48]);
    let (rsa, p256) = (RSA[0].jwk(), P256[0].jwk());
    let p384 = with(with(p256.clone(), "crv", json!("P-384")), "x", json!(coordinate));
    for wrong in [
        with(rsa.clone(), "n", json!(short)),
        with(rsa.clone(), "n", json!(padded)),
        with(rsa.clone(), "n", json!(long)),
        with(rsa, "n", json!("no base64!")),
        with(p384, "y", json!(coordinate)),
        with(p256.clone(), "crv", json!("P-384")),
        with(p256.clone(), "crv", json!("secp256k1")),
        with(p256.clone(), "x", json!(coordinate)),
        with(p256.clone(), "y", Value::Null),
    ] {
        why_not(&wrong);
    }
    assert_eq!(why_not(&with(RSA[0].jwk(), "n", json!(short))), Unusable::Size { bits: 1024 });
    // A point that is not on the curve is not the key of any signature.
    let off = with(p256, "x", json!(URL_SAFE_NO_PAD.encode([7; 32])));
    let keys = parse(&json!([off])).unwrap();
    assert_eq!(keys.check(&good(&P256[0]), &issuer(), NOW), Err(Refusal::Signature));
}

#[test]
fn a_set_is_bounded_and_unambiguous() {
    let many: Vec<_> = (0..=MAX_KEYS)
        .map(|number| with(P256[0].jwk(), "kid", json!(format!("ec-{number}"))))
        .collect();
    assert!(parse(&json!(many[..MAX_KEYS])).is_ok());
    assert_eq!(parse(&json!(many)).unwrap_err(), KeySetError::TooMany { count: MAX_KEYS + 1 });
    let twice = parse(&json!([RSA[0].jwk(), RSA[1].jwk()])).unwrap_err();
    assert_eq!(twice, KeySetError::Twice { algorithm: Algorithm::RS256, kid: "rsa-1".to_owned() });
    // Keys of two kinds may have the same name, because the algorithm tells them apart.
    let same_name = with(P256[0].jwk(), "kid", json!("rsa-1"));
    let keys = parse(&json!([RSA[0].jwk(), same_name])).unwrap();
    assert!(keys.check(&good(&RSA[0]), &issuer(), NOW).is_ok());
    assert_eq!(parse(&json!([])).unwrap_err(), KeySetError::NoneUsable { keys: vec![] });
    let large = format!("{}{{}}", " ".repeat(MAX_KEY_SET_BYTES));
    assert_eq!(KeySet::parse(large.as_bytes()).unwrap_err(), KeySetError::TooLarge);
    for document in ["", "[]", "{}", r#"{"keys":7}"#, "<html>"] {
        let error = KeySet::parse(document.as_bytes()).unwrap_err();
        assert!(matches!(error, KeySetError::Malformed { .. }), "{document}: {error}");
    }
}
