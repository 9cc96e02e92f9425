//! Tests rotations, outages, and tokens of an identity provider.

use super::*;
use crate::memory::{ManualClock, MemoryKeys, MemoryTokenKeys};
use crate::ports::PortError;
use crate::runtime::known_keys::{RETRY, USABLE};
use crate::tokens::Refusal;
use crate::tokens::testing::{
    NOW, P256, RSA, Signer, bad_issued_tokens, bad_tokens, claims, good_token, header,
    issued_claims, issuer, key, key_set, ring, signed, with,
};

const SECOND: Duration = Duration::from_secs(1);

/// A check, with the keys that it reads and the clock by which it reads them.
struct Door {
    check: TokenCheck,
    own: Arc<MemoryTokenKeys>,
    clock: Arc<ManualClock>,
}

impl Door {
    fn new(ring: KeyRing) -> Self {
        Self::with(MemoryTokenKeys::with(ring))
    }

    fn with(keys: MemoryTokenKeys) -> Self {
        let (own, clock) = (Arc::new(keys), Arc::new(ManualClock::new(NOW)));
        Self { check: TokenCheck::new(own.clone(), clock.clone()), own, clock }
    }

    /// Returns a door that also accepts tokens of an identity provider, and the provider's keys.
    fn shared(keys: KeySet) -> (Self, Arc<MemoryKeys<KeySet>>) {
        let (door, keys) = (Self::new(ring()), Arc::new(MemoryKeys::with(keys)));
        let check = door.check.accepting_by(issuer(), keys.clone(), REFRESH);
        (Self { check, ..door }, keys)
    }

    /// Returns a token for a day.
    fn token(&self, ring: &KeyRing) -> Token {
        good_token(ring, self.clock.now(), Duration::from_secs(24 * 60 * 60))
    }

    /// Returns why tokens cannot be checked.
    async fn trouble(&self, token: &Token) -> Arc<PortError> {
        match self.check.grant(token).await.unwrap_err() {
            NotGranted::NoKeys(error) => error,
            error @ NotGranted::Refused(_) => panic!("{error:?}"),
        }
    }

    async fn refusal(&self, token: &Token) -> Option<Refusal> {
        match self.check.grant(token).await {
            Ok(_) => None,
            Err(NotGranted::Refused(refusal)) => Some(refusal),
            Err(error @ NotGranted::NoKeys(_)) => panic!("{error:?}"),
        }
    }

    async fn opens(&self, token: &Token) -> bool {
        let refusal = self.refusal(token).await;
        assert!(matches!(refusal, None | Some(Refusal::UnknownKey)), "{refusal:?}");
        refusal.is_none()
    }
}

#[tokio::test]
async fn a_rotation_is_noticed_while_the_gateway_runs() {
    let old = KeyRing::new(key(1));
    let door = Door::new(old.clone());
    let first = door.token(&old);
    assert!(door.opens(&first).await);
    let new = old.clone().rotated(key(2));
    door.own.replace(&new).await.unwrap();
    let second = door.token(&new);
    assert!(!door.opens(&second).await, "the keys were read a moment ago");
    door.clock.advance(OWN_KEYS.look_again);
    assert!(door.opens(&second).await && door.opens(&first).await);
    // The first key is removed. It stays valid for as long as the keys count as fresh.
    door.own.replace(&KeyRing::new(key(2))).await.unwrap();
    assert!(door.opens(&first).await);
    door.clock.advance(OWN_KEYS.fresh);
    assert!(!door.opens(&first).await && door.opens(&second).await);
}

#[tokio::test]
async fn keys_are_read_seldom_whatever_comes() {
    let door = Door::new(KeyRing::new(key(1)));
    let (good, bad) = (door.token(&KeyRing::new(key(1))), door.token(&KeyRing::new(key(2))));
    for _ in 0..100 {
        assert!(door.opens(&good).await && !door.opens(&bad).await);
    }
    assert_eq!(door.own.reads(), 1);
    for _ in 0..10 {
        door.clock.advance(OWN_KEYS.look_again / 10);
        assert!(!door.opens(&bad).await);
    }
    assert_eq!(door.own.reads(), 2);
}

#[tokio::test]
async fn an_outage_locks_nobody_out_for_an_hour() {
    let door = Door::new(KeyRing::new(key(1)));
    let token = door.token(&KeyRing::new(key(1)));
    assert!(door.opens(&token).await);
    door.own.fail(true);
    door.clock.advance(USABLE - SECOND);
    assert!(door.opens(&token).await && door.opens(&token).await);
    assert_eq!(door.own.reads(), 2, "it is not tried for every token");
    door.clock.advance(RETRY);
    for _ in 0..10 {
        assert!(matches!(*door.trouble(&token).await, PortError::Throttled { .. }));
    }
    assert_eq!(door.own.reads(), 3, "nor afterwards, when they are good no more");
    door.own.fail(false);
    door.clock.advance(RETRY);
    assert!(door.opens(&token).await);
}

#[tokio::test]
async fn a_clock_that_is_set_back_hides_no_rotation_and_prolongs_no_outage() {
    let door = Door::new(KeyRing::new(key(1)));
    let set_back = || door.clock.set(door.clock.now().minus(Duration::from_secs(3600)));
    let old = door.token(&KeyRing::new(key(1)));
    assert!(door.opens(&old).await);
    door.own.replace(&KeyRing::new(key(2))).await.unwrap();
    set_back();
    let new = door.token(&KeyRing::new(key(2)));
    assert!(!door.opens(&old).await && door.opens(&new).await);
    // Keys that were read a moment ago stay usable when they cannot be read now.
    door.own.fail(true);
    set_back();
    let new = door.token(&KeyRing::new(key(2)));
    assert!(door.opens(&new).await);
    door.own.fail(false);
    door.own.replace(&KeyRing::new(key(3))).await.unwrap();
    set_back();
    let newest = door.token(&KeyRing::new(key(3)));
    assert!(door.opens(&newest).await && !door.opens(&new).await);
}

#[tokio::test]
async fn without_keys_no_token_is_good() {
    let door = Door::with(MemoryTokenKeys::default());
    let token = Token::from("a.b.c".to_owned());
    assert!(matches!(*door.trouble(&token).await, PortError::Missing { .. }));
}

const REFRESH: KeyRefresh =
    KeyRefresh { fresh: Duration::from_secs(300), look_again: Duration::from_secs(5) };

/// Returns a token for a day.
fn issued(signer: &Signer) -> Token {
    let exp = NOW.plus(Duration::from_secs(24 * 60 * 60)).millis() / 1000;
    let claims = with(issued_claims(), "exp", serde_json::json!(exp));
    signer.signed(&signer.header(), &claims)
}

#[tokio::test]
async fn both_kinds_of_tokens_are_good_and_all_abuse_of_both_is_refused() {
    let (door, _) = Door::shared(key_set([&RSA[0], &P256[0]]));
    let own = signed(&key(1), &header(), &claims());
    for token in [own, issued(&RSA[0]), issued(&P256[0])] {
        assert_eq!(door.refusal(&token).await, None);
    }
    for (what, token, refusal) in bad_issued_tokens() {
        assert_eq!(door.refusal(&token).await, Some(refusal), "{what}");
    }
    for (what, token, _) in bad_tokens() {
        assert!(door.refusal(&token).await.is_some(), "{what}");
    }
}

/// The public part of a key must not work as a secret of HS256.
#[tokio::test]
async fn a_public_key_is_no_secret() {
    let (door, _) = Door::shared(key_set([&RSA[0], &P256[0]]));
    for signer in [&RSA[0], &P256[0]] {
        let jwk = signer.jwk();
        let texts = ["n", "x"].iter().filter_map(|part| jwk[*part].as_str().map(str::to_owned));
        for secret in texts.chain([jwk.to_string()]) {
            let document = serde_json::json!({ "keys": [{ "kid": jwk["kid"], "secret": secret }] });
            let forger = KeyRing::parse(&document.to_string()).unwrap();
            let by_secret = Signer::Own(forger.first().clone());
            for alg in ["HS256", "RS256", "ES256"] {
                let header = with(by_secret.header(), "alg", serde_json::json!(alg));
                let token = by_secret.signed(&header, &issued_claims());
                assert!(door.refusal(&token).await.is_some(), "{alg} by {secret}");
            }
        }
    }
}

#[tokio::test]
async fn a_rotation_of_the_provider_is_noticed_and_inventing_keys_asks_it_seldom() {
    let (door, keys) = Door::shared(key_set([&RSA[0]]));
    assert_eq!(door.refusal(&issued(&RSA[0])).await, None);
    keys.put(key_set([&P256[0]]));
    for _ in 0..100 {
        assert_eq!(door.refusal(&issued(&P256[0])).await, Some(Refusal::UnknownKey));
    }
    assert_eq!((keys.reads(), door.own.reads()), (1, 0));
    door.clock.advance(REFRESH.look_again);
    assert_eq!(door.refusal(&issued(&P256[0])).await, None, "a key that was not known");
    let gone = door.refusal(&issued(&RSA[0])).await;
    assert_eq!((gone, keys.reads()), (Some(Refusal::UnknownKey), 2), "it was taken away");
    keys.put(key_set([&RSA[0]]));
    door.clock.advance(REFRESH.fresh);
    let gone = door.refusal(&issued(&P256[0])).await;
    assert_eq!((gone, keys.reads()), (Some(Refusal::UnknownKey), 3), "also without a new one");
}

#[tokio::test]
async fn a_token_that_names_no_key_is_refused_without_reading_keys_again() {
    let (door, keys) = Door::shared(key_set([&RSA[0]]));
    let own = signed(&key(1), &header(), &claims());
    assert_eq!(door.refusal(&issued(&RSA[0])).await, None);
    assert_eq!(door.refusal(&own).await, None);
    let reads = || (keys.reads(), door.own.reads());
    assert_eq!(reads(), (1, 1));
    for kid in [serde_json::Value::Null, serde_json::json!("")] {
        door.clock.advance(REFRESH.look_again);
        let issued = RSA[0].signed(&with(RSA[0].header(), "kid", kid.clone()), &issued_claims());
        let own = signed(&key(1), &with(header(), "kid", kid), &claims());
        for token in [issued, own] {
            assert_eq!(door.refusal(&token).await, Some(Refusal::UnnamedKey));
        }
        assert_eq!(reads(), (1, 1), "no other keys can be meant");
    }
}

#[tokio::test]
async fn an_outage_of_one_kind_of_keys_leaves_the_other_alone() {
    let (door, keys) = Door::shared(key_set([&RSA[0]]));
    let own = signed(&key(1), &header(), &claims());
    keys.fail(true);
    let error = door.check.grant(&issued(&RSA[0])).await.unwrap_err();
    assert!(matches!(error, NotGranted::NoKeys(_)), "{error:?}");
    assert_eq!(door.refusal(&own).await, None);
    keys.fail(false);
    door.clock.advance(RETRY);
    assert_eq!(door.refusal(&issued(&RSA[0])).await, None);
    keys.fail(true);
    door.clock.advance(USABLE - SECOND);
    assert_eq!(door.refusal(&issued(&RSA[0])).await, None, "known keys are good for an hour");

    let (door, _) = Door::shared(key_set([&RSA[0]]));
    door.own.fail(true);
    assert_eq!(door.refusal(&issued(&RSA[0])).await, None);
    assert!(matches!(door.check.grant(&own).await, Err(NotGranted::NoKeys(_))));
}

#[tokio::test]
async fn a_file_that_was_replaced_is_read_again_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.json");
    let write = |signer: &Signer| {
        let document = serde_json::json!({ "keys": [signer.jwk()] });
        std::fs::write(&file, document.to_string()).unwrap();
    };
    write(&RSA[0]);
    let clock = Arc::new(ManualClock::new(NOW));
    let check = TokenCheck::new(Arc::new(MemoryTokenKeys::with(ring())), clock.clone());
    let keys = KeySetPlace::File(file.clone());
    let check = check.accepting(IdentityProvider { issuer: issuer(), keys });
    assert!(check.grant(&issued(&RSA[0])).await.is_ok());
    write(&P256[0]);
    clock.advance(SECOND);
    assert!(
        check.grant(&issued(&RSA[0])).await.is_err()
            && check.grant(&issued(&P256[0])).await.is_ok()
    );
    // An invalid key set removes no key until it is corrected.
    std::fs::write(&file, "half of it").unwrap();
    clock.advance(SECOND);
    assert!(check.grant(&issued(&P256[0])).await.is_ok());
    write(&RSA[0]);
    clock.advance(RETRY);
    assert!(check.grant(&issued(&RSA[0])).await.is_ok());
}
