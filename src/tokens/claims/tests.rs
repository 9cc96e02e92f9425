//! Valid and forged tokens.

use serde_json::json;

use super::*;
use crate::model::UserId;
use crate::tokens::testing::{NOW, bad_tokens, claims, header, key, ring, signed, with};

const HOUR: Duration = Duration::from_secs(3600);

fn users(names: impl IntoIterator<Item = String>) -> Clients {
    names.into_iter().map(|name| UserId::new(name).unwrap()).collect()
}

fn grant() -> Grant {
    Grant {
        subject: Subject::new("shop").unwrap(),
        clients: users(["AAA", "José Núñez 株式会社"].map(str::to_owned)),
        load: false,
        expires_at: NOW.plus(HOUR),
    }
}

#[test]
fn what_is_signed_is_what_is_read() {
    let every = Grant { clients: Clients::Every, ..grant() };
    let loader = Grant { clients: Clients::nobody(), load: true, ..grant() };
    for grant in [grant(), every, loader] {
        let token = ring().sign(&grant, NOW).unwrap();
        assert_eq!(ring().check(&token, NOW), Ok(grant));
    }
}

#[test]
fn a_key_opens_until_the_second_rotation() {
    let token = ring().sign(&grant(), NOW).unwrap();
    let once = ring().rotated(key(2));
    assert_eq!(once.check(&token, NOW), Ok(grant()));
    let by_the_new_key = once.sign(&grant(), NOW).unwrap();
    assert_eq!(ring().check(&by_the_new_key, NOW), Err(Refusal::UnknownKey));
    assert_eq!(once.rotated(key(3)).check(&token, NOW), Err(Refusal::UnknownKey));
}

#[test]
fn whatever_else_is_tried_is_refused() {
    let good = signed(&key(1), &header(), &claims());
    assert!(ring().check(&good, NOW).is_ok());
    for (what, token, refusal) in bad_tokens() {
        assert_eq!(ring().check(&token, NOW), Err(refusal), "{what}");
    }
}

#[test]
fn clocks_may_differ_a_little() {
    let token = ring().sign(&grant(), NOW).unwrap();
    let end = NOW.plus(HOUR);
    let just = LEEWAY - Duration::from_millis(1);
    assert!(ring().check(&token, end.plus(just)).is_ok());
    assert_eq!(ring().check(&token, end.plus(LEEWAY)), Err(Refusal::Expired { at: end }));
    let early = with(claims(), "nbf", json!(NOW.millis() / 1000 + 31));
    let early = signed(&key(1), &header(), &early);
    assert!(ring().check(&early, NOW.plus(Duration::from_secs(1))).is_ok());
    let eternal = signed(&key(1), &header(), &with(claims(), "exp", json!(i64::MAX)));
    assert!(ring().check(&eternal, NOW).is_ok(), "no overflow");
}

/// API Gateway accepts 8 KB from an authorizer, in which the customers are JSON text inside JSON.
#[test]
fn the_clients_of_any_token_fit_an_authorizers_answer() {
    // These ids grow the most when they are escaped twice.
    for id in ["\"", "\\", "a"] {
        let grant = |count: usize| Grant {
            clients: users((0..count).map(|n| format!("{}{n}", id.repeat(8)))),
            ..grant()
        };
        let count = (1..).take_while(|count| ring().sign(&grant(*count), NOW).is_ok()).count();
        assert!(matches!(ring().sign(&grant(count + 1), NOW), Err(SignError::TooLong { .. })));
        let clients = serde_json::to_string(&grant(count).clients).unwrap();
        let escaped = json!({ "clients": clients }).to_string();
        assert!(escaped.len() < 7 * 1024, "{count} users named {id}: {} bytes", escaped.len());
    }
}
